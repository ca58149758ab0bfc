package documents

import (
	"bytes"
	"maps"
	"reflect"
	"unsafe"

	"codeberg.org/go-pdf/fpdf"
)

// fpdf reads a font anew for each document, and hashes all of its widths, which
// takes longer than the rest of an invoice; it has no way to be given a font that
// was read before. Hence the two functions below reach into it: a test holds that
// documents are the same, byte for byte, as with fonts that were read for them.

// readFonts has fpdf read the writer's fonts, once.
func (w *Writer) readFonts() {
	pdf := fpdf.New("P", "mm", "A4", "")
	w.addFonts(pdf)
	w.read = private(reflect.ValueOf(pdf).Elem(), "fonts")
}

func (w *Writer) addFonts(pdf *fpdf.Fpdf) {
	pdf.AddUTF8FontFromBytes("text", "", bytes.Clone(w.regular))
	if w.bold != nil {
		pdf.AddUTF8FontFromBytes("text", "B", bytes.Clone(w.bold))
	}
}

// giveFonts gives a document the fonts that were read. It notes which characters it
// uses, and writes into the font that it cuts: these are its own.
func (w *Writer) giveFonts(pdf *fpdf.Fpdf) {
	if !w.read.IsValid() {
		w.addFonts(pdf)
		return
	}
	fonts := private(reflect.ValueOf(pdf).Elem(), "fonts")
	for each := w.read.MapRange(); each.Next(); {
		font := reflect.New(fonts.Type().Elem()).Elem()
		font.Set(each.Value())
		used := private(font, "usedRunes").Addr().Interface().(*map[int]int)
		*used = maps.Clone(*used)
		reader := private(own(private(font, "utf8File")), "fileReader")
		data := private(own(reader), "array").Addr().Interface().(*[]byte)
		*data = bytes.Clone(*data)
		fonts.SetMapIndex(each.Key(), font)
	}
}

// private is a field that its package keeps to itself, of an addressable struct.
func private(of reflect.Value, name string) reflect.Value {
	f := of.FieldByName(name)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem() //nolint:gosec // see above
}

// own makes a pointer lead to a copy of what it leads to, and returns that.
func own(pointer reflect.Value) reflect.Value {
	fresh := reflect.New(pointer.Type().Elem())
	fresh.Elem().Set(pointer.Elem())
	pointer.Set(fresh)
	return fresh.Elem()
}

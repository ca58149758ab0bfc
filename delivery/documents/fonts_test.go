package documents

import (
	"bytes"
	"reflect"
	"testing"

	"golang.org/x/image/font/gofont/gomono"

	"github.com/okviz/licensing/billing"
)

// both are a writer that has read its fonts, and one that reads them for each document.
func both(t testing.TB, font []byte) map[string]*Writer {
	t.Helper()
	w, err := New(Vendor{Name: "OKVIZ", Address: []string{"Οδός 1", "Улица 2"}}, font)
	if err != nil {
		t.Fatal(err)
	}
	each := *w
	each.read = reflect.Value{}
	return map[string]*Writer{"read once": w, "read for each": &each}
}

func TestDocumentsAreTheSameAsWithFontsThatWereReadForThem(t *testing.T) {
	for _, font := range [][]byte{nil, gomono.TTF} {
		writers := both(t, font)
		for _, name := range []string{"Ada", "Ελένη Παπαδοπούλου", "Иван", "Ada"} { // each cuts another font
			var first []byte
			for how, w := range writers {
				got, err := w.Invoice(billing.Invoice{Currency: "EUR"}, billing.BillingDetails{Company: name})
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = got
				}
				if !bytes.Equal(first, got) {
					t.Errorf("%s: the bytes differ with fonts %s", name, how)
				}
			}
		}
	}
}

func BenchmarkFonts(b *testing.B) {
	for how, w := range both(b, nil) {
		b.Run(how, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Invoice(billing.Invoice{Currency: "EUR"}, billing.BillingDetails{Company: "Ada"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

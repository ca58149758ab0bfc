package documents

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"

	"github.com/okviz/licensing/billing"
)

// Vendor is who issues the documents.
type Vendor struct {
	Name    string
	Address []string // printed as they are, the country among them
	Bank    []string // printed on invoices that are to be paid by transfer
	VATID   string
	Email   string
	URL     string
}

// Writer writes the documents of one vendor. It may be used by several
// goroutines at once.
type Writer struct {
	vendor        Vendor
	regular, bold []byte // bold is nil where one font serves for both
	faces         []*sfnt.Font
}

// New makes a writer. font is a TrueType font; nil stands for the Go fonts,
// which cover Latin, Greek and Cyrillic.
func New(v Vendor, font []byte) (*Writer, error) {
	w := &Writer{vendor: v, regular: font}
	if v.Name == "" {
		return nil, errors.New("documents: the vendor has no name")
	}
	if font == nil {
		w.regular, w.bold = goregular.TTF, gobold.TTF
	}
	for _, data := range [][]byte{w.regular, w.bold} {
		if data == nil {
			continue
		}
		// fpdf takes glyf outlines alone, and prints to standard output when
		// it is given anything else.
		if !bytes.HasPrefix(data, []byte{0, 1, 0, 0}) && !bytes.HasPrefix(data, []byte("true")) {
			return nil, errors.New("documents: the font is not a TrueType font")
		}
		face, err := sfnt.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("documents: reading the font: %w", err)
		}
		w.faces = append(w.faces, face)
	}
	for _, r := range required() {
		if !w.shows(r) {
			return nil, fmt.Errorf("documents: the font lacks %q, which every document needs", r)
		}
	}
	// A document on trial, so that a font that fpdf cannot cut is found now.
	if _, err := w.Invoice(billing.Invoice{Currency: "EUR"}, billing.BillingDetails{Company: string(required())}); err != nil {
		return nil, fmt.Errorf("documents: trying the font: %w", err)
	}
	return w, nil
}

// required are printable ASCII and the two signs that the package itself adds.
func required() []rune {
	var rs []rune
	for r := '!'; r <= '~'; r++ {
		rs = append(rs, r)
	}
	return append(rs, '–', '·')
}

// sender is the vendor's block.
func (s *sheet) sender() []string {
	return present(append(slices.Clone(s.vendor.Address), s.vatNumber(s.vendor.VATID), s.vendor.Email, s.vendor.URL)...)
}

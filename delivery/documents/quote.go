package documents

import (
	"fmt"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// Quote writes a quote for the billing details of its order. Without a number it
// is a pro forma invoice.
func (w *Writer) Quote(q billing.Quote) (pdf []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			pdf, err = nil, fmt.Errorf("documents: writing quote %s: %v", q.ID, r)
		}
	}()
	in := words.In(q.Order.Language)
	title, name := in.Document.Quote, in.Document.Quote+" "+q.Number
	what := in.Document.Offer
	if q.Number == "" {
		title, name, what = in.Document.ProForma, in.Document.ProForma, in.Document.NotDue
	}
	s := w.sheet(in, name, q.CreatedAt)
	s.heading(title, q.Number, s.customer(q.Order.Billing), append([]fact{{in.Document.Issued, in.ShortDay(q.CreatedAt)}, {in.Document.ValidUntil, in.ShortInstant(q.ExpiresAt)}}, s.ordered(q.Order.Billing)...))
	s.lines(q.Bill)
	s.totals(s.sums(q.Bill))
	s.paragraph(left, right-left, quiet, in.TaxNote(q.Bill.TaxNote))
	if licensee := q.Order.Licensee; licensee.Name != "" && licensee != q.Order.Billing.Contact {
		s.paragraph(left, right-left, quiet, fmt.Sprintf(in.Document.Licensee, licensee.Name))
	}
	if q.Renewal != q.Bill.Total() {
		s.paragraph(left, right-left, quiet, fmt.Sprintf(in.Document.EachPeriod, s.money(q.Renewal)))
	}
	s.paragraph(left, right-left, quiet, what)

	if pdf, err = s.bytes(name); err != nil {
		return nil, fmt.Errorf("documents: writing quote %s: %w", q.ID, err)
	}
	return pdf, nil
}

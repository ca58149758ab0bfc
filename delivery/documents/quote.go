package documents

import (
	"fmt"

	"github.com/okviz/licensing/billing"
)

// Quote writes a quote for the billing details of its order. Without a number it
// is a pro forma invoice.
func (w *Writer) Quote(q billing.Quote) (pdf []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			pdf, err = nil, fmt.Errorf("documents: writing quote %s: %v", q.ID, r)
		}
	}()
	title, name := "Quote", "Quote "+q.Number
	what := "This is an offer and no invoice. The period begins when the order is paid."
	if q.Number == "" {
		title, name = "Pro forma invoice", "Pro forma invoice"
		what = "This is no invoice, and nothing is due yet. The invoice is mailed once the order has been confirmed."
	}
	s := w.sheet(name, q.CreatedAt)
	s.heading(title, q.Number, customer(q.Order.Billing), append([]fact{{"Issued", day(q.CreatedAt)}, {"Valid until", minute(q.ExpiresAt)}}, ordered(q.Order.Billing)...))
	s.lines(q.Bill)
	s.totals(s.sums(q.Bill))
	s.paragraph(left, right-left, quiet, q.Bill.TaxNote)
	if licensee := q.Order.Licensee; licensee.Name != "" && licensee != q.Order.Billing.Contact {
		s.paragraph(left, right-left, quiet, "Licensee: "+licensee.Name)
	}
	if q.Renewal != q.Bill.Total() {
		s.paragraph(left, right-left, quiet, "Each later period: "+s.money(q.Renewal))
	}
	s.paragraph(left, right-left, quiet, what)

	if pdf, err = s.bytes(name); err != nil {
		return nil, fmt.Errorf("documents: writing quote %s: %w", q.ID, err)
	}
	return pdf, nil
}

package documents

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// CreditNote writes a credit note, with the invoice that it corrects.
func (w *Writer) CreditNote(n billing.CreditNote, inv billing.Invoice, to billing.BillingDetails) (pdf []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			pdf, err = nil, fmt.Errorf("documents: writing credit note %s: %v", n.ID, r)
		}
	}()
	at := slices.IndexFunc(inv.Lines, func(l billing.Line) bool { return l.ID == n.Line })
	if n.Invoice != inv.ID || at < 0 {
		return nil, fmt.Errorf("documents: credit note %s is for line %s of invoice %s, not for invoice %s", n.ID, n.Line, n.Invoice, inv.ID)
	}
	line := inv.Lines[at]
	in := words.In(inv.Language)
	name := in.Document.CreditNote + " " + n.Number
	if n.Number == "" {
		name = in.Document.DraftCreditNote
	}
	s := w.sheet(in, name, n.IssuedAt)
	if n.Number == "" {
		s.stamp(unnumbered, in.Document.Draft, grey)
	}
	facts := []fact{{in.Document.ForInvoice, cmp.Or(inv.Number, inv.Former)}}
	if !inv.IssuedAt.IsZero() {
		facts = append(facts, fact{in.Document.InvoiceIssued, in.ShortDay(inv.IssuedAt)})
	}
	if !n.IssuedAt.IsZero() {
		facts = append(facts, fact{in.Document.CreditIssued, in.ShortDay(n.IssuedAt)})
	}
	s.heading(in.Document.CreditNote, n.Number, s.customer(to), append(facts, s.ordered(to)...))

	s.columns("", fmt.Sprintf(in.Document.Amount, n.Currency))
	net := s.money(billing.Money{Amount: n.Net, Currency: n.Currency})
	s.row(in.NoteOf(line), "", net, line.Period)
	s.totals([]fact{
		{in.Document.Subtotal, net},
		{s.vat(inv), s.money(billing.Money{Amount: n.Tax, Currency: n.Currency})},
		{in.Document.TotalCredit, s.money(n.Total())},
	})
	s.paragraph(left, right-left, quiet, in.ReasonOf(n.Reason))
	s.paragraph(left, right-left, quiet, in.TaxNote(inv.TaxNote))

	if pdf, err = s.bytes(name); err != nil {
		return nil, fmt.Errorf("documents: writing credit note %s: %w", n.ID, err)
	}
	return pdf, nil
}

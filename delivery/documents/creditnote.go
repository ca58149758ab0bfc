package documents

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/okviz/licensing/billing"
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
	name := "Credit note " + n.Number
	if n.Number == "" {
		name = "Draft credit note"
	}
	s := w.sheet(name, n.IssuedAt)
	if n.Number == "" {
		s.stamp(unnumbered, "DRAFT", grey)
	}
	facts := []fact{{"For invoice", cmp.Or(inv.Number, inv.Former)}}
	if !inv.IssuedAt.IsZero() {
		facts = append(facts, fact{"Invoice issued", day(inv.IssuedAt)})
	}
	if !n.IssuedAt.IsZero() {
		facts = append(facts, fact{"Credit issued", day(n.IssuedAt)})
	}
	s.heading("Credit note", n.Number, customer(to), append(facts, ordered(to)...))

	s.columns("", "Amount ("+n.Currency+")")
	net := s.money(billing.Money{Amount: n.Net, Currency: n.Currency})
	s.row("Credit: "+line.Description, "", net, line.Period)
	s.totals([]fact{
		{"Subtotal", net},
		{vat(inv), s.money(billing.Money{Amount: n.Tax, Currency: n.Currency})},
		{"Total credit", s.money(n.Total())},
	})
	s.paragraph(left, right-left, quiet, reason(n.Reason))
	s.paragraph(left, right-left, quiet, inv.TaxNote)

	if pdf, err = s.bytes(name); err != nil {
		return nil, fmt.Errorf("documents: writing credit note %s: %w", n.ID, err)
	}
	return pdf, nil
}

// reason says why a credit was given.
func reason(code string) string {
	switch code {
	case "":
		return ""
	case "change":
		return "Reason: change of plan. The credit was added to the account's balance."
	case billing.ReasonVoid:
		return "Reason: the invoice was not paid and is void. Nothing is owed."
	}
	return "Reason: " + strings.ReplaceAll(code, "_", " ") + "."
}

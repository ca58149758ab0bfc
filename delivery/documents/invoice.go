package documents

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// Invoice writes an invoice for the billing details of its order. Without a
// number it is marked as a draft.
func (w *Writer) Invoice(inv billing.Invoice, to billing.BillingDetails) (pdf []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			pdf, err = nil, fmt.Errorf("documents: writing invoice %s: %v", inv.ID, r)
		}
	}()
	in := words.In(inv.Language)
	title := in.Document.Invoice
	name := title + " " + inv.Number
	switch {
	case inv.Former != "": // the invoice itself is another system's
		title = in.Document.Record
		name = title + " " + inv.Former
	case inv.Number == "":
		name = in.Document.DraftInvoice
	}
	s := w.sheet(in, name, inv.IssuedAt)
	under := numbered
	if inv.Number == "" {
		under = unnumbered
	}
	switch {
	case inv.Status == billing.InvoiceVoid:
		s.stamp(under, in.Document.Void, red)
	case inv.Former != "":
		s.stamp(under, in.Document.RecordStamp, grey)
	case inv.Number == "":
		s.stamp(under, in.Document.Draft, grey)
	case inv.Status == billing.InvoicePaid:
		s.stamp(under, in.Document.PaidStamp, green)
	}
	var facts []fact
	if !inv.IssuedAt.IsZero() {
		facts = append(facts, fact{in.Document.Issued, in.ShortDay(inv.IssuedAt)})
	}
	if !inv.DueAt.IsZero() {
		facts = append(facts, fact{in.Document.Due, in.ShortDay(inv.DueAt)})
	}
	if inv.Status == billing.InvoicePaid {
		facts = append(facts, fact{in.Document.Paid, in.ShortDay(inv.PaidAt)})
	}
	s.heading(title, cmp.Or(inv.Number, inv.Former), s.customer(to), append(facts, s.ordered(to)...))

	s.lines(inv)
	sums := s.sums(inv)
	if inv.BalanceApplied != 0 {
		sums = append(sums, fact{in.Document.FromBalance, s.money(billing.Money{Amount: -inv.BalanceApplied, Currency: inv.Currency})})
	}
	due := in.Document.AmountDue
	if inv.Status == billing.InvoicePaid {
		due = in.Document.AmountPaid
	}
	s.totals(append(sums, fact{due, s.money(inv.AmountDue())}))
	s.paragraph(left, right-left, quiet, in.TaxNote(inv.TaxNote))
	if inv.Status == billing.InvoiceOpen {
		s.transfer(inv)
	}

	if pdf, err = s.bytes(name); err != nil {
		return nil, fmt.Errorf("documents: writing invoice %s: %w", inv.ID, err)
	}
	return pdf, nil
}

// lines writes the table of a bill's lines.
func (s *sheet) lines(inv billing.Invoice) {
	s.columns(s.in.Document.Quantity, fmt.Sprintf(s.in.Document.Amount, inv.Currency))
	for _, l := range inv.Lines {
		s.row(s.in.LineOf(l), strconv.FormatInt(l.Quantity, 10), s.money(billing.Money{Amount: l.Amount, Currency: inv.Currency}), l.Period)
	}
}

// sums are a bill's from the subtotal to the total.
func (s *sheet) sums(inv billing.Invoice) []fact {
	sums := []fact{{s.in.Document.Subtotal, s.money(inv.Subtotal())}}
	if !inv.Discount().IsZero() {
		sums = append(sums, fact{s.in.Document.Discount, s.money(inv.Discount().Neg())})
	}
	return append(sums, fact{s.vat(inv), s.money(inv.Tax())}, fact{s.in.Document.Total, s.money(inv.Total())})
}

// transfer says how an open invoice is paid.
func (s *sheet) transfer(inv billing.Invoice) {
	s.room(float64(len(s.vendor.Bank)+4) * leading)
	s.y += leading
	s.paragraph(left, right-left, strong, s.in.Document.PayByTransfer)
	for _, line := range s.vendor.Bank {
		s.paragraph(left, right-left, body, line)
	}
	s.paragraph(left, right-left, body, fmt.Sprintf(s.in.Document.Reference, inv.Number))
	if inv.Service().Period.Start.IsZero() {
		s.paragraph(left, right-left, quiet, s.in.Document.PeriodToCome)
	}
}

// ordered is what the customer's own books know the order by.
func (s *sheet) ordered(to billing.BillingDetails) (facts []fact) {
	for _, f := range []fact{{s.in.Document.PurchaseOrder, to.PurchaseOrder}, {s.in.Document.CostCenter, to.CostCenter}} {
		if f.value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

// customer is the address block of a document: the company first, if there is
// one.
func (s *sheet) customer(to billing.BillingDetails) []string {
	return present(
		to.Company, to.Name, to.Line1, to.Line2,
		strings.Join(present(strings.Join(present(to.Postal, to.City), " "), to.Region), ", "),
		s.in.Country(to.Country), s.vatNumber(to.VATID),
	)
}

// vatNumber is a VAT number with what it is, or nothing.
func (s *sheet) vatNumber(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf(s.in.Document.VATNumber, id)
}

// vat names the tax, with its rate where the figures leave one only.
func (s *sheet) vat(inv billing.Invoice) string {
	found := int64(0)
	for rate := int64(50); rate <= 5000; rate += 50 { // basis points
		if !explains(inv, rate) {
			continue
		}
		if found != 0 {
			return s.in.Document.VAT
		}
		found = rate
	}
	if found == 0 {
		return s.in.Document.VAT
	}
	return s.in.Document.VAT + " " + strings.Replace(strconv.FormatFloat(float64(found)/100, 'f', -1, 64), ".", s.in.DecimalSign(), 1) + "%"
}

// explains tells whether a rate gives the tax of every service line, whichever
// way its price was rounded. Credits carry shares of older taxes and say
// nothing.
func explains(inv billing.Invoice, rate int64) bool {
	taxed := false
	for _, l := range inv.Lines {
		if l.Kind != billing.LineService {
			continue
		}
		net := billing.Money{Amount: l.Net(), Currency: inv.Currency}
		gross := billing.Money{Amount: l.Net() + l.Tax, Currency: inv.Currency}
		exclusive := net.Scale(rate, 10000).Amount == l.Tax
		inclusive := gross.Scale(10000, 10000+rate).Amount == l.Net()
		if !exclusive && !inclusive {
			return false
		}
		taxed = taxed || l.Tax != 0
	}
	return taxed
}

package documents

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/okviz/licensing/billing"
)

// Invoice writes an invoice for the billing details of its order. Without a
// number it is marked as a draft.
func (w *Writer) Invoice(inv billing.Invoice, to billing.BillingDetails) (pdf []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			pdf, err = nil, fmt.Errorf("documents: writing invoice %s: %v", inv.ID, r)
		}
	}()
	name, title := "Invoice "+inv.Number, "Invoice"
	switch {
	case inv.Former != "": // the invoice itself is another system's
		name, title = "Record of invoice "+inv.Former, "Record of invoice"
	case inv.Number == "":
		name = "Draft invoice"
	}
	s := w.sheet(name, inv.IssuedAt)
	under := numbered
	if inv.Number == "" {
		under = unnumbered
	}
	switch {
	case inv.Status == billing.InvoiceVoid:
		s.stamp(under, "VOID", red)
	case inv.Former != "":
		s.stamp(under, "RECORD", grey)
	case inv.Number == "":
		s.stamp(under, "DRAFT", grey)
	case inv.Status == billing.InvoicePaid:
		s.stamp(under, "PAID", green)
	}
	var facts []fact
	if !inv.IssuedAt.IsZero() {
		facts = append(facts, fact{"Issued", day(inv.IssuedAt)})
	}
	if !inv.DueAt.IsZero() {
		facts = append(facts, fact{"Due", day(inv.DueAt)})
	}
	if inv.Status == billing.InvoicePaid {
		facts = append(facts, fact{"Paid", day(inv.PaidAt)})
	}
	s.heading(title, cmp.Or(inv.Number, inv.Former), customer(to), append(facts, ordered(to)...))

	s.lines(inv)
	sums := s.sums(inv)
	if inv.BalanceApplied != 0 {
		sums = append(sums, fact{"From account balance", s.money(billing.Money{Amount: -inv.BalanceApplied, Currency: inv.Currency})})
	}
	due := "Amount due"
	if inv.Status == billing.InvoicePaid {
		due = "Amount paid"
	}
	s.totals(append(sums, fact{due, s.money(inv.AmountDue())}))
	s.paragraph(left, right-left, quiet, inv.TaxNote)
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
	s.columns("Quantity", "Amount ("+inv.Currency+")")
	for _, l := range inv.Lines {
		s.row(l.Description, strconv.FormatInt(l.Quantity, 10), s.money(billing.Money{Amount: l.Amount, Currency: inv.Currency}), l.Period)
	}
}

// sums are a bill's from the subtotal to the total.
func (s *sheet) sums(inv billing.Invoice) []fact {
	sums := []fact{{"Subtotal", s.money(inv.Subtotal())}}
	if !inv.Discount().IsZero() {
		sums = append(sums, fact{"Discount", s.money(inv.Discount().Neg())})
	}
	return append(sums, fact{vat(inv), s.money(inv.Tax())}, fact{"Total", s.money(inv.Total())})
}

// transfer says how an open invoice is paid.
func (s *sheet) transfer(inv billing.Invoice) {
	s.room(float64(len(s.vendor.Bank)+4) * leading)
	s.y += leading
	s.paragraph(left, right-left, strong, "Please pay by bank transfer")
	for _, line := range s.vendor.Bank {
		s.paragraph(left, right-left, body, line)
	}
	s.paragraph(left, right-left, body, "Reference: "+inv.Number)
	if inv.Service().Period.Start.IsZero() {
		s.paragraph(left, right-left, quiet, "The period begins on the day on which the payment arrives.")
	}
}

// ordered is the customer's own number of the order.
func ordered(to billing.BillingDetails) []fact {
	if to.PurchaseOrder == "" {
		return nil
	}
	return []fact{{"Purchase order", to.PurchaseOrder}}
}

// customer is the address block of a document: the company first, if there is
// one.
func customer(to billing.BillingDetails) []string {
	return present(
		to.Company, to.Name, to.Line1, to.Line2,
		strings.Join(present(strings.Join(present(to.Postal, to.City), " "), to.Region), ", "),
		country(to.Country), prefixed("VAT ", to.VATID),
	)
}

// renamed are the countries whose name is newer than the tables of x/text.
var renamed = map[string]string{"MK": "North Macedonia", "SZ": "Eswatini", "TR": "Türkiye"}

// country is the English name of an ISO 3166-1 alpha-2 code, or the code.
func country(code string) string {
	if name, ok := renamed[code]; ok {
		return name
	}
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := display.English.Regions().Name(region); name != "" {
		return name
	}
	return code
}

// vat names the tax, with its rate where the figures leave one only.
func vat(inv billing.Invoice) string {
	found := int64(0)
	for rate := int64(50); rate <= 5000; rate += 50 { // basis points
		if !explains(inv, rate) {
			continue
		}
		if found != 0 {
			return "VAT"
		}
		found = rate
	}
	if found == 0 {
		return "VAT"
	}
	return "VAT " + strconv.FormatFloat(float64(found)/100, 'f', -1, 64) + "%"
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

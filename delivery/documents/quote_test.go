package documents_test

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/documents"
)

// offered is the order of the Greek invoice before anybody has accepted it.
func offered() billing.Quote {
	inv, to := greek()
	inv.Lines = inv.Lines[:1]
	inv.Lines[0].Period = billing.Period{}
	return billing.Quote{
		ID: "quo_1", Number: "Q-2026-000007", Bill: inv, Renewal: inv.Total(),
		Order:     billing.Order{Billing: to, Licensee: billing.Contact{Name: "Иван 😀 Петров", Email: "ivan@example.gr"}},
		CreatedAt: date(2026, 1, 31), ExpiresAt: date(2026, 3, 2),
	}
}

func quoted(t testing.TB, q billing.Quote) string {
	t.Helper()
	pdf, err := writer(t, nil).Quote(q)
	if err != nil {
		t.Fatal(err)
	}
	return text(t, pdf)
}

func TestAQuoteShowsEveryFigureAndUntilWhenItIsValid(t *testing.T) {
	got := quoted(t, offered())
	want(t, got,
		"Example Visuals Srl", "VAT IT12345670017", "Quote", "Q-2026-000007", "Issued 31 Jan 2026", "Valid until 2 Mar 2026, 09:30 UTC",
		"Παράδειγμα Α.Ε.", "Ελένη Παπαδοπούλου", "105 63 Αθήνα", "Greece", "Licensee: Иван ? Петров",
		"Synoptic Panel, capacity P1 or F64, yearly 2 €1,980.00",
		// 24 % of 1,782.00 are 427.68.
		"Subtotal €1,980.00", "Discount -€198.00", "VAT 24% €427.68", "Total €2,209.68", "an offer and no invoice",
	)
	never(t, got, "Invoice", "PAID", "DRAFT", "Due", "IBAN", "balance", "@example.gr", "Each later period", "2027", "0001")
}

func TestAQuoteWithoutANumberIsAProFormaInvoice(t *testing.T) {
	q := offered()
	q.Number, q.Order.Licensee.Name = "", ""
	got := quoted(t, q)
	want(t, got, "Pro forma invoice", "Issued 31 Jan 2026", "Total €2,209.68", "This is no invoice, and nothing is due yet")
	never(t, got, "Quote", "Q-", "INV-", "DRAFT", "IBAN", "Licensee", "an offer")
}

func TestAQuoteSaysWhatComesAfterADiscountThatEnds(t *testing.T) {
	q := offered()
	q.Renewal = billing.Money{Amount: 245520, Currency: "EUR"}
	want(t, quoted(t, q), "Each later period: €2,455.20")
}

func TestAQuoteForTheBillingContactNamesNoLicensee(t *testing.T) {
	q := offered()
	q.Order.Licensee = q.Order.Billing.Contact
	q.Bill.TaxNote = billing.ReverseChargeNote
	got := quoted(t, q)
	want(t, got, "Reverse charge")
	never(t, got, "Licensee")
}

func TestAQuoteIsInTheLanguageOfItsOrder(t *testing.T) {
	q := offered()
	q.Order.Language, q.Order.Billing.PurchaseOrder = "it", "PO 4711"
	got := quoted(t, q)
	want(t, got, "Preventivo", "Valido fino al 2 mar 2026, 09:30 UTC", "Ordine di acquisto PO 4711", "Licenziatario: Иван", "Totale 2209,68 €", "non una fattura")
	never(t, got, "Quote", "Valid until", "Licensee")
}

func FuzzQuote(f *testing.F) {
	for _, name := range hostile {
		f.Add(name, int64(990), int64(218), "USD", int64(0))
	}
	f.Add("", int64(-1<<63), int64(1<<63-1), "JPY", int64(1)<<40)
	w, err := documents.New(vendor, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, amount, tax int64, code string, expires int64) {
		q := billing.Quote{
			ID: "quo_1", Number: name, Renewal: billing.Money{Amount: tax, Currency: code}, ExpiresAt: time.Unix(expires, 0),
			Bill: billing.Invoice{Currency: code, TaxNote: name, Lines: []billing.Line{
				{Kind: billing.LineService, Description: name, Quantity: amount, Amount: amount, Tax: tax},
			}},
			Order: billing.Order{
				Billing:  billing.BillingDetails{Contact: billing.Contact{Name: name}, Company: name, Country: code, VATID: name, Line1: name, City: name},
				Licensee: billing.Contact{Name: name + name},
			},
		}
		if _, err := w.Quote(q); (err == nil) != billing.ValidCurrency(code) {
			t.Fatal(err)
		}
	})
}

package billing

import (
	"slices"
	"testing"
)

// The standard rates of the member states as of 2026, by hand.
func TestTheStandardRatesOf2026(t *testing.T) {
	want := map[string]int64{
		"AT": 2000, "BE": 2100, "BG": 2000, "HR": 2500, "CY": 1900, "CZ": 2100, "DK": 2500,
		"EE": 2400, // since July 2025
		"FI": 2550, // since September 2024
		"FR": 2000, "DE": 1900, "GR": 2400, "HU": 2700, "IE": 2300, "IT": 2200, "LV": 2100, "LT": 2100, "LU": 1700,
		"MT": 1800, "NL": 2100, "PL": 2300, "PT": 2300,
		"RO": 2100, // since August 2025
		"SK": 2300, // since January 2025
		"SI": 2200, "ES": 2100, "SE": 2500,
	}
	is(t, "rates", vatRates, want)
}

func TestTaxIsByCountryOfTheBillingContact(t *testing.T) {
	for _, c := range []struct {
		name, country, vatID string
		want                 Tax
	}{
		{"a person in the seller's country", "IT", "", Tax{Rate: 2200}},
		{"a business in the seller's country pays tax all the same", "IT", "IT00743110157", Tax{Rate: 2200}},
		{"a person in another member state", "DE", "", Tax{Rate: 1900}},
		{"a business in another member state accounts for it itself", "DE", "DE136695976", Tax{Note: ReverseChargeNote}},
		{"a number that cannot be a VAT id makes no business", "DE", "DE136695978", Tax{Rate: 1900}},
		{"nor does that of another country", "DE", "ATU13585627", Tax{Rate: 1900}},
		{"a Greek id begins with EL", "GR", "EL094259216", Tax{Note: ReverseChargeNote}},
		{"nobody outside the Union is taxed", "US", "", Tax{}},
		{"a number outside the Union means nothing", "CH", "CHE000000000", Tax{}},
		{"the United Kingdom is outside", "GB", "GB000000000", Tax{}},
		{"a half percent", "FI", "", Tax{Rate: 2550}},
	} {
		t.Run(c.name, func(t *testing.T) { is(t, "tax", taxFor("IT", c.country, c.vatID), c.want) })
	}
	if ReverseChargeNote == "" {
		t.Error("the legal note is missing")
	}
}

func TestPricesAreExclusiveOrInclusiveOfTax(t *testing.T) {
	for _, c := range []struct {
		name             string
		amount, rate     int64
		mode             TaxMode
		wantNet, wantTax int64
	}{
		{"9.90 and 22 %", 990, 2200, TaxExclusive, 990, 218},             // 217.80
		{"9.90 with 22 % inside", 990, 2200, TaxInclusive, 811, 179},     // 811.475…
		{"a half rounds up", 10, 2500, TaxExclusive, 10, 3},              // 2.5
		{"25.5 % of one euro", 100, 2550, TaxExclusive, 100, 26},         // 25.5
		{"one euro with 25.5 % inside", 100, 2550, TaxInclusive, 80, 20}, // 79.68…
		{"no tax inside", 990, 0, TaxInclusive, 990, 0},
		{"no tax outside", 990, 0, TaxExclusive, 990, 0},
	} {
		net, tax := Tax{Rate: c.rate}.split(Money{c.amount, "EUR"}, c.mode)
		is(t, c.name+": net", net, Money{c.wantNet, "EUR"})
		is(t, c.name+": tax", tax, Money{c.wantTax, "EUR"})
	}
}

func TestAnInvoiceCarriesItsTaxAndItsLegalNote(t *testing.T) {
	l := bought(t, "2026-04-01", offer{country: "IT", currency: "EUR"})
	is(t, "charged in Italy", l.charged(), int64(1220))
	l = bought(t, "2026-04-01", offer{country: "DE", vatID: "DE136695976", currency: "EUR"})
	is(t, "charged with reverse charge", l.charged(), int64(1000))
	is(t, "note", l.last().TaxNote, ReverseChargeNote)
	l = bought(t, "2026-04-01", offer{country: "US"})
	is(t, "charged outside", l.charged(), int64(1000))
	is(t, "no note", l.last().TaxNote, "")

	inclusive := shelf()
	inclusive.Plans[0].Prices[1].Tax = TaxInclusive
	l = bought(t, "2026-04-01", offer{country: "IT", currency: "EUR", product: &inclusive})
	is(t, "an inclusive price is what is charged", l.charged(), int64(1000))
	is(t, "its net", l.last().Service().Net(), int64(820)) // 819.67…
	is(t, "its tax", l.last().Tax().Amount, int64(180))
}

func TestCountries(t *testing.T) {
	if !slices.IsSorted(countries) || len(slices.Compact(slices.Clone(countries))) != len(countries) {
		t.Error("the list is searched in order, each code once")
	}
	is(t, "249 of ISO 3166-1 and Kosovo", len(countries), 250)
	for code := range vatRates {
		is(t, code, ValidCountry(code), true)
	}
	for _, code := range []string{"", "it", "EL", "UK", "XX", "ITA", "EU"} {
		is(t, code, ValidCountry(code), false)
	}
}

package billing

import "slices"

// TaxMode says whether a price contains its tax.
type TaxMode string

const (
	TaxExclusive TaxMode = "exclusive"
	TaxInclusive TaxMode = "inclusive"
)

// Tax is what one document's service lines are taxed with.
type Tax struct {
	Rate int64  `json:"rate"`           // basis points: 2200 is 22 %
	Note string `json:"note,omitempty"` // the legal sentence that the document must carry
}

// ReverseChargeNote is the legal note of an invoice whose VAT the customer
// accounts for.
const ReverseChargeNote = "Reverse charge: VAT to be accounted for by the recipient (Article 196, Directive 2006/112/EC)."

// vatRates are the standard rates of the European Union in basis points.
var vatRates = map[string]int64{
	"AT": 2000, "BE": 2100, "BG": 2000, "CY": 1900, "CZ": 2100, "DE": 1900, "DK": 2500,
	"EE": 2400, "ES": 2100, "FI": 2550, "FR": 2000, "GR": 2400, "HR": 2500, "HU": 2700,
	"IE": 2300, "IT": 2200, "LT": 2100, "LU": 1700, "LV": 2100, "MT": 1800, "NL": 2100,
	"PL": 2300, "PT": 2300, "RO": 2100, "SE": 2500, "SI": 2200, "SK": 2300,
}

// taxFor is the tax of a customer in a country: the country's rate inside the
// European Union, reverse charge for a business with a valid VAT id of another
// member state than the seller's, none outside (docs/rules.md, Money).
func taxFor(seller, country, vatID string) Tax {
	rate, union := vatRates[country]
	if !union {
		return Tax{}
	}
	if id, err := NormalVATID(country, vatID); country != seller && err == nil && id != "" {
		return Tax{Note: ReverseChargeNote}
	}
	return Tax{Rate: rate}
}

// InEuropeanUnion tells whether a country is a member state.
func InEuropeanUnion(country string) bool { return vatRates[country] != 0 }

// split divides a price for one line into net and tax, rounding once.
func (t Tax) split(amount Money, mode TaxMode) (net, tax Money) {
	if mode == TaxInclusive {
		net = amount.Scale(10000, 10000+t.Rate)
		return net, amount.Sub(net)
	}
	return amount, amount.Scale(t.Rate, 10000)
}

// countries are the ISO 3166-1 alpha-2 codes that an address may name.
var countries = []string{
	"AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ",
	"BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ",
	"CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ",
	"DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR",
	"GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY",
	"HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT",
	"JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ",
	"LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
	"MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ",
	"NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM",
	"PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW",
	"SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ",
	"TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ",
	"UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
}

// ValidCountry tells whether code is a country that can be billed.
func ValidCountry(code string) bool {
	_, ok := slices.BinarySearch(countries, code)
	return ok
}

package billing

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// FoundKind is what kind of object an operator's search has found.
type FoundKind string

const (
	FoundCustomer     FoundKind = "customer"
	FoundSubscription FoundKind = "subscription"
	FoundLicense      FoundKind = "license"
	FoundInvoice      FoundKind = "invoice"
	FoundQuote        FoundKind = "quote"
)

// Found is an object that an operator's search has found.
type Found struct {
	Kind         FoundKind      `json:"kind" enum:"customer,subscription,license,invoice,quote"`
	ID           string         `json:"id" doc:"cus_…, sub_…, lic_…, inv_… or quo_…"`
	Text         string         `json:"text" doc:"A short line that tells it from others."`
	Status       string         `json:"status,omitempty" doc:"Of a subscription or an invoice."`
	Account      string         `json:"account,omitempty" doc:"The e-mail address of the billing contact, or of the customer."`
	Subscription SubscriptionID `json:"subscription_id,omitempty" doc:"That a licence or an invoice belongs to."`
}

// longestWord is how many characters of a word are searched.
const longestWord = 64

// SearchWords are the words by whose beginnings texts are found, each once: every
// run of characters without spaces, from its start and from each letter or digit
// that follows another sign. "ada.rossi@contoso.example" is found by ada, rossi,
// contoso.ex and more.
func SearchWords(texts ...string) []string {
	var words []string
	for _, text := range texts {
		for _, run := range strings.Fields(strings.ToLower(text)) {
			inside := false
			for i, r := range run {
				was := inside
				if inside = unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r); inside && !was {
					words = append(words, firstOf(run[i:]))
				}
			}
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func firstOf(word string) string {
	n := 0
	for i := range word {
		if n++; n > longestWord {
			return word[:i]
		}
	}
	return word
}

var decimalComma = regexp.MustCompile(`^(\d+),(\d{1,3})$`)

// SearchTerms are the beginnings of words that all stand in what a query asks for,
// at most five, the longest first.
func SearchTerms(query string) []string {
	var terms []string
	for _, run := range strings.Fields(strings.ToLower(query)) {
		run = strings.TrimLeftFunc(run, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if run = decimalComma.ReplaceAllString(run, "$1.$2"); run != "" {
			terms = append(terms, firstOf(run))
		}
	}
	slices.SortStableFunc(terms, func(a, b string) int { return len(b) - len(a) })
	return terms[:min(5, len(terms))]
}

// Who names who pays for an order, or who uses a free licence.
func (o Order) Who() string {
	c := o.Billing.Contact
	if c == (Contact{}) {
		c = o.Licensee
	}
	if o.Billing.Company == "" {
		return c.String()
	}
	return o.Billing.Company + ", " + c.String()
}

// SearchWords are the words that an order is found by: who pays, who has the licence,
// and their addresses.
func (o Order) SearchWords() []string { return SearchWords(o.searched()...) }

func (o Order) searched() []string {
	return []string{o.Billing.Name, o.Billing.Company, o.Billing.Email, o.Licensee.Name, o.Licensee.Email}
}

// SearchWords are the words that a numbered invoice is found by: its number, its
// total, and what was to be paid.
func (inv Invoice) SearchWords() []string {
	return SearchWords(inv.Number, inv.Former, number(inv.Total()), number(inv.AmountDue()))
}

// SearchWords are the words that a quote is found by: those of its order, its number
// and its total.
func (q Quote) SearchWords() []string {
	return SearchWords(append(q.Order.searched(), q.Number, number(q.Bill.Total()))...)
}

// number is an amount as people write it, without its currency.
func number(m Money) string {
	n, _, _ := strings.Cut(m.String(), " ")
	return n
}

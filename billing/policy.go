package billing

import (
	"time"

	"github.com/okviz/licensing/licensing"
)

// Policy holds the figures of docs/rules.md that are marked *default*: what a
// vendor may configure. Running subscriptions keep what was stored in them.
type Policy struct {
	SellerCountry string
	// BlockedCountries are where nothing new is sold.
	BlockedCountries []string
	OrderExpiry      time.Duration // an unpaid card order's life
	ConfirmLife      time.Duration // an order's, until its address is confirmed
	RenewalGrace     time.Duration // a card licence outlives its period by this
	RetryAfter       []time.Duration
	MaxDeclines      int                     // per order
	Minimum          map[string]int64        // the least the gateway charges, minor units by currency
	PreviewLife      time.Duration           // how old a proration_time may be
	QuoteLife        time.Duration           // how long a quote can be accepted
	InvoiceFrom      map[string]int64        // the least total that may be paid by invoice, minor units by currency; absent: none
	InvoiceLife      time.Duration           // an order's, until it is paid
	InvoiceAhead     map[Cycle]time.Duration // a renewal's is mailed so long before the period ends
	ActionLife       time.Duration           // how long a change waits for the customer to confirm its payment
	LookAgain        time.Duration           // between looks at a payment that the gateway works on
	MoneyBack        time.Duration           // from the first charge

	Unverified WhenUnverified // VAT ids, where the register cannot be asked

	File licensing.FileTerm // how long delivered files last

	DisputeReminder time.Duration // how often the operator hears of an undecided dispute
	MoneyBacks      int64         // per product and billing account
}

const day = 24 * time.Hour

// DefaultPolicy is docs/rules.md as it stands.
func DefaultPolicy() Policy {
	return Policy{
		SellerCountry: "IT",
		OrderExpiry:   23 * time.Hour,
		ConfirmLife:   7 * day,
		RenewalGrace:  72 * time.Hour,
		RetryAfter:    []time.Duration{1 * day, 3 * day, 5 * day, 7 * day},
		MaxDeclines:   5,
		Minimum:       map[string]int64{"USD": 50, "EUR": 50, "GBP": 30, "JPY": 50},
		PreviewLife:   15 * time.Minute,
		QuoteLife:     30 * day,
		InvoiceFrom:   map[string]int64{"USD": 50000, "EUR": 50000, "GBP": 50000, "JPY": 75000},
		InvoiceLife:   30 * day,
		InvoiceAhead:  map[Cycle]time.Duration{Monthly: 7 * day, Yearly: 30 * day, ThreeYears: 30 * day},
		ActionLife:    time.Hour,
		LookAgain:     time.Hour,
		MoneyBack:     14 * day,

		Unverified: AcceptUnverified,

		File: licensing.FileTerm{Life: 400 * day},

		DisputeReminder: 30 * day,
		MoneyBacks:      2,
	}
}

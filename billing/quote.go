package billing

import (
	"github.com/okviz/licensing/licensing"
	"time"
)

// Quote is an order that was priced but not placed (docs/rules.md, Buying).
// Until it expires it can be accepted at its price, even if the catalogue
// has changed. It becomes one order; one that expired unpaid does not
// count.
type Quote struct {
	ID           string // quo_…
	Number       string
	Order        Order        // all personal data; its ids are given with the acceptance
	Subscription Subscription // as it would begin
	ProductName  string
	Bill         Invoice // what the first period costs: lines, discount, tax
	Renewal      Money   // what each later period would cost
	CreatedAt    time.Time
	ExpiresAt    time.Time

	Accepted SubscriptionID // sub_…: the order that it became; empty: none that has not lapsed
	Unpaid   bool           // that order waits for its payment
	Now      time.Time      // where its test clock stands
}

// QuoteStatus is where a quote stands.
type QuoteStatus string

const (
	QuoteOpen     QuoteStatus = "open"
	QuoteAccepted QuoteStatus = "accepted"
	QuoteExpired  QuoteStatus = "expired"
)

// Quote prices the order as of an instant, as for a guest: the link may be
// passed on, and the price must hold for everybody who may accept it. The
// period is not known yet, so the lines name none.
func (b Snapshot) Quote(at time.Time) Quote {
	b.Subscription.Guest = true
	q := Quote{
		ID: b.NewID("quo"), Order: b.Order, Subscription: b.Subscription, ProductName: b.Product.Name,
		Bill: b.PreviewPurchase(at), Renewal: b.PreviewRenewal(at).Total(), CreatedAt: at, ExpiresAt: at.Add(b.Policy.QuoteLife),
	}
	for i := range q.Bill.Lines {
		q.Bill.Lines[i].Period = Period{}
	}
	return q
}

// ProForma is what an order that waits for its address would be invoiced: a quote
// without a number.
func (b Snapshot) ProForma() Quote {
	b.Policy.Minimum = nil // it is the gateway's
	q := b.Quote(b.Subscription.CreatedAt)
	q.ExpiresAt = b.Subscription.ConfirmBy
	return q
}

// At is the quote's now: its test clock's instant, or else the instant given.
func (q Quote) At(now time.Time) time.Time {
	if q.Subscription.TestClock != "" {
		return q.Now
	}
	return Instant(now)
}

// Status is where the quote stands at an instant. The last instant at which it
// can be accepted is the second before ExpiresAt.
func (q Quote) Status(at time.Time) QuoteStatus {
	switch {
	case q.Accepted != "":
		return QuoteAccepted
	case at.Before(q.ExpiresAt):
		return QuoteOpen
	}
	return QuoteExpired
}

// Refusal says why a quote cannot be accepted at an instant; nil: it can.
func (q Quote) Refusal(at time.Time) *Error {
	switch q.Status(at) {
	case QuoteAccepted:
		return refuse(CodeQuoteAccepted, "", "this quote has already been accepted")
	case QuoteExpired:
		return refuse(CodeQuoteExpired, "", "this quote has expired")
	default: // open
	}
	return nil
}

// Closed says why the token of a quote opens it no longer at an instant: it has
// expired, or its order has been paid. Nil: it does.
func (q Quote) Closed(at time.Time) *Error {
	if q.Unpaid {
		return nil
	}
	return q.Refusal(at)
}

// Ordered is the order that the quote becomes at an instant, and its
// subscription, under new ids.
func (q Quote) Ordered(subscription SubscriptionID, license licensing.LicenseID, by Collection, at time.Time) (Order, Subscription) {
	o, s := q.Order, q.Subscription
	o.Quote, o.Subscription, o.License = q.ID, subscription, license
	s.ID, s.Collection, s.CreatedAt = subscription, by, at
	return o, s
}

// Notice is the mail that brings the quote to the billing contact.
func (q Quote) Notice() Notice {
	return Notice{Kind: NoticeQuote, To: RoleBilling, Amount: q.Bill.Total(), Until: q.ExpiresAt, Plan: q.Subscription.Plan}
}

package billing

import (
	"time"
)

// Snapshot is everything on file about one subscription when something is
// decided about it. Its methods are the rules: they take a command or a step
// and an instant, and return a Decision or a Changeset. No method has a clock
// or does I/O.
type Snapshot struct {
	Subscription   Subscription
	Order          Order
	Product        Product
	PaidLines      []PaidLine  // service lines of paid invoices that have a remainder
	Open           *Invoice    // what OpenInvoice names
	Transferred    Transferred // for the invoice of a mark-paid; other commands do without
	Amendment      Amendment   // what an amending command brings; other commands do without
	Returned       Refund      // what a refund-failed is about; other commands do without
	Receipts       []Receipt   // paid invoices, the oldest first; read where credit notes may be needed
	InFlight       *Invoice    // a draft whose payment has no recorded outcome
	PendingPayment *Invoice    // the draft whose payment waits: what Subscription.PendingPayment names
	Balance        Money       // the billing account's, in the subscription's currency
	Standing       int64       // the billing account's standing discount, percent
	Method         string      // the gateway's reference of the card in use; empty: none
	MethodExp      string      // its last month, "2029-12"
	Newer          bool        // a newer release has written what this one does not know: nothing may be decided here

	Policy Policy
	NewID  func(prefix string) string // "inv" → "inv_…"
}

func (b Snapshot) tax() Tax {
	return taxFor(b.Policy.SellerCountry, b.Order.Billing.Country, b.Order.Billing.taxID())
}

func (b Snapshot) currency() string { return b.Subscription.Price.Currency }

// post returns the changeset that moves the subscription to the state s.
func (b Snapshot) post(s Subscription, at time.Time, kind EventKind, d EventDetails) *Changeset {
	s.Revision = b.Subscription.Revision + 1
	if b.Method != "" {
		s.CardExpires = cardExpiry(b.MethodExp)
	}
	s.Next = s.nextStep(b.Policy)
	p := &Changeset{
		From: b.Subscription.Revision, Subscription: s,
		Events: []Event{NewEvent(at, kind, d)},
	}
	if s.Status == IncompleteExpired {
		p.Unredeem = s.Discount.Coupon
	}
	return p
}

func date(t time.Time) string { return t.Format(time.DateOnly) }

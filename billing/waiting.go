package billing

import (
	"time"
)

// Waiting is a payment whose outcome is still to come: the bank asks for the
// customer, or the gateway works on it. A subscription has one at most. Its
// invoice stays a draft with its amounts frozen and its balance reserved. The
// address at which the customer answers the bank stands in the invoice alone.
type Waiting struct {
	Invoice string  `json:"invoice"`
	Purpose Purpose `json:"purpose"`
	Amount  Money   `json:"amount"`
	// Action: the customer is asked for, and until when. Otherwise the gateway
	// works on it, and is asked again then.
	Action bool      `json:"action,omitempty"`
	Until  time.Time `json:"until"`

	// A change only: what it moves to.
	Plan     PlanRef `json:"plan,omitzero"`
	Quantity int64   `json:"quantity,omitempty"`
}

// ReturnPath is where customers come back to from their bank, below the public
// URL: …/<purpose>/<subscription>.
const ReturnPath = "/return/payments/"

// DeclineAbandoned is the decline code of a payment that waited for the
// customer and was given up: it can never succeed any more.
const DeclineAbandoned = "abandoned"

// MayWait tells whether there is time to wait for the customer. At a trial's
// end there is none: nobody is there, and a payment that does not succeed ends
// the trial (docs/rules.md, Buying).
func (b Book) MayWait(inv Invoice, at time.Time) bool { return b.waitsUntil(inv.Purpose, at).After(at) }

// waitsUntil is how long the customer is waited for (docs/rules.md): an order until
// it lapses, a renewal until the deadline of the retries, a change and all else
// that was asked for on top for an hour, or until the next due step.
func (b Book) waitsUntil(purpose Purpose, at time.Time) time.Time {
	s, until := b.Subscription, at.Add(b.Policy.ActionLife)
	switch purpose {
	case ForConversion:
		return at
	case ForRenewal:
		if s.Status != PastDue {
			s.Dunning.FirstFailure = at
		}
		return s.Dunning.Deadline(b.Policy)
	case ForPurchase:
		until = at.Add(b.Policy.OrderExpiry)
	}
	if next := s.ownStep(b.Policy); !next.At.IsZero() && next.At.Before(until) {
		return next.At
	}
	return until
}

// Awaits is the posting of a payment that requires the customer, or that the
// gateway works on. Nothing else of the subscription changes, but that a
// renewal which requires the customer is past due: it is not tried again.
func (b Book) Awaits(inv Invoice, r ChargeResult, at time.Time) *Posting {
	s := b.Subscription
	due := inv.AmountDue()
	w := Waiting{Invoice: inv.ID, Purpose: inv.Purpose, Amount: due, Action: r.Status == PaymentRequiresAction}
	known := s.Waiting.Invoice == inv.ID && s.Waiting.Action == w.Action
	inv.InFlight, inv.Waits, inv.ActionURL = "", true, r.ActionURL
	kind, told := EventProcessing, EventDetails{Amount: due}
	w.Until = at.Add(b.Policy.LookAgain)
	if w.Action {
		w.Until = b.waitsUntil(inv.Purpose, at)
		kind, told.Until = EventPaymentWaits, w.Until
	}
	method := "" // where money is owed, the card is kept, as after a decline
	var notices []Notice
	switch {
	case inv.Purpose == ForChange:
		w.Plan, w.Quantity = inv.Service().Plan, inv.Service().Quantity
	case inv.Purpose == ForPurchase && s.DueAt.IsZero():
		s.OpenInvoice, method = inv.ID, inv.Method
	case inv.Purpose == ForRenewal && w.Action:
		if s.Status != PastDue {
			s.Status, s.Dunning = PastDue, Dunning{FirstFailure: at}
		}
		s.Dunning.LastAttempt, s.Dunning.Hard = at, true
		s.OpenInvoice, method = inv.ID, inv.Method
		notices = []Notice{{Kind: NoticeConfirmPayment, To: RoleBilling, InvoiceID: inv.ID, Amount: due, Until: w.Until, Plan: s.Plan}}
	}
	s.Waiting = w
	s.HasMethod = s.HasMethod || method != ""
	p := b.post(s, at, kind, told)
	if known { // it was only looked at again
		p.Events, notices = nil, nil
	}
	p.Invoice, p.Method, p.Notices = &inv, method, notices
	p.Outcome = Outcome{Invoice: inv.ID, Payment: PaymentOutcome{Status: r.Status}}
	return p
}

// Freed is the book as it will be when the payment that waits has been given
// up: what may take its place is decided by it.
func (b Book) Freed() Book {
	if b.Waiting == nil {
		return b
	}
	b.Balance.Amount += b.Waiting.BalanceApplied
	if b.Waiting.Purpose == ForPurchase {
		b.Subscription.Declines++
	}
	b.Subscription.Waiting, b.Waiting = Waiting{}, nil
	return b
}

// Disturbs tells whether a decision of the freed book cannot stand beside the
// payment that waits, which is then ended first: it asks for money, or changes
// what the payment was computed from. To cancel or resume leaves a change
// waiting; but while the gateway works on a payment, nobody knows yet which
// period there is to be cancelled.
func (b Book) Disturbs(d Decision) bool {
	s, p := b.Subscription, d.Posting
	if d.Bill != nil {
		return true
	}
	n := p.Subscription
	return n.Status != s.Status || n.Plan != s.Plan || n.Quantity != s.Quantity || n.Period != s.Period || n.Ahead != s.Ahead ||
		n.HasMethod != s.HasMethod || p.Method != "" || len(p.Draws) > 0 || p.Invoice != nil && p.Invoice.Status == InvoicePaid ||
		n.disputed() != s.disputed() || !s.Waiting.Action && n.CancelAtPeriodEnd != s.CancelAtPeriodEnd
}

// Processing is the refusal of what would disturb a payment that the gateway
// works on: nothing can stop that.
func Processing() *Error {
	return refuse(CodePaymentProcessing, "", "a payment is being processed: try again when its outcome is known")
}

package billing

import (
	"time"
)

// PendingPayment is a payment whose outcome is still to come: the bank asks for the
// customer, or the gateway works on it. A subscription has one at most. Its
// invoice stays a draft with its amounts frozen and its balance reserved. The
// address of the bank's page is in the invoice only.
type PendingPayment struct {
	Invoice InvoiceID `json:"invoice"`
	Purpose Purpose   `json:"purpose"`
	Amount  Money     `json:"amount"`
	// Action: the customer must confirm by Until. Otherwise the gateway is
	// working on it and is asked again at Until.
	Action bool      `json:"action,omitempty"`
	Until  time.Time `json:"until"`

	// A change only: what it moves to.
	Plan     PlanRef `json:"plan,omitzero"`
	Quantity int64   `json:"quantity,omitempty"`
}

// ReturnPath is where customers return to from their bank's page, below the
// public URL: …/<purpose>/<subscription>/<signature>.
const ReturnPath = "/return/payments/"

// DeclineAbandoned is the decline code of a payment that waited for the
// customer and was given up. It can never succeed any more.
const DeclineAbandoned = "abandoned"

// PaymentPending tells whether a payment's outcome is still to come.
func (s Subscription) PaymentPending() bool { return s.PendingPayment.Invoice != "" }

// clearPending ends the wait for an invoice's payment, whose outcome is known.
func (s *Subscription) clearPending(inv *Invoice) {
	s.PendingPayment, inv.Waits, inv.ActionURL = PendingPayment{}, false, ""
}

// MayWait tells whether there is time to wait for the customer. At a trial's
// end there is not: a payment that does not succeed at once ends the trial
// (docs/rules.md, Buying).
func (b Snapshot) MayWait(inv Invoice, at time.Time) bool {
	return b.waitsUntil(inv.Purpose, at).After(at)
}

// waitsUntil is how long to wait for the customer (docs/rules.md, Changing
// plan): for an order until it expires, for a renewal until the deadline of
// the retries, for a change or another command for an hour or until the next
// step is due.
func (b Snapshot) waitsUntil(purpose Purpose, at time.Time) time.Time {
	s, until := b.Subscription, at.Add(b.Policy.ActionLife)
	switch purpose {
	case ForConversion:
		return at
	case ForRenewal:
		s.enterPastDue("", at)
		return s.Dunning.Deadline(b.Policy)
	case ForPurchase:
		until = at.Add(b.Policy.OrderExpiry)
	default: // as long as the bank waits
	}
	if next := s.ownStep(b.Policy); !next.At.IsZero() && next.At.Before(until) {
		return next.At
	}
	return until
}

// Awaits is the changeset of a payment that needs the customer, or that the
// gateway is working on. Nothing else about the subscription changes, except
// that a renewal which needs the customer becomes past_due: it is not
// retried.
func (b Snapshot) Awaits(inv Invoice, r ChargeResult, at time.Time) *Changeset {
	s := b.Subscription
	due := inv.AmountDue()
	w := PendingPayment{Invoice: inv.ID, Purpose: inv.Purpose, Amount: due, Action: r.Status == PaymentRequiresAction}
	known := s.PendingPayment.Invoice == inv.ID && s.PendingPayment.Action == w.Action
	inv.InFlight, inv.Waits, inv.ActionURL = "", true, r.ActionURL
	kind, details := EventProcessing, EventDetails{Amount: due}
	w.Until = at.Add(b.Policy.LookAgain)
	if w.Action {
		w.Until = b.waitsUntil(inv.Purpose, at)
		kind, details.Until = EventPaymentWaits, w.Until
	}
	method := "" // where money is owed, the card is kept, as after a decline
	var notices []Notice
	switch {
	case inv.Purpose == ForChange:
		w.Plan, w.Quantity = inv.Service().Plan, inv.Service().Quantity
	case inv.Purpose == ForPurchase && !s.AwaitsTransfer():
		s.OpenInvoice, method = inv.ID, inv.Method
	case inv.Purpose == ForRenewal && w.Action:
		s.enterPastDue(inv.ID, at)
		s.Dunning.Hard, method = true, inv.Method
		notices = []Notice{{Kind: NoticeConfirmPayment, To: RoleBilling, InvoiceID: inv.ID, Amount: due, Until: w.Until, Plan: s.Plan}}
	}
	s.PendingPayment = w
	s.HasMethod = s.HasMethod || method != ""
	p := b.post(s, at, kind, details)
	if known { // it was only looked at again
		p.Events, notices = nil, nil
	}
	p.Invoice, p.Method, p.Notices = &inv, method, notices
	p.Outcome = Outcome{Invoice: inv.ID, Payment: PaymentOutcome{Status: r.Status}}
	return p
}

// Freed is the snapshot as it will be once the waiting payment has been given
// up. A command that may replace it is decided on this snapshot.
func (b Snapshot) Freed() Snapshot {
	if b.PendingPayment == nil {
		return b
	}
	b.Balance.Amount += b.PendingPayment.BalanceApplied
	if b.PendingPayment.Purpose == ForPurchase {
		b.Subscription.Declines++
	}
	b.Subscription.PendingPayment, b.PendingPayment = PendingPayment{}, nil
	return b
}

// Disturbs tells whether a decision made on the freed snapshot cannot coexist
// with the waiting payment, which must then be ended first: because it
// charges, or changes what the payment was computed from. Cancelling and
// resuming leave a waiting change alone. But while the gateway is working on
// a payment, the period to cancel is not known yet.
func (b Snapshot) Disturbs(d Decision) bool {
	s, p := b.Subscription, d.Changeset
	if d.Bill != nil {
		return true
	}
	n := p.Subscription
	return n.Status != s.Status || n.Plan != s.Plan || n.Quantity != s.Quantity || n.Period != s.Period || n.PrepaidPeriod != s.PrepaidPeriod ||
		n.HasMethod != s.HasMethod || p.Method != "" || len(p.CreditAllocations) > 0 || p.Invoice != nil && p.Invoice.Status == InvoicePaid ||
		p.ForgetMethod || n.ScheduledChange != s.ScheduledChange && s.PendingPayment.Purpose != ForChange ||
		n.Disputed() != s.Disputed() || !s.PendingPayment.Action && n.CancelAtPeriodEnd != s.CancelAtPeriodEnd
}

// Processing is the refusal of a command that would disturb a payment that
// the gateway is working on, which nothing can stop.
func Processing() *Error {
	return refuse(CodePaymentProcessing, "", "a payment is being processed: try again when its outcome is known")
}

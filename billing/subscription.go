package billing

import (
	"github.com/okviz/licensing/licensing"
	"time"
)

// Collection is how a subscription is paid.
type Collection string

const (
	ByCard    Collection = "card"
	ByInvoice Collection = "invoice"
)

// Subscription is the whole state of a subscription's life. Its workflow
// carries it, its row keeps it, and nothing else decides what happens next.
// It holds no personal data: histories are made of it.
//
// All instants are UTC in whole seconds; a zero time means "not so".
type Subscription struct {
	ID       SubscriptionID `json:"id"`
	Number   int64          `json:"number"`
	Revision int64          `json:"revision"`        // one more with every changeset: the fence against older runs
	Cause    string         `json:"cause,omitempty"` // of the latest changeset: what it was made for

	Status     Status     `json:"status"`
	Product    string     `json:"product"`
	Plan       PlanRef    `json:"plan"`
	Quantity   int64      `json:"quantity"`
	Price      Price      `json:"price"`               // the version that it keeps (grandfathering)
	NextPrice  Price      `json:"next_price,omitzero"` // the version that was announced
	NextFrom   time.Time  `json:"next_from,omitzero"`  // the first period's start that it counts for
	Collection Collection `json:"collection"`
	Discount   Discount   `json:"discount,omitzero"` // of the coupon that it was ordered with
	// Guest: it was ordered without a session of the billing account. Until
	// the account gives a command, it neither uses that account's balance nor
	// its standing discount (docs/rules.md, Who takes part).
	Guest     bool                `json:"guest,omitempty"`
	License   licensing.LicenseID `json:"license,omitempty"` // lic_…; empty before it is issued
	CreatedAt time.Time           `json:"created_at"`

	// ConfirmBy is when an order lapses whose address has not been confirmed
	// (docs/rules.md, Guests); zero: it needs none.
	ConfirmBy time.Time `json:"confirm_by,omitzero"`

	// Anchor is the instant that every boundary is counted from.
	Anchor time.Time `json:"anchor,omitzero"`
	Period Period    `json:"period,omitzero"`
	// PaidEnd is the end of what was paid for, where an operator has given days to
	// the running period since.
	PaidEnd time.Time `json:"paid_end,omitzero"`
	// Comp: a free licence, which ends with its period. Nobody pays for it.
	Comp bool `json:"comp,omitempty"`
	// PrepaidPeriod is the period after this one where it has been paid already.
	PrepaidPeriod Period `json:"prepaid_period,omitzero"`
	// PaidBy and PrepaidInvoice are the invoices that paid for Period and for PrepaidPeriod. A
	// revival within a period's first second has a period of the same instants.
	PaidBy         InvoiceID `json:"paid_by,omitempty"`         // inv_…
	PrepaidInvoice InvoiceID `json:"prepaid_invoice,omitempty"` // inv_…
	TrialEnd       time.Time `json:"trial_end,omitzero"`
	HasMethod      bool      `json:"has_method,omitempty"` // a card is stored
	// CardExpires is the first instant at which the stored card is no longer
	// good.
	CardExpires time.Time `json:"card_expires,omitzero"`

	LastPaymentAt     time.Time    `json:"last_payment_at,omitzero"`
	CancelAtPeriodEnd bool         `json:"cancel_at_period_end,omitempty"`
	CanceledAt        time.Time    `json:"canceled_at,omitzero"`
	CancelReason      CancelReason `json:"cancel_reason,omitempty"`

	// AwaitsCard: an order whose card is given on the gateway's page.
	AwaitsCard bool `json:"awaits_card,omitempty"`
	// OpenInvoice waits for its payment: an order's while incomplete, a
	// renewal's while past_due; the next period's, where it is paid by transfer.
	OpenInvoice InvoiceID `json:"open_invoice,omitempty"`
	DueAt       time.Time `json:"due_at,omitzero"`    // by when OpenInvoice is to be paid by transfer
	Declines    int       `json:"declines,omitempty"` // of the order
	Dunning     Dunning   `json:"dunning,omitzero"`   // while past_due
	// PendingPayment is a payment whose outcome is still to come: the customer must
	// confirm it, or the gateway is working on it. A subscription has at
	// most one. Its invoice stays a draft with its amounts frozen and its
	// balance reserved. The address of the bank's page is stored in the
	// invoice only.
	PendingPayment PendingPayment `json:"pending_payment,omitzero"`
	// Disputes are all that there have been, and DisputeLookAt when the operator
	// is reminded of an undecided one.
	Disputes      []Dispute `json:"disputes,omitempty"`
	DisputeLookAt time.Time `json:"dispute_look_at,omitzero"`
	// MoneyBack is what the customer may have back on demand.
	MoneyBack MoneyBack `json:"money_back,omitzero"`
	// Refunding counts the refunds that the gateway has not confirmed yet.
	Refunding int `json:"refunding,omitempty"`
	// ScheduledChange waits for the end of what is paid.
	ScheduledChange ScheduledChange `json:"scheduled_change,omitzero"`
	// Suspended and Revoked are an operator's word on the licence.
	Suspended bool `json:"suspended,omitempty"`
	Revoked   bool `json:"revoked,omitempty"`
	// File is the newest one that was mailed after a payment.
	File DeliveredFile `json:"file,omitzero"`
	// RemindedAt is the instant of the latest reminder that is done with.
	RemindedAt time.Time `json:"reminded_at,omitzero"`

	// Next is the step that is due next. It is computed when the state is
	// posted and stored, so that a later change of the arithmetic cannot
	// rewrite what a recorded history waited for.
	Next Step `json:"next,omitzero"`

	// TestClock and Now belong together: the subscription's time is Now, which
	// stands still until the clock is advanced, and it sets no timers.
	TestClock string    `json:"test_clock,omitempty"`
	Now       time.Time `json:"now,omitzero"`
}

// At is the subscription's current time: its test clock's, or else the given
// instant.
func (s Subscription) At(now time.Time) time.Time {
	if s.TestClock != "" {
		return s.Now
	}
	return Instant(now)
}

// StepKind names what is due.
type StepKind string

const (
	StepExpireOrder StepKind = "expire_order" // an unpaid order lapses
	StepRemind      StepKind = "remind"
	StepFile        StepKind = "renew_file"   // a fresh one, before the delivered one ends
	StepInvoice     StepKind = "send_invoice" // the next period's, to be paid by transfer
	StepTrialEnd    StepKind = "trial_end"
	StepRenew       StepKind = "renew"
	StepRetry       StepKind = "retry_payment"
	StepEnd         StepKind = "end"            // as asked, at the end of the period
	StepDispute     StepKind = "dispute"        // one is not decided yet
	StepSettle      StepKind = "settle_payment" // the one that waits: give it up, or ask again
)

// Step is what is due next, and when.
type Step struct {
	Kind StepKind  `json:"kind"`
	At   time.Time `json:"at"`
}

// nextStep is the step that a state waits for; the zero Step if there is
// none. While the gateway is working on a payment, everything else waits for
// it.
func (s Subscription) nextStep(p Policy) Step {
	own, w := s.ownStep(p), s.PendingPayment
	if s.PaymentPending() && (!w.Action || own.At.IsZero() || !own.At.Before(w.Until)) {
		return Step{StepSettle, w.Until}
	}
	return own
}

// ownStep is the step that a state waits for, apart from a waiting payment.
func (s Subscription) ownStep(p Policy) Step {
	step := s.payingStep(p)
	if step.Kind != StepDispute && s.fileBefore(step) {
		return Step{StepFile, s.File.RenewAt}
	}
	return step
}

// payingStep is the step that a state waits for, apart from a waiting payment
// and the licensee's file.
func (s Subscription) payingStep(p Policy) Step {
	if s.Disputed() && !s.Status.Ended() { // it may end as asked; all else would charge
		ends := s.endsWithPeriod()
		switch {
		case ends && s.Status == Trialing && !s.TrialEnd.After(s.DisputeLookAt):
			return Step{StepTrialEnd, s.TrialEnd}
		case ends && s.Status == Active && !s.Period.End.After(s.DisputeLookAt):
			return Step{StepEnd, s.Period.End}
		}
		return Step{StepDispute, s.DisputeLookAt}
	}
	invoice := s.Status == Active && s.Collection == ByInvoice && !s.CancelAtPeriodEnd && !s.Prepaid()
	if r, ok := s.nextReminder(); ok && (!invoice || s.OpenInvoice != "" || r.Before(s.invoiceAt(p))) {
		return Step{StepRemind, r}
	}
	switch s.Status {
	case Incomplete:
		switch {
		case s.AwaitsTransfer():
			return Step{StepExpireOrder, s.DueAt}
		case s.AwaitsConfirmation():
			return Step{StepExpireOrder, s.ConfirmBy}
		}
		return Step{StepExpireOrder, s.CreatedAt.Add(p.OrderExpiry)}
	case Trialing:
		return Step{StepTrialEnd, s.TrialEnd}
	case Active:
		if s.endsWithPeriod() {
			return Step{StepEnd, s.Period.End}
		}
		switch {
		case invoice && s.OpenInvoice == "":
			return Step{StepInvoice, s.invoiceAt(p)}
		case invoice:
			return Step{StepRenew, s.DueAt}
		}
		return Step{StepRenew, s.Period.End}
	case PastDue:
		return Step{StepRetry, s.Dunning.nextAttempt(p)}
	default: // nothing comes
	}
	return Step{}
}

// NextPaymentAt is when the customer is charged next, or is to pay by; zero where nothing is
// going to be.
func (s Subscription) NextPaymentAt() time.Time {
	switch {
	case !s.renews():
	case s.Prepaid():
		return s.PaidUntil()
	case s.AwaitsTransfer():
		return s.DueAt
	case s.Status == Trialing && s.HasMethod:
		return s.TrialEnd
	case s.Status == Active:
		return s.Period.End
	case s.Status == PastDue && !s.Dunning.Hard:
		return s.Next.At
	}
	return time.Time{}
}

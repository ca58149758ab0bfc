package billing

import (
	"slices"
	"time"
)

// Status is where a subscription stands in its life.
type Status string

const (
	Incomplete        Status = "incomplete"         // ordered, not yet paid
	IncompleteExpired Status = "incomplete_expired" // never paid; no command is possible
	Trialing          Status = "trialing"
	Active            Status = "active"
	PastDue           Status = "past_due" // a renewal was declined, and is tried again
	Canceled          Status = "canceled"
)

// Ended tells whether nothing is due any more.
func (s Status) Ended() bool { return s == Canceled || s == IncompleteExpired }

// CancelReason says why a subscription ended.
type CancelReason string

const (
	ReasonRequested     CancelReason = "requested"
	ReasonTrialEnded    CancelReason = "trial_ended"
	ReasonPaymentFailed CancelReason = "payment_failed"
	ReasonRefunded      CancelReason = "refunded"
	ReasonDisputed      CancelReason = "disputed"
	ReasonOperator      CancelReason = "operator"
)

// Verb names a command on a subscription: an update of its workflow, a button
// of its page, and the last part of its address in the API.
type Verb string

const (
	VerbPurchase      Verb = "purchase"
	VerbPaymentMethod Verb = "payment-method"
	VerbChange        Verb = "change"
	VerbCancel        Verb = "cancel"
	VerbResume        Verb = "resume"
	VerbRenew         Verb = "renew"
	VerbMoneyBack     Verb = "money-back"

	// An operator's: no buttons of the customer's page. Mark-paid is possible in
	// every status, since money that has come is always recorded.
	VerbMarkPaid  Verb = "mark-paid"
	VerbCancelNow Verb = "cancel-now"
	VerbRefund    Verb = "refund"
	VerbSuspend   Verb = "suspend"
	VerbRevoke    Verb = "revoke"
	VerbReinstate Verb = "reinstate"
	VerbMigrate   Verb = "migrate" // to the plan's newest price

	VerbDispute      Verb = "dispute"       // the gateway's: a payment is disputed, or no longer
	VerbRefundFailed Verb = "refund-failed" // the gateway's: a refund that was confirmed has failed after all

	// Not a button: the gateway may know more about a payment. It is asked for
	// the outcome of the pending one, if there is one.
	VerbSettle Verb = "settle"
)

// possible is the one table of states (docs/rules.md, Commands and states):
// what a customer may ask of a subscription in each status. commands.go names
// the rule of each command.
var possible = map[Status][]Verb{
	Incomplete: {VerbPaymentMethod, VerbCancel},
	Trialing:   {VerbChange, VerbCancel, VerbResume, VerbRenew, VerbPaymentMethod, VerbMoneyBack},
	Active:     {VerbChange, VerbCancel, VerbResume, VerbRenew, VerbPaymentMethod, VerbMoneyBack},
	PastDue:    {VerbChange, VerbCancel, VerbRenew, VerbPaymentMethod, VerbMoneyBack},
	Canceled:   {VerbRenew, VerbPaymentMethod},
}

// Actions are the commands that are possible at an instant, in the order of
// the page's buttons. It is never nil.
func (s Subscription) Actions(at time.Time) []Verb {
	actions := []Verb{}
	for _, v := range possible[s.Status] {
		if s.allows(v) && (v != VerbMoneyBack || s.MoneyBack.available(at)) {
			actions = append(actions, v)
		}
	}
	return actions
}

// allows tells whether a command is possible: by the table of states, and by what was
// asked before (only a cancelled subscription can be resumed, and only one
// that goes on can be cancelled or paid ahead). Operators' commands do not
// depend on the table: what has not ended can be ended, and what was
// paid can be refunded at any time.
func (s Subscription) allows(v Verb) bool {
	if s.disputed() && !s.mayBeAsked(v) {
		return false
	}
	if v.kind().operator {
		return v != VerbCancelNow || !s.Status.Ended()
	}
	if !slices.Contains(possible[s.Status], v) {
		return false
	}
	switch v {
	case VerbResume:
		return s.CancelAtPeriodEnd
	case VerbCancel:
		return !s.CancelAtPeriodEnd
	case VerbMoneyBack: // there is no money in an unpaid trial
		return s.Status != Trialing || s.MoneyBack.From != ""
	case VerbRenew:
		if s.Revoked {
			return false // it cannot be used
		}
		if s.Status == Active && s.AwaitsTransfer() && !s.HasMethod {
			return false // its invoice is out already
		}
		return s.Status == Canceled || s.Status == PastDue || !s.CancelAtPeriodEnd && !s.Prepaid()
	}
	return true
}

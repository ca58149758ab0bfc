package billing

import "slices"

// Status is where a subscription stands in its life.
type Status string

const (
	Incomplete        Status = "incomplete"         // ordered, not yet paid
	IncompleteExpired Status = "incomplete_expired" // never paid; takes no command
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

	// VerbMarkPaid is an operator's, and possible in every status: money that has
	// come is always recorded. It is no button of the customer's page.
	VerbMarkPaid Verb = "mark-paid"
)

// commands is the one table of commands and states (rules.md, Commands and
// states): what may be asked of a subscription in each status. What each
// command does there is told by its method of Book.
var commands = map[Status][]Verb{
	Incomplete: {VerbPaymentMethod, VerbCancel},
	Trialing:   {VerbChange, VerbCancel, VerbResume, VerbRenew, VerbPaymentMethod},
	Active:     {VerbChange, VerbCancel, VerbResume, VerbRenew, VerbPaymentMethod},
	PastDue:    {VerbChange, VerbCancel, VerbRenew, VerbPaymentMethod},
	Canceled:   {VerbRenew, VerbPaymentMethod},
}

// Actions are the commands that make sense now, in the order of the page's
// buttons. It is never nil.
func (s Subscription) Actions() []Verb {
	possible := []Verb{}
	for _, v := range commands[s.Status] {
		if s.allows(v) {
			possible = append(possible, v)
		}
	}
	return possible
}

// allows holds a verb to the table and to what has been asked before: only
// what is cancelled can be resumed, and only what goes on can be cancelled or
// paid ahead.
func (s Subscription) allows(v Verb) bool {
	if !slices.Contains(commands[s.Status], v) {
		return false
	}
	switch v {
	case VerbResume:
		return s.CancelAtPeriodEnd
	case VerbCancel:
		return !s.CancelAtPeriodEnd
	case VerbRenew:
		if s.Status == Active && !s.DueAt.IsZero() && !s.HasMethod {
			return false // its invoice is out already
		}
		return s.Status == Canceled || s.Status == PastDue || !s.CancelAtPeriodEnd && s.Ahead == (Period{})
	}
	return true
}

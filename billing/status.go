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

// Action names a command on a subscription: an update of its workflow, a button
// of its page, and the last part of its address in the API.
type Action string

const (
	ActionPurchase      Action = "purchase"
	ActionPaymentMethod Action = "payment-method"
	ActionChange        Action = "change"
	ActionWithdraw      Action = "scheduled-change" // to withdraw it
	ActionCancel        Action = "cancel"
	ActionResume        Action = "resume"
	ActionRenew         Action = "renew"
	ActionMoneyBack     Action = "money-back"

	// Amendments: forms of the account's pages, and no buttons. A transfer is an
	// operator's.
	ActionAmend    Action = "billing-details"
	ActionHandOver Action = "licensee"
	ActionTransfer Action = "transfer"

	// ActionScheduleChange is a change at the period's end. It is no button of its
	// own: change asks when.
	ActionScheduleChange Action = "schedule-change"

	// An operator's: no buttons of the customer's page. Mark-paid is possible in
	// every status, since money that has come is always recorded.
	ActionMarkPaid  Action = "mark-paid"
	ActionCancelNow Action = "cancel-now"
	ActionRefund    Action = "refund"
	ActionSuspend   Action = "suspend"
	ActionRevoke    Action = "revoke"
	ActionReinstate Action = "reinstate"
	ActionExtend    Action = "extend"
	ActionMigrate   Action = "migrate" // to the plan's newest price

	ActionDispute      Action = "dispute"       // the gateway's: a payment is disputed, or no longer
	ActionRefundFailed Action = "refund-failed" // the gateway's: a refund that was confirmed has failed after all

	// Not a button: the gateway may know more about a payment. It is asked for
	// the outcome of the pending one, if there is one.
	ActionSettle Action = "settle"
)

// possible is the one table of states (docs/rules.md, Commands and states):
// what a customer may ask of a subscription in each status. commands.go names
// the rule of each command.
var possible = map[Status][]Action{
	Incomplete: {ActionPaymentMethod, ActionCancel},
	Trialing:   {ActionChange, ActionScheduleChange, ActionWithdraw, ActionCancel, ActionResume, ActionRenew, ActionPaymentMethod, ActionMoneyBack},
	Active:     {ActionChange, ActionScheduleChange, ActionWithdraw, ActionCancel, ActionResume, ActionRenew, ActionPaymentMethod, ActionMoneyBack},
	PastDue:    {ActionChange, ActionCancel, ActionRenew, ActionPaymentMethod, ActionMoneyBack},
	Canceled:   {ActionRenew, ActionPaymentMethod},
}

// Actions are the commands that are possible at an instant, in the order of
// the page's buttons. It is never nil.
func (s Subscription) Actions(at time.Time) []Action {
	actions := []Action{}
	for _, v := range possible[s.Status] {
		if v != ActionScheduleChange && s.allows(v) && (v != ActionMoneyBack || s.MoneyBack.available(at)) {
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
func (s Subscription) allows(v Action) bool {
	if s.Disputed() && !s.mayBeAsked(v) {
		return false
	}
	switch v {
	case ActionAmend:
		return s.Amendable() && !s.Comp
	case ActionHandOver:
		return s.License != "" && !s.Status.Ended() && !s.Revoked
	default:
	}
	if v.kind().operator {
		return v != ActionCancelNow || !s.Status.Ended()
	}
	if s.Comp {
		return false // nobody pays for it
	}
	if !slices.Contains(possible[s.Status], v) {
		return false
	}
	switch v {
	case ActionPaymentMethod:
		return !s.AwaitsConfirmation()
	case ActionScheduleChange: // what is paid for already is not replaced
		return !s.CancelAtPeriodEnd && !s.scheduledPaid()
	case ActionWithdraw:
		return !s.ScheduledChange.IsZero() && !s.scheduledPaid()
	case ActionResume:
		return s.CancelAtPeriodEnd
	case ActionCancel:
		return !s.CancelAtPeriodEnd
	case ActionMoneyBack: // there is no money in an unpaid trial
		return s.Status != Trialing || s.MoneyBack.From != ""
	case ActionRenew:
		if s.Revoked {
			return false // it cannot be used
		}
		if s.Status == Active && s.AwaitsTransfer() && !s.HasMethod {
			return false // its invoice is out already
		}
		return s.Status == Canceled || s.Status == PastDue || !s.CancelAtPeriodEnd && !s.Prepaid()
	default:
		return true
	}
}

// Amendable tells whether there may be documents of the subscription that are
// still to be numbered, but for those of an order.
func (s Subscription) Amendable() bool {
	return s.Status != Incomplete && s.Status != IncompleteExpired
}

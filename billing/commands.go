package billing

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// CommandKind declares a command: everything about it that is not its rule.
type CommandKind struct {
	Action      Action
	Update      string // the workflow's update; senders wait for its Outcome
	Signal      string // the workflow's signal, which does the same without an answer; empty: there is none
	Activity    string // the activity that does it, as operators read it in a workflow's history
	Description string // for operators

	check  func(Command) error                         // of the fields; nil: none is needed
	decide func(Snapshot, Command, time.Time) Decision // the rule; nil: package activities asks the gateway instead

	account  bool // the billing account's own: it proves that the guest is the account
	operator bool // an operator's, in every status (but what has ended does not end again)
	always   bool // the rule alone says when it is possible
	amends   bool // brings an Amendment with its request
	credits  bool // may create credit notes
	refunds  bool // gives money back
}

// Commands are all commands, each declared once. A new one is a row here, its
// Action, and its rule; status.go says in which states customers may give it.
var Commands = []CommandKind{
	{Action: ActionPurchase, Update: "purchase", Activity: "Purchase",
		Description: "Do what was ordered: charge it, or start its trial.",
		decide:      Snapshot.purchase, always: true},
	{Action: ActionPaymentMethod, Update: "payment_method", Activity: "StorePaymentMethod",
		Description: "Use another card; it is charged at once where money is owed.",
		decide:      Snapshot.storeMethod}, // not account: an order's token gives it too
	{Action: ActionChange, Update: "change", Signal: "upgrade", Activity: "Change",
		Description: "Move to another plan or quantity at once, prorated.",
		check:       checkChange, decide: Snapshot.change, account: true, credits: true},
	{Action: ActionScheduleChange, Update: "schedule_change", Activity: "ScheduleChange",
		Description: "Move to another plan or quantity at the end of the period, without proration.",
		check:       checkChange, decide: Snapshot.scheduleChange, account: true},
	{Action: ActionWithdraw, Update: "withdraw_change", Activity: "WithdrawChange",
		Description: "Take a change back that is scheduled.",
		decide:      Snapshot.withdrawChange, account: true},
	{Action: ActionAmend, Update: "amend", Activity: "Amend",
		Description: "Change the billing details, for documents that are numbered after this.",
		check:       checkAmendment, decide: Snapshot.amend, account: true, amends: true},
	{Action: ActionHandOver, Update: "hand_over", Activity: "HandOver",
		Description: "Give the licence to another licensee.",
		check:       checkAmendment, decide: Snapshot.handOver, account: true, amends: true},
	{Action: ActionTransfer, Update: "transfer", Activity: "Transfer",
		Description: "For operators: another account pays from now on.",
		check:       checkAmendment, decide: Snapshot.transfer, always: true, amends: true},
	{Action: ActionCancel, Update: "cancel", Signal: "cancel", Activity: "Cancel",
		Description: "Cancel at the end of the period.",
		decide:      Snapshot.cancel, account: true},
	{Action: ActionResume, Update: "resume", Signal: "resume", Activity: "Resume",
		Description: "Take the cancellation back.",
		decide:      Snapshot.resume, account: true},
	{Action: ActionRenew, Update: "renew", Activity: "RenewNow",
		Description: "Pay the next period now, pay what is owed, or revive.",
		decide:      Snapshot.renewNow, account: true},
	{Action: ActionMarkPaid, Update: "mark_paid", Activity: "MarkPaid",
		Description: "Record a transfer for an invoice; it is paid if that is enough.",
		check:       checkMarkPaid, decide: Snapshot.markPaid, always: true},
	{Action: ActionMoneyBack, Update: "money_back", Activity: "MoneyBack",
		Description: "End at once and give everything back, within 14 days of the first charge.",
		decide:      Snapshot.moneyBack, account: true, credits: true, refunds: true},
	{Action: ActionCancelNow, Update: "cancel_now", Activity: "CancelNow",
		Description: "For operators: end at once, with no, a prorated or a full refund.",
		check:       checkCancelNow, decide: Snapshot.cancelNow, operator: true, credits: true, refunds: true},
	{Action: ActionRefund, Update: "refund", Activity: "RefundInvoice",
		Description: "For operators: give an invoice's money back, in part or all of it.",
		check:       checkRefund, decide: Snapshot.refundInvoice, operator: true, credits: true, refunds: true},
	{Action: ActionSuspend, Update: "suspend", Activity: "Hold",
		Description: "For operators: the licence is not valid until it is reinstated.",
		decide:      Snapshot.hold, operator: true},
	{Action: ActionRevoke, Update: "revoke", Activity: "Hold",
		Description: "For operators: the licence is not valid any more, and the subscription ends.",
		decide:      Snapshot.hold, operator: true},
	{Action: ActionReinstate, Update: "reinstate", Activity: "Hold",
		Description: "For operators: the licence is neither suspended nor revoked any more.",
		decide:      Snapshot.hold, operator: true},
	{Action: ActionExtend, Update: "extend", Activity: "Extend",
		Description: "For operators: give days; the trial, the period or the free licence ends later.",
		check:       checkExtend, decide: Snapshot.extend, operator: true},
	{Action: ActionMigrate, Update: "migrate_price", Activity: "MigratePrice",
		Description: "Announce the plan's newest price for the next period.",
		check:       checkMigrate, decide: Snapshot.migrate, always: true},
	{Action: ActionDispute, Update: "dispute", Activity: "Dispute",
		Description: "A payment is disputed, or the dispute is over.",
		check:       checkDispute, decide: Snapshot.dispute, always: true, credits: true},
	{Action: ActionRefundFailed, Update: "refund_failed", Activity: "RefundFailed",
		Description: "A refund that was confirmed has failed after all: the money goes to the balance.",
		check:       checkRefundFailed, decide: Snapshot.refundFailed, always: true, credits: true},
	{Action: ActionSettle, Update: "settle", Activity: "SettlePayment",
		Description: "Ask the gateway for the outcome of the pending payment."},
}

// steps declares each step: the activity that does it, and its rule.
var steps = map[StepKind]struct {
	activity string
	decide   func(Snapshot, Step, time.Time) Decision
}{
	StepExpireOrder: {"ExpireOrder", Snapshot.expireOrder},
	StepRemind:      {"Remind", Snapshot.remind},
	StepFile:        {"RenewFile", Snapshot.renewFile},
	StepTrialEnd:    {"EndTrial", Snapshot.endTrial},
	StepRenew:       {"Renew", Snapshot.renew},
	StepInvoice:     {"SendInvoice", Snapshot.invoiceDue},
	StepRetry:       {"RetryPayment", Snapshot.retry},
	StepEnd:         {"End", Snapshot.endPeriod},
	StepSettle:      {"SettlePayment", Snapshot.nothingDue}, // there is no pending payment any more
	StepDispute:     {"Dispute", Snapshot.remindOfDispute},
}

// kind is the declaration of a command; the zero CommandKind if there is none.
func (v Action) kind() CommandKind {
	if i := slices.IndexFunc(Commands, func(k CommandKind) bool { return k.Action == v }); i >= 0 {
		return Commands[i]
	}
	return CommandKind{}
}

// Update is the name of the command's workflow update.
func (v Action) Update() string { return v.kind().Update }

// Amends tells whether a command brings an Amendment with its request.
func (v Action) Amends() bool { return v.kind().amends }

// Credits tells whether a command may create credit notes, for which it
// needs the snapshot's Receipts.
func (v Action) Credits() bool { return v.kind().credits }

// Refunds tells whether a command gives money back.
func (k CommandKind) Refunds() bool { return k.refunds }

// Check checks the fields of a command, before it is accepted.
func (k CommandKind) Check(c Command) error {
	if k.check == nil {
		return nil
	}
	return k.check(c)
}

// Activity is the activity that does a step, as operators read it.
func (k StepKind) Activity() string { return steps[k].activity }

// Steps are all kinds of steps, each once.
func Steps() []StepKind { return slices.Sorted(maps.Keys(steps)) }

// Activities are the activities of all commands and steps, each once.
func Activities() []string {
	names := map[string]bool{}
	for _, k := range Commands {
		names[k.Activity] = true
	}
	for _, s := range steps {
		names[s.activity] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Decide decides about a command. Every step that is due by at has been done
// before.
func (b Snapshot) Decide(c Command, at time.Time) Decision {
	kind := c.Action.kind()
	if !kind.always && !b.Subscription.allows(c.Action) {
		return Decision{Refusal: notPossibleNow()}
	}
	if kind.account {
		b.Subscription.Guest = false
	}
	return kind.decide(b, c, at).withoutPayer()
}

// Due decides about a step that is due. at is the instant of handling: the
// step's own, or later after an outage.
func (b Snapshot) Due(step Step, at time.Time) Decision {
	return steps[step.Kind].decide(b, step, at).withoutPayer()
}

func (b Snapshot) nothingDue(_ Step, at time.Time) Decision {
	return Decision{Changeset: b.post(b.Subscription, at, EventNothingDue, EventDetails{})}
}

func notPossibleNow() *Error {
	return refuse(CodeNotPossibleNow, "", "this is not possible in the subscription's present state")
}

func checkChange(c Command) error {
	if c.Plan == "" || c.Quantity < 0 {
		return errors.New("a change names a plan, and a quantity of at least 1 or none")
	}
	return nil
}

func checkAmendment(c Command) error {
	if c.Request == "" {
		return errors.New("an amendment is in its request's row")
	}
	return nil
}

func checkMarkPaid(c Command) error {
	if c.Invoice == "" || c.Amount == nil || *c.Amount <= 0 || c.Request == "" {
		return errors.New("a transfer names its invoice, an amount above zero, and the request that has its reference")
	}
	return nil
}

func checkCancelNow(c Command) error {
	switch c.Refund {
	case RefundNone, RefundProrated, RefundFull:
		return nil
	}
	return errors.New("a cancellation at once names its refund: none, prorated or full")
}

func checkRefund(c Command) error {
	if c.Invoice == "" || c.Amount != nil && *c.Amount < 1 {
		return errors.New("a refund names an invoice, and an amount of at least 1 or none")
	}
	return nil
}

func checkDispute(c Command) error {
	d := c.Dispute
	if d.ID == "" || d.Invoice == "" || d.Amount.Amount < 1 || d.Status != DisputeOpened && d.Status != DisputeWon && d.Status != DisputeLost {
		return errors.New("a dispute has an id, an invoice, an amount and a status: opened, won or lost")
	}
	return nil
}

func checkRefundFailed(c Command) error {
	if c.RefundID == "" {
		return errors.New("a refund that failed has an id")
	}
	return nil
}

func checkMigrate(c Command) error {
	if c.Price.ID == "" || c.Price.Amount < 1 || c.Price.Currency == "" {
		return errors.New("a migration names the price that it moves to")
	}
	return nil
}

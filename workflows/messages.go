package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/okviz/licensing/billing"
)

// TaskQueue is where the engine's workers take their work.
const TaskQueue = "billing"

// Missed is how long a worker may be silent before its activity is given to
// another. Workers send heartbeats more often than that.
const Missed = 15 * time.Second

// Start is the input of Subscription: the id, and after continue-as-new the
// state. A run without a state loads the rows.
type Start struct {
	ID    string                `json:"id"`
	State *billing.Subscription `json:"state,omitempty"`
	// Lately is what an operator is shown of the runs before.
	Lately []string `json:"lately,omitempty"`
}

// The updates: commands whose sender waits for the billing.Outcome. Each takes
// a billing.Command; its Verb is set here.
const (
	UpdatePurchase      = "purchase"
	UpdatePaymentMethod = "payment_method"
	UpdateChange        = "change"
	UpdateCancel        = "cancel"
	UpdateResume        = "resume"
	UpdateRenew         = "renew"
	UpdateMarkPaid      = "mark_paid"
	UpdateMoneyBack     = "money_back"
	UpdateCancelNow     = "cancel_now"
	UpdateRefund        = "refund"
	UpdateSuspend       = "suspend"
	UpdateRevoke        = "revoke"
	UpdateReinstate     = "reinstate"
	UpdateMigrate       = "migrate_price"
	UpdateSettle        = "settle"
	UpdateDispute       = "dispute"
	UpdateRefundFailed  = "refund_failed"
	// UpdateAdvance takes an Advance: its test clock has moved.
	UpdateAdvance = "advance"
)

// The signals do what the updates of the same name do, without an answer.
// Operators can send them in the Temporal UI. Each takes a billing.Command:
// SignalUpgrade {"plan": "<plan id>", "quantity": 1}, the others {}.
const (
	SignalUpgrade = "upgrade"
	SignalCancel  = "cancel"
	SignalResume  = "resume"
)

// Advance says where the subscription's test clock stands now. What is due up
// to and including that instant is done before the update returns.
type Advance struct {
	To time.Time `json:"to"`
}

// Updates names the update of each command.
var Updates = map[billing.Verb]string{
	billing.VerbPurchase:      UpdatePurchase,
	billing.VerbPaymentMethod: UpdatePaymentMethod,
	billing.VerbChange:        UpdateChange,
	billing.VerbCancel:        UpdateCancel,
	billing.VerbResume:        UpdateResume,
	billing.VerbRenew:         UpdateRenew,
	billing.VerbMarkPaid:      UpdateMarkPaid,
	billing.VerbMoneyBack:     UpdateMoneyBack,
	billing.VerbCancelNow:     UpdateCancelNow,
	billing.VerbRefund:        UpdateRefund,
	billing.VerbSuspend:       UpdateSuspend,
	billing.VerbRevoke:        UpdateRevoke,
	billing.VerbReinstate:     UpdateReinstate,
	billing.VerbMigrate:       UpdateMigrate,
	billing.VerbSettle:        UpdateSettle,
	billing.VerbDispute:       UpdateDispute,
	billing.VerbRefundFailed:  UpdateRefundFailed,
}

// Search attributes by which operators find subscriptions. They hold no
// personal data.
var (
	AttributeStatus  = temporal.NewSearchAttributeKeyKeyword("SubscriptionStatus")
	AttributePlan    = temporal.NewSearchAttributeKeyKeyword("Plan")
	AttributeProduct = temporal.NewSearchAttributeKeyKeyword("Product")
	AttributeNumber  = temporal.NewSearchAttributeKeyInt64("SubscriptionNumber")
)

// Attributes are the search attributes of a state.
func Attributes(s billing.Subscription) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		AttributeStatus.ValueSet(string(s.Status)), AttributePlan.ValueSet(s.Plan.ID), AttributeProduct.ValueSet(s.Product),
		AttributeNumber.ValueSet(s.Number))
}

// Options are the options for starting a run. If one is running, it is used;
// if one has ended, another is started.
func Options(s billing.Subscription) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: s.ID, TaskQueue: TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		TypedSearchAttributes:    Attributes(s),
		Memo:                     map[string]any{"number": s.Number},
		StaticSummary:            fmt.Sprintf("Subscription %d: %s", s.Number, s.Product),
		StaticDetails:            guide(s),
	}
}

// checkChange checks the fields of a change.
func checkChange(c billing.Command) error {
	if c.Plan == "" || c.Quantity < 0 {
		return errors.New("a change names a plan, and a quantity of at least 1 or none")
	}
	return nil
}

// checkMarkPaid checks the fields of a transfer.
func checkMarkPaid(c billing.Command) error {
	if c.Invoice == "" || c.Amount == nil || *c.Amount <= 0 || c.Request == "" {
		return errors.New("a transfer names its invoice, an amount of more than nothing, and the request that has its reference")
	}
	return nil
}

// checkCancelNow checks the fields of an operator's cancellation.
func checkCancelNow(c billing.Command) error {
	switch c.Refund {
	case billing.RefundNone, billing.RefundProrated, billing.RefundFull:
		return nil
	}
	return errors.New("a cancellation at once names its refund: none, prorated or full")
}

// checkRefund checks the fields of a refund.
func checkRefund(c billing.Command) error {
	if c.Invoice == "" || c.Amount != nil && *c.Amount < 1 {
		return errors.New("a refund names an invoice, and an amount of at least 1 or none")
	}
	return nil
}

// checkDispute checks the fields of a dispute.
func checkDispute(c billing.Command) error {
	d := c.Dispute
	if d.ID == "" || d.Invoice == "" || d.Amount.Amount < 1 || d.Status != billing.DisputeOpened && d.Status != billing.DisputeWon && d.Status != billing.DisputeLost {
		return errors.New("a dispute has an id, an invoice, an amount and a status: opened, won or lost")
	}
	return nil
}

// checkRefundFailed checks the fields of a failed refund.
func checkRefundFailed(c billing.Command) error {
	if c.RefundID == "" {
		return errors.New("a refund that failed has an id")
	}
	return nil
}

// checkMigrate checks the fields of a migration.
func checkMigrate(c billing.Command) error {
	if c.Price.ID == "" || c.Price.Amount < 1 || c.Price.Currency == "" {
		return errors.New("a migration names the price that it moves to")
	}
	return nil
}

func anyShape(billing.Command) error { return nil }

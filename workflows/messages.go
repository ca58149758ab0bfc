package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/okviz/licensing/billing"
)

// TaskQueue is where the engine's workers take their work.
const TaskQueue = "billing"

// Register registers every workflow, with a worker or what replays histories.
func Register(r interface{ RegisterWorkflow(workflow any) }) {
	r.RegisterWorkflow(Subscription)
	r.RegisterWorkflow(Deliver)
}

// HeartbeatTimeout is how long a worker may be silent before its activity is given to
// another. Workers send heartbeats more often than that.
const HeartbeatTimeout = 15 * time.Second

// Start is the input of Subscription: the id, and the state of an order that was
// just written, or after continue-as-new. A run without a state loads the rows.
type Start struct {
	ID    billing.SubscriptionID `json:"id"`
	State *billing.Subscription  `json:"state,omitempty"`
	// RecentEvents is what an operator is shown of the runs before.
	RecentEvents []string `json:"recent_events,omitempty"`
}

// UpdateAdvance takes an Advance. All other updates, and the signals, are the
// commands of billing.Commands: each takes a billing.Command and answers with a
// billing.Outcome.
const UpdateAdvance = "advance"

// Advance says where the subscription's test clock stands now. What is due up
// to and including that instant is done before the update returns.
type Advance struct {
	To time.Time `json:"to"`
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
		ID: string(s.ID), TaskQueue: TaskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		TypedSearchAttributes:    Attributes(s),
		Memo:                     map[string]any{"number": s.Number},
		StaticSummary:            fmt.Sprintf("Subscription %d: %s", s.Number, s.Product),
		StaticDetails:            guide(s),
	}
}

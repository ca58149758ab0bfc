package billing

import "github.com/okviz/licensing/licensing"

// PlanRef names a plan: licence type × tier × billing cycle.
type PlanRef struct {
	ID    string         `json:"id"`
	Type  licensing.Type `json:"type"`
	Tier  string         `json:"tier,omitempty"` // empty where the type has only one
	Cycle Cycle          `json:"cycle"`
}

package billing

import (
	"slices"
	"time"
)

// Dunning is the story of a renewal that was declined (docs/rules.md, When a
// payment fails).
type Dunning struct {
	FirstFailure time.Time `json:"first_failure"`
	LastAttempt  time.Time `json:"last_attempt"`
	Hard         bool      `json:"hard,omitempty"`    // only a new method can help
	Refusal      string    `json:"refusal,omitempty"` // the gateway's code, where it did not even try: see refused.go
}

// Deadline is when the subscription ends unpaid: the first failure plus the
// last interval, whatever happened in between.
func (d Dunning) Deadline(p Policy) time.Time {
	return d.FirstFailure.Add(p.RetryAfter[len(p.RetryAfter)-1])
}

// nextAttempt is the first retry after the last attempt, so that retries
// missed in an outage collapse into one; only the deadline after a hard
// decline.
func (d Dunning) nextAttempt(p Policy) time.Time {
	if !d.Hard {
		for _, after := range p.RetryAfter {
			if at := d.FirstFailure.Add(after); at.After(d.LastAttempt) {
				return at
			}
		}
	}
	return d.Deadline(p)
}

// hardDeclines are not tried again before there is a new method.
var hardDeclines = []string{
	"incorrect_number", "lost_card", "pickup_card", "stolen_card",
	"revocation_of_authorization", "revocation_of_all_authorizations",
	"authentication_required", "highest_risk_level", "transaction_not_allowed",
}

// Hard tells whether trying the same method again is of no use.
func (r ChargeResult) Hard() bool {
	return r.Advice == AdviceNever || r.Advice == AdviceNewMethod || r.Advice == AdviceNeedsCustomer ||
		slices.Contains(hardDeclines, r.DeclineCode)
}

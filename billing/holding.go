package billing

import "time"

// hold suspends, revokes or reinstates a licence for an operator, regardless
// of what was paid. Revoking also ends the subscription (docs/rules.md, When
// a payment fails). Reinstating lifts both, but what has ended stays ended.
func (b Snapshot) hold(c Command, at time.Time) Decision {
	s := b.Subscription
	if s.License == "" {
		return Decision{Refusal: refuse(CodeNotPossibleNow, "", "there is no licence yet")}
	}
	was := [2]bool{s.Suspended, s.Revoked}
	kind := EventSuspended
	switch c.Action {
	case ActionSuspend:
		s.Suspended = true
	case ActionRevoke:
		s.Revoked = true
		kind = EventRevoked
	case ActionReinstate:
		s.Suspended, s.Revoked = false, false
		kind = EventReinstated
	default: // no other command comes here
	}
	if was == [2]bool{s.Suspended, s.Revoked} {
		return Decision{Refusal: refuse(CodeNoChange, "", "the licence is already in this state")}
	}
	b.Subscription = s
	if c.Action != ActionRevoke || s.Status.Ended() {
		return Decision{Changeset: b.post(s, at, kind, EventDetails{})}
	}
	p := b.end(at, ReasonOperator)
	p.Events = append([]Event{NewEvent(at, kind, EventDetails{})}, p.Events...)
	return Decision{Changeset: p}
}

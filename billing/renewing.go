package billing

import "time"

// renew charges the next period at its start, or enters the one that was
// paid ahead.
func (b Snapshot) renew(step Step, at time.Time) Decision {
	s := b.Subscription
	if s.Prepaid() {
		s = s.entered()
		return Decision{Changeset: b.enter(s, at, EventRenewed, EventDetails{Until: s.Period.End})}
	}
	if s.Collection == ByInvoice {
		return Decision{Changeset: b.unpaid(at)}
	}
	inv := b.draft(ForRenewal, step.At.Format(time.RFC3339), step.At, b.saleAt(s.Anchor, s.Period.End, at))
	return b.collectOrFail(inv, at)
}

// renewNow pays the next period early, pays what is owed, or revives what
// has ended, depending on the state (docs/rules.md, Commands and states).
func (b Snapshot) renewNow(c Command, at time.Time) Decision {
	s := b.Subscription
	cause := c.Cause(s.Revision)
	switch s.Status {
	case PastDue:
		return b.collect(b.owed(at))
	case Canceled:
		return b.collect(b.draft(ForRevival, cause, at, b.saleAt(at, at, at)))
	case Trialing:
		return b.collect(b.draft(ForPrepaid, cause, at, b.saleAt(s.TrialEnd, s.TrialEnd, s.TrialEnd)))
	default: // active: the next period
	}
	if s.Collection == ByInvoice && b.Method == "" {
		return b.sendNext(at)
	}
	next := s.Period.End
	if next.Before(at) { // an invoice that an outage kept back is still open
		next = at
	}
	return b.collect(b.draft(ForPrepaid, cause, at, b.saleAt(s.Anchor, s.Period.End, next)))
}

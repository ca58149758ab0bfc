package billing

import "time"

// cancel ends an unpaid order or a past_due subscription at once, and a
// trial or a paid period at its end.
func (b Snapshot) cancel(_ Command, at time.Time) Decision {
	return Decision{Changeset: b.canceled(at)}
}

func (b Snapshot) canceled(at time.Time) *Changeset {
	s := b.Subscription
	switch s.Status {
	case Incomplete:
		s.expire()
		s.CancelReason, s.CanceledAt = ReasonRequested, at
		p := b.post(s, at, EventOrderWithdrawn, EventDetails{})
		b.void(p, at)
		return p
	case PastDue:
		return b.end(at, ReasonRequested)
	default: // it ends with its period
	}
	s.CancelAtPeriodEnd = true
	s.dropScheduled()
	s.clearOpenInvoice()
	until := s.PaidUntil()
	p := b.post(s, at, EventCancelScheduled, EventDetails{Until: until})
	p.Notices = []Notice{{Kind: NoticeCancelScheduled, To: RoleBilling, Until: until, Plan: s.Plan}}
	b.void(p, at)
	return p
}

// resume undoes a cancellation. The next period's invoice, which the
// cancellation voided or held back, is mailed again.
func (b Snapshot) resume(_ Command, at time.Time) Decision {
	s := b.Subscription
	s.CancelAtPeriodEnd = false
	p := b.post(s, at, EventResumed, EventDetails{})
	if p.Subscription.Next.Kind == StepInvoice && !p.Subscription.Next.At.After(at) {
		if inv, due := b.invoiceNext(at); inv.AmountDue().Amount > 0 {
			events := p.Events
			p = b.issue(s, *inv, due, at)
			p.Events = append(events, p.Events...)
		}
	}
	p.Notices = append(p.Notices, Notice{Kind: NoticeResumed, To: RoleBilling, Until: s.Period.End, Plan: s.Plan})
	return Decision{Changeset: p}
}

// endPeriod ends a cancelled subscription at the end of its period.
func (b Snapshot) endPeriod(Step, time.Time) Decision {
	why := ReasonRequested
	if b.Subscription.Comp {
		why = ReasonOperator // who gave it has said when it ends
	}
	return Decision{Changeset: b.end(b.Subscription.Period.End, why)}
}

// end is the state after the end; nothing of the running state is left.
func (s *Subscription) end(at time.Time, why CancelReason) {
	s.Status, s.CanceledAt, s.CancelReason = Canceled, at, why
	s.CancelAtPeriodEnd, s.ScheduledChange, s.Dunning, s.MoneyBack = false, ScheduledChange{}, Dunning{}, MoneyBack{}
	s.clearOpenInvoice()
	s.clearPrepaid()
}

// revive forgets that the subscription had ended or was going to.
func (s *Subscription) revive() {
	s.CancelAtPeriodEnd, s.CanceledAt, s.CancelReason = false, time.Time{}, ""
	s.TrialEnd, s.RemindedAt = time.Time{}, time.Time{}
}

// renews tells whether it was not cancelled, and is no free licence.
func (s Subscription) renews() bool { return !s.CancelAtPeriodEnd && !s.Comp }

// endsWithPeriod tells whether it was cancelled and nothing is paid beyond the
// running period, or is a free licence.
func (s Subscription) endsWithPeriod() bool { return s.CancelAtPeriodEnd && !s.Prepaid() || s.Comp }

// end is the changeset that ends the subscription as of an instant.
func (b Snapshot) end(at time.Time, why CancelReason) *Changeset {
	s := b.Subscription
	s.end(at, why)
	p := b.post(s, at, EventCanceled, EventDetails{Code: string(why)})
	p.Notices = []Notice{{Kind: NoticeEnded, To: RoleBilling, Until: at, Plan: s.Plan, Reason: why}}
	b.void(p, at)
	return p
}

package billing

import "time"

// cancel ends an unpaid order or a past_due subscription at once, and a
// trial or a paid period at its end.
func (b Book) cancel(_ Command, at time.Time) Decision { return Decision{Posting: b.canceled(at)} }

func (b Book) canceled(at time.Time) *Posting {
	s := b.Subscription
	switch s.Status {
	case Incomplete:
		s.Status, s.CancelReason, s.CanceledAt, s.OpenInvoice, s.DueAt = IncompleteExpired, ReasonRequested, at, "", time.Time{}
		p := b.post(s, at, EventOrderWithdrawn, EventDetails{})
		b.void(p, at)
		return p
	case PastDue:
		return b.end(at, ReasonRequested)
	}
	s.CancelAtPeriodEnd, s.OpenInvoice, s.DueAt = true, "", time.Time{}
	until := s.Period.End
	if s.Ahead != (Period{}) {
		until = s.Ahead.End
	}
	p := b.post(s, at, EventCancelScheduled, EventDetails{Until: until})
	p.Notices = []Notice{{Kind: NoticeCancelScheduled, To: RoleBilling, Until: until, Plan: s.Plan}}
	b.void(p, at)
	return p
}

// resume undoes a cancellation. The next period's invoice, which the
// cancellation voided or held back, is mailed again.
func (b Book) resume(_ Command, at time.Time) Decision {
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
	return Decision{Posting: p}
}

// endPeriod ends a cancelled subscription at the end of its period.
func (b Book) endPeriod(Step, time.Time) Decision {
	return Decision{Posting: b.end(b.Subscription.Period.End, ReasonRequested)}
}

// end is the posting that ends the subscription as of an instant.
func (b Book) end(at time.Time, why CancelReason) *Posting {
	s := b.Subscription
	s.Status, s.CanceledAt, s.CancelReason = Canceled, at, why
	s.CancelAtPeriodEnd, s.OpenInvoice, s.DueAt, s.Dunning, s.Ahead = false, "", time.Time{}, Dunning{}, Period{}
	s.AheadBy = ""
	s.MoneyBack = MoneyBack{}
	p := b.post(s, at, EventCanceled, EventDetails{Code: string(why)})
	p.Notices = []Notice{{Kind: NoticeEnded, To: RoleBilling, Until: at, Plan: s.Plan, Reason: why}}
	b.void(p, at)
	return p
}

package billing

import "time"

// Prepaid tells whether the period after the running one is paid already.
func (s Subscription) Prepaid() bool { return s.PrepaidPeriod != (Period{}) }

// PaidUntil is the end of all that is paid.
func (s Subscription) PaidUntil() time.Time {
	if s.Prepaid() {
		return s.PrepaidPeriod.End
	}
	return s.Period.End
}

// prepay records who paid for the period after the running one.
func (s *Subscription) prepay(p Period, invoice InvoiceID) {
	s.PrepaidPeriod, s.PrepaidInvoice = p, invoice
}

func (s *Subscription) clearPrepaid() { s.prepay(Period{}, "") }

// enterPeriod makes a paid period the running one.
func (s *Subscription) enterPeriod(p Period, invoice InvoiceID) { s.Period, s.PaidBy = p, invoice }

// restart begins a period from which all later boundaries are counted. It
// takes the place of a prepaid one.
func (s *Subscription) restart(p Period, invoice InvoiceID) {
	s.Anchor = p.Start
	s.enterPeriod(p, invoice)
	s.clearPrepaid()
}

// entered is the subscription in the period that was paid ahead, with the plan
// and at the price that were announced for it.
func (s Subscription) entered() Subscription {
	was, c := s.Plan, s.ScheduledChange
	if s.scheduledPaid() {
		s = s.sold(c.Plan, c.Price, c.Quantity)
	} else {
		s = s.sold(s.Plan, s.priceOf(s.PrepaidPeriod), s.Quantity)
	}
	s.makeScheduled(s.PrepaidPeriod.Start, was)
	s.enterPeriod(s.PrepaidPeriod, s.PrepaidInvoice)
	s.clearPrepaid()
	return s
}

// enter is the changeset of entering the period that was paid ahead. Where the
// plan changes with it, the licensee gets the file of the new one.
func (b Snapshot) enter(s Subscription, at time.Time, kind EventKind, d EventDetails) *Changeset {
	was := b.Subscription
	changed := s.Plan != was.Plan || s.Quantity != was.Quantity
	if changed {
		s.File = s.deliver(b.Policy, at)
	}
	p := b.post(s, at, kind, d)
	if changed {
		p.Events = append(p.Events, NewEvent(at, EventChangeMade, EventDetails{OldPlan: was.Plan, Plan: s.Plan}))
		p.Notices = []Notice{{Kind: NoticeLicenseUpdated, To: RoleLicensee, Until: s.Period.End, Plan: s.Plan, WithFile: true}}
	}
	return p
}

package billing

import "time"

// A change may wait for the boundary: nothing is prorated or credited, and the
// renewal is priced with the new plan (docs/rules.md, Change at the period's
// end).

// ScheduledChange is a change that is made at a boundary. The zero
// ScheduledChange is none.
type ScheduledChange struct {
	Plan     PlanRef   `json:"plan"`
	Quantity int64     `json:"quantity"`
	At       time.Time `json:"at"`             // the first period of the new plan begins here
	Price    Price     `json:"price,omitzero"` // that it was paid ahead at
}

// IsZero tells whether no change is scheduled.
func (c ScheduledChange) IsZero() bool { return c == (ScheduledChange{}) }

// counts tells whether a change has been made by the start of a period.
func (c ScheduledChange) counts(start time.Time) bool {
	return !c.IsZero() && !start.Before(c.At)
}

// scheduledPaid tells whether the first period of the new plan has been paid
// for: then nothing takes the change back but another one at once.
func (s Subscription) scheduledPaid() bool {
	return s.Prepaid() && s.ScheduledChange.counts(s.PrepaidPeriod.Start)
}

// dropScheduled forgets a scheduled change that has not been paid for.
func (s *Subscription) dropScheduled() {
	if !s.scheduledPaid() {
		s.ScheduledChange = ScheduledChange{}
	}
}

// makeScheduled is the subscription in a paid period, from whose start a
// scheduled change may count: the plan is that of what was sold. Another cycle
// counts its boundaries from the change.
func (s *Subscription) makeScheduled(start time.Time, was PlanRef) {
	if !s.ScheduledChange.counts(start) {
		return
	}
	if s.ScheduledChange.Plan.Cycle != was.Cycle {
		s.Anchor = s.ScheduledChange.At
	}
	s.ScheduledChange = ScheduledChange{}
}

// paidAhead is the scheduled change after the period that it begins with has
// been paid for.
func (s *Subscription) paidAhead(at Price) {
	if s.scheduledPaid() {
		s.ScheduledChange.Price = at
	}
}

// scheduledPrice is the price of a scheduled change in a period that begins
// with it: of another plan the newest one, while a new quantity alone keeps the
// price.
func (b Snapshot) scheduledPrice(p Period) (Price, error) {
	s := b.Subscription
	if s.ScheduledChange.Plan == s.Plan {
		return s.priceOf(p), nil
	}
	plan, err := b.Product.Plan(s.ScheduledChange.Plan.ID)
	if err != nil {
		return Price{}, err
	}
	return plan.PriceIn(b.currency())
}

// scheduleChange schedules a change for the end of what is paid. It replaces
// one that was scheduled before; an invoice that was mailed for the next period
// is voided and mailed anew. Refusals: not_possible_now, unknown_plan,
// unknown_currency, quantity_not_allowed, no_change, amount_changed.
func (b Snapshot) scheduleChange(c Command, at time.Time) Decision {
	b, err := b.scheduling(c)
	if err != nil {
		return Decision{Refusal: err}
	}
	s := b.Subscription
	bill := b.Freed().nextBill() // what a waiting change has reserved comes back, or is spent on it
	if c.ExpectedAmountDue != nil && *c.ExpectedAmountDue != bill.AmountDue().Amount {
		return Decision{Refusal: refuse(CodeAmountChanged, "expected_amount_due", "differs from what the next period costs")}
	}
	to := s.ScheduledChange
	p := b.rebilled(at, EventChangeScheduled, EventDetails{OldPlan: s.Plan, Plan: to.Plan, On: to.At})
	p.Notices = append(p.Notices, Notice{
		Kind: NoticeChangeScheduled, To: RoleBilling, Until: to.At, Plan: to.Plan, OldPlan: s.Plan, Amount: bill.AmountDue(),
	})
	return Decision{Changeset: p}
}

// scheduling is the snapshot with the change scheduled that a command names.
func (b Snapshot) scheduling(c Command) (Snapshot, *Error) {
	s := b.Subscription
	plan, err := b.Product.Plan(c.Plan)
	if err == nil {
		_, err = plan.PriceIn(b.currency())
	}
	if err == nil {
		c.Quantity = b.ChangedQuantity(c)
		err = CheckQuantity(plan.Type, c.Quantity)
	}
	if err != nil {
		return b, err.(*Error)
	}
	to := ScheduledChange{Plan: plan.Ref(), Quantity: c.Quantity, At: s.PaidUntil()}
	switch {
	case to.Plan == s.Plan && to.Quantity == s.Quantity:
		return b, refuse(CodeNoChange, "", "this is already the plan and quantity")
	case to == s.ScheduledChange:
		return b, refuse(CodeNoChange, "", "this change is already scheduled")
	}
	b.Subscription.ScheduledChange = to
	return b, nil
}

// nextBill is what the period after all that is paid comes to as things stand,
// with the balance that an invoice for it holds.
func (b Snapshot) nextBill() *Invoice {
	s, end := b.Subscription, b.Subscription.PaidUntil()
	b.Balance = b.released()
	if s.Collection == ByInvoice {
		b.Policy.Minimum = nil // it is the gateway's
	}
	return b.draft(ForRenewal, "preview", end, b.saleAt(s.nextAnchor(), end, end))
}

// released is the balance with what an open invoice holds of it.
func (b Snapshot) released() Money {
	if b.Open != nil {
		b.Balance.Amount += b.Open.BalanceApplied
	}
	return b.Balance
}

// nextAnchor is what the boundaries after the running period are counted from, as
// things stand.
func (s Subscription) nextAnchor() time.Time {
	if s.Status == Trialing {
		return s.TrialEnd
	}
	return s.Anchor
}

// withdrawChange takes a scheduled change back.
func (b Snapshot) withdrawChange(_ Command, at time.Time) Decision {
	d := EventDetails{Plan: b.Subscription.ScheduledChange.Plan}
	b.Subscription.ScheduledChange = ScheduledChange{}
	return Decision{Changeset: b.rebilled(at, EventChangeWithdrawn, d)}
}

// rebilled is the changeset of what changes the next bill. Where its invoice was
// mailed, that one is voided, and another takes its place.
func (b Snapshot) rebilled(at time.Time, kind EventKind, d EventDetails) *Changeset {
	open := b.Subscription.AwaitsTransfer()
	first := b
	if open {
		b.Subscription.clearOpenInvoice()
		b.Balance = b.released()
	}
	p := b.post(b.Subscription, at, kind, d)
	if !open {
		return p
	}
	first.void(p, at)
	inv, due := b.invoiceNext(at)
	if inv.AmountDue().Amount == 0 {
		return p // the balance pays it, as the step does that is due now
	}
	again := b.issue(b.Subscription, *inv, due, at)
	again.Void, again.CreditNotes = p.Void, p.CreditNotes
	again.Entries = append(p.Entries, again.Entries...)
	again.Notices = append(p.Notices, again.Notices...)
	again.Events = append(p.Events, again.Events...)
	return again
}

// PreviewScheduled is what the first period of a scheduled change would cost,
// with the refusals of scheduling it.
func (b Snapshot) PreviewScheduled(c Command, _ time.Time) (ChangePreview, error) {
	if !b.Subscription.allows(ActionScheduleChange) {
		return ChangePreview{}, notPossibleNow()
	}
	b.Subscription.Guest = false // who asks is not
	b, refusal := b.Freed().scheduling(c)
	if refusal != nil {
		return ChangePreview{}, refusal
	}
	inv := b.nextBill()
	line := inv.Service()
	return ChangePreview{line.Plan, Money{line.Amount, inv.Currency}, *inv, b.released().Sub(Money{inv.BalanceApplied, inv.Currency}), line.Period}, nil
}

package billing

import "time"

// change moves the subscription to another plan or quantity, at once
// (docs/rules.md, Changing plan). Refusals: unknown_plan, unknown_currency,
// quantity_not_allowed, no_change, preview_expired, amount_changed,
// no_payment_method.
func (b Snapshot) change(c Command, at time.Time) Decision {
	if !c.ProrationTime.IsZero() {
		t, from := Instant(c.ProrationTime), b.Subscription.Period.Start
		if b.Subscription.Status == PastDue || !at.Before(b.Subscription.Period.End) {
			from = b.Subscription.Period.End // what was paid for is over
		}
		if t.After(at) || at.Sub(t) > b.Policy.PreviewLife || t.Before(from) {
			return Decision{Refusal: refuse(CodePreviewExpired, "proration_time", "is in the future, too old, or before the running period")}
		}
		at = t
	}
	sale, err := b.changeSale(c, at)
	if err != nil {
		return Decision{Refusal: err}
	}
	s := b.Subscription
	if s.Status == Trialing && !s.Prepaid() {
		if c.ExpectedAmountDue != nil && *c.ExpectedAmountDue != 0 {
			return Decision{Refusal: refuse(CodeAmountChanged, "expected_amount_due", "differs from what the change costs")}
		}
		old := s.Plan
		s.dropScheduled()
		s = s.sold(sale.Plan, sale.Price, sale.Quantity)
		p := b.post(s, at, EventChange, EventDetails{OldPlan: old, Plan: s.Plan})
		p.Notices = []Notice{
			{Kind: NoticePlanChanged, To: RoleBilling, Until: s.TrialEnd, Plan: s.Plan, OldPlan: old},
			{Kind: NoticeLicenseUpdated, To: RoleLicensee, Until: s.TrialEnd, Plan: s.Plan, WithFile: true},
		}
		return Decision{Changeset: p}
	}
	inv := b.draft(ForChange, c.Cause(s.Revision), at, *sale)
	if c.ExpectedAmountDue != nil && *c.ExpectedAmountDue != inv.AmountDue().Amount {
		return Decision{Refusal: refuse(CodeAmountChanged, "expected_amount_due", "differs from what the change costs")}
	}
	return b.collect(inv)
}

// changeSale is what a change sells and credits.
func (b Snapshot) changeSale(c Command, at time.Time) (*sale, *Error) {
	s := b.Subscription
	plan, err := b.Product.Plan(c.Plan)
	if err != nil {
		return nil, err.(*Error)
	}
	c.Quantity = b.ChangedQuantity(c)
	if err := CheckQuantity(plan.Type, c.Quantity); err != nil {
		return nil, err.(*Error)
	}
	if plan.ID == s.Plan.ID && c.Quantity == s.Quantity && !s.scheduledPaid() {
		return nil, refuse(CodeNoChange, "", "this is already the plan and quantity")
	}
	start := at
	if s.Status == Trialing {
		start = s.TrialEnd // a period paid ahead is replaced; the trial goes on
	}
	period, _ := PeriodAt(start, plan.Cycle, start)
	price := s.priceOf(period) // a new quantity alone keeps the price
	if plan.ID != s.Plan.ID {
		if price, err = plan.PriceIn(b.currency()); err != nil {
			return nil, err.(*Error)
		}
	}
	sale := b.discounted(sale{Product: b.Product, Plan: plan.Ref(), Price: price, Quantity: c.Quantity, Period: period, Tax: b.tax()})
	if s.Status != PastDue {
		sale.Credits = b.credits(at)
	}
	return &sale, nil
}

// ChangedQuantity is the quantity after a change: if it names none, it stays
// if the plan can have it.
func (b Snapshot) ChangedQuantity(c Command) int64 {
	plan, err := b.Product.Plan(c.Plan)
	switch {
	case c.Quantity != 0:
		return c.Quantity
	case err == nil && plan.Type == b.Subscription.Plan.Type:
		return b.Subscription.Quantity
	}
	return 1
}

// credits is what a change gives back: the unused part of the running
// period's line, and the whole remainder of a period paid ahead, each never
// more than its line's one refundable remainder.
func (b Snapshot) credits(at time.Time) []credit {
	var cs []credit
	for _, sold := range b.PaidLines {
		switch {
		case sold.pays(b.Subscription.Period, b.Subscription.PaidBy):
			net := Prorate(Money{sold.Line.Net(), b.currency()}, sold.Line.Period, at, b.Product.Proration).Amount
			cs = append(cs, sold.credit(min(net, sold.Remainder())))
		case sold.pays(b.Subscription.PrepaidPeriod, b.Subscription.PrepaidInvoice):
			cs = append(cs, sold.whole())
		}
	}
	return cs
}

// ChangePreview is what a change would cost at an instant, without doing it.
type ChangePreview struct {
	Plan         PlanRef
	Price        Money // of the new plan and quantity, before tax and credit
	Invoice      Invoice
	BalanceAfter Money
	Period       Period
}

// PreviewChange computes a change's bill with the refusals of the change
// itself, but for the payment method.
func (b Snapshot) PreviewChange(c Command, at time.Time) (ChangePreview, error) {
	if !b.Subscription.allows(ActionChange) {
		return ChangePreview{}, notPossibleNow()
	}
	b = b.Freed()                // the change would take the place of one that waits
	b.Subscription.Guest = false // who asks is not
	sale, refusal := b.changeSale(c, at)
	if refusal != nil {
		return ChangePreview{}, refusal
	}
	inv := Invoice{Currency: b.currency()}
	period := sale.Period
	if s := b.Subscription; s.Status == Trialing && !s.Prepaid() {
		period = s.Period
	} else {
		inv = *b.draft(ForChange, "preview", at, *sale)
	}
	after := b.Balance.Sub(Money{inv.BalanceApplied, inv.Currency})
	for _, n := range inv.Excess {
		after = after.Add(n.Total())
	}
	if b.Open != nil && b.Open.Status == InvoiceOpen { // it becomes void
		after.Amount += b.Open.BalanceApplied
	}
	price, _ := sale.Tax.split(sale.Price.Money.Times(sale.Quantity), sale.Price.Tax)
	return ChangePreview{sale.Plan, price, inv, after, period}, nil
}

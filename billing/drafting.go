package billing

import "time"

// draft is a new invoice for a sale, with the balance applied and amounts
// too small to charge waived. begun is the instant of its cause, as far as the
// cause itself does not tell it.
func (b Snapshot) draft(purpose Purpose, cause string, begun time.Time, s sale) *Invoice {
	key := string(b.Subscription.ID) + "/" + string(purpose) + "/" + cause
	inv := Invoice{
		ID: b.invoiceID(key, cause, begun), Key: key,
		Status: InvoiceDraft, Purpose: purpose,
		Subscription: b.Subscription.ID, Account: b.Order.BillingAccount, Currency: b.currency(),
	}
	return b.rebuild(inv, s)
}

// rebuild computes a draft's lines again; its id and key stay.
func (b Snapshot) rebuild(inv Invoice, s sale) *Invoice {
	inv.Lines, inv.Excess = s.bill()
	inv.Excess = b.spreadExcess(inv.Excess)
	inv.TaxNote, inv.Coupon, inv.Guest = s.Tax.Note, s.Discount.Coupon, b.Subscription.Guest
	inv.Details, inv.Language = len(b.Order.Replaced), b.Order.Language
	for i := range inv.Excess {
		inv.Excess[i].ID = b.NewID("cn")
	}
	balance := b.Balance
	if inv.Guest {
		balance.Amount = 0
	}
	inv = inv.applyBalance(balance, b.Policy)
	return &inv
}

// sale is the sale of the subscription's plan for a period, or of the one that
// is scheduled for it.
func (b Snapshot) sale(p Period) sale {
	s := b.Subscription
	sold := sale{Product: b.Product, Plan: s.Plan, Price: s.priceOf(p), Quantity: s.Quantity, Period: p, Tax: b.tax()}
	if c := s.ScheduledChange; c.counts(p.Start) {
		if price, err := b.scheduledPrice(p); err == nil { // no plan or price that was sold goes away
			sold.Plan, sold.Price, sold.Quantity = c.Plan, price, c.Quantity
		}
	}
	return b.discounted(sold)
}

// discounted adds the subscription's discounts to a sale.
func (b Snapshot) discounted(s sale) sale {
	if !b.Subscription.Guest {
		s.Standing = b.Standing
	}
	s.Discount = b.Subscription.Discount
	return s
}

// saleAt is the sale of the period that contains at, counted from an anchor.
// The time between since and that period was never charged and becomes a
// line of zero.
func (b Snapshot) saleAt(anchor, since, at time.Time) sale {
	plan, change := b.Subscription.Plan, b.Subscription.ScheduledChange
	if change.counts(at) {
		if change.Plan.Cycle != plan.Cycle {
			anchor = change.At
		}
		plan = change.Plan
	}
	p, _ := PeriodAt(anchor, plan.Cycle, at)
	s := b.sale(p)
	if since.Before(p.Start) {
		s.Skipped = Period{since, p.Start}
	}
	return s
}

package billing

import "time"

// A new price is a new version; who has bought keeps theirs, until an operator
// moves them to the newest one (docs/rules.md, What is sold). It is announced by
// mail, and counts from the next period that has not been paid for.

// NewerPrice is the newest version of the price of the subscription's plan in
// its currency, where the subscription neither has it nor is going to, and
// lives on: what is cancelled or has ended is left alone.
func (s Subscription) NewerPrice(p Product) (Price, bool) {
	plan, err := p.Plan(s.Plan.ID)
	if err != nil || !s.migrates() {
		return Price{}, false
	}
	price, err := plan.PriceIn(s.Price.Currency)
	return price, err == nil && price.ID != s.RenewalPrice().ID
}

func (s Subscription) migrates() bool {
	return (s.Status == Trialing || s.Status == Active || s.Status == PastDue) && s.renews()
}

// priceOf is the price of a period that is billed: the announced one from the
// instant on that the announcement named.
func (s Subscription) priceOf(p Period) Price {
	if p.Start.Before(s.NextFrom) {
		return s.Price
	}
	return s.RenewalPrice()
}

// sold is the subscription of what was sold just now. An announced price is
// done with once it is that of the sale, or that of another plan.
func (s Subscription) sold(plan PlanRef, price Price, quantity int64) Subscription {
	if plan != s.Plan || price == s.NextPrice {
		s.NextPrice, s.NextFrom = Price{}, time.Time{}
	}
	s.Plan, s.Price, s.Quantity = plan, price, quantity
	return s
}

// PriceAnnounced tells whether another price counts from NextFrom on.
func (s Subscription) PriceAnnounced() bool { return s.NextPrice != (Price{}) }

// RenewalPrice is the price that the subscription has, or is going to have.
func (s Subscription) RenewalPrice() Price {
	if s.PriceAnnounced() {
		return s.NextPrice
	}
	return s.Price
}

// unbilled is the instant from which nothing has been paid or billed yet: a
// period paid ahead, one whose invoice was mailed, and a renewal that was
// declined keep their price.
func (b Snapshot) unbilled(at time.Time) time.Time {
	s := b.Subscription
	switch {
	case s.Prepaid():
		return s.PaidUntil()
	case s.Status == Active && b.Open != nil:
		return b.Open.Service().Period.End
	case s.Status == PastDue:
		p, _ := PeriodAt(s.Anchor, s.Plan.Cycle, at)
		return p.End
	}
	return s.Period.End
}

// migrate announces the newest price. Refusals: not_possible_now, no_change,
// and price_outdated where the command names another price than the newest of
// the plan.
func (b Snapshot) migrate(c Command, at time.Time) Decision {
	s := b.Subscription
	if !s.migrates() {
		return Decision{Refusal: notPossibleNow()}
	}
	if c.Price.ID == s.RenewalPrice().ID {
		return Decision{Refusal: refuse(CodeNoChange, "", "this is already the price of the next period")}
	}
	if newer, ok := s.NewerPrice(b.Product); !ok || newer != c.Price {
		return Decision{Refusal: refuse(CodePriceOutdated, "", "this is not the newest price of the subscription's plan")}
	}
	was, from := s.RenewalPrice(), b.unbilled(at)
	if s.PriceAnnounced() && !at.Before(s.NextFrom) { // its time has come, though nothing was paid at it
		s.Price = s.NextPrice
	}
	s.NextPrice, s.NextFrom = c.Price, from
	p := b.post(s, at, EventPriceChange, EventDetails{OldPrice: was.Money, Price: s.NextPrice.Money, On: from})
	p.Notices = []Notice{{
		Kind: NoticePriceChange, To: RoleBilling, Until: from, Plan: s.Plan,
		OldAmount: was.Money.Times(s.Quantity), Amount: s.NextPrice.Money.Times(s.Quantity),
	}}
	return Decision{Changeset: p}
}

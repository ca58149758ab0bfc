package billing

import "time"

// renew charges the next period at its start, or enters the one that was
// paid ahead.
func (b Book) renew(step Step, at time.Time) Decision {
	s := b.Subscription
	if s.Prepaid() {
		s = s.entered()
		return Decision{Posting: b.post(s, at, EventRenewed, EventDetails{Until: s.Period.End})}
	}
	if s.Collection == ByInvoice {
		return Decision{Posting: b.unpaid(at)}
	}
	inv := b.draft(ForRenewal, step.At.Format(time.RFC3339), b.saleAt(s.Anchor, s.Period.End, at))
	return b.collectOrFail(inv, at)
}

// Prepaid tells whether the period after the running one is paid already.
func (s Subscription) Prepaid() bool { return s.Ahead != (Period{}) }

// PaidUntil is the end of all that is paid.
func (s Subscription) PaidUntil() time.Time {
	if s.Prepaid() {
		return s.Ahead.End
	}
	return s.Period.End
}

// prepay records who paid for the period after the running one.
func (s *Subscription) prepay(p Period, invoice string) { s.Ahead, s.AheadBy = p, invoice }

func (s *Subscription) clearPrepaid() { s.prepay(Period{}, "") }

// enterPeriod makes a paid period the running one.
func (s *Subscription) enterPeriod(p Period, invoice string) { s.Period, s.PaidBy = p, invoice }

// restart begins a period from which all later boundaries are counted. It
// takes the place of a prepaid one.
func (s *Subscription) restart(p Period, invoice string) {
	s.Anchor = p.Start
	s.enterPeriod(p, invoice)
	s.clearPrepaid()
}

// entered is the subscription in the period that was paid ahead, at the price
// that was announced for it.
func (s Subscription) entered() Subscription {
	s = s.sold(s.Plan, s.priceOf(s.Ahead), s.Quantity)
	s.enterPeriod(s.Ahead, s.AheadBy)
	s.clearPrepaid()
	return s
}

// retry charges a declined renewal again. After an outage the invoice is
// computed anew for the period that contains at. At the deadline, a hard
// decline, which no retry can cure, ends the subscription.
func (b Book) retry(_ Step, at time.Time) Decision {
	s := b.Subscription
	deadline := s.Dunning.Deadline(b.Policy)
	if b.Open == nil || s.Dunning.Hard && !at.Before(deadline) {
		return Decision{Posting: b.end(deadline, ReasonPaymentFailed)}
	}
	return b.collectOrFail(b.owed(at), at)
}

// owed is a declined renewal's invoice as of an instant, at its original
// price.
func (b Book) owed(at time.Time) *Invoice {
	s := b.Subscription
	sale := b.saleAt(s.Anchor, s.Period.End, at)
	sale.Price = b.Open.Service().Price
	return b.rebuild(*b.Open, sale)
}

// collectOrFail is collect for charges that nobody asked for just now: a
// missing card is a failed payment, not a refusal.
func (b Book) collectOrFail(inv *Invoice, at time.Time) Decision {
	d := b.collect(inv)
	if d.Refusal == nil {
		return d
	}
	inv.BalanceApplied = 0 // nothing was reserved
	return Decision{Posting: b.Declined(*inv, ChargeResult{
		Status: PaymentDeclined, DeclineCode: string(CodeNoPaymentMethod), Advice: AdviceNewMethod,
	}, at)}
}

// renewNow pays the next period early, pays what is owed, or revives what
// has ended, depending on the state (docs/rules.md, Commands and states).
func (b Book) renewNow(c Command, at time.Time) Decision {
	s := b.Subscription
	cause := c.Cause(s.Revision)
	switch s.Status {
	case PastDue:
		return b.collect(b.owed(at))
	case Canceled:
		return b.collect(b.draft(ForRevival, cause, b.saleAt(at, at, at)))
	case Trialing:
		return b.collect(b.draft(ForAhead, cause, b.saleAt(s.TrialEnd, s.TrialEnd, s.TrialEnd)))
	}
	if s.Collection == ByInvoice && b.Method == "" {
		return b.sendNext(at)
	}
	next := s.Period.End
	if next.Before(at) { // an invoice that an outage kept back is still open
		next = at
	}
	return b.collect(b.draft(ForAhead, cause, b.saleAt(s.Anchor, s.Period.End, next)))
}

// endTrial ends a trial or turns it into a subscription. A trial that was
// cancelled or has no card is never charged.
func (b Book) endTrial(step Step, at time.Time) Decision {
	s := b.Subscription
	switch {
	case s.Prepaid():
		s = s.entered()
		s.Status, s.Anchor = Active, s.TrialEnd
		return Decision{Posting: b.post(s, at, EventConverted, EventDetails{})}
	case s.CancelAtPeriodEnd:
		return Decision{Posting: b.end(s.TrialEnd, ReasonRequested)}
	case b.Method == "":
		return Decision{Posting: b.end(s.TrialEnd, ReasonTrialEnded)}
	}
	return b.collect(b.draft(ForConversion, step.At.Format(time.RFC3339), b.saleAt(s.TrialEnd, s.TrialEnd, at)))
}

// remind tells the billing contact what is coming. Reminders that are
// outdated after an outage are left out.
func (b Book) remind(step Step, at time.Time) Decision {
	s := b.Subscription
	period, periodDue := s.nextPeriodReminder()
	card, cardDue := s.cardReminder()
	cardDue = cardDue && card.After(s.RemindedAt)
	for s.RemindedAt = step.At; ; {
		next, ok := s.nextReminder()
		if !ok || next.After(at) {
			break
		}
		s.RemindedAt = next
	}
	kind, until := EventReminded, s.Period.End
	periodDue = periodDue && !period.After(s.RemindedAt)
	if cardDue = cardDue && !card.After(s.RemindedAt); cardDue && !periodDue {
		kind, until = EventCardReminded, s.CardExpires
	}
	p := b.post(s, at, kind, EventDetails{Until: until})
	if cardDue && at.Before(s.CardExpires) {
		p.Notices = append(p.Notices, Notice{Kind: NoticeCardExpiring, To: RoleBilling, Until: s.CardExpires, Plan: s.Plan})
	}
	if periodDue && at.Before(s.Period.End) {
		kind := NoticeRenewalComing
		if s.Status == Trialing {
			kind = NoticeTrialEnding
		}
		n := Notice{Kind: kind, To: RoleBilling, Until: s.Period.End, Plan: s.Plan, Amount: b.nextDue()}
		if b.Open != nil { // only a transfer is still to be made
			n.InvoiceID, n.Amount = b.Open.ID, b.Open.AmountDue()
		}
		p.Notices = append(p.Notices, n)
	}
	return Decision{Posting: p}
}

// nextDue is what will be due at the end of the period as things stand:
// after discounts, tax and balance.
func (b Book) nextDue() Money {
	s := b.Subscription
	anchor, end := s.Anchor, s.Period.End
	if s.Status == Trialing {
		anchor, end = s.TrialEnd, s.TrialEnd
	}
	return b.draft(ForRenewal, "preview", b.saleAt(anchor, end, end)).AmountDue()
}

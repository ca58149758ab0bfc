package billing

import "time"

// remind tells the billing contact what is coming. Reminders that are
// outdated after an outage are left out.
func (b Snapshot) remind(step Step, at time.Time) Decision {
	s := b.Subscription
	if b.Method != "" {
		s.CardExpires = cardExpiry(b.MethodExp) // the card's issuer may have sent a new one
	}
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
		n := Notice{Kind: kind, To: RoleBilling, Until: s.Period.End, Plan: s.Plan, Amount: b.nextBill().AmountDue()}
		if b.Open != nil { // only a transfer is still to be made
			n.InvoiceID, n.Amount = b.Open.ID, b.Open.AmountDue()
		}
		p.Notices = append(p.Notices, n)
	}
	return Decision{Changeset: p}
}

// nextReminder is the next instant at which the billing contact is reminded.
func (s Subscription) nextReminder() (time.Time, bool) {
	at, ok := s.nextPeriodReminder()
	if card, expires := s.cardReminder(); expires && card.After(s.RemindedAt) && (!ok || card.Before(at)) {
		return card, true
	}
	return at, ok
}

// nextPeriodReminder is the next instant at which the billing contact is
// reminded of the period's end: 7 days and 1 day before a trial's, 7 days
// before a yearly or longer renewal (docs/rules.md, Renewing).
func (s Subscription) nextPeriodReminder() (time.Time, bool) {
	var before []time.Duration
	switch {
	case !s.renews() || s.Prepaid():
	case s.Status == Trialing:
		before = []time.Duration{7 * day, 1 * day}
	case s.Status == Active && (s.Plan.Cycle == Yearly || s.Plan.Cycle == ThreeYears):
		before = []time.Duration{7 * day}
	}
	for _, d := range before {
		at := s.Period.End.Add(-d)
		if at.After(s.RemindedAt) && at.After(s.Period.Start) {
			return at, true
		}
	}
	return time.Time{}, false
}

// cardReminder is when the billing contact is reminded of a card that expires
// while it is still to be charged (docs/rules.md, Renewing), in the period in which
// that falls.
func (s Subscription) cardReminder() (time.Time, bool) {
	at := s.CardExpires.Add(-14 * day)
	return at, !s.CardExpires.IsZero() && s.Collection == ByCard && s.renews() &&
		(s.Status == Trialing || s.Status == Active) && s.Period.Contains(at)
}

// cardExpiry is the first instant after a card's last month ("2029-12"); zero
// where the gateway says none.
func cardExpiry(exp string) time.Time {
	month, err := time.Parse("2006-01", exp)
	if err != nil {
		return time.Time{}
	}
	return month.AddDate(0, 1, 0)
}

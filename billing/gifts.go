package billing

import (
	"errors"
	"time"
)

// What operators give away (docs/rules.md, Days and licences that are given): days,
// and whole licences.

// MostDays is how many days can be given at once.
const MostDays = 366

func checkExtend(c Command) error {
	if c.Days < 1 || c.Days > MostDays {
		return errors.New("an extension gives 1 to 366 days")
	}
	return nil
}

// extend moves the end of the running trial, period or free licence. Later boundaries are
// counted from the new end. What was paid for is what it was: a change credits
// nothing for the days that were given. An invoice of the next period that was
// mailed already is void, and mailed again when it is due.
func (b Snapshot) extend(c Command, at time.Time) Decision {
	s := b.Subscription
	switch {
	case s.Status != Trialing && s.Status != Active:
		return Decision{Refusal: notPossibleNow()}
	case s.Prepaid():
		return Decision{Refusal: refuse(CodeNotPossibleNow, "", "the period after this one is paid already")}
	}
	end := s.Period.End.Add(time.Duration(c.Days) * day)
	if s.Status == Trialing {
		s.TrialEnd = end
	} else {
		s.Anchor = end
		if s.PaidEnd.IsZero() {
			s.PaidEnd = s.Period.End
		}
	}
	s.Period.End = end
	if !s.ScheduledChange.IsZero() {
		s.ScheduledChange.At = end
	}
	s.clearOpenInvoice()
	s.File = s.deliver(b.Policy, at)
	was := b
	b.Balance = b.released() // below
	b.Subscription, b.Open = s, nil
	p := b.post(s, at, EventExtended, EventDetails{Until: end})
	if p.Subscription.Next.Kind == StepInvoice && !p.Subscription.Next.At.After(at) {
		if inv, due := b.invoiceNext(at); inv.AmountDue().Amount > 0 {
			events := p.Events
			p = b.issue(s, *inv, due, at)
			p.Events, p.Outcome = append(events, p.Events...), Outcome{}
		}
	}
	p.Notices = append(p.Notices, Notice{Kind: NoticeFileRenewed, To: RoleLicensee, Until: s.File.Ends, Plan: s.Plan, WithFile: true})
	if was.Subscription.OpenInvoice != "" {
		reserved := p.Entries
		p.Entries = nil
		was.void(p, at) // releases before the new invoice takes
		p.Entries = append(p.Entries, reserved...)
	}
	return Decision{Changeset: p}
}

// paidFor is the running period as it was paid for.
func (s Subscription) paidFor() Period {
	if s.PaidEnd.IsZero() {
		return s.Period
	}
	return Period{s.Period.Start, s.PaidEnd}
}

// giveLicense starts a free licence.
func (b Snapshot) giveLicense(at time.Time) Decision {
	s, until := b.Subscription, b.Order.Until
	if !until.After(at) {
		return Decision{Refusal: refuse(CodeInvalid, "until", "is not in the future")}
	}
	s.Status, s.License, s.Comp = Active, b.Order.License, true
	s.restart(Period{at, until}, "")
	s.File = s.deliver(b.Policy, at)
	p := b.post(s, at, EventGiven, EventDetails{Until: until})
	p.Notices = []Notice{{Kind: NoticeLicense, To: RoleLicensee, Until: until, Plan: s.Plan, WithFile: true}}
	return Decision{Changeset: p}
}

// withoutPayer takes from the decisions about a free licence the mails to its
// billing contact: it has none.
func (d Decision) withoutPayer() Decision {
	if d.Changeset == nil || !d.Changeset.Subscription.Comp {
		return d
	}
	var kept []Notice
	for _, n := range d.Changeset.Notices {
		if n.To != RoleBilling {
			kept = append(kept, n)
		}
	}
	d.Changeset.Notices = kept
	return d
}

// Free is the plan's price as a free licence.
func (p Plan) Free() Price {
	free := Price{Money: Money{Currency: "USD"}}
	if len(p.Prices) > 0 {
		free.Money.Currency = p.Prices[0].Currency
	}
	return free
}

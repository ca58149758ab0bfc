package billing

import "time"

// LongestTerm is the latest instant at which a licence can end that is valid at
// t, by what has been paid until t: two periods of the longest cycle that is
// sold, since one may be paid ahead, and the renewal grace (docs/rules.md, Renewing,
// Licences); or what a file of a free licence may last, whatever is sold. Nothing
// that was signed at t or before is good after it.
func LongestTerm(products []Product, p Policy, t time.Time) time.Time {
	end := TrialEnd(t)
	for _, product := range products {
		for _, plan := range product.Plans {
			if !plan.Cycle.Valid() {
				continue
			}
			if paid := Boundary(t, plan.Cycle, 2); paid.After(end) {
				end = paid
			}
		}
	}
	end = end.Add(p.RenewalGrace)
	if file := t.Add(p.File.Life); file.After(end) {
		end = file
	}
	return Instant(end)
}

// Entitlement is what a subscription's state grants its licence.
type Entitlement struct {
	Status            Status
	CancelAtPeriodEnd bool
	ValidUntil        time.Time // finite, always
	Suspended         bool
	Revoked           bool
}

// Entitlement says until when the licence is valid (docs/rules.md, Licences): the
// exact end for a trial, a cancelled and an invoice-collected subscription;
// the end and the renewal grace for a card; the retry deadline while past_due.
func (s Subscription) Entitlement(p Policy) Entitlement {
	e := Entitlement{Status: s.Status, CancelAtPeriodEnd: s.CancelAtPeriodEnd, Suspended: s.Suspended || s.Disputed(), Revoked: s.Revoked}
	switch s.Status {
	case Trialing, Active:
		e.ValidUntil = s.PaidUntil()
		if paid := s.Status == Active || s.Prepaid(); paid && s.Collection == ByCard && s.renews() {
			e.ValidUntil = e.ValidUntil.Add(p.RenewalGrace)
		}
	case PastDue:
		e.ValidUntil = s.Dunning.Deadline(p)
	case Canceled:
		e.ValidUntil = s.CanceledAt
	case Incomplete, IncompleteExpired: // nothing was paid
	}
	return e
}

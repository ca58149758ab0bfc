package billing

import "time"

// LongestTerm is the latest instant at which a licence can end that is valid at
// t, by what has been paid until t: two periods of the longest cycle that is
// sold, since one may be paid ahead, and the renewal grace (docs/rules.md, Renewing,
// Licences). Nothing that was signed at t or before is good after it.
func LongestTerm(products []Product, p Policy, t time.Time) time.Time {
	end := TrialEnd(t)
	for _, product := range products {
		for _, plan := range product.Plans {
			if !plan.Cycle.Valid() {
				continue
			}
			if paid := boundary(t, plan.Cycle, 2); paid.After(end) {
				end = paid
			}
		}
	}
	return Instant(end.Add(p.RenewalGrace))
}

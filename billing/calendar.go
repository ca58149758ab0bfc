package billing

import "time"

// Cycle is how often a subscription is billed.
type Cycle string

const (
	Monthly    Cycle = "monthly"
	Yearly     Cycle = "yearly"
	ThreeYears Cycle = "three_years"

	// EverySeconds is for measuring real timers only: no catalogue document
	// may name it, so nothing that is sold can have it.
	EverySeconds Cycle = "every_3_seconds"
)

// Valid tells whether c may be sold.
func (c Cycle) Valid() bool { return c == Monthly || c == Yearly || c == ThreeYears }

func (c Cycle) months() int {
	switch c {
	case Monthly:
		return 1
	case Yearly:
		return 12
	case ThreeYears:
		return 36
	default:
		panic("billing: unknown cycle " + string(c))
	}
}

// Period is a half-open span of time, [Start, End), in UTC and whole seconds.
type Period struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Contains tells whether t lies in [Start, End).
func (p Period) Contains(t time.Time) bool { return !t.Before(p.Start) && t.Before(p.End) }

// Instant is t as the engine keeps it: UTC, truncated to the second
// (docs/rules.md, Calendar).
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Boundary is the n-th period boundary after anchor, computed from the anchor
// and never from the boundary before, so that the 31st comes back after
// February (docs/rules.md, Calendar). Boundary(anchor, c, 0) is the anchor.
func Boundary(anchor time.Time, c Cycle, n int) time.Time {
	if c == EverySeconds {
		return anchor.Add(time.Duration(n) * 3 * time.Second)
	}
	return addMonths(anchor, n*c.months())
}

// PeriodAt is the period of the anchor's grid that contains t, and its index
// n: the period runs from boundary n to boundary n+1. t must not lie before
// the anchor.
func PeriodAt(anchor time.Time, c Cycle, t time.Time) (Period, int) {
	var n int
	if c == EverySeconds {
		n = int(t.Sub(anchor) / (3 * time.Second))
	} else {
		// A guess that is never too high, then at most two steps up.
		months := (t.Year()-anchor.Year())*12 + int(t.Month()) - int(anchor.Month())
		n = max(0, months/c.months()-1)
	}
	for !t.Before(Boundary(anchor, c, n+1)) {
		n++
	}
	return Period{Boundary(anchor, c, n), Boundary(anchor, c, n+1)}, n
}

// TrialEnd is the end of a trial that starts at t: one month on (docs/rules.md,
// Buying).
func TrialEnd(t time.Time) time.Time { return addMonths(t, 1) }

// addMonths moves t by n months and keeps the day, or takes the month's last
// day where it has no such day.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

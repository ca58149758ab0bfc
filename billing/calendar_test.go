package billing

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// seconds draws up to three years.
func seconds(t *rapid.T) time.Duration {
	return time.Duration(rapid.Int64Range(0, 3*366*24*3600).Draw(t, "seconds")) * time.Second
}

func TestInstantsAreUTCInWholeSeconds(t *testing.T) {
	rome := time.FixedZone("CET", 3600)
	got := Instant(time.Date(2026, 1, 31, 11, 0, 0, 999_999_999, rome))
	if want := instant("2026-01-31T10:00:00Z"); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPeriodsAreHalfOpen(t *testing.T) {
	p := Period{instant("2026-01-31T10:00:00Z"), instant("2026-02-28T10:00:00Z")}
	for at, want := range map[string]bool{
		"2026-01-31T09:59:59Z": false, "2026-01-31T10:00:00Z": true, "2026-02-28T09:59:59Z": true, "2026-02-28T10:00:00Z": false,
	} {
		is(t, at, p.Contains(instant(at)), want)
	}
	at := instant("2026-02-28T10:00:00Z") // a boundary belongs to the period that it begins
	next, n := PeriodAt(p.Start, Monthly, at)
	is(t, "period at its boundary", next, Period{at, instant("2026-03-31T10:00:00Z")})
	is(t, "its index", n, 1)
}

func TestTheBoundaryIsComputedFromTheAnchor(t *testing.T) {
	for _, c := range []struct {
		anchor string
		cycle  Cycle
		n      int
		want   string
	}{
		{"2026-01-31T10:00:00Z", Monthly, 1, "2026-02-28T10:00:00Z"},
		{"2026-01-31T10:00:00Z", Monthly, 2, "2026-03-31T10:00:00Z"},
		{"2026-01-31T10:00:00Z", Monthly, 3, "2026-04-30T10:00:00Z"},
		{"2028-01-31T10:00:00Z", Monthly, 1, "2028-02-29T10:00:00Z"},
		{"2026-01-31T10:00:00Z", Monthly, 12, "2027-01-31T10:00:00Z"},
		{"2026-01-31T10:00:00Z", Monthly, 25, "2028-02-29T10:00:00Z"},
		{"2024-02-29T23:59:59Z", Yearly, 1, "2025-02-28T23:59:59Z"},
		{"2024-02-29T23:59:59Z", Yearly, 4, "2028-02-29T23:59:59Z"},
		{"2024-02-29T00:00:00Z", ThreeYears, 1, "2027-02-28T00:00:00Z"},
		{"2024-02-29T00:00:00Z", ThreeYears, 4, "2036-02-29T00:00:00Z"},
		{"2096-02-29T00:00:00Z", Yearly, 4, "2100-02-28T00:00:00Z"}, // no leap year
		{"2026-12-31T00:00:00Z", Monthly, 2, "2027-02-28T00:00:00Z"},
		{"2026-01-01T00:00:00Z", EverySeconds, 5, "2026-01-01T00:00:15Z"},
	} {
		is(t, c.anchor, Boundary(instant(c.anchor), c.cycle, c.n), instant(c.want))
	}
	is(t, "trial from the 31st", TrialEnd(instant("2026-01-31T10:00:00Z")), instant("2026-02-28T10:00:00Z"))
	is(t, "trial from December", TrialEnd(instant("2026-12-01T00:00:00Z")), instant("2027-01-01T00:00:00Z"))
}

func TestThePeriodAtAnInstantIsTheOneBetweenItsBoundaries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anchor := instant("2023-11-30T00:00:00Z").Add(rapid.Custom(seconds).Draw(t, "anchor"))
		cycle := rapid.SampledFrom([]Cycle{Monthly, Yearly, ThreeYears, EverySeconds}).Draw(t, "cycle")
		n := rapid.IntRange(0, 400).Draw(t, "n")
		start, end := Boundary(anchor, cycle, n), Boundary(anchor, cycle, n+1)
		if !start.Before(end) {
			t.Fatalf("boundary %d is %s, and the next %s", n, start, end)
		}
		inside := start.Add(time.Duration(rapid.Int64Range(0, int64(end.Sub(start)/time.Second)-1).Draw(t, "inside")) * time.Second)
		for _, at := range []time.Time{start, inside, end.Add(-time.Second)} {
			if got, i := PeriodAt(anchor, cycle, at); got != (Period{start, end}) || i != n || !got.Contains(at) {
				t.Fatalf("%s lies in %v (%d), want %s to %s (%d)", at, got, i, start, end, n)
			}
		}
	})
}

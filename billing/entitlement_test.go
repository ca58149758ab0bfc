package billing

import (
	"testing"
	"time"
)

func TestLongestTermIsTwoOfTheLongestPeriodsAndTheGraceOrAFilesLife(t *testing.T) {
	selling := func(cycles ...Cycle) []Product {
		p := Product{ID: "calendar-pro"}
		for _, c := range cycles {
			p.Plans = append(p.Plans, Plan{Cycle: c})
		}
		return []Product{{ID: "without-plans"}, p}
	}
	for _, c := range []struct {
		name     string
		products []Product
		at, want string
	}{
		{"monthly, over a short month", selling(Monthly), "2026-12-31T10:00:00Z", "2028-02-04T10:00:00Z"},
		{"the longest counts", selling(Monthly, ThreeYears, Yearly), "2026-01-31T10:00:00Z", "2032-02-03T10:00:00Z"},
		{"yearly, from a leap day", selling(Yearly), "2028-02-29T23:00:00Z", "2030-03-03T23:00:00Z"},
		{"nothing is sold but trials may run", nil, "2026-01-31T10:00:00Z", "2027-03-07T10:00:00Z"},
		{"a cycle that cannot be sold", selling(EverySeconds), "2026-01-31T10:00:00Z", "2027-03-07T10:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := LongestTerm(c.products, DefaultPolicy(), at).Format(time.RFC3339); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

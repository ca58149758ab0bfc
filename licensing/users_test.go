package licensing_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/okviz/licensing/licensing"
)

func people(from, to int) []licensing.User {
	var list []licensing.User
	for i := from; i < to; i++ {
		list = append(list, licensing.UserOf("user-"+strconv.Itoa(i)))
	}
	return list
}

func TestDistinctPeopleAreCounted(t *testing.T) {
	for _, c := range []struct {
		users  int
		within float64 // of the number, as a share
	}{{0, 0}, {1, 0}, {20, 0}, {21, 0}, {250, 0}, {251, 0}, {1000, 0}, {1001, 0}, {20_000, 0.03}, {200_000, 0.03}} {
		var p licensing.Sketch
		for range 3 { // each one comes three times
			p.Add(people(0, c.users)...)
		}
		if got := float64(p.Count()); math.Abs(got-float64(c.users)) > c.within*float64(c.users) {
			t.Errorf("%d people are counted as %v", c.users, got)
		}
		b, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 17<<10 {
			t.Errorf("%d people take %d bytes", c.users, len(b))
		}
		again, err := licensing.ReadSketch(b)
		if err != nil || again.Count() != p.Count() {
			t.Errorf("%d people are read back as %d, %v", p.Count(), again.Count(), err)
		}
	}
}

// As several processes do, each with what it has seen since it last wrote.
func TestPeopleAreCountedOnceWhereverTheyCome(t *testing.T) {
	var stored []byte
	for _, seen := range [][]licensing.User{people(0, 15), people(10, 25), people(0, 25), nil, people(24, 30)} {
		p, err := licensing.ReadSketch(stored)
		if err != nil {
			t.Fatal(err)
		}
		p.Add(seen...)
		if stored, err = p.Bytes(); err != nil {
			t.Fatal(err)
		}
	}
	p, err := licensing.ReadSketch(stored)
	if err != nil || p.Count() != 30 {
		t.Errorf("30 people are counted as %d, %v", p.Count(), err)
	}
}

func TestWhatIsNoCountIsRefused(t *testing.T) {
	for _, b := range []string{"x", "\x01", "\x02\x0e\x00\x00", "\x01\x0e\x00\x01\xff\xff\xff\xff"} {
		if p, err := licensing.ReadSketch([]byte(b)); err == nil {
			t.Errorf("%q is read as %d people", b, p.Count())
		}
	}
}

// days asks for each day of so many who comes, and returns the greatest
// estimate of any day and the last one.
func days(t *testing.T, count int, ids func(day int) []string) (greatest, last int64) {
	t.Helper()
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	weeks := map[licensing.Week]licensing.WeekUsage{}
	for day := range count {
		now := licensing.WeekOf(start.AddDate(0, 0, day))
		w := weeks[now]
		w.Week = now
		for _, id := range ids(day) {
			w.Sketch.Add(licensing.UserOf(id))
		}
		weeks[now] = w
		var all []licensing.WeekUsage
		for _, w := range weeks {
			all = append(all, w)
		}
		u, err := licensing.UsageIn(all, now)
		if err != nil {
			t.Fatal(err)
		}
		greatest, last = max(greatest, u.Estimate), u.Estimate
	}
	return greatest, last
}

// An id that Power BI's storage loses after 29 days is at most two ids within
// 28: over a year the same people once came to 12 or 13 times as many.
func TestEighteenViewersOverAYearAreNeverMoreThanTwiceAsMany(t *testing.T) {
	viewers := func(shift int) func(day int) []string {
		return func(day int) (ids []string) {
			for v := range 18 {
				ids = append(ids, fmt.Sprint("viewer ", v, " id ", (day+v*shift)/29))
			}
			return ids
		}
	}
	for name, c := range map[string]struct {
		shift int
		most  int64
	}{"all lose it on one day": {0, 36}, "each on another day": {1, 36}} {
		greatest, last := days(t, 365, viewers(c.shift))
		if greatest > c.most || last < 18 {
			t.Errorf("%s: at most %d, at last %d; want 18 to %d", name, greatest, last, c.most)
		}
		t.Logf("%s: at most %d, at last %d", name, greatest, last)
	}
	if greatest, _ := days(t, 365, func(int) (ids []string) {
		for v := range 18 {
			ids = append(ids, fmt.Sprint("viewer ", v))
		}
		return ids
	}); greatest != 18 {
		t.Errorf("with ids that last they are %d", greatest)
	}
}

func TestWhoDoesNotComeBackLeavesTheWindow(t *testing.T) {
	_, last := days(t, 29, func(day int) []string { return []string{"one who stays", fmt.Sprint("day ", min(day, 0))} })
	if last != 2 {
		t.Errorf("at first %d", last)
	}
	once := func(day int) (ids []string) {
		if day == 0 {
			return []string{"a", "b", "c"}
		}
		return []string{"d"}
	}
	if _, last := days(t, 22, once); last != 4 { // Thursday to Thursday, three weeks on
		t.Errorf("after three weeks %d", last)
	}
	if _, last := days(t, 29, once); last != 1 {
		t.Errorf("after four weeks %d", last)
	}
}

func TestATierIsOutgrownSinceItWasLastExceeded(t *testing.T) {
	l := licensing.License{Type: licensing.Users, Covers: 20}
	first := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	later := first.AddDate(0, 0, 100)
	tally, _ := licensing.Tally{}.After(l, licensing.Usage{Estimate: 21}, first)
	tally, _ = tally.After(l, licensing.Usage{Estimate: 22}, first.AddDate(0, 0, 1))
	if !tally.OverSince.Equal(first) {
		t.Errorf("since %v, want %v", tally.OverSince, first)
	}
	tally.Usage = licensing.Usage{Estimate: 3, Before: 3} // as it is read in a later week
	if tally, _ = tally.After(l, licensing.Usage{Estimate: 21, Before: 3}, later); !tally.OverSince.Equal(later) {
		t.Errorf("once more since %v, want %v", tally.OverSince, later)
	}
}

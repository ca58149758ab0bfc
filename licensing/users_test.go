package licensing_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/okviz/licensing/licensing"
)

func persons(from, to int) []licensing.User {
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
			p.Add(persons(0, c.users)...)
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
	for _, seen := range [][]licensing.User{persons(0, 15), persons(10, 25), persons(0, 25), nil, persons(24, 30)} {
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

package licensing_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/okviz/licensing/licensing"
)

func persons(from, to int) []licensing.Person {
	var list []licensing.Person
	for i := from; i < to; i++ {
		list = append(list, licensing.PersonOf("user-"+strconv.Itoa(i)))
	}
	return list
}

func TestDistinctPeopleAreCounted(t *testing.T) {
	for _, c := range []struct {
		people int
		within float64 // of the number, as a share
	}{{0, 0}, {1, 0}, {20, 0}, {21, 0}, {250, 0}, {251, 0}, {1000, 0}, {1001, 0}, {20_000, 0.03}, {200_000, 0.03}} {
		var p licensing.People
		for range 3 { // each one comes three times
			p.Add(persons(0, c.people)...)
		}
		if got := float64(p.Count()); math.Abs(got-float64(c.people)) > c.within*float64(c.people) {
			t.Errorf("%d people are counted as %v", c.people, got)
		}
		b, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 17<<10 {
			t.Errorf("%d people take %d bytes", c.people, len(b))
		}
		again, err := licensing.ReadPeople(b)
		if err != nil || again.Count() != p.Count() {
			t.Errorf("%d people are read back as %d, %v", p.Count(), again.Count(), err)
		}
	}
}

// As several processes do, each with what it has seen since it last wrote.
func TestPeopleAreCountedOnceWhereverTheyCome(t *testing.T) {
	var stored []byte
	for _, seen := range [][]licensing.Person{persons(0, 15), persons(10, 25), persons(0, 25), nil, persons(24, 30)} {
		p, err := licensing.ReadPeople(stored)
		if err != nil {
			t.Fatal(err)
		}
		p.Add(seen...)
		if stored, err = p.Bytes(); err != nil {
			t.Fatal(err)
		}
	}
	p, err := licensing.ReadPeople(stored)
	if err != nil || p.Count() != 30 {
		t.Errorf("30 people are counted as %d, %v", p.Count(), err)
	}
}

func TestWhatIsNoCountIsRefused(t *testing.T) {
	for _, b := range []string{"x", "\x01", "\x02\x0e\x00\x00", "\x01\x0e\x00\x01\xff\xff\xff\xff"} {
		if p, err := licensing.ReadPeople([]byte(b)); err == nil {
			t.Errorf("%q is read as %d people", b, p.Count())
		}
	}
}

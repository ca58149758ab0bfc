package activities_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
)

// News of a payment may come as often as a gateway likes.
func TestSettlingWhereNothingWaitsWritesNothing(t *testing.T) {
	s := newShop(t)
	f := s.Break()
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	before, written := s.State(t, sub), f.Calls("record")
	for range 3 {
		r := s.must(s.SettlePayment(t.Context(), s.command(sub, billing.Command{Verb: billing.VerbSettle})))
		if diff := cmp.Diff(before, r.Subscription); diff != "" {
			t.Errorf("it changed (-before +after):\n%s", diff)
		}
	}
	if n := f.Calls("record"); n != written {
		t.Errorf("%d postings were written", n-written)
	}
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 990))
}

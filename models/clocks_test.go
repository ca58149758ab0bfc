package models

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

func TestAClockIsAdvancedByOneAtATime(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		id, err := s.CreateClock(t.Context(), opening)
		must(t, err)
		held := 0
		for _, err := range together(10, func(int) error {
			now, err := s.HoldClock(t.Context(), id)
			if err == nil && !now.Equal(opening) {
				t.Errorf("held at %v", now)
			}
			return err
		}) {
			switch {
			case err == nil:
				held++
			case !errors.Is(err, billing.ErrBusy):
				t.Error(err)
			}
		}
		if held != 1 {
			t.Errorf("%d hold the clock", held)
		}
		must(t, s.SetClock(t.Context(), id, opening.Add(time.Hour)))
		if _, err := s.HoldClock(t.Context(), id); !errors.Is(err, billing.ErrBusy) {
			t.Errorf("held while it moves: %v", err)
		}
		must(t, s.ReleaseClock(t.Context(), id))
		now, err := s.HoldClock(t.Context(), id)
		must(t, err)
		if !now.Equal(opening.Add(time.Hour)) {
			t.Errorf("stands at %v", now)
		}
		// A holder that gave no sign of life for a minute has lost it.
		must(t, s.db.Model(&testClockRow{}).Where("id = ?", id).Update("busy_until", time.Now().Add(-time.Second)).Error)
		_, err = s.HoldClock(t.Context(), id)
		must(t, err)

		for _, f := range []func() error{
			func() error { _, err := s.HoldClock(t.Context(), "clk_none"); return err },
			func() error { _, err := s.Clock(t.Context(), "clk_none"); return err },
		} {
			if err := f(); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("an unknown clock: %v", err)
			}
		}
	})
}

func TestTheNextStepOnAClockIsTheEarliestAndThenTheLowestNumber(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		clock, err := s.CreateClock(t.Context(), opening)
		must(t, err)
		other, err := s.CreateClock(t.Context(), opening)
		must(t, err)
		on := func(clock string) billing.Subscription {
			o := newOrder("ada@contoso.example")
			o.sub.TestClock = clock
			return s.buy(o)
		}
		on(other)
		first, second, third := on(clock), on(clock), on(clock)
		// The third lapses first; the others are due at one instant.
		at := first.Period.End
		s.command(third.ID, billing.Command{Action: billing.ActionCancel}, opening)
		must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", third.ID).Update("next_at", at.Add(-time.Second)).Error)
		next := func(to time.Time) billing.SubscriptionID {
			t.Helper()
			id, due, err := s.NextOnClock(t.Context(), clock, to)
			must(t, err)
			if id != "" && (due.After(to) || due.Location() != time.UTC) {
				t.Errorf("%s is due at %v", id, due)
			}
			return id
		}
		if got := next(at.Add(-2 * time.Second)); got != "" {
			t.Errorf("nothing is due, got %s", got)
		}
		if got := next(at.Add(-time.Second)); got != third.ID {
			t.Errorf("the earliest: got %s", got)
		}
		if got := next(at.AddDate(1, 0, 0)); got != third.ID {
			t.Errorf("the earliest of all: got %s", got)
		}
		must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", third.ID).Update("next_at", at.Add(time.Second)).Error)
		if got := next(at.In(time.FixedZone("Rome", 3600))); got != first.ID {
			t.Errorf("of two at one instant: got %s", got)
		}
		s.due(first.ID)
		if got := next(at); got != second.ID {
			t.Errorf("then: got %s", got)
		}
		s.due(second.ID)
		if got := next(at); got != "" {
			t.Errorf("then nothing: got %s", got)
		}

		s.due(third.ID) // it has ended
		live, err := s.OnClock(t.Context(), clock)
		must(t, err)
		if diff := cmp.Diff([]billing.SubscriptionID{first.ID, second.ID}, live); diff != "" {
			t.Error(diff)
		}
	})
}

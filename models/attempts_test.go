package models

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

func TestAttemptsAreCountedByTheHourAndAllOrNone(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		now := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
		take := func(at time.Time, of ...string) time.Duration {
			t.Helper()
			var list []billing.Allowance
			for _, subject := range of {
				list = append(list, billing.Allowance{Subject: subject, Limit: 2, Window: time.Hour})
			}
			wait, err := s.Take(t.Context(), at, list...)
			must(t, err)
			return wait
		}
		for i, want := range []time.Duration{0, 0, 40 * time.Minute} {
			if got := take(now.Add(time.Duration(i)*10*time.Minute), "b"); got != want {
				t.Errorf("attempt %d waits %s, want %s", i+1, got, want)
			}
		}
		if got := take(now.Add(20*time.Minute), "b", "a"); got != 40*time.Minute {
			t.Errorf("waits %s", got)
		}
		take(now.Add(20*time.Minute), "a") // the refused one has not counted
		if got := take(now.Add(20*time.Minute), "a"); got != 0 {
			t.Errorf("a refused attempt has counted: waits %s", got)
		}
		must(t, s.GiveBack(t.Context(), now.Add(20*time.Minute), "a"))
		if got := take(now.Add(21*time.Minute), "a"); got != 0 {
			t.Errorf("one was given back, and the next waits %s", got)
		}
		if got := take(now.Add(time.Hour), "b"); got != 0 {
			t.Errorf("after an hour the wait is %s", got)
		}
		if got := take(now, "twice", "twice"); got != 0 {
			t.Errorf("two at once wait %s", got)
		}
		if got, err := s.Wait(t.Context(), now, billing.Allowance{Subject: "twice", Limit: 2, Window: time.Hour}); err != nil || got != time.Hour {
			t.Errorf("after two at once the wait is %s, %v", got, err)
		}
		if n, err := s.Remove(t.Context(), billing.RetainAttempts, now.Add(82*time.Minute), 200); err != nil || n == 0 {
			t.Errorf("removed %d, %v", n, err)
		}
		var left []attemptRow
		must(t, s.db.Find(&left).Error)
		if len(left) != 1 || left[0].Subject != "b" {
			t.Errorf("left are %v", left)
		}
	})
}

func TestAttemptsAtOnceAreCountedTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var taken atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				wait, err := s.Take(t.Context(), s.db.NowFunc(), billing.Allowance{Subject: "x", Limit: 3, Window: time.Hour})
				if err != nil {
					t.Error(err)
				}
				if wait == 0 {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		if n := taken.Load(); n != 3 {
			t.Errorf("%d of 8 were let through, want 3", n)
		}
	})
}

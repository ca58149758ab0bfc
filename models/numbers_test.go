package models

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

func TestRaisedNumbersAreSkippedAndNoneIsGivenBack(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		number := func(sub billing.Subscription) (string, int64) {
			inv, _, err := s.Invoice(t.Context(), sub.PaidBy)
			must(t, err)
			return inv.Number, sub.Number
		}
		inv, sub := number(s.buy(newOrder("ada@contoso.example")))
		if inv != "INV-2026-000001" || sub != 1 {
			t.Fatalf("%s, subscription %d", inv, sub)
		}
		lines, err := s.RaiseNumbers(t.Context(), 100)
		must(t, err)
		if !slices.Contains(lines, "INV-2026: the next number is 102, it was 2") || !slices.Contains(lines, "subscription: the next number is 102, it was 2") ||
			!strings.Contains(strings.Join(lines, "\n"), "CN-2026: the next number is 101, it was 1") {
			t.Errorf("%q", lines)
		}
		if inv, sub := number(s.buy(newOrder("bea@contoso.example"))); inv != "INV-2026-000102" || sub != 102 {
			t.Errorf("%s, subscription %d", inv, sub)
		}
		for given, want := range map[string]int{"INV-2026-000500": 1, "INV-2026-000499": 0, "subscription-700": 1} {
			if lines, err := s.RaiseNumber(t.Context(), given); err != nil || given != "INV-2026-000499" && len(lines) != want {
				t.Errorf("%s: %q, %v", given, lines, err)
			}
		}
		if inv, sub := number(s.buy(newOrder("cleo@contoso.example"))); inv != "INV-2026-000501" || sub != 701 {
			t.Errorf("%s, subscription %d", inv, sub)
		}
		for _, wrong := range []string{"", "INV", "INV-2026", "INV-26-1", "INV-2026-0", "audit-7", "INV-2026-x", "-1"} {
			var refusal *billing.Error
			if _, err := s.RaiseNumber(t.Context(), wrong); !errors.As(err, &refusal) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
	})
}

func TestALeaseIsHeldByOneUntilItLapses(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		s.db.NowFunc = func() time.Time { return now }
		want := func(holder string, held bool) {
			t.Helper()
			if got, err := s.Lease(t.Context(), "heal", holder, time.Minute); err != nil || got != held {
				t.Errorf("%s holds it: %t, %v, want %t", holder, got, err, held)
			}
		}
		want("wrk_1", true)
		want("wrk_2", false)
		now = now.Add(59 * time.Second)
		want("wrk_1", true) // and goes on
		now = now.Add(59 * time.Second)
		want("wrk_2", false)
		now = now.Add(time.Second)
		want("wrk_2", true)
		want("wrk_1", false)
		if held, err := s.Lease(t.Context(), "another", "wrk_1", time.Minute); err != nil || !held {
			t.Errorf("another one: %t, %v", held, err)
		}
	})
}

package models

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// dueGatewayEvents lets gateway events wait no longer.
func (s *Store) dueGatewayEvents(t *testing.T, event string) {
	t.Helper()
	must(t, s.db.Model(&gatewayEventRow{}).Where("event = ? AND next_at IS NOT NULL", event).Update("next_at", s.db.NowFunc()).Error)
}

func (s *Store) gatewayEvent(t *testing.T, event string) gatewayEventRow {
	t.Helper()
	row, err := one[gatewayEventRow](s.db.Where("gateway = ? AND event = ?", "stripe", event))
	must(t, err)
	return row
}

func TestAnEventIsKeptOnceAndClaimedUntilItIsDone(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		n := billing.GatewayEvent{
			ID: "evt_1", Kind: billing.GatewayEventDisputeLost, Reference: "pi_1", Dispute: "dp_1", Live: true,
			Amount: billing.Money{Amount: 990, Currency: "EUR"}, Created: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		}
		keep := func(gateway string, want bool) {
			t.Helper()
			if fresh, err := s.StoreGatewayEvent(ctx, gateway, n); err != nil || fresh != want {
				t.Errorf("fresh %t, %v, want %t", fresh, err, want)
			}
		}
		claim := func(want ...billing.GatewayEvent) {
			t.Helper()
			got, err := s.ClaimGatewayEvents(ctx, "stripe", 10)
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("claimed %+v, want %+v", got, want)
			}
		}
		keep("stripe", true)
		keep("stripe", false)
		keep("sandbox", true) // whose ids are its own
		claim()               // the one who has kept it is at it
		s.dueGatewayEvents(t, "evt_1")
		claim(n)
		claim()

		before := s.db.NowFunc()
		must(t, s.DeferGatewayEvent(ctx, "stripe", "evt_1"))
		if next := s.gatewayEvent(t, "evt_1").NextAt; next.Before(before.Add(time.Second)) || next.After(before.Add(10*time.Second)) {
			t.Errorf("it is put off until %v, at %v", next, before)
		}
		for range 20 {
			must(t, s.DeferGatewayEvent(ctx, "stripe", "evt_1"))
		}
		if next := s.gatewayEvent(t, "evt_1").NextAt; next.Before(before.Add(9*time.Minute)) || next.After(before.Add(11*time.Minute)) {
			t.Errorf("after many attempts it is put off until %v, at %v", next, before)
		}
		waiting := func(want int64) {
			t.Helper()
			if n, err := s.PendingGatewayEvents(ctx); err != nil || n != want {
				t.Errorf("%d wait, %v, want %d", n, err, want)
			}
		}
		waiting(2)
		must(t, s.GatewayEventDone(ctx, "stripe", "evt_1", false))
		waiting(1)
		must(t, s.DeferGatewayEvent(ctx, "stripe", "evt_1")) // by somebody slow
		keep("stripe", false)
		s.dueGatewayEvents(t, "evt_1")
		claim()
		if row := s.gatewayEvent(t, "evt_1"); row.NextAt != nil || row.Result != gatewayEventActed {
			t.Errorf("done, and %+v", row)
		}
	})
}

func TestAnEventThatNobodyActsOnIsKeptAsIgnored(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		n := billing.GatewayEvent{ID: "evt_1", Kind: billing.GatewayEventOther, Created: time.Now()}
		if fresh, err := s.StoreGatewayEvent(t.Context(), "stripe", n); err != nil || fresh {
			t.Errorf("fresh %t, %v", fresh, err)
		}
		if row := s.gatewayEvent(t, "evt_1"); row.NextAt != nil || row.Result != gatewayEventIgnored {
			t.Errorf("%+v", row)
		}
	})
}

func TestAnInvoiceIsFoundByItsCharge(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for _, charge := range []string{"", "pi_none"} {
			if _, err := s.InvoiceOfCharge(ctx, "stripe", charge); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("%q: %v", charge, err)
			}
		}
		inv := billing.Invoice{ID: "inv_1", Key: "k", Status: billing.InvoiceDraft, Subscription: "sub_1", Account: "cus_1", Currency: "EUR"}
		must(t, s.db.Create(&invoiceRow{ID: inv.ID, InvoiceKey: inv.Key, Subscription: inv.Subscription, Account: inv.Account, Status: inv.Status, Detail: inv}).Error)
		must(t, s.SetCharge(ctx, "inv_1", "stripe", "pi_1"))
		got, err := s.InvoiceOfCharge(ctx, "stripe", "pi_1")
		must(t, err)
		if got.ID != "inv_1" || got.Charge != "pi_1" {
			t.Errorf("found %+v", got)
		}
		if _, err := s.InvoiceOfCharge(ctx, "sandbox", "pi_1"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("another gateway's charge: %v", err)
		}
	})
}

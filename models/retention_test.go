package models

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

func TestWhatIsOverIsRemovedAfterItsTimeAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx, shop := t.Context(), openShop(t, s)
		day := func(n int) time.Time { return opening.AddDate(0, 0, n) }
		now := day(0)
		s.db.NowFunc = func() time.Time { return now }
		paid := shop.buy(newOrder("ada@contoso.example"))
		nothing, waiting := newOrder("bob@fabrikam.example"), newOrder("cyd@tailspin.example")
		shop.place(nothing)
		shop.place(waiting)
		must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", nothing.sub.ID).
			Updates(map[string]any{"status": billing.IncompleteExpired, "next_at": nil}).Error)
		must(t, s.db.Model(&requestRow{}).Where("id = ?", paid.Cause).Update("route", "POST /v1/checkout").Error)
		transfer := billing.Request{ID: "req_t", Caller: "statement", Route: "POST /v1/operator/invoices/inv_1/mark-paid", Key: "line", Outcome: &billing.Outcome{}}
		_, _, err := s.Begin(ctx, transfer, nil, nil)
		must(t, err)
		a, err := s.AccountOf(ctx, "ada@contoso.example")
		must(t, err)
		must(t, s.BeginLogin(ctx, "lgn_1", "token", a.ID)) // whose mail is not sent yet
		for event, next := range map[string]*time.Time{"evt_done": nil, "evt_waits": &now} {
			must(t, s.db.Create(&gatewayEventRow{Gateway: "sandbox", Event: event, NextAt: next, ToldAt: now}).Error)
		}
		sent := outboxRow{ID: "ntc_sent", Subscription: string(paid.ID), Revision: 99, Notice: billing.Notice{}, At: now, DoneAt: &now}
		must(t, s.db.Create(&sent).Error)

		for id, next := range map[string]*time.Time{"whd_done": nil, "whd_waits": &now} {
			must(t, s.db.Create(&webhookDeliveryRow{ID: id, NextAt: next, CreatedAt: now}).Error)
		}

		requests, mails := shop.rows("requests"), shop.rows("outbox")
		for _, c := range []struct {
			kind    billing.Retained
			table   string
			removed int
			left    int
		}{
			{billing.RetainMails, "outbox", 1, mails - 1},
			{billing.RetainLogins, "logins", 1, 0},
			{billing.RetainGatewayEvents, "gateway_events", 1, 1},
			{billing.RetainRequests, "requests", 1, requests - 1}, // the purchase; two have no outcome, one is a transfer
			{billing.RetainEvents, "feed", 6, 0},
			{billing.RetainDeliveries, "webhook_deliveries", 1, 1},
			{billing.RetainOrders, "orders", 1, 2},
		} {
			early, err := s.Remove(ctx, c.kind, day(0), 10)
			must(t, err)
			if early != 0 {
				t.Errorf("%s: %d were removed before their time", c.kind, early)
			}
			got, err := s.Remove(ctx, c.kind, day(1), 10)
			must(t, err)
			if left := shop.rows(c.table); got != c.removed || left != c.left {
				t.Errorf("%s: %d removed, want %d; %d left in %s, want %d", c.kind, got, c.removed, left, c.table, c.left)
			}
		}
		for _, table := range []string{"subscriptions", "orders", "requests", "events", "outbox"} {
			column := "subscription"
			if table == "subscriptions" {
				column = "id"
			}
			var n int64
			must(t, s.db.Table(table).Where(column+" = ?", nothing.sub.ID).Count(&n).Error)
			if n != 0 {
				t.Errorf("%d rows of the order that came to nothing are left in %s", n, table)
			}
		}
		if _, err := s.Snapshot(ctx, paid.ID); err != nil {
			t.Errorf("what was paid: %v", err)
		}
	})
}

func TestOldRowsAreRemovedInSmallBatches(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for i := range 5 {
			must(t, s.db.Create(&loginRow{ID: NewID("lgn"), Hash: NewID("h"), Account: "cus_1", ExpiresAt: opening.Add(time.Duration(i) * time.Hour)}).Error)
		}
		for _, want := range []int{2, 2, 1, 0} {
			got, err := s.Remove(t.Context(), billing.RetainLogins, opening.AddDate(0, 0, 1), 2)
			must(t, err)
			if got != want {
				t.Errorf("%d at once, want %d", got, want)
			}
		}
	})
}

func TestTheBuyerOfAnErasedAccountIsRemovedAfterTheYearsOfItsDocuments(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx, shop := t.Context(), openShop(t, s)
		bought := shop.buy(newOrder("ada@contoso.example")) // on the day of opening
		kept := shop.buy(newOrder("bob@fabrikam.example"))  // who is not erased
		shop.command(bought.ID, billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundNone}, opening.AddDate(0, 0, 3))
		done, err := s.Erase(ctx, "ADA@contoso.example ")
		must(t, err)
		if done.Documents != 1 {
			t.Errorf("%d documents are kept", done.Documents)
		}
		for _, c := range []struct {
			before  time.Time
			removed int
			name    string
		}{
			{opening, 0, "Ada Rossi"},
			{opening.Add(time.Second), 1, ""},
			{opening.Add(time.Second), 0, ""},
		} {
			removed, err := s.Remove(ctx, billing.RetainInvoices, c.before, 10)
			must(t, err)
			buyer := shop.snapshot(bought.ID).Order.Billing
			if removed != c.removed || buyer.Name != c.name || buyer.Country != "US" {
				t.Errorf("%d removed, the buyer is %+v; want %d and %q", removed, buyer, c.removed, c.name)
			}
		}
		if got := shop.snapshot(kept.ID).Order.Billing.Name; got != "Ada Rossi" {
			t.Errorf("who was not erased is %q", got)
		}
	})
}

func TestACreditNoteKeepsTheBuyerOfAnErasedAccountLonger(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx, shop := t.Context(), openShop(t, s)
		bought := shop.buy(newOrder("ada@contoso.example"))
		shop.command(bought.ID, billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundNone}, opening.AddDate(0, 0, 3))
		_, err := s.Erase(ctx, "ada@contoso.example")
		must(t, err)
		later := opening.AddDate(1, 0, 0)
		shop.post(shop.decided(bought.ID, billing.Command{Action: billing.ActionRefund, Invoice: bought.PaidBy}, later), "")
		for _, c := range []struct {
			before  time.Time
			removed int
		}{{later, 0}, {later.Add(time.Second), 1}} {
			removed, err := s.Remove(ctx, billing.RetainInvoices, c.before, 10)
			must(t, err)
			if removed != c.removed {
				t.Errorf("%d removed before %s, want %d", removed, c.before, c.removed)
			}
		}
	})
}

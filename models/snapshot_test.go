package models

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

func TestASnapshotHoldsWhatWasSoldAndStillHasARemainder(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		other := s.buy(newOrder("ada@contoso.example"))
		sub := s.buy(newOrder("ada@contoso.example"))
		prepaid := s.command(sub.ID, billing.Command{Action: billing.ActionRenew}, opening)
		b := s.snapshot(sub.ID)
		if len(b.PaidLines) != 2 {
			t.Fatalf("sold %+v", b.PaidLines)
		}
		periods := map[billing.Period]bool{b.PaidLines[0].Line.Period: true, b.PaidLines[1].Line.Period: true}
		if !periods[sub.Period] || !periods[prepaid.PrepaidPeriod] {
			t.Errorf("sold for %v", periods)
		}
		for _, sold := range b.PaidLines {
			if sold.Remainder() != 990 || sold.Line.Net() != 990 || sold.Line.Price.ID != "pri_1" || sold.Line.Plan.ID != upTo20 {
				t.Errorf("sold %+v", sold)
			}
			inv, _, err := s.Invoice(t.Context(), sold.Invoice)
			must(t, err)
			if diff := cmp.Diff(inv.Service(), sold.Line); diff != "" || inv.Subscription != sub.ID {
				t.Errorf("of %s, but:\n%s", inv.Subscription, diff)
			}
		}
		if b.Open != nil || b.InFlight != nil || b.Balance != (billing.Money{Currency: "USD"}) || b.Product.ID != "calendar-pro" || len(b.Product.Plans) != 4 {
			t.Errorf("book %+v", b)
		}
		if b := s.snapshot(other.ID); len(b.PaidLines) != 1 {
			t.Errorf("the other subscription has sold %+v", b.PaidLines)
		}
		if _, err := s.Snapshot(t.Context(), "sub_none"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown subscription: %v", err)
		}
	})
}

func TestASnapshotHoldsTheOpenInvoiceAndTheOneInFlight(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		b := s.snapshot(sub.ID)
		at := sub.Period.End
		inv, reserve := b.Reserve(*b.Due(sub.Next, at).Bill, sub.Next.Cause())
		must(t, s.Post(t.Context(), reserve))
		if b = s.snapshot(sub.ID); b.InFlight == nil || b.InFlight.InFlight != "renew@2026-02-28T10:00:00Z" || b.Open != nil {
			t.Errorf("while it is charged: in flight %+v, open %+v", b.InFlight, b.Open)
		}
		s.post(*b.Declined(inv, billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "generic_decline"}, at), "")
		if b = s.snapshot(sub.ID); b.InFlight != nil || b.Open == nil || b.Open.ID != inv.ID || b.Subscription.Status != billing.PastDue {
			t.Errorf("declined: in flight %+v, open %+v", b.InFlight, b.Open)
		}
		// The retry writes the same invoice, which is open and in flight then.
		step := b.Subscription.Next
		inv, reserve = b.Reserve(*b.Due(step, step.At).Bill, step.Cause())
		must(t, s.Post(t.Context(), reserve))
		if b = s.snapshot(sub.ID); b.InFlight == nil || b.Open == nil || b.InFlight.Attempt != 2 || b.Open.ID != b.InFlight.ID {
			t.Errorf("tried again: in flight %+v, open %+v", b.InFlight, b.Open)
		}
		s.post(*b.Paid(inv, step.At), "")
		if b = s.snapshot(sub.ID); b.InFlight != nil || b.Open != nil || b.Subscription.Status != billing.Active {
			t.Errorf("paid: in flight %+v, open %+v", b.InFlight, b.Open)
		}
	})
}

func TestASnapshotHoldsTheBalanceInTheSubscriptionsCurrency(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		account := s.snapshot(sub.ID).Order.BillingAccount
		s.give(account, "USD", 120)
		s.give(account, "EUR", 7)
		s.give("cus_other", "USD", 9)
		if got := s.snapshot(sub.ID).Balance; got != (billing.Money{Amount: 120, Currency: "USD"}) {
			t.Errorf("balance %v", got)
		}
	})
}

func TestAFenceRaisesTheRevisionAndTakesTheClocksInstant(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		clock, err := s.CreateClock(t.Context(), opening)
		must(t, err)
		o := newOrder("ada@contoso.example")
		o.sub.TestClock = clock
		sub := s.buy(o)
		later := opening.AddDate(0, 0, 5)
		must(t, s.SetClock(t.Context(), clock, later))
		if now := s.snapshot(sub.ID).Subscription.Now; !now.Equal(later) {
			t.Errorf("the book's now is %v, want %v", now, later)
		}
		view, err := s.Overview(t.Context(), sub.ID)
		must(t, err)
		if !view.Now.Equal(later) {
			t.Errorf("the page's now is %v, want %v", view.Now, later)
		}
		want := sub
		want.Revision, want.Now = 2, later
		for range 2 {
			got, err := s.Fence(t.Context(), sub.ID)
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			want.Revision++
		}
		if got := s.snapshot(sub.ID).Subscription; got.Revision != 3 || !got.Next.At.Equal(sub.Next.At) {
			t.Errorf("on file: %+v", got)
		}
		revisions := map[int64]bool{}
		for _, got := range together(10, func(int) billing.Subscription {
			got, err := s.Fence(t.Context(), sub.ID)
			if err != nil {
				t.Error(err)
			}
			return got
		}) {
			revisions[got.Revision] = true
		}
		if len(revisions) != 10 {
			t.Errorf("10 fences have revisions %v", revisions)
		}
		if _, err := s.Fence(t.Context(), "sub_none"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown subscription: %v", err)
		}
	})
}

// A run that was fenced off cannot end what its successor goes on with.
func TestABillInFlightSurvivesAFence(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		inv, paid := s.reserved(newOrder("ada@contoso.example"))
		_, err := s.Fence(t.Context(), inv.Subscription)
		must(t, err)
		if err := s.Post(t.Context(), paid); !errors.Is(err, billing.ErrStale) {
			t.Errorf("the old run: %v", err)
		}
		b := s.snapshot(inv.Subscription)
		if b.InFlight == nil {
			t.Fatal("nothing in flight")
		}
		s.post(*b.Paid(*b.InFlight, opening.Add(time.Minute)), "")
		if got := s.snapshot(inv.Subscription).Subscription; got.Status != billing.Active || got.Revision != 2 {
			t.Errorf("the new run: %s, revision %d", got.Status, got.Revision)
		}
	})
}

func TestASnapshotKnowsWhenTheCardInUseExpires(t *testing.T) {
	onEach(t, func(t *testing.T, st *Store) {
		s := openShop(t, st)
		sub := s.buy(newOrder("ada@contoso.example")) // its card is good until 2029-12
		if exp := s.snapshot(sub.ID).MethodExp; exp != "2029-12" {
			t.Errorf("the card's last month is %q", exp)
		}
		state := s.command(sub.ID, billing.Command{Action: billing.ActionCancel}, opening)
		if want := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC); !state.CardExpires.Equal(want) {
			t.Errorf("it expires on %v", state.CardExpires)
		}
	})
}

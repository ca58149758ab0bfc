package models

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

func TestBooksHaveWhatATimesMoneyMayBeAbout(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		now := time.Now().UTC()
		sub := s.charged("ada@contoso.example")
		amount := int64(400)
		inv := s.receipts(sub.ID)[0].ID
		p := s.decided(sub.ID, billing.Command{Action: billing.ActionRefund, Invoice: inv, Amount: &amount}, opening)
		s.post(p, "")
		draft, _ := s.reserved(newOrder("bea@contoso.example")) // not paid
		must(t, s.SetCharge(t.Context(), draft.ID, "sandbox", "pay_draft"))
		refund := p.Refunds[0].ID

		want := func(what, gateway string, from, to time.Time, moved billing.Moved, invoices []billing.InvoiceID, refunds []billing.RefundID) {
			t.Helper()
			got, err := s.Books(t.Context(), gateway, from, to, moved)
			must(t, err)
			slices.Sort(invoices)
			if diff := cmp.Diff([]any{invoices, refunds}, []any{slices.Sorted(maps.Keys(got.Invoices)), slices.Sorted(maps.Keys(got.Refunds))}); diff != "" {
				t.Errorf("%s:\n%s", what, diff)
			}
			if r, there := got.Refunds[refund]; there && (r.Subscription != sub.ID || r.Amount.Amount != 400 || r.Status != billing.RefundPending || r.At.Before(now.Add(-time.Minute))) {
				t.Errorf("%s: %+v", what, r)
			}
		}
		var none billing.Moved
		named := billing.Moved{
			Charges: []billing.MovedCharge{{Invoice: inv}, {Invoice: draft.ID}, {Invoice: "inv_none"}, {}},
			Refunds: []billing.MovedRefund{{Refund: refund}, {}},
		}
		want("paid then", "sandbox", opening, opening.Add(time.Second), none, []billing.InvoiceID{inv}, nil)
		want("given back then", "sandbox", now.Add(-time.Minute), now.Add(time.Minute), none, nil, []billing.RefundID{refund})
		want("earlier", "sandbox", opening.Add(-time.Hour), opening, none, nil, nil)
		want("by name", "sandbox", opening.Add(-time.Hour), opening, named, []billing.InvoiceID{inv, draft.ID}, []billing.RefundID{refund})
		want("another gateway's", "stripe", opening, now.Add(time.Minute), named, nil, nil)
	})
}

// The gateway is told the clock's time of a refund. In real time it would be
// missed there, and named as refund_missing.
func TestARefundOnATestClockIsBookedAtTheClocksTime(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		clock, err := s.CreateClock(t.Context(), opening)
		must(t, err)
		o := newOrder("ada@contoso.example")
		o.sub.TestClock = clock
		sub := s.chargedFor(o)
		p := s.decided(sub.ID, billing.Command{Action: billing.ActionRefund, Invoice: s.receipts(sub.ID)[0].ID}, opening)
		s.post(p, "")
		done := p.Refunds[0]
		done.Status = billing.RefundSucceeded
		s.post(billing.Changeset{From: p.Subscription.Revision, Subscription: p.Subscription, Refunds: []billing.Refund{done}}, "")

		given := billing.MovedRefund{Refund: done.ID, Charge: done.Charge, Amount: done.Amount, Status: billing.RefundSucceeded, At: opening}
		for _, c := range []struct {
			day   time.Time
			moved billing.Moved
			want  int
		}{
			{opening, billing.Moved{Refunds: []billing.MovedRefund{given}}, 0},
			{opening, billing.Moved{}, 1}, // the gateway has none, and it is missed
			{time.Now().UTC(), billing.Moved{}, 0},
		} {
			from, to := c.day.AddDate(0, 0, -1), c.day.AddDate(0, 0, 1)
			books, err := s.Books(t.Context(), "sandbox", from, to, c.moved)
			must(t, err)
			books.Invoices = nil // they are another test's
			if got := billing.Reconcile(c.moved, books, from, to); len(got) != c.want {
				t.Errorf("on %s: %v, want %d", c.day.Format(time.DateOnly), got, c.want)
			}
		}
	})
}

package models

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// quoted writes a quote of an order down.
func (s shop) quoted(o order) billing.Quote {
	s.Helper()
	q := billing.Quote{
		ID: NewID("quo"), Order: o.detail, Subscription: o.sub, ProductName: "Calendar Pro", CreatedAt: opening, ExpiresAt: opening.Add(30 * 24 * time.Hour),
		Bill: billing.Invoice{Currency: "USD", Lines: []billing.Line{{Kind: billing.LineService, Quantity: 1, Amount: 990}}},
	}
	r := o.request
	r.ID, r.Key, r.Route, r.Subscription = billing.RequestID(NewID("req")), NewID("key"), "POST /v1/quotes", billing.SubscriptionID(q.ID)
	_, fresh, err := s.BeginQuote(s.Context(), r, q)
	must(s, err)
	if !fresh {
		s.Fatal("the quote was taken for a repeated one")
	}
	again, fresh, err := s.BeginQuote(s.Context(), r, billing.Quote{ID: "quo_2"})
	must(s, err)
	if fresh || string(again.Subscription) != q.ID {
		s.Errorf("the same key again: %t, %s", fresh, again.Subscription)
	}
	q, err = s.Quote(s.Context(), q.ID)
	must(s, err)
	return q
}

// accept begins the order of a quote.
func (s shop) accept(q billing.Quote, at time.Time) (string, error) {
	id := NewID("sub")
	o, sub := q.Ordered(billing.SubscriptionID(id), licensing.LicenseID(NewID("lic")), billing.ByCard, at)
	_, _, err := s.Begin(s.Context(), billing.Request{ID: billing.RequestID(NewID("req")), Caller: "quote:" + q.ID, Route: "POST accept", Key: NewID("key"), Subscription: billing.SubscriptionID(id)}, &o, &sub)
	return id, err
}

func TestAQuoteIsReadAsItWasWrittenAndNumberedWithoutGaps(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		o.detail.Billing.Company, o.detail.Licensee.Name = "Κοντόσο & Υιοί 🏛", "Ομάδα BI 📊"
		q := s.quoted(o)
		want := q
		want.Order, want.Subscription = o.detail, o.sub
		want.Order.BillingAccount = q.Order.BillingAccount
		if diff := cmp.Diff(want, q); diff != "" || q.Order.BillingAccount == "" {
			t.Error(diff)
		}
		if second := s.quoted(newOrder("bea@contoso.example")); q.Number != "Q-2026-000001" || second.Number != "Q-2026-000002" {
			t.Errorf("numbers %s, %s", q.Number, second.Number)
		}
		pending, err := s.ClaimNotices(t.Context(), billing.SubscriptionID(q.ID), 10)
		must(t, err)
		if len(pending) != 1 || cmp.Diff(q.Notice(), pending[0].Notice) != "" || !pending[0].At.Equal(opening) {
			t.Errorf("%+v", pending)
		}
		if _, err := s.Quote(t.Context(), "quo_none"); !errors.Is(err, billing.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestAQuoteBecomesOneOrderHoweverManyAcceptItAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		q := s.quoted(newOrder("ada@contoso.example"))
		ids := make([]string, 10)
		accepted := ""
		for i, err := range together(10, func(i int) (err error) { ids[i], err = s.accept(q, opening); return err }) {
			var refusal *billing.Error
			switch {
			case err == nil && accepted == "":
				accepted = ids[i]
			case err == nil:
				t.Error("it became two orders")
			case !errors.As(err, &refusal) || refusal.Code != billing.CodeQuoteAccepted:
				t.Error(err)
			}
		}
		q, err := s.Quote(t.Context(), q.ID)
		must(t, err)
		if string(q.Accepted) != accepted || s.rows("orders") != 1 || s.rows("subscriptions") != 1 || s.rows("requests") != 2 {
			t.Errorf("accepted as %s, want %s; %d orders, %d requests", q.Accepted, accepted, s.rows("orders"), s.rows("requests"))
		}
		// An order that lapses leaves the quote open, and is one no more.
		snapshot := s.snapshot(billing.SubscriptionID(accepted))
		s.post(*snapshot.Due(snapshot.Subscription.Next, snapshot.Subscription.Next.At).Changeset, "")
		q, err = s.Quote(t.Context(), q.ID)
		must(t, err)
		if q.Accepted != "" {
			t.Errorf("a lapsed order has accepted it: %s", q.Accepted)
		}
		_, err = s.accept(q, q.ExpiresAt)
		if fmt.Sprint(err) != "quote_expired: this quote has expired" {
			t.Error(err)
		}
		second, err := s.accept(q, q.ExpiresAt.Add(-time.Second))
		must(t, err)
		if q, err = s.Quote(t.Context(), q.ID); err != nil || string(q.Accepted) != second || second == accepted {
			t.Errorf("%s, %v", q.Accepted, err)
		}
	})
}

package models

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// What the tests sell.
const catalogue = `
products:
  - id: calendar-pro
    name: Calendar Pro
    trial: true
    plans:
      - {type: users, tier: "1-20", covers: 20, cycle: monthly, prices: [{amount: 990, currency: USD}, {amount: 1000, currency: EUR}]}
      - {type: users, tier: "21-50", covers: 50, cycle: monthly, prices: [{amount: 1980, currency: USD}]}
      - {type: users, tier: "Single", covers: 1, cycle: monthly, prices: [{amount: 250, currency: USD}]}
      - {type: site, cycle: monthly, prices: [{amount: 2900, currency: USD}]}
  - id: smart-filter-pro
    name: Smart Filter Pro
    activation: licensee
    trial: true
    plans:
      - {type: users, tier: "1-20", covers: 20, cycle: monthly, prices: [{amount: 990, currency: USD}]}
`

const (
	upTo20 = "calendar-pro_users_1-20_monthly"
	upTo50 = "calendar-pro_users_21-50_monthly"
	single = "calendar-pro_users_single_monthly"
)

var opening = time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)

// shop does with a store what activities do, without a gateway: every card
// pays.
type shop struct {
	*testing.T
	*Store
}

func openShop(t *testing.T, s *Store) shop {
	t.Helper()
	c, err := billing.ParseCatalogue([]byte(catalogue))
	must(t, err)
	_, err = s.ApplyCatalogue(t.Context(), c, false)
	must(t, err)
	return shop{t, s}
}

// order is what a customer sends: Calendar Pro for 20 users by card, in
// dollars, outside of the European Union.
type order struct {
	request billing.Request
	detail  billing.Order
	sub     billing.Subscription
}

func newOrder(email string) order {
	id := NewID("sub")
	o := order{
		request: billing.Request{
			ID: billing.RequestID(NewID("req")), Caller: "cal_1", Route: "POST /v1/checkout", Key: NewID("key"), BodyHash: "hash",
			Subscription: billing.SubscriptionID(id), Actor: "customer", Token: "tok_visa",
		},
		detail: billing.Order{
			Subscription: billing.SubscriptionID(id), License: licensing.LicenseID(NewID("lic")), Pay: billing.PayNow,
			Billing:  billing.BillingDetails{Contact: billing.Contact{Name: "Ada Rossi", Email: email}, Country: "US"},
			Licensee: billing.Contact{Name: "BI team", Email: email},
		},
		sub: billing.Subscription{
			ID: billing.SubscriptionID(id), Status: billing.Incomplete, Product: "calendar-pro", Quantity: 1, Collection: billing.ByCard,
			Plan:      billing.PlanRef{ID: upTo20, Type: licensing.Users, Tier: "1-20", Cycle: billing.Monthly},
			Price:     billing.Price{ID: "pri_1", Money: billing.Money{Amount: 990, Currency: "USD"}, Tax: billing.TaxExclusive},
			CreatedAt: opening,
		},
	}
	o.request.Command = billing.Command{Action: billing.ActionPurchase, Request: o.request.ID}
	return o
}

// place writes an order down.
func (s shop) place(o order) {
	s.Helper()
	_, fresh, err := s.Begin(s.Context(), o.request, &o.detail, &o.sub)
	must(s, err)
	if !fresh {
		s.Fatal("the order was taken for a repeated one")
	}
}

// buy places an order and pays for it with a card of its own.
func (s shop) buy(o order) billing.Subscription {
	s.Helper()
	s.place(o)
	must(s, s.SaveMethod(s.Context(), o.request.ID, s.snapshot(o.sub.ID).Order.BillingAccount, "sandbox", billing.StoredMethod{
		Ref: "pm_" + string(o.sub.ID), Brand: "visa", Last4: "4242", Exp: "2029-12",
	}))
	return s.command(o.sub.ID, o.request.Command, opening)
}

func (s shop) snapshot(id billing.SubscriptionID) billing.Snapshot {
	s.Helper()
	b, err := s.Snapshot(s.Context(), id)
	must(s, err)
	if b.Method == "" {
		b.Method = "pm_" + string(id)
	}
	return b
}

// command carries a command out and returns the state that it leads to.
func (s shop) command(id billing.SubscriptionID, c billing.Command, at time.Time) billing.Subscription {
	s.Helper()
	b := s.snapshot(id)
	return s.apply(b, b.Decide(c, at), c.Cause(b.Subscription.Revision), c.Request, at)
}

// due does the step that a subscription waits for, when it is due.
func (s shop) due(id billing.SubscriptionID) billing.Subscription {
	s.Helper()
	b := s.snapshot(id)
	step := b.Subscription.Next
	return s.apply(b, b.Due(step, step.At), step.Cause(), "", step.At)
}

func (s shop) apply(b billing.Snapshot, d billing.Decision, cause string, request billing.RequestID, at time.Time) billing.Subscription {
	s.Helper()
	switch {
	case d.Refusal != nil:
		s.Fatal(d.Refusal)
	case d.Changeset != nil:
		return s.post(*d.Changeset, request)
	}
	inv, reserve := b.Reserve(*d.Bill, cause)
	must(s, s.Post(s.Context(), reserve))
	return s.post(*b.Paid(inv, at), request)
}

func (s shop) post(p billing.Changeset, request billing.RequestID) billing.Subscription {
	s.Helper()
	p.Request = request
	must(s, s.Post(s.Context(), p))
	return p.Subscription
}

// frozen is an order whose bill waits for its charge, and the changeset that
// says that it was paid.
func (s shop) reserved(o order) (billing.Invoice, billing.Changeset) {
	s.Helper()
	s.place(o)
	b := s.snapshot(o.sub.ID)
	inv, reserve := b.Reserve(*b.Decide(o.request.Command, opening).Bill, string(o.request.ID))
	must(s, s.Post(s.Context(), reserve))
	return inv, *b.Paid(inv, opening)
}

// give puts money on an account's balance.
func (s shop) give(account billing.AccountID, currency string, amount int64) {
	s.Helper()
	sub := s.anySubscription()
	must(s, s.Post(s.Context(), billing.Changeset{
		From: sub.Revision, Subscription: sub,
		Entries: []billing.BalanceEntry{{Key: NewID("test"), Account: account, Currency: currency, Amount: amount}},
	}))
}

func (s shop) anySubscription() billing.Subscription {
	s.Helper()
	row, err := one[subscriptionRow](s.db.WithContext(s.Context()))
	must(s, err)
	return row.State
}

func (s shop) balance(account billing.AccountID) int64 {
	s.Helper()
	b, err := balance(s.db.WithContext(s.Context()), account, "USD")
	must(s, err)
	return b.Amount
}

// rows counts the rows of a table.
func (s shop) rows(table string) int {
	s.Helper()
	var n int64
	must(s, s.db.WithContext(s.Context()).Table(table).Count(&n).Error)
	return int(n)
}

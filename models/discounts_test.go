package models

import (
	"errors"
	"fmt"
	"testing"

	"github.com/okviz/licensing/billing"
)

// reserve begins the payment of an order that has been placed.
func (s shop) reserve(o order) error {
	s.Helper()
	b := s.snapshot(o.sub.ID)
	_, p := b.Reserve(*b.Decide(o.request.Command, opening).Bill, string(o.request.ID))
	return s.Post(s.Context(), p)
}

func TestACouponIsRedeemedNoMoreOftenThanItMayBeHoweverManyOrderAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, st *Store) {
		s := openShop(t, st)
		c := billing.Coupon{Code: "SPRING", Percent: 50, Invoices: 1, Limit: 3}
		must(t, s.PutCoupon(t.Context(), c))
		orders := make([]order, 10)
		for i := range orders {
			orders[i] = newOrder(fmt.Sprintf("ada%d@contoso.example", i))
			orders[i].sub.Discount = billing.Discount{Coupon: "SPRING", Percent: 50, Left: 1}
			s.place(orders[i])
		}
		redeemed, refused := []order{}, 0
		for i, err := range together(10, func(i int) error { return s.reserve(orders[i]) }) {
			var refusal *billing.Error
			switch {
			case err == nil:
				redeemed = append(redeemed, orders[i])
			case errors.As(err, &refusal) && refusal.Code == billing.CodeCouponUsedUp:
				refused++
			default:
				t.Error(err)
			}
		}
		if len(redeemed) != 3 || refused != 7 {
			t.Fatalf("%d redeemed, %d refused", len(redeemed), refused)
		}
		want := func(n int64) {
			t.Helper()
			if _, got, err := s.Coupon(t.Context(), "SPRING"); err != nil || got != n {
				t.Errorf("%d redeemed, %v; want %d", got, err, n)
			}
		}
		want(3)
		// A decline keeps it for the order's next card; an order that lapses gives it back.
		first := redeemed[0]
		b := s.snapshot(first.sub.ID)
		must(t, s.Post(t.Context(), *b.Declined(*b.InFlight, billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "generic_decline"}, opening)))
		want(3)
		b = s.snapshot(first.sub.ID)
		_, p := b.Reserve(*b.Decide(billing.Command{Action: billing.ActionPaymentMethod}, opening).Bill, "req_2")
		must(t, s.Post(t.Context(), p))
		want(3)
		b = s.snapshot(first.sub.ID)
		must(t, s.Post(t.Context(), *b.Declined(*b.InFlight, billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "generic_decline"}, opening)))
		b = s.snapshot(first.sub.ID)
		must(t, s.Post(t.Context(), *b.Due(b.Subscription.Next, b.Subscription.Next.At).Changeset))
		want(2)
	})
}

func TestACouponsTermsAreReplacedAndItsCountIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, st *Store) {
		s := openShop(t, st)
		must(t, s.PutCoupon(t.Context(), billing.Coupon{Code: "SPRING", Percent: 50, Invoices: 1}))
		o := newOrder("ada@contoso.example")
		o.sub.Discount = billing.Discount{Coupon: "SPRING", Percent: 50, Left: 1}
		s.buy(o)
		must(t, s.PutCoupon(t.Context(), billing.Coupon{Code: "SPRING", Percent: 10, Limit: 1}))
		c, redeemed, err := s.Coupon(t.Context(), "SPRING")
		if err != nil || c.Percent != 10 || redeemed != 1 {
			t.Errorf("%+v redeemed %d times, %v", c, redeemed, err)
		}
		if _, _, err := s.Coupon(t.Context(), "SUMMER"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("one that nobody made: %v", err)
		}
	})
}

func TestAStandingDiscountIsTheAccountsInEveryCase(t *testing.T) {
	onEach(t, func(t *testing.T, st *Store) {
		s := openShop(t, st)
		o := newOrder("Ada@Contoso.example")
		s.place(o)
		must(t, s.SetStanding(t.Context(), "ada@contoso.EXAMPLE", 15))
		if got := s.snapshot(o.sub.ID).Standing; got != 15 {
			t.Errorf("standing %d", got)
		}
		must(t, s.SetStanding(t.Context(), "ada@contoso.example", 0))
		if got := s.snapshot(o.sub.ID).Standing; got != 0 {
			t.Errorf("taken away, and still %d", got)
		}
	})
}

// Both have been decided on the same balance of 10.00, at the same instant.
func TestRenewalsAtTheSameInstantNeverSpendABalanceTwice(t *testing.T) {
	onEach(t, func(t *testing.T, st *Store) {
		s := openShop(t, st)
		const n = 8
		var subs [n]billing.Subscription
		var reserves [n]billing.Changeset
		for i := range n {
			subs[i] = s.buy(newOrder("ada@contoso.example"))
		}
		account := s.snapshot(subs[0].ID).Order.BillingAccount
		s.give(account, "USD", 1000)
		reserve := func(i int) billing.Changeset {
			b := s.snapshot(subs[i].ID)
			step := b.Subscription.Next
			_, p := b.Reserve(*b.Due(step, step.At).Bill, step.Cause())
			return p
		}
		for i := range n {
			reserves[i] = reserve(i)
		}
		var refused []int
		for i, err := range together(n, func(i int) error { return s.Post(t.Context(), reserves[i]) }) {
			if errors.Is(err, billing.ErrConflict) {
				refused = append(refused, i)
			} else if err != nil {
				t.Error(err)
			}
		}
		if len(refused) != n-1 || s.balance(account) != 10 {
			t.Fatalf("%d were refused, %d are left; want all but one, and 10", len(refused), s.balance(account))
		}
		// Decided again, each finds what is left: one takes it, and the others
		// pay in full.
		for _, i := range refused {
			must(t, s.Post(t.Context(), reserve(i)))
		}
		if got := s.balance(account); got != 0 {
			t.Errorf("balance %d", got)
		}
		applied := int64(0)
		for _, sub := range subs {
			applied += s.snapshot(sub.ID).InFlight.BalanceApplied
		}
		if applied != 1000 {
			t.Errorf("%d of 1000 applied", applied)
		}
	})
}

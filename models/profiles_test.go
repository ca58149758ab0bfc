package models

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

func TestAProfileIsWrittenDownInPlaceOfTheEarlierOne(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		p, err := s.Profile(t.Context(), "cus_1")
		must(t, err)
		if p != (billing.Profile{}) {
			t.Errorf("nothing was written down, and it is %+v", p)
		}
		for _, city := range []string{"Roma", "Torino"} {
			p.Billing.City, p.Billing.Name = city, "Ada Rossi"
			must(t, s.PutProfile(t.Context(), "cus_1", p))
		}
		got, err := s.Profile(t.Context(), "cus_1")
		must(t, err)
		other, err := s.Profile(t.Context(), "cus_2")
		must(t, err)
		if got != p || other != (billing.Profile{}) {
			t.Errorf("%+v, and somebody else's %+v", got, other)
		}
	})
}

func TestACardInUseIsNotRemoved(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for _, ref := range []string{"pm_1", "pm_2", "pm_3"} {
			must(t, s.db.Create(&paymentMethodRow{Ref: ref, Account: "cus_1", Brand: "visa", Last4: ref[3:]}).Error)
		}
		must(t, s.db.Create(&paymentMethodRow{Ref: "pm_4", Account: "cus_2"}).Error)
		for i, status := range []billing.Status{billing.Active, billing.Canceled, billing.PastDue} {
			must(t, s.db.Create(&subscriptionRow{
				ID: billing.SubscriptionID("sub_" + string(rune('1'+i))), Number: int64(i + 1), Status: status, BillingAccount: "cus_1", Method: []string{"pm_1", "pm_2", "pm_3"}[i],
			}).Error)
		}
		var refused *billing.Error
		for _, ref := range []string{"pm_1", "pm_3"} {
			if err := s.RemoveCard(t.Context(), "cus_1", ref); !errors.As(err, &refused) || refused.Code != billing.CodeMethodInUse {
				t.Errorf("%s: %v", ref, err)
			}
		}
		for _, ref := range []string{"pm_4", "pm_5"} {
			if err := s.RemoveCard(t.Context(), "cus_1", ref); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("%s: %v", ref, err)
			}
		}
		must(t, s.RemoveCard(t.Context(), "cus_1", "pm_2"))
		row, err := one[subscriptionRow](s.db.Where("id = ?", "sub_2"))
		must(t, err)
		list, err := s.StoredCards(t.Context(), "cus_1")
		must(t, err)
		if row.Method != "" || len(list) != 2 || list[0].Ref != "pm_3" || len(list[0].Pays) != 1 || list[0].Pays[0].Number != 3 {
			t.Errorf("the ended subscription has %q, left are %+v", row.Method, list)
		}
	})
}

func TestAnUpdatedCardHasItsNewEnd(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for _, ref := range []string{"pm_1", "pm_2"} {
			must(t, s.db.Create(&paymentMethodRow{Ref: ref, Account: "cus_1", Gateway: "stripe", Brand: "visa", Last4: "4242", Exp: "2026-03", Fingerprint: "old"}).Error)
		}
		owner, err := s.CardOwner(t.Context(), "stripe", "pm_1")
		must(t, err)
		_, elsewhere := s.CardOwner(t.Context(), "sandbox", "pm_1")
		must(t, s.RemoveCard(t.Context(), "cus_1", "pm_2"))
		_, removed := s.CardOwner(t.Context(), "stripe", "pm_2")
		if owner != "cus_1" || !errors.Is(elsewhere, billing.ErrNotFound) || !errors.Is(removed, billing.ErrNotFound) {
			t.Errorf("it is %s's; at another gateway %v, removed %v", owner, elsewhere, removed)
		}
		now := billing.StoredMethod{Ref: "pm_1", Brand: "visa", Last4: "0005", Exp: "2031-05", Fingerprint: "new"}
		must(t, s.UpdateCard(t.Context(), now))
		if got, err := storedMethod(s.db, "pm_1"); err != nil || got != now {
			t.Errorf("it is %+v, %v", got, err)
		}
		if got, err := storedMethod(s.db, "pm_2"); err != nil || got.Exp != "2026-03" {
			t.Errorf("the other one is %+v, %v", got, err)
		}
	})
}

func TestARemovedCardIsDetachedByOneUntilItIsDone(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		now := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
		s.db.NowFunc = func() time.Time { return now }
		for _, ref := range []string{"pm_1", "pm_2"} {
			must(t, s.db.Create(&paymentMethodRow{Ref: ref, Account: "cus_1", Gateway: "sandbox"}).Error)
		}
		claimed := func(gateway string, want ...string) {
			t.Helper()
			got, err := s.ClaimRemovedCards(t.Context(), gateway, 10)
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("claimed %v, want %v", got, want)
			}
		}
		claimed("sandbox")
		must(t, s.RemoveCard(t.Context(), "cus_1", "pm_1"))
		claimed("stripe")
		claimed("sandbox", "pm_1")
		claimed("sandbox") // somebody is at it
		now = now.Add(detachClaim)
		claimed("sandbox", "pm_1") // who has crashed, or the gateway was away
		must(t, s.CardDetached(t.Context(), "pm_1"))
		now = now.Add(detachClaim)
		claimed("sandbox")
	})
}

func TestACardThatWasRemovedWhileAPaymentNamedItStaysForAsLongAsThat(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		sub := s.charged("ada@contoso.example")
		b := s.snapshot(sub.ID)
		must(t, s.db.Create(&paymentMethodRow{Ref: "pm_new", Account: b.Order.BillingAccount, Gateway: "sandbox"}).Error)
		b.Method = "pm_new" // which a change in the other window brings
		d := b.Decide(billing.Command{Action: billing.ActionChange, Plan: "calendar-pro_users_21-50_monthly"}, opening)
		if d.Bill == nil {
			t.Fatalf("%+v", d)
		}
		inv, reserve := b.Reserve(*d.Bill, "req_change")
		must(t, s.Post(t.Context(), reserve))
		must(t, s.RemoveCard(t.Context(), b.Order.BillingAccount, "pm_new"))
		claims := func(want int) {
			t.Helper()
			got, err := s.ClaimRemovedCards(t.Context(), "sandbox", 10)
			must(t, err)
			if len(got) != want {
				t.Errorf("claimed %v", got)
			}
			must(t, s.db.Model(&paymentMethodRow{}).Where("ref = ?", "pm_new").Update("detach_at", s.db.NowFunc()).Error) // a minute later
		}
		claims(0) // it is being charged
		paid := s.snapshot(sub.ID)
		paid.Method = "pm_new"
		s.post(*paid.Paid(inv, opening), "")
		claims(0) // and charged from now on
		must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", sub.ID).Update("method", "pm_other").Error)
		claims(1)
	})
}

func TestACardOfAnOrderThatWasNeverPaidIsNotListedAndGoesWithIt(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for _, ref := range []string{"pm_1", "pm_2"} {
			must(t, s.db.Create(&paymentMethodRow{Ref: ref, Account: "cus_1", Gateway: "sandbox"}).Error)
		}
		subs := []subscriptionRow{
			{ID: "sub_1", Number: 1, Status: billing.Active, BillingAccount: "cus_1", Method: "pm_1"},
			{ID: "sub_2", Number: 2, Status: billing.Incomplete, BillingAccount: "cus_1", Method: "pm_2"},
			{ID: "sub_3", Number: 3, Status: billing.Incomplete, BillingAccount: "cus_1", Method: "pm_1"},
		}
		for i := range subs {
			must(t, s.db.Create(&subs[i]).Error)
		}
		list, err := s.StoredCards(t.Context(), "cus_1")
		must(t, err)
		if len(list) != 1 || list[0].Ref != "pm_1" || len(list[0].Pays) != 1 || list[0].Pays[0].Number != 1 {
			t.Errorf("listed: %+v", list)
		}
		must(t, forgetUnused(s.db, subs[2])) // whose card another one pays with
		must(t, forgetUnused(s.db, subs[1]))
		must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", "sub_2").Updates(map[string]any{"status": billing.IncompleteExpired, "method": ""}).Error)
		claimed, err := s.ClaimRemovedCards(t.Context(), "sandbox", 10)
		must(t, err)
		if !slices.Equal(claimed, []string{"pm_2"}) {
			t.Errorf("the gateway is to forget %v", claimed)
		}
	})
}

func TestAnAccountWithoutAProfileHasTheDetailsOfWhatItHasPaidFor(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		sub := s.charged("ada@contoso.example")
		b := s.snapshot(sub.ID)
		p, err := s.Profile(t.Context(), b.Order.BillingAccount)
		must(t, err)
		if p.Billing.Name == "" || p.Billing.Name != b.Order.Billing.Name || p.Billing.Country != b.Order.Billing.Country || p.Billing.Email != "" {
			t.Errorf("%+v, ordered with %+v", p, b.Order.Billing)
		}
		row, err := one[subscriptionRow](s.db.Where("id = ?", sub.ID))
		must(t, err)
		row.State.Guest, row.State.LastPaymentAt = true, time.Time{} // a stranger's, with Ada's address
		must(t, s.db.Model(&subscriptionRow{}).Where("id = ?", sub.ID).Select("State").Updates(&row).Error)
		if p, err = s.Profile(t.Context(), b.Order.BillingAccount); err != nil || p != (billing.Profile{}) {
			t.Errorf("of an order that nobody has paid: %+v, %v", p, err)
		}
	})
}

package models

import (
	"errors"
	"testing"

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
				ID: "sub_" + string(rune('1'+i)), Number: int64(i + 1), Status: status, BillingAccount: "cus_1", Method: []string{"pm_1", "pm_2", "pm_3"}[i],
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

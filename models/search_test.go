package models

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

func TestOperatorsFindWhatTheyKnowAPartOf(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada.rossi@contoso.example")
		o.detail.Billing.Company, o.detail.Licensee = "Contoso Générale S.p.A.", billing.Contact{Name: "Bea O'Neill", Email: "bi@fabrikam.example"}
		sub := s.buy(o)
		s.buy(newOrder("eve@other.example"))
		invoices, err := s.Invoices(t.Context(), "", sub.ID, "", 1)
		must(t, err)
		b := s.snapshot(sub.ID)
		payer, licensee, inv := string(b.Order.BillingAccount), string(b.Order.LicenseeAccount), invoices[0]
		q := billing.Quote{ID: NewID("quo"), Order: o.detail, Bill: inv, CreatedAt: opening}
		r := o.request
		r.ID, r.Key = billing.RequestID(NewID("req")), NewID("key")
		_, _, err = s.BeginQuote(t.Context(), r, q)
		must(t, err)
		both := []string{payer, string(sub.ID), q.ID}
		for _, c := range []struct {
			query string
			want  []string
		}{
			{"ada.rossi@contoso.example", both},
			{"ADA.ros", both},
			{"rossi@cont", both},
			{"contoso.exam", both},
			{"fabrikam", []string{licensee, string(sub.ID), q.ID}},
			{"générale", []string{string(sub.ID), q.ID}},
			{"neill bea", []string{string(sub.ID), q.ID}},
			{"bea nobody", nil},
			{"ontoso", nil}, // words are found by their beginnings
			{"2", nil},      // no subscription's but Eve's
			{string(sub.ID), []string{string(sub.ID)}},
			{string(sub.License)[:20], []string{string(sub.License)}},
			{inv.Number, []string{string(inv.ID)}},
			{strings.ToLower(inv.Number[4:]), []string{string(inv.ID), q.ID}},
			{"000001", []string{string(inv.ID), q.ID}},
			{"Q-2026-000001", []string{q.ID}},
			{payer, []string{payer}},
			{"%", nil},
			{"_", nil},
			{"' OR 1=1 --", nil},
		} {
			found, more, err := s.Search(t.Context(), c.query, 50)
			must(t, err)
			var got []string
			for _, f := range found {
				if got = append(got, f.ID); f.Text == "" {
					t.Errorf("%q: %s has no text", c.query, f.ID)
				}
			}
			if c.query == "2" {
				got = slices.DeleteFunc(got, func(id string) bool { return id != string(sub.ID) })
			}
			if c.query == string(sub.License)[:20] {
				got = slices.DeleteFunc(got, func(id string) bool { return id != string(sub.License) }) // ids of one moment begin alike
			}
			if !slices.Equal(got, c.want) || more {
				t.Errorf("%q: found %v, want %v, more %v", c.query, got, c.want, more)
			}
		}
		for query, want := range map[string]int{"4242": 2, "9.90": 3, "9,90": 3, "1": 1} { // cards of two accounts; two invoices and the quote; number 1
			found, _, err := s.Search(t.Context(), query, 50)
			must(t, err)
			if len(found) != want {
				t.Errorf("%q: found %v, want %d", query, found, want)
			}
		}
		found, more, err := s.Search(t.Context(), "9.90", 2)
		must(t, err)
		if len(found) != 2 || !more {
			t.Errorf("two of three: %v, more %v", found, more)
		}
	})
}

func TestNobodyIsFoundByWhatWasErased(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		o.detail.Licensee = billing.Contact{Name: "Bea Bianchi", Email: "bea@fabrikam.example"}
		sub := s.buy(o)
		s.command(sub.ID, billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundNone}, opening)
		count := func(query string) int {
			found, _, err := s.Search(t.Context(), query, 50)
			must(t, err)
			return len(found)
		}
		for query, want := range map[string]int{"rossi": 1, "contoso": 2, "bianchi": 1, "fabrikam": 2} {
			if got := count(query); got != want {
				t.Errorf("%s: found %d, want %d", query, got, want)
			}
		}
		_, err := s.Erase(t.Context(), "ada@contoso.example")
		must(t, err)
		for query, want := range map[string]int{"rossi": 0, "contoso": 0, "bianchi": 1, "fabrikam": 2} {
			if got := count(query); got != want {
				t.Errorf("after the payer's erasure: %s finds %d, want %d", query, got, want)
			}
		}
		_, err = s.Erase(t.Context(), "bea@fabrikam.example")
		must(t, err)
		for _, query := range []string{"rossi", "contoso", "bianchi", "fabrikam"} {
			if got := count(query); got != 0 {
				t.Errorf("after both erasures: %s finds %d", query, got)
			}
		}
	})
}

// A search takes as long with a hundred thousand subscriptions as with a hundred.
func TestASearchReadsNoTableFromEndToEnd(t *testing.T) {
	s := open(t, databases[0].url(t))
	must(t, s.Migrate(t.Context()))
	shop := openShop(t, s)
	shop.buy(newOrder("ada@contoso.example"))
	plans := planned(t, s)
	for _, query := range []string{"ada", "ada contoso ross", "4242", "1", "9.90", "sub_", "lic_", "inv_", "cus_", "quo_"} {
		*plans = nil
		_, _, err := s.Search(t.Context(), query, 50)
		must(t, err)
		if len(*plans) == 0 {
			t.Errorf("%q: no statement", query)
		}
		for _, p := range *plans {
			if strings.HasPrefix(p, "SCAN ") {
				t.Errorf("%q: %q", query, *plans)
			}
		}
	}
}

// With a hundred thousand subscriptions: a word of many, several words, a number.
func BenchmarkSearch(b *testing.B) {
	s := open(b, databases[0].url(b))
	must(b, s.Migrate(b.Context()))
	const subscriptions = 100_000
	batch := []searchWordRow{}
	must(b, s.db.Exec("PRAGMA synchronous=OFF").Error)
	tx := s.db.Begin()
	for i := range subscriptions {
		id := fmt.Sprintf("sub_%026d", i)
		words := billing.SearchWords(fmt.Sprintf("Ada Rossi%d", i), fmt.Sprintf("Company %d", i/3), fmt.Sprintf("ada.rossi%d@c%d.example", i, i/3))
		for _, w := range words {
			batch = append(batch, searchWordRow{w, id})
		}
		row := subscriptionRow{ID: billing.SubscriptionID(id), Number: int64(i + 1), Status: billing.Active, Product: "calendar-pro"}
		must(b, tx.Create(&row).Error)
		must(b, tx.Create(&orderRow{Subscription: row.ID, License: licensing.LicenseID(fmt.Sprintf("lic_%026d", i))}).Error)
		if len(batch) > 1000 || i == subscriptions-1 {
			must(b, tx.Create(&batch).Error)
			batch = nil
		}
	}
	must(b, tx.Commit().Error)
	for _, query := range []string{"ada", "example", "rossi77777", "ada company 33333", "rossi ada example", "99999"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				_, _, err := s.Search(b.Context(), query, 50)
				must(b, err)
			}
		})
	}
}

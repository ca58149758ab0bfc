package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

func TestSubscriptionsAreFoundByAddressDomainAndNumber(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		for _, pair := range [][2]string{ // numbers 1 to 6
			{"ada@contoso.example", "bea@fabrikam.example"},
			{"bea@fabrikam.example", "bea@fabrikam.example"},
			{"eve@notcontoso.example", "eve@notcontoso.example"},
			{"a_b@x%y.example", "a!b@under_score.example"},
			{"axb@xzy.example", "axb@undersscore.example"},
			{"eve@sub.contoso.example", "eve@sub.contoso.example"},
		} {
			o := newOrder(pair[0])
			o.detail.Licensee.Email = pair[1]
			s.place(o)
		}
		for _, c := range []struct {
			name          string
			email, domain string
			number        int64
			want          []int64
		}{
			{"all, the newest first", "", "", 0, []int64{6, 5, 4, 3, 2, 1}},
			{"the billing contact", "ada@contoso.example", "", 0, []int64{1}},
			{"either contact", " BEA@Fabrikam.example", "", 0, []int64{2, 1}},
			{"the whole domain and no other", "", "Contoso.example", 0, []int64{1}},
			{"a domain of the licensee", "", "fabrikam.example", 0, []int64{2, 1}},
			{"no part of a domain", "", "example", 0, nil},
			{"% is a character", "", "x%y.example", 0, []int64{4}},
			{"% alone finds nothing", "", "%", 0, nil},
			{"_ is a character", "", "under_score.example", 0, []int64{4}},
			{"! is a character", "a!b@under_score.example", "", 0, []int64{4}},
			{"an address has no wildcards", "a_b@x%y.example", "", 0, []int64{4}},
			{"nobody", "%", "", 0, nil},
			{"a quote ends nothing", "' OR 1=1 --", "", 0, nil},
			{"a backslash escapes nothing", "", `\%`, 0, nil},
			{"a number", "", "", 3, []int64{3}},
			{"a number of somebody else", "ada@contoso.example", "", 3, nil},
			{"address and domain", "ada@contoso.example", "contoso.example", 0, []int64{1}},
			{"address of another domain", "ada@contoso.example", "fabrikam.example", 0, nil},
		} {
			var got []int64
			for before := int64(0); ; { // page by page
				page, err := s.Overviews(t.Context(), billing.Search{Email: c.email, Domain: c.domain, Number: c.number, Before: before}, 2)
				must(t, err)
				for _, o := range page {
					got = append(got, o.Number)
					before = o.Number
				}
				if len(page) < 2 {
					break
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: got %v, want %v", c.name, got, c.want)
			}
		}
	})
}

// Lists by address and by domain, and the books of a day, take as long with a hundred
// thousand subscriptions as with a hundred: no table of them is read from end to end. SQLite tells its plan
// whatever the tables hold.
func TestListsOfContactsAndADaysBooksReadNoTableFromEndToEnd(t *testing.T) {
	s := open(t, databases[0].url(t))
	must(t, s.Migrate(t.Context()))
	var plans []string
	must(t, s.db.Callback().Query().After("gorm:query").Register("plan", func(tx *gorm.DB) {
		rows, err := tx.Statement.ConnPool.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+tx.Statement.SQL.String(), tx.Statement.Vars...)
		must(t, err)
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			must(t, rows.Scan(&id, &parent, &unused, &detail))
			plans = append(plans, detail)
		}
		must(t, rows.Err())
	}))
	for name, list := range map[string]func() error{
		"an account's subscriptions": func() error { _, err := s.Overviews(t.Context(), billing.Search{Payer: "a@b.example"}, 10); return err },
		"an address's subscriptions": func() error { _, err := s.Overviews(t.Context(), billing.Search{Email: "a@b.example"}, 10); return err },
		"a domain's subscriptions":   func() error { _, err := s.Overviews(t.Context(), billing.Search{Domain: "b.example"}, 10); return err },
		"a later page of them": func() error {
			_, err := s.Overviews(t.Context(), billing.Search{Domain: "b.example", Before: 9}, 10)
			return err
		},
		"a day's books": func() error {
			_, err := s.Books(t.Context(), "stripe", opening, opening.AddDate(0, 0, 1), billing.Moved{Charges: []billing.MovedCharge{{Invoice: "inv_1"}}})
			return err
		},
		"an address's licences": func() error { _, err := s.Licenses(t.Context(), "a@b.example", "", 10); return err },
	} {
		plans = nil
		must(t, list())
		if len(plans) == 0 || slices.ContainsFunc(plans, func(p string) bool { return strings.HasPrefix(p, "SCAN ") }) {
			t.Errorf("%s: %q", name, plans)
		}
	}
}

func TestASubscriptionsPageShowsItsContactsAndItsCard(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		o.detail.Licensee.Email = "bea@fabrikam.example"
		s.place(o)
		view, err := s.Overview(t.Context(), o.sub.ID)
		must(t, err)
		if view.Card != nil || view.Status != billing.Incomplete {
			t.Errorf("card %v, status %s", view.Card, view.Status)
		}
		paid := newOrder("ada@contoso.example")
		sub := s.buy(paid)
		view, err = s.Overview(t.Context(), sub.ID)
		must(t, err)
		want := billing.Overview{
			Subscription: sub, BillingAccount: "ada@contoso.example", LicenseeAccount: "ada@contoso.example",
			Card: &billing.StoredMethod{Ref: "pm_" + string(sub.ID), Brand: "visa", Last4: "4242", Exp: "2029-12"},
		}
		if view.Read.IsZero() {
			t.Error("nobody knows when it was read")
		}
		want.Read = view.Read
		if diff := cmp.Diff(want, view); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Overview(t.Context(), "sub_none"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown subscription: %v", err)
		}
	})
}

func TestInvoicesAreListedPageByPage(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		other := s.buy(newOrder("bea@fabrikam.example"))
		for range 4 {
			s.due(sub.ID)
		}
		list := func(subscription billing.SubscriptionID) (numbers []string) {
			for before := ""; ; {
				page, err := s.Invoices(t.Context(), "", subscription, before, 2)
				must(t, err)
				for _, inv := range page {
					numbers = append(numbers, inv.Number)
					before = string(inv.ID)
				}
				if len(page) < 2 {
					return numbers
				}
			}
		}
		var all []string
		for n := range 6 {
			all = append(all, fmt.Sprintf("INV-2026-%06d", n+1))
		}
		sameIDs(t, "all", all, list(""))
		sameIDs(t, "one subscription's", slices.Delete(slices.Clone(all), 1, 2), list(sub.ID))
		sameIDs(t, "the other's", all[1:2], list(other.ID))
		sameIDs(t, "nobody's", nil, list("sub_none"))
		if _, _, err := s.Invoice(t.Context(), "inv_none"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown invoice: %v", err)
		}
	})
}

// The events of a history come in the order in which they were posted, also
// within one second.
func TestAHistoryIsToldInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		want := []string{"purchase"}
		for range 6 {
			s.command(sub.ID, billing.Command{Action: billing.ActionCancel}, opening)
			s.command(sub.ID, billing.Command{Action: billing.ActionResume}, opening)
			want = append(want, "cancel_scheduled", "resumed")
		}
		events, err := s.Events(t.Context(), sub.ID)
		must(t, err)
		var got []string
		for _, e := range events {
			got = append(got, string(e.Kind))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnUnknownAddressHasNoBalance(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		got, err := s.Balance(t.Context(), "cus_nobody")
		if err != nil || len(got) != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// sameIDs compares lists by id, whose order within one millisecond is open.
func sameIDs(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Clone(want), slices.Clone(got)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestALateStepIsOneThatIsDueAndOnNoTestClock(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		due := s.buy(newOrder("ada@contoso.example")).Next.At
		clock, err := s.CreateClock(t.Context(), opening)
		must(t, err)
		o := newOrder("bea@contoso.example")
		o.sub.TestClock = clock
		s.place(o)
		for at, want := range map[time.Time]int64{due: 0, due.Add(time.Second): 1} {
			if n, err := s.Late(t.Context(), at); err != nil || n != want {
				t.Errorf("%d are late before %s, %v, want %d", n, at, err, want)
			}
		}
	})
}

func TestAMailWaitsUntilItIsSentOrGivenUp(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		mails, err := s.ClaimNotices(t.Context(), s.buy(newOrder("ada@contoso.example")).ID, 100)
		must(t, err)
		wantWaiting := func(before time.Time, want int) {
			t.Helper()
			if n, err := s.WaitingMails(t.Context(), before); err != nil || n != int64(want) {
				t.Errorf("%d mails wait, %v, want %d", n, err, want)
			}
		}
		later := time.Now().Add(time.Minute)
		wantWaiting(time.Now().Add(-time.Minute), 0)
		wantWaiting(later, 2) // a receipt and a file
		for i, m := range mails {
			must(t, s.NoticeDone(t.Context(), m.ID, i == 0))
		}
		wantWaiting(later, 0)
	})
}

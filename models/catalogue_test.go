package models

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/okviz/licensing/billing"
)

func parse(t *testing.T, doc string) billing.Catalogue {
	t.Helper()
	c, err := billing.ParseCatalogue([]byte(doc))
	must(t, err)
	return c
}

func TestTheDefaultCatalogueIsReadAsItIsWrittenAndComesInOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		c := parse(t, string(billing.DefaultCatalogue()))
		for _, dry := range []bool{true, false} {
			changes, err := s.ApplyCatalogue(t.Context(), c, dry)
			must(t, err)
			if len(changes) < 5 || changes[0] != "+ product calendar-pro" || changes[1] != "+ plan calendar-pro_users_single_monthly" ||
				changes[2] != "+ price calendar-pro_users_single_monthly: 2.50 USD" {
				t.Errorf("dry %v: changes %q", dry, changes[:min(5, len(changes))])
			}
			got, err := s.Products(t.Context())
			must(t, err)
			if dry {
				if len(got) != 0 {
					t.Errorf("a dry run has written %d products", len(got))
				}
				continue
			}
			want := c.Products
			withoutID := cmpopts.IgnoreFields(billing.Price{}, "ID")
			byCurrency := cmpopts.SortSlices(func(a, b billing.Price) bool { return a.Currency < b.Currency })
			if diff := cmp.Diff(want, got, withoutID, byCurrency, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			one, err := s.Product(t.Context(), want[1].ID)
			must(t, err)
			if diff := cmp.Diff(got[1], one); diff != "" {
				t.Error(diff)
			}
			if first := one.Plans[0].Prices[0]; first.Currency != "USD" || !strings.HasPrefix(first.ID, "pri_") {
				t.Errorf("first price %+v", first)
			}
		}
		changes, err := s.ApplyCatalogue(t.Context(), c, false)
		must(t, err)
		if len(changes) != 0 || changes == nil {
			t.Errorf("changes of the same document: %#v", changes)
		}
		if _, err := s.Product(t.Context(), "no-such-product"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown product: %v", err)
		}
	})
}

func TestADocumentThatTellsPricesLeavesTheTextsAlone(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for _, doc := range []string{
			"products: [{id: a, name: A, description: Text, icon: /a.svg, changelog_url: 'https://contoso.example/a', plans: []}]",
			"products: [{id: a, name: A, plans: []}]",
		} {
			_, err := s.ApplyCatalogue(t.Context(), parse(t, doc), false)
			must(t, err)
			p, err := s.Product(t.Context(), "a")
			must(t, err)
			if p.Description != "Text" || p.Icon != "/a.svg" || p.ChangelogURL != "https://contoso.example/a" {
				t.Errorf("after %s: %+v", doc, p)
			}
		}
	})
}

func TestAChangedPriceIsANewVersionAndNothingElseChanges(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		before, err := s.Products(t.Context())
		must(t, err)
		// Names neither the second product, nor the other plans, nor euros.
		c := parse(t, `
products:
  - id: calendar-pro
    name: Calendar Pro 2
    trial: true
    plans:
      - {type: users, tier: "1-20", covers: 20, cycle: monthly, prices: [{amount: 1090, currency: USD}, {amount: 99, currency: GBP, tax: inclusive}]}
      - {type: site, cycle: yearly, prices: [{amount: 29000, currency: USD}]}
`)
		want := []string{
			"~ product calendar-pro: name", "~ price calendar-pro_users_1-20_monthly: 9.90 USD → 10.90 USD",
			"+ price calendar-pro_users_1-20_monthly: 0.99 GBP with tax", "+ plan calendar-pro_site_yearly", "+ price calendar-pro_site_yearly: 290.00 USD",
		}
		for range 2 {
			changes, err := s.ApplyCatalogue(t.Context(), c, true)
			must(t, err)
			if diff := cmp.Diff(want, changes); diff != "" {
				t.Error(diff)
			}
		}
		unchanged, err := s.Products(t.Context())
		must(t, err)
		if diff := cmp.Diff(before, unchanged); diff != "" {
			t.Errorf("a dry run has changed:\n%s", diff)
		}
		_, err = s.ApplyCatalogue(t.Context(), c, false)
		must(t, err)

		after, err := s.Products(t.Context())
		must(t, err)
		if diff := cmp.Diff(before[1], after[1]); diff != "" {
			t.Errorf("a product that was not named:\n%s", diff)
		}
		p := after[0]
		if p.ID != "calendar-pro" || p.Name != "Calendar Pro 2" || len(p.Plans) != 5 {
			t.Fatalf("product %s %q with %d plans", p.ID, p.Name, len(p.Plans))
		}
		plan, err := p.Plan(upTo20)
		must(t, err)
		old, err := before[0].Plan(upTo20)
		must(t, err)
		got := map[string]int64{}
		for _, price := range plan.Prices {
			got[price.Currency] = price.Amount
		}
		if diff := cmp.Diff(map[string]int64{"USD": 1090, "EUR": 1000, "GBP": 99}, got); diff != "" {
			t.Error(diff)
		}
		if plan.Prices[0].ID == old.Prices[0].ID {
			t.Error("the new price has the old one's id")
		}
		row, err := one[priceRow](s.db.Where("id = ?", old.Prices[0].ID))
		must(t, err)
		if row.Amount != 990 || row.Version != 1 {
			t.Errorf("the old price is now %+v", row)
		}
		// Back to the old amount is a third version.
		_, err = s.ApplyCatalogue(t.Context(), parse(t, catalogue), false)
		must(t, err)
		p, err = s.Product(t.Context(), "calendar-pro")
		must(t, err)
		plan, err = p.Plan(upTo20)
		must(t, err)
		if price := plan.Prices[0]; price.Amount != 990 || price.ID == old.Prices[0].ID {
			t.Errorf("price %+v", price)
		}
	})
}

func TestAChangeOfTheCatalogueIsSeenByEveryProcessAtOnce(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			url := d.url(t)
			one, other := open(t, url), open(t, url)
			must(t, one.Migrate(t.Context()))
			shop := openShop(t, one)
			sub := shop.buy(newOrder("ada@contoso.example"))
			for _, amount := range []int64{1090, 1190} {
				_, err := other.ApplyCatalogue(t.Context(), parse(t, strings.ReplaceAll(catalogue, "amount: 990,", fmt.Sprintf("amount: %d,", amount))), false)
				must(t, err)
				asked, err := one.Product(t.Context(), "calendar-pro")
				must(t, err)
				snapshot, err := one.Snapshot(t.Context(), sub.ID)
				must(t, err)
				for where, p := range map[string]billing.Product{"Product": asked, "Snapshot": snapshot.Product} {
					plan, err := p.Plan(upTo20)
					must(t, err)
					if plan.Prices[0].Amount != amount {
						t.Errorf("%s has the price %v, want %d", where, plan.Prices[0], amount)
					}
				}
			}
		})
	}
}

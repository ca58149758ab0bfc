package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheCatalogueListsFiveVisualsInAllTypesAndCyclesAtThePublishedPrices(t *testing.T) {
	var list struct {
		Data []struct {
			ID      string
			Name    string
			Version *string
			Trial   bool
			Plans   []struct {
				plan
				Covers *int64
				Prices []money
			}
		}
	}
	shared.send(t, http.MethodGet, "/v1/products", nil, nil).want(t, http.StatusOK).into(t, &list)
	var ids []string
	kinds, currencies := map[string]bool{}, map[string]bool{}
	for _, p := range list.Data {
		ids = append(ids, p.ID)
		if p.Version == nil {
			t.Errorf("%s has no version", p.ID)
		}
		has := map[string][]money{}
		for _, plan := range p.Plans {
			kinds[plan.Type+" "+plan.Cycle] = true
			for _, price := range plan.Prices {
				currencies[price.Currency] = true
				if price.Amount <= 0 {
					t.Errorf("%s costs %v", plan.ID, price)
				}
			}
			has[plan.Type+" "+deref(plan.Tier)+" "+plan.Cycle] = plan.Prices
		}
		for _, sold := range []string{"users 1-20 monthly", "users 1-20 yearly", "site null monthly", "site null yearly"} {
			for _, currency := range []string{"USD", "EUR"} {
				if !slices.ContainsFunc(has[sold], func(m money) bool { return m.Currency == currency }) {
					t.Errorf("%s: no %s in %s", p.ID, sold, currency)
				}
			}
		}
		if p.ID == "calendar-pro" {
			if got := has["users 1-20 monthly"]; !slices.Contains(got, usd(990)) {
				t.Errorf("users 1-20: %v", got)
			}
			if got := has["site null monthly"]; !slices.Contains(got, usd(2900)) {
				t.Errorf("site: %v", got)
			}
		}
	}
	if diff := cmp.Diff([]string{"calendar-pro", "smart-filter-pro", "synoptic-panel", "bullet-chart", "card-with-states"}, ids); diff != "" {
		t.Error(diff)
	}
	for _, kind := range []string{"users", "capacity", "site"} {
		for _, cycle := range []string{"monthly", "yearly", "three_years"} {
			if !kinds[kind+" "+cycle] {
				t.Errorf("no %s plan is billed %s", kind, cycle)
			}
		}
	}
	if !currencies["GBP"] || !currencies["JPY"] {
		t.Errorf("currencies %v", currencies)
	}
}

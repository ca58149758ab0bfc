package billing

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/licensing"
)

func defaults(t testing.TB) map[string]Product {
	t.Helper()
	c, err := ParseCatalogue(DefaultCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	products := map[string]Product{}
	for _, p := range c.Products {
		products[p.ID] = p
	}
	return products
}

func TestTheDefaultCatalogueHoldsTheFiveProducts(t *testing.T) {
	products := defaults(t)
	is(t, "products", len(products), 5)
	for id, want := range map[string]licensing.Activation{
		"calendar-pro": licensing.ActivationNone, "smart-filter-pro": licensing.ActivationLicensee, "synoptic-panel": licensing.ActivationEntra,
		"bullet-chart": licensing.ActivationNone, "card-with-states": licensing.ActivationNone,
	} {
		p := products[id]
		is(t, id+": activation", p.Activation, want)
		is(t, id+": trial", p.Trial, true)
		is(t, id+": proration", p.Proration, PerSecond)
		for _, choice := range []PlanChoice{
			{Type: licensing.Users, Tier: "1-20", Cycle: Monthly}, {Type: licensing.Users, Tier: "1-20", Cycle: Yearly},
			{Type: licensing.Site, Cycle: Monthly}, {Type: licensing.Site, Cycle: Yearly},
		} {
			plan, err := p.Choose(choice)
			if err != nil {
				t.Errorf("%s has no %+v", id, choice)
			}
			for _, currency := range []string{"USD", "EUR"} {
				if price, err := plan.PriceIn(currency); err != nil || price.Amount <= 0 {
					t.Errorf("%s has no price in %s", plan.ID, currency)
				}
			}
		}
	}
}

func TestTheDefaultCatalogueCarriesThePublishedPrices(t *testing.T) {
	products := defaults(t)
	for id, want := range map[string]int64{"calendar-pro_users_1-20_monthly": 990, "calendar-pro_site_monthly": 2900} {
		plan, err := products["calendar-pro"].Plan(id)
		if err != nil {
			t.Fatal(err)
		}
		price, err := plan.PriceIn("USD")
		if err != nil {
			t.Fatal(err)
		}
		is(t, id, price, Price{Money: Money{want, "USD"}, Tax: TaxExclusive})
	}
	currencies := map[string]bool{}
	for _, p := range products {
		covered := map[Cycle]int64{}
		for _, plan := range p.Plans {
			is(t, "id", plan.ID, planID(p.ID, plan.Type, plan.Tier, plan.Cycle))
			for _, price := range plan.Prices {
				currencies[price.Currency] = true
			}
			if plan.Type == licensing.Users && plan.Covers != 0 { // a greater tier never costs less
				price, _ := plan.PriceIn("USD")
				if price.Amount < covered[plan.Cycle] {
					t.Errorf("%s costs less than the tier below it", plan.ID)
				}
				covered[plan.Cycle] = price.Amount
			}
			if plan.Type == licensing.Users && (plan.Covers == 0) != (plan.Tier == "Unlimited") {
				t.Errorf("%s covers %d", plan.ID, plan.Covers)
			}
		}
	}
	is(t, "currencies", currencies, map[string]bool{"USD": true, "EUR": true, "GBP": true, "JPY": true})
}

func TestTheTierSoldIsTheSmallestThatCoversThem(t *testing.T) {
	calendar := defaults(t)["calendar-pro"]
	for _, c := range []struct {
		name   string
		choice PlanChoice
		want   string // "": unknown_plan
	}{
		{"one designer", PlanChoice{Type: licensing.Users, Designers: 1}, "Single"},
		{"two people", PlanChoice{Type: licensing.Users, Designers: 1, Viewers: 1}, "1-20"},
		{"the tier's last person", PlanChoice{Type: licensing.Users, Designers: 10, Viewers: 10}, "1-20"},
		{"one more", PlanChoice{Type: licensing.Users, Designers: 10, Viewers: 11}, "21-50"},
		{"ten and forty", PlanChoice{Type: licensing.Users, Designers: 10, Viewers: 40}, "21-50"},
		{"ten and 750", PlanChoice{Type: licensing.Users, Designers: 10, Viewers: 750}, "251-1000"},
		{"more than any number", PlanChoice{Type: licensing.Users, Designers: 1, Viewers: 1000}, "Unlimited"},
		{"by name", PlanChoice{Type: licensing.Users, Tier: "51-100"}, "51-100"},
		{"by another name", PlanChoice{Type: licensing.Users, Tier: "51-99"}, ""},
		{"nothing named", PlanChoice{Type: licensing.Users}, ""},
		{"a tier of another type", PlanChoice{Type: licensing.Users, Tier: "P1 or F64"}, ""},
		{"the node by its tier", PlanChoice{Type: licensing.Capacity, Tier: "P1 or F64"}, "P1 or F64"},
		{"P1", PlanChoice{Type: licensing.Capacity, Tier: "P1"}, "P1 or F64"},
		{"F64", PlanChoice{Type: licensing.Capacity, Tier: "F64"}, "P1 or F64"},
		{"A4 is as large as P1", PlanChoice{Type: licensing.Capacity, Tier: "A4"}, "P1 or F64"},
		{"A5 is as large as P2", PlanChoice{Type: licensing.Capacity, Tier: "A5"}, "P2 or F128"},
		{"F256 is as large as P3", PlanChoice{Type: licensing.Capacity, Tier: " f256 "}, "P3 or F256"},
		{"a node that is not sold", PlanChoice{Type: licensing.Capacity, Tier: "EM3"}, ""},
		{"no node at all", PlanChoice{Type: licensing.Capacity, Tier: "F65"}, ""},
		{"a node needs its name", PlanChoice{Type: licensing.Capacity, Designers: 10}, ""},
		{"a site has one tier", PlanChoice{Type: licensing.Site}, ""},
		{"a site has no node", PlanChoice{Type: licensing.Site, Tier: "P1"}, "–"},
		{"no such type", PlanChoice{Type: "cores"}, "–"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.choice.Cycle = Yearly
			plan, err := calendar.Choose(c.choice)
			unknown := c.want == "–" || c.want == "" && c.choice.Type != licensing.Site
			if refusal := (*Error)(nil); unknown != (errors.As(err, &refusal) && refusal.Code == CodeUnknownPlan) {
				t.Fatalf("%v", err)
			}
			if !unknown {
				is(t, "tier", plan.Tier, c.want)
				is(t, "type", plan.Type, c.choice.Type)
				is(t, "cycle", plan.Cycle, Yearly)
			}
		})
	}
}

func TestSKUsOfTheSameSizeAreTheSameNode(t *testing.T) {
	for _, same := range [][]string{
		{"F8", "A1", "EM1"}, {"F16", "A2", "EM2"}, {"F32", "A3", "EM3"}, {"F64", "A4", "P1"},
		{"F128", "A5", "P2"}, {"F256", "A6", "P3"}, {"F512", "A7", "P4"}, {"F1024", "A8", "P5"},
	} {
		for _, sku := range same {
			if !sameNode(same[2]+" or "+same[0], sku) {
				t.Errorf("%s is not %v", sku, same)
			}
			for other, size := range nodes {
				if size != nodes[sku] && sameNode(other, sku) {
					t.Errorf("%s is %s", sku, other)
				}
			}
		}
	}
}

func TestQuantityMultipliesAPlanAndStaysOneForUsers(t *testing.T) {
	for _, c := range []struct {
		of       licensing.Type
		quantity int64
		allowed  bool
	}{
		{licensing.Users, 1, true}, {licensing.Users, 2, false}, {licensing.Users, 0, false}, {licensing.Capacity, 1, true}, {licensing.Capacity, 3, true}, {licensing.Capacity, 0, false},
		{licensing.Site, 1000, true}, {licensing.Site, 1001, false}, {licensing.Site, -1, false},
	} {
		err := CheckQuantity(c.of, c.quantity)
		if refusal := (*Error)(nil); c.allowed != (err == nil) || !c.allowed && (!errors.As(err, &refusal) || refusal.Code != CodeQuantityNotAllowed) {
			t.Errorf("%d of %s: %v", c.quantity, c.of, err)
		}
	}
	l := bought(t, "2026-04-01", offer{plan: site, quantity: 3})
	is(t, "three sites at 30.00", l.charged(), int64(9000))
}

// document is a catalogue with one product whose parts may be replaced.
func document(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(
		`products: [{id: a, name: A, plans: [{type: users, tier: T, covers: 5, cycle: monthly, prices: [{amount: 990, currency: USD}]}]}]`)
}

func TestACatalogueIsRefusedByThePlaceOfItsFault(t *testing.T) {
	const plan, price = "products[0].plans[0]", "products[0].plans[0].prices[0]"
	for _, c := range []struct{ name, doc, field string }{
		{"no id", document("id: a", "id: ''"), "products[0].id"},
		{"an id with capitals", document("id: a", "id: A"), "products[0].id"},
		{"an id with an underscore", document("id: a", "id: a_b"), "products[0].id"},
		{"an id with two hyphens", document("id: a", "id: a--b"), "products[0].id"},
		{"a long id", document("id: a", "id: "+strings.Repeat("a", 41)), "products[0].id"},
		{"an id in two lines", document("id: a", `id: "a\nb"`), "products[0].id"},
		{"no name", document("name: A", "name: ''"), "products[0].name"},
		{"a long name", document("name: A", "name: "+strings.Repeat("a", 101)), "products[0].name"},
		{"activation", document("name: A", "name: A, activation: hand"), "products[0].activation"},
		{"proration", document("name: A", "name: A, proration: hour"), "products[0].proration"},
		{"the same product twice", "products: [{id: a, name: A}, {id: b, name: B}, {id: a, name: A}]", "products[2].id"},
		{"an empty product", "products: [null]", ""},
		{"type", document("users", "cores"), plan + ".type"},
		{"cycle", document("monthly", "weekly"), plan + ".cycle"},
		{"the cycle of the timers' test is not for sale", document("monthly", "every_3_seconds"), plan + ".cycle"},
		{"users without a tier", document("tier: T, ", ""), plan + ".tier"},
		{"a site with a tier", document("users", "site", "covers: 5, ", ""), plan + ".tier"},
		{"a long tier", document("tier: T", "tier: "+strings.Repeat("t", 41)), plan + ".tier"},
		{"a node that covers people", document("users", "capacity"), plan + ".covers"},
		{"fewer than no people", document("covers: 5", "covers: -5"), plan + ".covers"},
		{"no price", document("{amount: 990, currency: USD}", ""), plan + ".prices"},
		{"the same plan twice", document("plans: [", "plans: [{type: users, tier: t, covers: 9, cycle: monthly, prices: [{amount: 1, currency: USD}]}, "), "products[0].plans[1]"},
		{"no currency", document(", currency: USD", ""), price + ".currency"},
		{"a currency in small letters", document("USD", "usd"), price + ".currency"},
		{"a currency that is none", document("USD", "ABC"), price + ".currency"},
		{"a currency twice", document("{amount: 990, currency: USD}", "{amount: 990, currency: USD}, {amount: 1, currency: USD}"), "products[0].plans[0].prices[1].currency"},
		{"a negative price", document("990", "-990"), price + ".amount"},
		{"a price that was forgotten", document("amount: 990, ", ""), price + ".amount"},
		{"a price of nothing", document("990", "0"), price + ".amount"},
		{"an absurd price", document("990", "1000000000001"), price + ".amount"},
		{"tax", document("USD", "USD, tax: included"), price + ".tax"},

		{"an unknown field", document("tier: T", "tier: T, seats: 4"), ""},
		{"a misspelt case", document("amount", "Amount"), ""},
		{"a key twice", document("name: A", "name: A, name: B"), ""},
		{"two documents", document() + "\n---\n" + document("id: a", "id: b"), ""},
		{"major units", document("990", "9.90"), ""},
		{"whole major units", document("990", "9.0"), ""},
		{"a part of a person", document("covers: 5", "covers: 20.7"), ""},
		{"a price as a text", document("990", `"9.90"`), ""},
		{"an exponent", document("990", "1e3"), ""},
		{"grouped digits", document("990", "9_90"), ""},
		{"digits that YAML reads in base 8", document("990", "0777"), ""},
		{"another base", document("990", "0x10"), ""},
		{"not a number", document("990", ".nan"), ""},
		{"endless", document("990", ".inf"), ""},
		{"more than there is room for", document("990", "99999999999999999999"), ""},
		{"a truth", document("990", "true"), ""},
		{"a list", "[1, 2]", ""},
		{"a word", "hello", ""},
		{"broken", "products: [{", ""},
		{"an alias of itself", "products: &a [*a]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseCatalogue([]byte(c.doc))
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Code != CodeInvalid || refusal.Field != c.field || refusal.Detail == "" {
				t.Errorf("got %#v, want a refusal at %q\n%s", err, c.field, c.doc)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("the refusal has several lines: %q", err)
			}
		})
	}
}

func TestACatalogueMayBeJSONOrYAML(t *testing.T) {
	fromYAML, err := ParseCatalogue([]byte(document()))
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := ParseCatalogue([]byte(`{"products":[{"id":"a","name":"A","plans":[{"type":"users","tier":"T","covers":5,"cycle":"monthly","prices":[{"amount":990,"currency":"USD"}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Catalogue{[]Product{{
		ID: "a", Name: "A", Activation: licensing.ActivationNone, Proration: PerSecond,
		Plans: []Plan{{
			ID: "a_users_t_monthly", Type: licensing.Users, Tier: "T", Covers: 5, Cycle: Monthly,
			Prices: []Price{{Money: Money{990, "USD"}, Tax: TaxExclusive}},
		}},
	}}}
	is(t, "YAML", fromYAML, want)
	is(t, "JSON", fromJSON, want)
	for _, empty := range []string{"", "products: []", "{}", "# nothing\n"} {
		if c, err := ParseCatalogue([]byte(empty)); err != nil || len(c.Products) != 0 {
			t.Errorf("%q: %v, %v", empty, c, err)
		}
	}
}

// hostile are documents that cost a careless parser gigabytes or minutes.
var hostile = map[string]string{
	"flow sequences":        "products: " + strings.Repeat("[", 64000),
	"closed flow sequences": "products: " + strings.Repeat("[", 64000) + strings.Repeat("]", 64000),
	"flow mappings":         "products: " + strings.Repeat("{a: ", 60000),
	"block sequences":       strings.Repeat("- ", 120000),
	"explicit keys":         strings.Repeat("? ", 120000),
	"keys without a value":  "{" + strings.Repeat("a,", 120000),
	"a key many times":      strings.Repeat("a: 1\n", 50000),
	"many keys":             "a" + strings.Join(strings.Split(strings.Repeat("x", 300), ""), ": 1\na") + ": 1",
	"brackets in a text":    `products: ["` + strings.Repeat("]", 60000) + `", ` + strings.Repeat("[", 60000),
	"depth of 33":           "products: " + strings.Repeat("[", 32) + strings.Repeat("]", 32),
	"anchors":               "products: " + strings.Repeat("&a ", 80000),
	"an alias":              "products: []\nx: &a 1",
	"a thousand millions":   bomb(9),
	"more than 256 KiB":     "# " + strings.Repeat("x", 256<<10) + "\nproducts: []",
}

// parsed reads a document, and fails if that takes 128 MiB or two seconds.
func parsed(t *testing.T, doc string) (Catalogue, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	c, err := ParseCatalogue([]byte(doc))
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 5*time.Second || used > 128 {
		t.Errorf("%d bytes took %s and %d MiB", len(doc), took, used)
	}
	return c, err
}

func TestAHostileCatalogueIsRefusedWithLittleTimeAndMemory(t *testing.T) {
	for name, doc := range hostile {
		t.Run(name, func(t *testing.T) {
			_, err := parsed(t, doc)
			if refusal := (*Error)(nil); !errors.As(err, &refusal) || refusal.Code != CodeInvalid || len(refusal.Detail) > 200 {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := parsed(t, "products: []\nx: "+strings.Repeat("[", 31)+strings.Repeat("]", 31)); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("a depth of 32 is looked at: %v", err)
	}
}

// bomb is a document whose aliases stand for 10ⁿ values.
func bomb(n int) string {
	var b strings.Builder
	b.WriteString("products:\n  - id: a\n    name: A\n    description: &a0 lol\n")
	for i := range n {
		fmt.Fprintf(&b, "x%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	return b.String()
}

// Whatever is sent, the answer is a catalogue that could be sold or a refusal.
func FuzzParseCatalogue(f *testing.F) {
	f.Add(string(DefaultCatalogue()))
	for _, doc := range []string{
		document(), document("990", ".nan"), document("990", "-.inf"), document("990", "1e400"), document("990", "9.90"),
		document("990", "!!int 1"), document("990", "&a 1"), document("990", "*a"), document("990", "~"), document("990", "!!binary aaaa"),
		"products: &p [{<<: *p}]", "products: [&x {id: a, name: A}, *x]", "? [a]\n: b", "---\n---\n", "\xff\xfe", "a: &a [*a, *a]",
		`{"products":[{"id":"a","name":"\u0000"}]}`, "products:\n\t- id: a", strings.Repeat("[", 500), strings.Repeat("{a: ", 200), bomb(9), "%YAML 9\n---\n",
	} {
		f.Add(doc)
	}
	for _, doc := range hostile {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		c, err := parsed(t, doc)
		if err != nil {
			if refusal := (*Error)(nil); !errors.As(err, &refusal) || refusal.Code != CodeInvalid {
				t.Fatalf("%#v", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, p := range c.Products {
			for _, plan := range p.Plans {
				if seen[plan.ID] || !plan.Cycle.Valid() || len(plan.Prices) == 0 {
					t.Fatalf("plan %+v", plan)
				}
				seen[plan.ID] = true
				for _, price := range plan.Prices {
					if price.Amount <= 0 || len(price.Currency) != 3 || price.Tax == "" {
						t.Fatalf("price %+v of %s", price, plan.ID)
					}
				}
			}
		}
	})
}

package moving_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/backoffice/moving"
	"github.com/okviz/licensing/billing"
)

const catalogue = `products: [{id: calendar-pro, name: Calendar Pro, trial: true, plans: [
	{type: users, tier: "1-20", covers: 20, cycle: monthly, prices: [{amount: 1290, currency: USD}]},
	{type: users, tier: "1-20", covers: 20, cycle: yearly, prices: [{amount: 9900, currency: USD}]},
	{type: site, cycle: monthly, prices: [{amount: 2900, currency: USD}]}]}]`

// world is 10 February 2026 with a coupon for three invoices.
func world(t *testing.T) moving.World {
	t.Helper()
	c, err := billing.ParseCatalogue([]byte(catalogue))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return moving.World{
		Products: c.Products, Now: at("2026-02-10T00:00:00Z"), AsOf: at("2026-02-10T00:00:00Z"),
		Coupons: []billing.Coupon{{Code: "SPRING", Percent: 10, Invoices: 3, Expires: at("2025-12-01T00:00:00Z")}},
		NewID:   func(prefix string) string { n++; return fmt.Sprintf("%s_%04d", prefix, n) },
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

const (
	ada  = `{"type":"customer","id":"c1","name":"Ada Rossi","email":"ada@contoso.example","country":"US"}`
	plan = `"customer":"c1","product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"price":{"amount":800,"currency":"USD"}`
)

func TestEveryErrorOfAFileIsNamedByItsLineAndRepeatsNoValue(t *testing.T) {
	file := strings.Join([]string{
		ada,
		`{"type":"customer","id":"c1","name":"Again","email":"again@contoso.example","country":"US"}`,
		`{"type":"customer","id":"c2","name":"","email":"SECRET","country":"XX","vat_id":"IT1","balances":[{"amount":-1,"currency":"USD"}]}`,
		`{"type":"customer","id":"c3","nmae":"SECRET"}`,
		`not json`,
		`{"type":"order"}`,
		``,
		`{"type":"subscription","id":"s1","customer":"c9",` + strings.TrimPrefix(plan, `"customer":"c1",`) + `,"anchor":"2026-01-31T10:00:00Z"}`,
		`{"type":"subscription","id":"s2",` + plan + `,"anchor":"2025-12-31T10:00:00Z","period":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"}}`,
		`{"type":"subscription","id":"s3","customer":"c1","product":"calendar-pro","plan":{"type":"users","tier":"9-9","cycle":"monthly"},"price":{"amount":8.5,"currency":"USD"},"anchor":"2026-01-31T10:00:00Z"}`,
		`{"type":"subscription","id":"s4",` + plan + `,"quantity":2,"coupon":{"code":"NONE"},"license":"a b","sites":["x.example"]}`,
		`{"type":"subscription","id":"s5",` + plan + `,"anchor":"2026-01-31T10:00:00Z","coupon":{"code":"SPRING","invoices_left":4},"card":{"customer":"cus_1","reference":""}}`,
		`{"type":"subscription","id":"s6",` + plan + `,"trial_end":"2026-02-01T00:00:00Z","created_at":"2026-01-01T00:00:00Z"}`,
		`{"type":"invoice","id":"i1","subscription":"s9","number":"A-1","issued_at":"2026-01-31T10:00:00Z","period":{"start":"2026-01-31T10:00:00Z","end":"2026-02-28T10:00:00Z"},"net":800}`,
		`{"type":"invoice","id":"i2","subscription":"s5","number":"","issued_at":"2027-01-31T10:00:00Z","period":{"start":"2026-01-31T10:00:00Z","end":"2026-01-28T10:00:00Z"},"net":-1}`,
	}, "\n")
	_, wrong := moving.Read([]byte(file)).Check(world(t))
	var got []string
	for _, e := range wrong {
		got = append(got, e.Error())
	}
	want := []string{
		"line 2: id: another customer of the file has it",
		"line 3: name: is missing",
		"line 3: email: is not an e-mail address",
		"line 3: country: is not a country's two letters",
		"line 3: balances: is an amount above 0 of a currency, in minor units",
		"line 4: nmae: is not a field of this type",
		"line 5: is not a JSON object with a type",
		"line 6: type: is customer, subscription or invoice",
		"line 8: customer: the file has no customer of this id",
		"line 9: period: does not end at a boundary that is counted from the anchor; leave the anchor out, and later ones are counted from the period's end",
		"line 9: period: was over when the former system stopped: it had the next payment to make; export it again, or say with --as-of when it stopped",
		"line 10: price.amount: is not of the kind that it should be",
		"line 11: quantity: is from 1 to 1000, and 1 for users",
		"line 11: license: is 4 to 64 letters, digits, hyphens and underscores",
		"line 11: sites: are at most as many host names as the quantity, for a site licence only",
		"line 11: coupon.code: there is no such coupon; make it first",
		"line 11: anchor: is needed, or the running period",
		"line 12: card: has the gateway's references of a customer and of its card",
		"line 12: coupon.invoices_left: is more than the coupon has",
		"line 13: trial_end: is over",
		"line 13: period: was over when the former system stopped: it had the next payment to make; export it again, or say with --as-of when it stopped",
		"line 14: subscription: the file has no subscription of this id",
		"line 15: number: is missing",
		"line 15: issued_at: is an instant that is over",
		"line 15: paid_at: is an instant that is over: only paid invoices are moved in",
		"line 15: period: starts before it ends",
		"line 15: net: is an amount in minor units, and so is tax",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheRunningPeriodAndLaterOnesAreCountedFromTheAnchorOrElseFromThePeriodsEnd(t *testing.T) {
	for name, c := range map[string]struct{ times, start, end, anchor string }{
		"an anchor on the 31st":  {`"anchor":"2025-08-31T10:00:00Z"`, "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2025-08-31T10:00:00Z"},
		"a period alone":         {`"period":{"start":"2026-01-15T00:00:00Z","end":"2026-02-20T00:00:00Z"}`, "2026-01-15T00:00:00Z", "2026-02-20T00:00:00Z", "2026-02-20T00:00:00Z"},
		"a period on the anchor": {`"anchor":"2025-08-31T10:00:00Z","period":{"start":"2026-01-31T10:00:00Z","end":"2026-02-28T10:00:00Z"}`, "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2025-08-31T10:00:00Z"},
		"a trial":                {`"created_at":"2026-01-20T08:00:00Z","trial_end":"2026-02-20T08:00:00Z"`, "2026-01-20T08:00:00Z", "2026-02-20T08:00:00Z", "2026-01-20T08:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, wrong := moving.Read([]byte(ada + "\n" + `{"type":"subscription","id":"s1",` + plan + `,` + c.times + `}`)).Check(world(t))
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			s := plan[0].Subscriptions[0]
			if s.Period != (billing.Period{Start: at(c.start), End: at(c.end)}) || !s.Anchor.Equal(at(c.anchor)) {
				t.Errorf("%+v counted from %s", s.Period, s.Anchor)
			}
		})
	}
}

// The samples are made up: an export of each system with what is likely in it.
func TestTheExportsOfStripeAndWooCommerceBecomeLinesThatCanBeImported(t *testing.T) {
	text, err := os.ReadFile("testdata/plans.json")
	if err != nil {
		t.Fatal(err)
	}
	var plans map[string]moving.Sold
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	type sub struct {
		Ref, Plan, Anchor, End, Card string
		Quantity, Price              int64
		Trial, Cancels               bool
		By                           billing.Collection
	}
	for from, c := range map[string]struct {
		want []sub
		left string
	}{
		"stripe": {[]sub{
			{"sub_1A", "calendar-pro_users_1-20_monthly", "2025-08-31T10:00:00Z", "2026-02-28T10:00:00Z", "cus_1A pm_1A", 1, 990, false, false, "card"},
			{"sub_2B", "calendar-pro_site_monthly", "2026-02-12T00:00:00Z", "2026-02-12T00:00:00Z", "", 3, 2900, false, true, "invoice"},
			{"sub_3C", "calendar-pro_users_1-20_monthly", "2026-01-20T08:00:00Z", "2026-02-20T08:00:00Z", "cus_3C pm_3C", 1, 990, true, false, "card"},
		}, "line 5: is neither active nor in a trial there"},
		"woocommerce": {[]sub{
			{"101", "calendar-pro_users_1-20_monthly", "2025-08-31T10:00:00Z", "2026-02-28T10:00:00Z", "cus_7 pm_7", 1, 990, false, false, "card"},
			{"102", "calendar-pro_site_monthly", "2026-02-12T00:00:00Z", "2026-02-12T00:00:00Z", "", 3, 2900, false, true, "invoice"},
		}, "line 4: is neither active nor in a trial there"},
	} {
		t.Run(from, func(t *testing.T) {
			file, err := os.ReadFile("testdata/" + from + ".csv")
			if err != nil {
				t.Fatal(err)
			}
			lines, left, wrong := moving.Convert(from, file, plans)
			if len(wrong) > 0 || len(left) != 1 || left[0].Error() != c.left {
				t.Fatalf("wrong %v, left %v", wrong, left)
			}
			planned, wrong := moving.Read(lines).Check(world(t))
			if len(wrong) > 0 {
				t.Fatalf("%v\n%s", wrong, lines)
			}
			var got []sub
			for _, p := range planned {
				for _, s := range p.Subscriptions {
					v := sub{s.Ref, s.Subscription.Plan.ID, s.Anchor.Format(time.RFC3339), s.Period.End.Format(time.RFC3339), "", s.Subscription.Quantity, s.Subscription.Price.Amount, s.Trial, s.CancelAtPeriodEnd, s.Subscription.Collection}
					if s.Card != nil {
						v.Card = s.Card.Customer + " " + s.Card.Reference
					}
					got = append(got, v)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALineOfAnExportThatCannotBeReadExactlyIsRefused(t *testing.T) {
	file := `subscription_id,subscription_status,customer_id,start_date,next_payment_date,order_currency,billing_email,order_items
1,active,1,2026-01-10 00:00:00,2026-03-10 00:00:00,USD,a@b.example,product_id:9|quantity:1|total:9.90
2,active,1,2026-01-10 00:00:00,2026-03-10 00:00:00,USD,a@b.example,product_id:55|quantity:3|total:10.00
3,active,1,10.01.2026,2026-03-10 00:00:00,USD,a@b.example,product_id:55|quantity:1|total:9.90
4,active,1,2026-01-10 00:00:00,2026-03-10 00:00:00,USD,a@b.example,product_id:55|quantity:1|total:9.90;product_id:56|quantity:1|total:1.00
`
	_, _, wrong := moving.Convert("woocommerce", []byte(file), map[string]moving.Sold{"55": {Product: "calendar-pro", Plan: moving.Plan{Type: "users", Tier: "1-20", Cycle: "monthly"}}})
	want := []moving.Error{
		{Line: 2, What: "plan: is not in the file of plans"},
		{Line: 3, What: "price: is not an amount of its currency, with a point before the minor unit, that the quantity divides"},
		{Line: 4, What: "created: is not an instant like 2026-01-31 10:00:00"},
		{Line: 5, What: "order_items: has several items; a subscription here is of one"},
	}
	if diff := cmp.Diff(want, wrong); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheOneInvoiceOfExactlyTheRunningPeriodIsCreditedAndOthersAreHistory(t *testing.T) {
	const month, topUp, year = `{"start":"2026-01-31T10:00:00Z","end":"2026-02-28T10:00:00Z"}`, `{"start":"2026-02-05T10:00:00Z","end":"2026-02-28T10:00:00Z"}`, `{"start":"2025-06-30T10:00:00Z","end":"2026-06-30T10:00:00Z"}`
	const before = `{"start":"2025-12-31T10:00:00Z","end":"2026-01-31T10:00:00Z"}`
	for name, c := range map[string]struct {
		periods []string
		paidBy  string // the invoice's id; empty: none, and a warning
	}{
		"the running month's":                       {[]string{before, month}, "i1"},
		"none of it":                                {[]string{before}, ""},
		"a top-up after the main one":               {[]string{month, topUp}, ""},
		"two of the whole month":                    {[]string{month, month}, ""},
		"a top-up alone":                            {[]string{topUp}, ""},
		"a year's, of what is monthly now":          {[]string{year}, ""},
		"a year's that ends with the running month": {[]string{`{"start":"2025-02-28T10:00:00Z","end":"2026-02-28T10:00:00Z"}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := ada + "\n" + `{"type":"subscription","id":"s1",` + plan + `,"anchor":"2025-08-31T10:00:00Z","card":{"customer":"cus_1","reference":"pm_1"}}`
			for i, p := range c.periods {
				file += fmt.Sprintf("\n"+`{"type":"invoice","id":"i%d","subscription":"s1","number":"A-%d","issued_at":"2026-02-0%dT00:00:00Z","period":%s,"net":800}`, i, i, i+1, p)
			}
			planned, wrong := moving.Read([]byte(file)).Check(world(t))
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			s := planned[0].Subscriptions[0]
			if len(s.Invoices) != len(c.periods) || (len(s.Warnings) == 0) != (c.paidBy != "") {
				t.Errorf("%d invoices, warnings %q", len(s.Invoices), s.Warnings)
			}
			p := billing.Snapshot{Policy: billing.DefaultPolicy(), Subscription: s.Subscription, Order: s.Order, Product: s.Product}.MoveIn(s.MovedIn, at("2026-02-10T00:00:00Z"))
			got := ""
			for _, inv := range p.Former {
				if inv.ID == p.Subscription.PaidBy {
					got = strings.TrimPrefix(inv.Key, "former/")
				}
			}
			if got != c.paidBy || got == "" && p.Subscription.PaidBy != "" {
				t.Errorf("paid by %q, want %q", got, c.paidBy)
			}
		})
	}
}

// The file of the old system's last day, 31 January at noon, is imported on 10 February.
func TestTheRunningPeriodIsThatOfTheInstantAtWhichTheOldSystemStopped(t *testing.T) {
	trial := `"trial_end":"2026-02-05T00:00:00Z","created_at":"2026-01-05T00:00:00Z"`
	for name, c := range map[string]struct{ times, start, end string }{
		"an anchor alone": {`"anchor":"2025-11-05T10:00:00Z"`, "2026-01-05T10:00:00Z", "2026-02-05T10:00:00Z"},
		"a period":        {`"period":{"start":"2026-01-05T10:00:00Z","end":"2026-02-05T10:00:00Z"}`, "2026-01-05T10:00:00Z", "2026-02-05T10:00:00Z"},
		"a trial":         {trial, "2026-01-05T00:00:00Z", "2026-02-05T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			w.AsOf = at("2026-01-31T12:00:00Z")
			planned, wrong := moving.Read([]byte(ada + "\n" + `{"type":"subscription","id":"s1",` + plan + `,` + c.times + `}`)).Check(w)
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			if got := planned[0].Subscriptions[0].Period; got != (billing.Period{Start: at(c.start), End: at(c.end)}) {
				t.Errorf("the running period is %+v", got)
			}
		})
	}
}

func TestWhatWasMovedInBeforeIsNotHeldToTheTimeOfALaterImport(t *testing.T) {
	over := `,"period":{"start":"2026-01-05T10:00:00Z","end":"2026-02-05T10:00:00Z"}}`
	file := ada + "\n" + `{"type":"subscription","id":"s1",` + plan + over + "\n" + `{"type":"subscription","id":"s2",` + plan + `,"trial_end":"2026-02-01T00:00:00Z","created_at":"2026-01-01T00:00:00Z"}` +
		"\n" + `{"type":"subscription","id":"s3",` + plan + over
	w := world(t)
	w.Before = map[string]bool{"s1": true, "s2": true}
	_, wrong := moving.Read([]byte(file)).Check(w)
	if len(wrong) != 1 || wrong[0].Line != 4 || !strings.HasPrefix(wrong[0].What, "period: was over when the former system stopped") {
		t.Errorf("%v, want the period of line 4 alone", wrong)
	}
}

func TestAPriceWithoutATaxModeIsTaxedAsThePlanIsHere(t *testing.T) {
	w := world(t)
	c, err := billing.ParseCatalogue([]byte(strings.Replace(catalogue, "{amount: 1290, currency: USD}", "{amount: 1290, currency: USD, tax: inclusive}, {amount: 1190, currency: GBP}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	w.Products = c.Products
	for price, want := range map[string]billing.TaxMode{
		`{"amount":800,"currency":"USD"}`:                   billing.TaxInclusive,
		`{"amount":1290,"currency":"USD"}`:                  billing.TaxInclusive,
		`{"amount":800,"currency":"GBP"}`:                   billing.TaxExclusive,
		`{"amount":800,"currency":"EUR"}`:                   billing.TaxExclusive, // it has no price here
		`{"amount":800,"currency":"USD","tax":"exclusive"}`: billing.TaxExclusive,
	} {
		line := `{"type":"subscription","id":"s1",` + strings.Replace(plan, `{"amount":800,"currency":"USD"}`, price, 1) + `,"anchor":"2026-01-31T10:00:00Z"}`
		planned, wrong := moving.Read([]byte(ada + "\n" + line)).Check(w)
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		if got := planned[0].Subscriptions[0].Subscription.Price.Tax; got != want {
			t.Errorf("%s is %s, want %s", price, got, want)
		}
	}
}

func TestTheFileOfPlansSaysHowThePricesOfAnExportAreTaxed(t *testing.T) {
	file := `subscription_id,subscription_status,customer_id,start_date,next_payment_date,order_currency,billing_email,order_items
1,active,1,2026-01-10 00:00:00,2026-03-10 00:00:00,USD,a@b.example,product_id:55|quantity:1|total:9.90
2,active,1,2026-01-10 00:00:00,2026-03-10 00:00:00,USD,a@b.example,product_id:56|quantity:1|total:9.90
`
	var plans map[string]moving.Sold
	err := json.Unmarshal([]byte(`{"55":{"product":"calendar-pro","type":"site","cycle":"monthly","tax":"inclusive"},"56":{"product":"calendar-pro","type":"site","cycle":"monthly"}}`), &plans)
	if err != nil {
		t.Fatal(err)
	}
	lines, _, wrong := moving.Convert("woocommerce", []byte(file), plans)
	if len(wrong) > 0 || strings.Count(string(lines), `"tax":`) != 1 || !strings.Contains(string(lines), `"price":{"amount":990,"currency":"USD","tax":"inclusive"}`) {
		t.Errorf("%v\n%s", wrong, lines)
	}
}

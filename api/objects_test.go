package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The objects of the API, field by field: what each value looks like. A
// "?" before a form means that null is one of its values; "-" is null alone.
var (
	planForm   = map[string]any{"id": "text", "type": "text", "tier": "?text", "cycle": "text"}
	periodForm = map[string]any{"start": "instant", "end": "instant"}
	moneyForm  = map[string]any{"amount": "whole", "currency": "currency"}

	subscriptionForm = map[string]any{
		"id": "sub_", "number": "whole", "status": "text", "product": "text", "plan": planForm, "quantity": "whole", "price": moneyForm,
		"collection": "text", "created_at": "instant", "confirm_by": "?instant", "current_period": "?period", "trial_end": "?instant", "next_payment_at": "?instant",
		"last_payment_at": "?instant", "cancel_at_period_end": "bool", "canceled_at": "?instant", "cancel_reason": "?text", "pending_change": "-", "scheduled_change": "?scheduled", "comp": "?comp", "purchase_order": "any", "cost_center": "any", "language": "text",
		"payment_method": "?card", "actions": "texts", "license_id": "?lic_", "billing_account": "?text", "licensee_account": "?text", "test_clock": "?clk_",
	}
	licenseForm = map[string]any{
		"id": "lic_", "subscription_id": "sub_", "subscription_number": "whole", "product": "text", "plan": planForm, "quantity": "whole",
		"status": "text", "valid_until": "instant", "licensee": "text", "sites": "texts", "sites_allowed": "whole", "activation": "text",
		"usage":          "?usage",
		"activation_key": "?text", "tenant": "?text",
		"versions": []any{map[string]any{"version": "text", "released_at": "instant", "changelog": "text"}},
	}
	invoiceForm = map[string]any{
		"id": "inv_", "number": "?number", "status": "text", "subscription_id": "sub_", "issued_at": "?instant", "due_at": "?instant", "paid_at": "?instant",
		"lines":    []any{map[string]any{"description": "text", "quantity": "whole", "amount": moneyForm, "period": "?period"}},
		"subtotal": moneyForm, "discount": moneyForm, "tax": moneyForm, "tax_note": "?text", "total": moneyForm, "balance_applied": moneyForm, "amount_due": moneyForm,
		"credit_notes": []any{map[string]any{"number": "text", "total": moneyForm, "reason": "text"}},
	}
	paymentForm = map[string]any{"status": "text", "action_url": "-", "decline_code": "-"}
	previewForm = map[string]any{
		"plan": planForm, "lines": invoiceForm["lines"], "subtotal": moneyForm, "discount": moneyForm, "tax": moneyForm, "tax_note": "?text", "total": moneyForm,
		"balance_applied": moneyForm, "amount_due": moneyForm, "recurring": map[string]any{"total": moneyForm, "cycle": "text", "first_renewal": "instant"},
		"trial": map[string]any{"available": "bool", "until": "?instant"}, "invoice_allowed": "bool",
		"vat_check": "?text",
	}
	changeForm = map[string]any{
		"current": planForm, "plan": planForm, "price": moneyForm, "credit": moneyForm, "discount": moneyForm, "tax": moneyForm, "total": moneyForm,
		"balance_applied": moneyForm, "amount_due": moneyForm, "balance_after": moneyForm, "new_period": periodForm, "proration_time": "instant", "last_payment_at": "?instant",
	}
	chargeForm = map[string]any{
		"id": "ch_", "subscription": "sub_", "invoice": "inv_", "amount": moneyForm, "refunded": moneyForm, "status": "text", "at": "instant",
	}
	productForm = map[string]any{
		"id": "text", "name": "text", "description": "text", "icon": "?text", "activation": "text", "trial": "bool", "version": "?text", "changelog_url": "?text",
		"plans": []any{map[string]any{"id": "text", "type": "text", "tier": "?text", "covers": "?whole", "cycle": "text", "prices": []any{moneyForm}}},
	}
)

var forms = map[string]*regexp.Regexp{
	"instant":  regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$`),
	"whole":    regexp.MustCompile(`^-?\d+$`),
	"currency": regexp.MustCompile(`^"[A-Z]{3}"$`),
	"number":   regexp.MustCompile(`^"INV-\d{4}-\d{6}"$`),
	"share":    regexp.MustCompile(`^(0(\.\d{1,2})?|1)$`),
	"bool":     regexp.MustCompile(`^(true|false)$`),
	"text":     regexp.MustCompile(`(?s)^".+"$`),
	"any":      regexp.MustCompile(`^".*"$`),
	"texts":    regexp.MustCompile(`^\[("[^"]+"(,"[^"]+")*)?\]$`),
}

// hasForm holds a value to its form.
func hasForm(t *testing.T, at string, v json.RawMessage, form any) {
	t.Helper()
	switch f := form.(type) {
	case map[string]any:
		o := map[string]json.RawMessage{}
		if err := json.Unmarshal(v, &o); err != nil {
			t.Errorf("%s is no object: %s", at, v)
			return
		}
		for name, inner := range f {
			if value, there := o[name]; there {
				hasForm(t, at+"."+name, value, inner)
			} else {
				t.Errorf("%s.%s is missing", at, name)
			}
		}
		for name := range o {
			if _, known := f[name]; !known {
				t.Errorf("%s.%s is not in the contract", at, name)
			}
		}
	case []any:
		var list []json.RawMessage
		if err := json.Unmarshal(v, &list); err != nil || list == nil {
			t.Errorf("%s is no list: %s", at, v)
		}
		for i, item := range list {
			hasForm(t, fmt.Sprintf("%s[%d]", at, i), item, f[0])
		}
	case string:
		name, mayBeNull := strings.CutPrefix(f, "?")
		switch {
		case string(v) == "null" && (mayBeNull || f == "-"):
		case name == "period":
			hasForm(t, at, v, periodForm)
		case name == "invoice":
			hasForm(t, at, v, invoiceForm)
		case name == "usage":
			hasForm(t, at, v, map[string]any{"estimate": "whole", "window_days": "whole", "without_id_share": "share", "over_since": "?instant"})
		case name == "scheduled":
			hasForm(t, at, v, map[string]any{"plan": planForm, "quantity": "whole", "at": "instant"})
		case name == "comp":
			hasForm(t, at, v, map[string]any{"until": "instant", "reason": "text"})
		case name == "card":
			hasForm(t, at, v, map[string]any{"brand": "text", "last4": "text", "exp": "text"})
		case strings.HasSuffix(name, "_"):
			if !regexp.MustCompile(`^"` + name + `[0-9A-HJKMNP-TV-Z]{26}"$`).Match(v) {
				t.Errorf("%s is no id %s…: %s", at, name, v)
			}
		case forms[name] == nil || !forms[name].Match(v):
			t.Errorf("%s is not %s: %s", at, f, v)
		}
	}
}

func TestObjectsAreThoseOfTheContract(t *testing.T) {
	s := newShop(t)
	for name, changes := range map[string][]string{
		"a card":              nil,
		"a trial":             {`pay="trial"`, "payment="},
		"a trial with a card": {`pay="trial"`, `licensee.email="dee@other.example"`},
		"an Entra product":    {`product="synoptic-panel"`},
		"a licensee product":  {`product="smart-filter-pro"`},
		"an invoice":          {`plan={"type":"users","tier":"Unlimited","cycle":"yearly"}`, `payment={"method":"invoice"}`, `licensee.email="fay@fourth.example"`},
		"sites":               {`plan={"type":"site","cycle":"yearly"}`, "quantity=2", `sites=["reports.contoso.example","*.contoso.example"]`, `licensee.email="eve@third.example"`},
		"with tax":            {`billing.country="IT"`, `currency="EUR"`},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			a, license := s.buy(changes...), any(licenseForm)
			if a.status != 202 { // by invoice, a guest's waits
				a.want(201, "")
			}
			if name == "an invoice" || a.text("subscription.status") == "trialing" {
				license = "-" // there is none before the money, and a guest is not shown a trial's
			}
			hasForm(t, "answer", a.body, map[string]any{"subscription": subscriptionForm, "license": license, "invoice": "?invoice", "payment": paymentForm, "checkout_token": "text"})
		})
	}
}

func TestEachObjectInItsPlace(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	id := bought.text("subscription.id")
	list := func(item any) map[string]any { return map[string]any{"data": []any{item}, "next_cursor": "?text"} }
	command := map[string]any{"subscription": subscriptionForm, "invoice": invoiceForm, "payment": paymentForm}
	silent := map[string]any{"subscription": subscriptionForm, "invoice": "-", "payment": "-"}
	for _, c := range []struct {
		a    answer
		form any
	}{
		{s.ask("GET", "/v1/products", ""), list(productForm)},
		{s.ask("POST", "/v1/checkout/preview", samples["preview-checkout"]), previewForm},
		{s.ask("POST", "/v1/checkout/preview", strings.Replace(samples["preview-checkout"], `"now"`, `"trial"`, 1)), previewForm},
		{s.on(id, "change/preview", `{`+plan+`}`), changeForm},
		{s.on(id, "change", `{`+plan+`}`), command},
		{s.on(id, "cancel", `{}`), silent},
		{s.on(id, "resume", `{}`), silent},
		{s.on(id, "renew", `{}`), command},
		{s.on(id, "change", `{"plan":{"type":"users","tier":"1-20","cycle":"monthly"}}`), command}, // a credit beyond the price
		{s.on(id, "payment-method", `{"token":"tok_visa"}`), silent},
		{s.ask("GET", "/v1/subscriptions/"+id, "", asOperator), subscriptionForm},
		{s.ask("GET", "/v1/subscriptions", "", asOperator), list(subscriptionForm)},
		{s.ask("GET", "/v1/operator/subscriptions?email=BEA@contoso.example", "", asOperator), list(subscriptionForm)},
		{s.ask("GET", "/v1/licenses", "", asOperator), list(licenseForm)},
		{s.ask("GET", "/v1/licenses/"+bought.text("license.id"), "", asOperator), licenseForm},
		{s.ask("GET", "/v1/invoices", "", asOperator), list(invoiceForm)},
		{s.ask("GET", "/v1/invoices/"+bought.text("invoice.id"), "", asOperator), invoiceForm},
		{s.ask("GET", "/v1/subscriptions/"+id+"/events", "", asOperator), list(map[string]any{"at": "instant", "kind": "text", "actor": "text", "text": "text", "details": nil /* they follow from the kind */})},
		{s.ask("GET", "/v1/operator/sandbox/charges?subscription="+id, "", asOperator), list(chargeForm)},
		{s.ask("GET", "/v1/operator/sandbox/charges?subscription=sub_none", "", asOperator), list(chargeForm)},
		{s.ask("POST", "/v1/operator/test-clocks", samples["create-clock"], asOperator), map[string]any{"id": "clk_", "now": "instant"}},
	} {
		if c.a.status >= 300 {
			t.Errorf("%s: %d %s", c.a.what, c.a.status, c.a.body)
			continue
		}
		hasForm(t, c.a.what, c.a.body, c.form)
		if c.a.header.Get("Content-Type") != "application/json" || c.a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", c.a.what, c.a.header)
		}
	}
	for _, inv := range s.ask("GET", "/v1/invoices", "", asOperator).at("data").([]any) {
		addsUp(t, inv.(map[string]any))
	}
}

// addsUp holds an invoice to its sums.
func addsUp(t *testing.T, inv map[string]any) {
	t.Helper()
	amount := func(v any) float64 { return v.(map[string]any)["amount"].(float64) }
	lines := 0.0
	for _, l := range inv["lines"].([]any) {
		lines += amount(l.(map[string]any)["amount"])
	}
	if lines != amount(inv["subtotal"]) || amount(inv["subtotal"])-amount(inv["discount"])+amount(inv["tax"]) != amount(inv["total"]) ||
		amount(inv["total"])-amount(inv["balance_applied"]) != amount(inv["amount_due"]) {
		b, _ := json.Marshal(inv)
		t.Errorf("does not add up: %s", b)
	}
}

func TestPublishedPrices(t *testing.T) {
	s := newShop(t)
	products := s.ask("GET", "/v1/products?currency=USD", "").want(200, "").at("data").([]any)
	var ids []string
	prices := map[string]float64{}
	for _, p := range products {
		product := p.(map[string]any)
		ids = append(ids, product["id"].(string))
		for _, pl := range product["plans"].([]any) {
			plan := pl.(map[string]any)
			list := plan["prices"].([]any)
			if len(list) != 1 || list[0].(map[string]any)["currency"] != "USD" {
				t.Errorf("%s has prices %v", plan["id"], list)
				continue
			}
			prices[plan["id"].(string)] = list[0].(map[string]any)["amount"].(float64)
		}
	}
	if got := strings.Join(ids, " "); got != "calendar-pro smart-filter-pro synoptic-panel bullet-chart card-with-states" {
		t.Errorf("products %s", got)
	}
	if prices["calendar-pro_users_1-20_monthly"] != 990 || prices["calendar-pro_site_monthly"] != 2900 {
		t.Errorf("prices %v", prices)
	}
	s.ask("GET", "/v1/products?currency=XQX", "").want(422, "unknown_currency")
	if lower := s.ask("GET", "/v1/products?currency=usd", "").want(200, ""); !reflect.DeepEqual(lower.at("data"), any(products)) {
		t.Errorf("in lower case other prices are listed: %s", lower.body)
	}
}

func TestActionsFollowTheStatus(t *testing.T) {
	s := newShop(t)
	actions := func(id string) string {
		t.Helper()
		a := s.ask("GET", "/v1/subscriptions/"+id, "", asOperator).want(200, "")
		b, _ := json.Marshal(a.at("actions"))
		return a.text("status") + " " + string(b)
	}
	is := func(id, want string) {
		t.Helper()
		if got := actions(id); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	clock := s.ask("POST", "/v1/operator/test-clocks", samples["create-clock"], asOperator).want(201, "").text("id")
	place := func(changes ...string) string {
		t.Helper()
		a := s.ask("POST", "/v1/checkout", order(append(changes, `test_clock="`+clock+`"`)...), asOperator, withKey())
		if a.status == 402 {
			return a.text("subscription_id")
		}
		return a.text("subscription.id")
	}
	active := place()
	incomplete := place(`payment.token="tok_declined"`)
	trial := place(`pay="trial"`, "payment=", `licensee.email="x@trial.example"`)
	late := place(`payment.token="tok_later_declined"`)
	is(active, `active ["change","cancel","renew","payment-method","money-back"]`)
	is(incomplete, `incomplete ["payment-method","cancel"]`)
	is(trial, `trialing ["change","cancel","renew","payment-method"]`)
	s.on(active, "cancel", "{}").want(200, "")
	is(active, `active ["change","resume","payment-method","money-back"]`)
	s.ask("POST", "/v1/operator/test-clocks/"+clock+"/advance", `{"to":"2026-02-28T10:00:00Z"}`, asOperator).want(200, "")
	is(late, `past_due ["change","cancel","renew","payment-method"]`)
	is(active, `canceled ["renew","payment-method"]`)
	is(trial, `canceled ["renew","payment-method"]`)
	is(incomplete, `incomplete_expired []`)
	// What is not among the actions is refused.
	s.on(active, "cancel", "{}").want(409, "not_possible_now")
	s.on(active, "resume", "{}").want(409, "not_possible_now")
	s.on(active, "change", `{`+plan+`}`).want(409, "not_possible_now")
	s.on(incomplete, "payment-method", `{"token":"tok_visa"}`).want(409, "not_possible_now")
	ended := s.ask("GET", "/v1/subscriptions/"+active, "", asOperator)
	if ended.text("canceled_at") != "2026-02-28T10:00:00Z" || ended.text("cancel_reason") != "requested" || ended.at("next_payment_at") != nil {
		t.Errorf("ended: %s", ended.body)
	}
	if license := s.ask("GET", "/v1/licenses/"+ended.text("license_id")+"/download", "", asOperator); license.status != 409 || license.text("code") != "license_not_valid" {
		t.Errorf("a file of an ended licence: %d", license.status)
	}
}

func TestListsGoThroughAllPages(t *testing.T) {
	s := newShop(t)
	const orders = 7
	for i := range orders {
		s.buy(fmt.Sprintf(`billing.email="p%d@%s.example"`, i, []string{"even", "odd"}[i%2]), `licensee.email="l@lic.example"`).want(201, "")
	}
	for path, want := range map[string]int{
		"/v1/subscriptions?": orders, "/v1/licenses?": orders, "/v1/invoices?": orders, "/v1/operator/subscriptions?": orders,
		"/v1/operator/subscriptions?domain=even.example&": 4, "/v1/operator/subscriptions?domain=ODD.example&": 3,
		"/v1/operator/subscriptions?email=L@lic.example&": orders, "/v1/operator/subscriptions?email=p3@odd.example&": 1,
		"/v1/operator/subscriptions?number=2&": 1, "/v1/operator/subscriptions?number=99&": 0, "/v1/operator/subscriptions?domain=%25&": 0,
		"/v1/operator/subscriptions?email=p3@odd.example&domain=even.example&": 0, "/v1/invoices?subscription=sub_none&": 0,
	} {
		for _, limit := range []int{1, 2, 3, 7, 100} {
			seen := map[string]bool{}
			last, cursor := "", ""
			for page := 0; ; page++ {
				a := s.ask("GET", fmt.Sprintf("%slimit=%d&cursor=%s", path, limit, url.QueryEscape(cursor)), "", asOperator).want(200, "")
				data := a.at("data").([]any)
				if len(data) > limit || len(data) == 0 && (want > 0 || page > 0) {
					t.Errorf("%s: a page of %d", a.what, len(data))
				}
				for _, item := range data {
					id := item.(map[string]any)["id"].(string)
					if seen[id] {
						t.Errorf("%s: %s is there twice", a.what, id)
					}
					if number, ok := item.(map[string]any)["number"].(float64); ok {
						if n := fmt.Sprintf("%09.0f", number); last != "" && n >= last {
							t.Errorf("%s: %s comes after %s", a.what, n, last)
						} else {
							last = n
						}
					}
					seen[id] = true
				}
				next, more := a.at("next_cursor").(string)
				if !more {
					break
				}
				if page > orders {
					t.Fatalf("%s has no end", path)
				}
				cursor = next
			}
			if len(seen) != want {
				t.Errorf("%s with limit %d lists %d, want %d", path, limit, len(seen), want)
			}
		}
	}
}

func TestPreviewAndOrderAgree(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		country, currency, plan string
		due                     float64
	}{
		{"US", "USD", `{"type":"users","tier":"1-20","cycle":"monthly"}`, 990},
		{"US", "usd", `{"type":"users","designers":1,"viewers":19,"cycle":"monthly"}`, 990},
		{"IT", "EUR", `{"type":"users","tier":"1-20","cycle":"monthly"}`, -1},
		{"US", "USD", `{"type":"site","cycle":"monthly"}`, 2900},
	} {
		preview := s.ask("POST", "/v1/checkout/preview", `{"product":"calendar-pro","plan":`+c.plan+`,"currency":"`+c.currency+`","billing":{"country":"`+c.country+`"}}`).want(200, "")
		bought := s.buy(`billing.country="`+c.country+`"`, `currency="`+c.currency+`"`, "plan="+c.plan).want(201, "")
		for _, part := range []string{"subtotal", "tax", "total", "amount_due"} {
			if preview.at(part+".amount") != bought.at("invoice."+part+".amount") {
				t.Errorf("%s: %v, and charged %v", part, preview.at(part), bought.at("invoice."+part))
			}
		}
		if c.due > 0 && preview.at("amount_due.amount") != c.due {
			t.Errorf("due %v, want %v", preview.at("amount_due"), c.due)
		}
	}
	trial := s.ask("POST", "/v1/checkout/preview", strings.Replace(samples["preview-checkout"], `"now"`, `"trial"`, 1)).want(200, "")
	if trial.at("amount_due.amount") != 0.0 || trial.at("amount_due.currency") != "USD" || trial.at("recurring.first_renewal") != trial.at("trial.until") {
		t.Errorf("a trial's preview: %s", trial.body)
	}
	until, err := time.Parse(time.RFC3339, trial.text("trial.until"))
	check(t, err)
	if days := time.Until(until).Hours() / 24; days < 27 || days > 32 {
		t.Errorf("a trial has %.1f days", days)
	}
}

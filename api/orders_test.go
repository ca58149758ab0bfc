package api_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestNamesOfAllKindsAreTaken(t *testing.T) {
	s := newShop(t)
	for _, name := range []string{"😀 Ada 👩‍💻", "عبد الرحمن الأندلسي", "שלום", "Ada \u202eissoR", "李小龙", "Zoë Müller-Ångström", "O'Brien & Sons <Ltd>", `"quoted"`, "  padded  ", strings.Repeat("😀", 200)} {
		a := s.buy("billing.name="+quote(name), "licensee.name="+quote(name), "billing.company="+quote(name), "billing.address.city="+quote(name[:min(len(name), 8)])).want(201, "")
		if got, want := a.text("license.licensee"), strings.TrimSpace(name)+" <bea@contoso.example>"; got != want {
			t.Errorf("licensee %q, want %q", got, want)
		}
	}
}

func TestControlCharactersAreRefused(t *testing.T) {
	s := newShop(t)
	for _, field := range []string{"billing.name", "billing.company", "billing.vat_id", "billing.address.line1", "billing.address.line2", "billing.address.city",
		"billing.address.postal_code", "billing.address.region", "licensee.name", "billing.email", "licensee.email"} {
		for _, text := range []string{"a\x00b" + marker, "a\nBcc: x" + marker, "a\r\n\r\nb", "a\tb", "a\u0085b", "a\x1b[31m"} {
			a := s.buy(field+"="+quote(text)).want(422, "invalid")
			if got := a.at("errors").([]any)[0].(map[string]any)["field"]; got != field {
				t.Errorf("%s: the error speaks of %v", field, got)
			}
		}
	}
}

func TestAddressesOfMail(t *testing.T) {
	s := newShop(t)
	for _, good := range []string{"ada+okviz@contoso.example", "a.b-c_d@sub.contoso-x.example", "ADA@CONTOSO.EXAMPLE", "o'brien@contoso.example", " ada@contoso.example ",
		strings.Repeat("a", 64) + "@contoso.example", "x@1.example"} {
		s.buy("billing.email="+quote(good), "licensee="+`{"name":"Bea","email":`+quote(good)+`}`).want(201, "")
	}
	for _, bad := range []string{"ada", "ada@", "@contoso.example", "ada@contoso", "ada@@contoso.example", "ada@contoso..example", "ada@.example", "ada@contoso.example.",
		"ada@-contoso.example", "ada@contoso-.example", "ada rossi@contoso.example", `"ada rossi"@contoso.example`, `"ada"@contoso.example`, "Ada <ada@contoso.example>",
		"ada@[127.0.0.1]", "ada@contoso.example, eve@evil.example", "ada@contoso.example(x)", "a..b@contoso.example", ".a@contoso.example", "ada@contoso.example\u200b",
		"adä@contoso.example", "ada@contösö.example", "ada@contoso_x.example", strings.Repeat("a", 65) + "@contoso.example", "ada@con%toso.example", "ada@contoso.e", "<ada@contoso.example>"} {
		s.buy("billing.email="+quote(bad)).want(422, "invalid")
		s.buy("licensee.email="+quote(bad)).want(422, "invalid")
	}
}

func TestOrdersThatAreRefused(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		change string
		status int
		code   string
	}{
		{`product="` + marker + `"`, 422, "unknown_product"},
		{`product=""`, 422, "unknown_product"},
		{`plan.tier="` + marker + `"`, 422, "unknown_plan"},
		{`plan={"type":"site","tier":"1-20","cycle":"monthly"}`, 422, "unknown_plan"},
		{`plan={"type":"users","cycle":"monthly","designers":0,"viewers":0}`, 422, "unknown_plan"},
		{`currency="XYZ"`, 422, "unknown_currency"},
		{`currency="` + marker[:3] + `"`, 422, "unknown_currency"},
		{`quantity=2`, 422, "quantity_not_allowed"},
		{`quantity=0`, 422, "invalid"},
		{`quantity=-1`, 422, "invalid"},
		{`quantity=1001`, 422, "invalid"},
		{`accept_terms=false`, 422, "terms_not_accepted"},
		{`billing.country="XX"`, 422, "invalid"},
		{`billing.country="ita"`, 422, "invalid"},
		{`billing.name="   "`, 422, "invalid"},
		{`coupon="` + marker + `"`, 422, "unknown_coupon"},
		{`payment.method="invoice"`, 422, "invoice_not_allowed"},
		{`payment=null`, 422, "invalid"},
		{`payment.token="tok_` + marker + `"`, 422, "unknown_token"},
		{`payment.token=""`, 422, "invalid"},
		{`payment.token="tok_declined"`, 402, "card_declined"},
		{`sites=["reports.contoso.example"]`, 422, ""},
		{`sites=["` + marker + `.powerbi.com"]`, 422, ""},
		{`test_clock="clk_1"`, 403, "forbidden"},
	} {
		s.buy(c.change).want(c.status, c.code)
	}
	s.buy(`pay="trial"`, "payment=").want(201, "")
	s.ask("POST", "/v1/checkout", order(`pay="trial"`, "payment="), asOperator, withKey()).want(201, "") // takes the trial that nobody used
	s.buy(`pay="trial"`, "payment=").want(409, "trial_already_used")
	for _, sites := range []string{`["*.com"]`, `["app.powerbi.com"]`, `["a.contoso.example","b.contoso.example"]`, `["localhost"]`} {
		s.buy(`plan={"type":"site","cycle":"monthly"}`, "sites="+sites).want(422, "")
	}
	// What is null is absent.
	a := s.buy("licensee=null", "billing.address=null", "billing.company=null", "billing.vat_id=null", "coupon=null", "sites=null", "quantity=null", "currency=null", "test_clock=null").want(201, "")
	if a.text("license.licensee") != "Ada Rossi <ada@contoso.example>" || a.at("subscription.quantity") != 1.0 || a.text("subscription.price.currency") != "USD" {
		t.Errorf("with nulls: %s", a.body)
	}
	s.buy(`pay="trial"`, "payment=null", `licensee.email="x@new.example"`).want(201, "")
}

func TestTheWrongTokenOfAnOrderIsNamedWhereItStands(t *testing.T) {
	s := newShop(t)
	wrong := s.buy(`payment.token="tok_`+marker+`"`).want(422, "unknown_token")
	if got := wrong.at("errors").([]any)[0].(map[string]any)["field"]; got != "payment.token" {
		t.Errorf("the error speaks of %v", got)
	}
}

// What a preview says may be sent back as it is, or its minor units alone.
func TestTheExpectedAmountIsThePreviews(t *testing.T) {
	s := newShop(t)
	for _, part := range []string{"amount_due", "amount_due.amount"} {
		id := s.buy().want(201, "").text("subscription.id")
		preview := s.on(id, "change/preview", `{`+plan+`}`).want(200, "")
		due, err := json.Marshal(preview.at(part))
		check(t, err)
		s.on(id, "change", `{`+plan+`,"proration_time":"`+preview.text("proration_time")+`","expected_amount_due":`+string(due)+`}`).want(200, "")
	}
}

// A checkout page may ask for a quote with the form that it orders with.
func TestAQuoteIsAnOrderWithoutItsPayment(t *testing.T) {
	s := newShop(t)
	for _, body := range []string{order("payment="), order("payment=", "accept_terms=false"), order("payment=", "pay=null"), quoted()} {
		a := s.ask("POST", "/v1/quotes", body, withKey()).want(201, "")
		if a.text("status") != "open" {
			t.Errorf("the quote is %s", a.body)
		}
	}
	s.ask("POST", "/v1/quotes", order(), withKey()).want(422, "invalid") // it has a payment
	s.ask("POST", "/v1/quotes", order("payment=", `pay="trial"`), withKey()).want(422, "invalid")
}

func TestChangesThatAreRefused(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	s.on(id, "change", `{"plan":{"type":"users","tier":"1-20","cycle":"monthly"}}`).want(409, "no_change")
	s.on(id, "change", `{`+plan+`,"quantity":2}`).want(422, "quantity_not_allowed")
	s.on(id, "change", `{"plan":{"type":"users","tier":"`+marker+`","cycle":"monthly"}}`).want(422, "unknown_plan")
	s.on(id, "change", `{`+plan+`,"proration_time":"2020-01-01T00:00:00Z"}`).want(409, "preview_expired")
	s.on(id, "change", `{`+plan+`,"proration_time":"2099-01-01T00:00:00Z"}`).want(409, "preview_expired")
	s.on(id, "change", `{`+plan+`,"expected_amount_due":1}`).want(409, "amount_changed")
	s.on(id, "change", `{`+plan+`,"expected_amount_due":-1}`).want(422, "invalid")
	s.on(id, "change", `{`+plan+`,"sites":["x.contoso.example"]}`).want(422, "too_many_sites")
	s.on(id, "payment-method", `{"token":"tok_`+marker+`"}`).want(422, "unknown_token")
	s.on(id, "payment-method", `{"token":"tok_declined"}`).want(200, "") // nothing is owed: it is stored
	s.on(id, "change", `{`+plan+`}`).want(402, "card_declined")
	after := s.ask("GET", "/v1/subscriptions/"+id, "", asOperator)
	if after.text("plan.tier") != "1-20" || after.text("status") != "active" {
		t.Errorf("a decline changed something: %s", after.body)
	}
	s.on(id, "payment-method", `{"token":"tok_visa"}`).want(200, "")
	preview := s.on(id, "change/preview", `{`+plan+`}`).want(200, "")
	due, _ := json.Marshal(preview.at("amount_due.amount"))
	for _, wrong := range []string{`{"amount":1,"currency":"USD"}`, `{"amount":0,"currency":"USD"}`} {
		s.on(id, "change", `{`+plan+`,"expected_amount_due":`+wrong+`}`).want(409, "amount_changed")
	}
	for _, wrong := range []string{`{"amount":` + string(due) + `,"currency":"EUR"}`, `{"amount":` + string(due) + `}`, `{"Amount":1,"currency":"USD"}`, `{"amount":"1","currency":"USD"}`,
		`{"amount":1,"currency":"USD","x":1}`, `"1"`, `1.5`, `[]`, `true`, `{}`} {
		s.on(id, "change", `{`+plan+`,"expected_amount_due":`+wrong+`}`).want(422, "invalid")
	}
	done := s.on(id, "change", `{`+plan+`,"proration_time":"`+preview.text("proration_time")+`","expected_amount_due":`+string(due)+`}`).want(200, "")
	if done.at("invoice.amount_due.amount") != preview.at("amount_due.amount") {
		t.Errorf("previewed %s, charged %s", preview.body, done.body)
	}
}

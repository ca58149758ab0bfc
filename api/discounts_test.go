package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// paid is what an order was charged, and what it had off.
func paid(a answer) string {
	return fmt.Sprint(a.at("invoice.amount_due.amount"), " ", a.at("invoice.discount.amount"))
}

func TestACouponLowersThePreviewAndTheOrderAlike(t *testing.T) {
	s := newShop(t)
	s.ask("PUT", "/v1/operator/coupons/spring", `{"percent":20,"invoices":1,"limit":2}`, asOperator).want(200, "")
	preview := s.ask("POST", "/v1/checkout/preview", `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"currency":"USD","billing":{"country":"US"},"coupon":"Spring"}`).want(200, "")
	for at, want := range map[string]float64{"subtotal.amount": 990, "discount.amount": 198, "amount_due.amount": 792, "recurring.total.amount": 990} {
		if got := preview.at(at); got != want {
			t.Errorf("preview's %s is %v, want %v", at, got, want)
		}
	}
	key := withKey()
	first := s.ask("POST", "/v1/checkout", order(`coupon="spring"`), key).want(201, "")
	if got := paid(first); got != "792 198" {
		t.Errorf("paid and discount: %s", got)
	}
	s.buy(`coupon="SPRING"`).want(201, "")
	s.buy(`coupon="SPRING"`).want(422, "coupon_used_up")
	// Used up since, and yet: the same key gets the first answer again.
	if again := s.ask("POST", "/v1/checkout", order(`coupon="spring"`), key).want(201, ""); again.text("subscription.id") != first.text("subscription.id") {
		t.Error("the same key has ordered again")
	}
	list := s.ask("GET", "/v1/operator/coupons", "", asOperator).want(200, "").at("data").([]any)
	if got := list[0].(map[string]any); got["code"] != "SPRING" || got["redeemed"] != 2.0 || len(list) != 1 {
		t.Errorf("coupons %v", list)
	}
}

func TestCouponsThatAreNotForAnOrder(t *testing.T) {
	s := newShop(t)
	put := func(code, body string) answer { return s.ask("PUT", "/v1/operator/coupons/"+code, body, asOperator) }
	put("OLD", `{"percent":20,"invoices":0,"expires_at":"2026-01-01T00:00:00Z"}`).want(200, "")
	put("OTHER", `{"percent":20,"invoices":1,"products":["bullet-chart"]}`).want(200, "")
	put("EURO", `{"off":{"amount":500,"currency":"EUR"},"invoices":1}`).want(200, "")
	s.buy(`coupon="OLD"`).want(422, "coupon_expired")
	s.buy(`coupon="OTHER"`).want(422, "coupon_not_applicable")
	s.buy(`coupon="EURO"`).want(422, "coupon_not_applicable")
	if got := paid(s.buy(`coupon="EURO"`, `currency="EUR"`).want(201, "")); got != "490 500" {
		t.Errorf("paid and discount: %s", got)
	}
	put("FREE", `{"percent":100,"invoices":1}`).want(200, "")
	free := s.buy(`coupon="FREE"`).want(201, "")
	if paid(free) != "0 990" || free.text("payment.status") != "none" || free.text("subscription.status") != "active" {
		t.Errorf("for nothing: %s", free.body)
	}
	put("BAD", `{"invoices":1}`).want(422, "invalid")
	put("BAD", `{"percent":20,"off":{"amount":500,"currency":"EUR"},"invoices":1}`).want(422, "invalid")
	put("b%20d", `{"percent":20,"invoices":1}`).want(422, "invalid")
}

func TestAGuestsOrderIsPricedAsForAGuest(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "") // ada's account
	s.ask("PUT", "/v1/operator/accounts/discount", `{"email":"Ada@contoso.example","percent":10}`, asOperator).want(200, "")
	ada := s.signIn("ada@contoso.example")
	body := `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"currency":"USD","billing":{"country":"US"}}`
	if got := s.ask("POST", "/v1/checkout/preview", body).want(200, "").at("discount.amount"); got != 0.0 {
		t.Errorf("a guest is shown a discount of %v", got)
	}
	if got := s.ask("POST", "/v1/checkout/preview", body, ada).want(200, "").at("discount.amount"); got != 99.0 {
		t.Errorf("ada is shown a discount of %v", got)
	}
	if got := paid(s.buy().want(201, "")); got != "990 0" {
		t.Errorf("a guest paid, with a discount of: %s", got)
	}
	mine := s.ask("POST", "/v1/checkout", order(), ada, withKey()).want(201, "")
	if got := paid(mine); got != "891 99" {
		t.Errorf("ada paid, with a discount of: %s", got)
	}
	if got := paid(s.ask("POST", "/v1/checkout", order(`billing.email="eve@fabrikam.example"`), ada, withKey()).want(201, "")); got != "990 0" {
		t.Errorf("for another's account ada paid, with a discount of: %s", got)
	}
	// A downgrade's credit goes to the balance, which a guest's order leaves alone.
	s.ask("POST", "/v1/subscriptions/"+mine.text("subscription.id")+"/change", `{"plan":{"type":"users","tier":"Single","cycle":"monthly"}}`, ada, withKey()).want(200, "")
	held := func() string {
		return fmt.Sprint(s.ask("GET", "/v1/balance", "", ada).want(200, "").at("data"))
	}
	before := held()
	if before == "[]" || before != fmt.Sprint(s.ask("GET", "/v1/balance?email=ada%40contoso.example", "", asOperator).want(200, "").at("data")) {
		t.Errorf("the balance is %s", before)
	}
	entries, _ := s.ask("GET", "/v1/balance", "", ada).want(200, "").at("entries").([]any)
	if len(entries) != 1 {
		t.Fatalf("the balance came of %v", entries)
	}
	e, _ := entries[0].(map[string]any)
	if e["cause"] != "credit_note" || !strings.HasPrefix(fmt.Sprint(e["document_id"]), "cn_") || fmt.Sprintf("[%v]", e["amount"]) != before {
		t.Errorf("the balance of %s came of %v", before, e)
	}
	s.buy().want(201, "")
	if got := held(); got != before {
		t.Errorf("a guest's order made of a balance of %s one of %s", before, got)
	}
	if own := s.ask("POST", "/v1/checkout", order(), ada, withKey()).want(201, ""); own.at("invoice.balance_applied.amount") == 0.0 {
		t.Errorf("ada's own order left the balance: %s", own.body)
	}
}

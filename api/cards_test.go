package api_test

import (
	"github.com/okviz/licensing/billing"
	"net/url"
	"strings"
	"testing"
)

// give fills a form of the sandbox's, and comes back from it: where to, and
// what the answer was.
func (s *shop) give(page, number string) (back string) {
	s.t.Helper()
	path := strings.TrimPrefix(page, "https://shop.example")
	filled := s.ask("POST", path, "number="+url.QueryEscape(number), "Content-Type: application/x-www-form-urlencoded")
	return s.comeBack(filled.want(303, "").header.Get("Location"))
}

func (s *shop) comeBack(to string) string {
	s.t.Helper()
	path, ours := strings.CutPrefix(to, "https://shop.example")
	if !ours {
		s.t.Fatalf("the gateway sends to %s", to)
	}
	return s.ask("GET", path, "").want(303, "").header.Get("Location")
}

func (s *shop) charged(id billing.SubscriptionID, want ...string) {
	s.t.Helper()
	list := s.ask("GET", "/v1/operator/sandbox/charges?subscription="+string(id), "", asOperator).want(200, "").at("data").([]any)
	var got []string
	for _, c := range list {
		got = append(got, c.(map[string]any)["status"].(string))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		s.t.Errorf("charged %v, want %v", got, want)
	}
}

func TestAnOrderWithoutACardIsPaidOnTheGatewaysPage(t *testing.T) {
	s := newShop(t)
	key, body := withKey(), order("payment.token=null")
	a := s.ask("POST", "/v1/checkout", body, key).want(201, "")
	id, page := a.text("subscription.id"), a.text("payment.action_url")
	if a.text("payment.status") != "requires_action" || a.text("subscription.status") != "incomplete" || a.at("invoice") != nil {
		t.Errorf("the order is %s", a.body)
	}
	again := s.ask("POST", "/v1/checkout", body, key).want(201, "")
	if again.text("payment.action_url") != page || again.text("subscription.id") != id {
		t.Errorf("sent again it is %s", again.body)
	}
	s.charged(billing.SubscriptionID(id))
	if back := s.give(page, "4242 4242 4242 4242"); back != "/checkout?order="+id {
		t.Errorf("the customer comes back to %s", back)
	}
	s.charged(billing.SubscriptionID(id), "succeeded")
	got := s.ask("GET", "/v1/subscriptions/"+id, "", "Authorization: Bearer "+a.text("checkout_token")).want(200, "")
	if got.text("status") != "active" {
		t.Errorf("the subscription is %s", got.body)
	}
	form, err := s.store.CardFormOf(t.Context(), "sandbox", page[strings.LastIndex(page, "/")+1:])
	check(t, err)
	kept, err := s.store.Request(t.Context(), billing.RequestID(form.Key))
	check(t, err)
	if kept.Status != 201 || strings.Contains(kept.Response, "/sandbox/") || strings.Contains(kept.Response, form.Reference) {
		t.Errorf("kept is %d %s", kept.Status, kept.Response)
	}
	if paid := s.ask("POST", "/v1/checkout", body, key).want(201, ""); paid.text("payment.status") != "requires_action" || paid.at("payment.action_url") != nil {
		t.Errorf("once it is paid the answer is %s", paid.body)
	}
	// The page again, and the way back again: nothing more happens.
	if back := s.give(page, "4000 0000 0000 0002"); back != "/checkout?order="+id {
		t.Errorf("the customer comes back to %s", back)
	}
	s.charged(billing.SubscriptionID(id), "succeeded")
}

func TestADeclineOnTheGatewaysPageLeavesAnotherTry(t *testing.T) {
	s := newShop(t)
	a := s.ask("POST", "/v1/checkout", order("payment.token="), withKey()).want(201, "")
	id, token := a.text("subscription.id"), "Authorization: Bearer "+a.text("checkout_token")
	if back := s.give(a.text("payment.action_url"), "4000000000009995"); back != "/checkout?declined=insufficient_funds&order="+id {
		t.Errorf("the customer comes back to %s", back)
	}
	s.charged(billing.SubscriptionID(id), "declined")
	path, key := "/v1/subscriptions/"+id+"/payment-method", withKey()
	second := s.ask("POST", path, `{}`, token, key).want(200, "")
	page := second.text("payment.action_url")
	if page == a.text("payment.action_url") {
		t.Error("the second form is the first one")
	}
	if second.at("subscription.billing_account") != nil {
		t.Errorf("an order's token shows names: %s", second.body)
	}
	if s.ask("POST", path, `{}`, token, key).want(200, "").text("payment.action_url") != page {
		t.Error("the same key has another form")
	}
	if back := s.give(page, "5555-5555-5555-4444"); back != "/checkout?order="+id { // and no answer came at first
		t.Errorf("the customer comes back to %s", back)
	}
	s.charged(billing.SubscriptionID(id), "declined", "succeeded")
}

func TestARequestForACardsPageKeepsItsAnswer(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	path, form, given := "/v1/subscriptions/"+id+"/payment-method", withKey(), withKey()
	first := s.ask("POST", path, `{}`, asOperator, form).want(200, "")
	s.ask("POST", path, `{"token":"tok_visa"}`, asOperator, form).want(409, "idempotency_conflict")
	s.ask("POST", path, `{"token":"tok_visa"}`, asOperator, given).want(200, "")
	s.ask("POST", path, `{}`, asOperator, given).want(409, "idempotency_conflict")
	s.ask("POST", "/v1/operator/subscriptions/"+id+"/cancel-now", `{"refund":"none"}`, asOperator, withKey()).want(200, "")
	if again := s.ask("POST", path, `{}`, asOperator, form).want(200, ""); string(again.body) != string(first.body) {
		t.Errorf("again:\n%s\nfirst:\n%s", again.body, first.body)
	}
	key, err := s.store.APIKey(t.Context(), operatorKey)
	check(t, err)
	row := s.request("key:"+key.ID, "POST "+path, strings.TrimPrefix(form, "Idempotency-Key: "))
	if strings.Contains(row.Response, "shop.example") {
		t.Errorf("the row keeps the page's address: %s", row.Response)
	}
}

func TestComingBackWithoutACardChargesNothing(t *testing.T) {
	s := newShop(t)
	a := s.ask("POST", "/v1/checkout", order("payment.token="), withKey()).want(201, "")
	id, page := a.text("subscription.id"), a.text("payment.action_url")
	shown := s.ask("GET", strings.TrimPrefix(page, "https://shop.example"), "").want(200, "")
	if !strings.Contains(string(shown.body), "https://shop.example/checkout?order="+id) {
		t.Error("the page leads not back")
	}
	s.ask("GET", "/return/cards/frm_01M895JDZNN9XJ81Q5VK7KHC23", "").want(404, "")
	form, err := s.store.CardFormOf(t.Context(), "sandbox", page[strings.LastIndex(page, "/")+1:])
	check(t, err)
	s.ask("GET", "/return/cards/"+form.ID, "").want(404, "")
	if back := s.comeBack("https://shop.example/return/cards/" + form.ID + "/" + s.parts.Secret.ReturnSignature("card", form.ID)); back != "/checkout?order="+id {
		t.Errorf("the customer comes back to %s", back)
	}
	s.charged(billing.SubscriptionID(id))
	if back := s.give(page, "4242424242424242"); back != "/checkout?order="+id {
		t.Errorf("the customer comes back to %s", back)
	}
	s.charged(billing.SubscriptionID(id), "succeeded")
}

func TestAnAccountGivesACardOnTheGatewaysPage(t *testing.T) {
	s := newShop(t)
	id := s.buy(`pay="trial"`, "payment=").want(201, "").text("subscription.id")
	path := "/v1/subscriptions/" + id + "/payment-method"
	s.ask("POST", path, `{}`, asOperator).want(400, "idempotency_key_required")
	a := s.ask("POST", path, `{}`, asOperator, withKey()).want(200, "")
	if a.text("payment.status") != "requires_action" || a.at("subscription.payment_method") != nil {
		t.Errorf("got %s", a.body)
	}
	if back := s.give(a.text("payment.action_url"), "3782 822463 10005"); back != "/account/subscriptions/"+id {
		t.Errorf("the customer comes back to %s", back)
	}
	s.charged(billing.SubscriptionID(id))
	if got := s.ask("GET", "/v1/subscriptions/"+id, "", asOperator).want(200, ""); got.text("payment_method.last4") != "0005" {
		t.Errorf("the card is %s", got.body)
	}
	s.ask("POST", path, `{}`, withKey()).want(401, "")
	s.ask("POST", "/v1/subscriptions/sub_01M895JDZCN1G8CX59GFDVATS8/payment-method", `{}`, asOperator, withKey()).want(404, "not_found")
	gone := s.buy("payment.token=").want(201, "").text("subscription.id")
	s.ask("POST", "/v1/subscriptions/"+gone+"/cancel", `{}`, asOperator, withKey()).want(200, "")
	s.ask("POST", "/v1/subscriptions/"+gone+"/payment-method", `{}`, asOperator, withKey()).want(409, "not_possible_now")
}

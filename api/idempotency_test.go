package api_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	sdk "go.temporal.io/sdk/temporal"
)

// keyed are the routes that need an Idempotency-Key, with a good body.
const plan = `"plan":{"type":"users","tier":"21-50","cycle":"monthly"}`

var keyed = map[string]string{
	"/change":         `{` + plan + `}`,
	"/cancel":         `{}`,
	"/resume":         `{}`,
	"/renew":          `{}`,
	"/payment-method": `{"token":"tok_visa"}`,
}

func TestEveryCommandNeedsAKeyOfItsForm(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	paths := map[string]string{"/v1/checkout": order()}
	for action, body := range keyed {
		paths["/v1/subscriptions/"+id+action] = body
	}
	sent := s.temporal.sent
	for path, body := range paths {
		s.ask("POST", path, body, asOperator).want(400, "idempotency_key_required")
		for _, key := range []string{strings.Repeat("k", 15), "k", strings.Repeat("k", 256), "sixteen letters ä", "with a space in it", "tab\tinside-a-long-key", strings.Repeat("é", 20)} {
			s.ask("POST", path, body, asOperator, "Idempotency-Key: "+key).want(400, "idempotency_key_invalid")
		}
	}
	if s.temporal.sent != sent {
		t.Errorf("%d commands were sent without a key", s.temporal.sent-sent)
	}
	s.ask("POST", "/v1/subscriptions/"+id+"/cancel", `{}`, asOperator, "Idempotency-Key: "+strings.Repeat("!", 16)).want(200, "")
	s.ask("POST", "/v1/subscriptions/"+id+"/resume", `{}`, asOperator, "Idempotency-Key: "+strings.Repeat("~", 255)).want(200, "")
	for range 2 { // ignored elsewhere, whatever it is
		s.ask("POST", "/v1/checkout/preview", samples["preview-checkout"], "Idempotency-Key: x").want(200, "")
		s.ask("POST", "/v1/checkout/preview", strings.Replace(samples["preview-checkout"], "IT", "DE", 1), "Idempotency-Key: x").want(200, "")
		s.ask("POST", "/v1/subscriptions/"+id+"/change/preview", samples["preview-change"], asOperator, "Idempotency-Key: x").want(200, "")
		s.ask("POST", "/v1/operator/test-clocks", samples["create-clock"], asOperator, "Idempotency-Key: x").want(201, "")
	}
}

func TestTheSameKeyAndBodyGiveTheFirstAnswerAgain(t *testing.T) {
	s := newShop(t)
	active := s.buy().want(201, "").text("subscription.id")
	ended := s.ask("POST", "/v1/checkout", order("pay=\"trial\"", "payment=", "billing.email=\"x@contoso.example\""), asOperator, withKey()).want(201, "").text("subscription.id")
	s.ask("POST", "/v1/subscriptions/"+active+"/renew", `{}`, asOperator, withKey()).want(200, "") // paid ahead now
	for _, c := range []struct {
		name, path, body, other string
		status                  int
	}{
		{"a purchase", "/v1/checkout", order("billing.email=\"a@contoso.example\""), order("billing.email=\"a@contoso.example\"", "billing.company=\"\""), 201},
		{"a declined purchase", "/v1/checkout", order("payment.token=\"tok_declined\""), order(), 402},
		{"a second trial", "/v1/checkout", order("pay=\"trial\""), order(), 409},
		{"an unknown token", "/v1/checkout", order("payment.token=\"tok_" + marker + "\""), order(), 422},
		{"a change", "/v1/subscriptions/" + active + "/change", `{` + plan + `}`, `{` + plan + `,"quantity":1}`, 200},
		{"a change to the same", "/v1/subscriptions/" + active + "/change", `{` + plan + `}`, `{` + plan + `,"quantity":1}`, 409},
		{"a cancellation", "/v1/subscriptions/" + ended + "/cancel", `{}`, `{"reason":"none"}`, 200},
		{"a second cancellation", "/v1/subscriptions/" + ended + "/cancel", ``, `{}`, 409},
		{"a card", "/v1/subscriptions/" + ended + "/payment-method", `{"token":"tok_visa"}`, `{"token":"tok_flaky"}`, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			key := withKey()
			auth := asOperator
			if c.path == "/v1/checkout" {
				auth = "X-Nobody: 1"
			}
			first := s.ask("POST", c.path, c.body, auth, key).want(c.status, "")
			sent := s.temporal.sent
			// Meanwhile the subscription goes on.
			if strings.Contains(c.path, ended) {
				s.ask("POST", "/v1/subscriptions/"+ended+"/payment-method", `{"token":"tok_flaky"}`, asOperator, withKey()).want(200, "")
				sent++
			}
			s.now = time.Now().Add(3 * time.Hour)
			defer func() { s.now = time.Time{} }()
			for range 2 {
				again := s.ask("POST", c.path, c.body, auth, key)
				if again.status != first.status || !bytes.Equal(again.body, first.body) {
					t.Errorf("again:\n%d %s\nfirst:\n%d %s", again.status, again.body, first.status, first.body)
				}
			}
			s.ask("POST", c.path, c.other, auth, key).want(409, "idempotency_conflict")
			if s.temporal.sent != sent {
				t.Error("a command was sent again")
			}
		})
	}
	s.t = t
}

func TestAKeyBelongsToItsCallerAndAddress(t *testing.T) {
	s := newShop(t)
	key := withKey()
	at := func(email string) string { return order(`billing.email="` + email + `"`) }
	ada := s.ask("POST", "/v1/checkout", at("ada@contoso.example"), key).want(201, "").text("subscription.id")
	carl := s.ask("POST", "/v1/checkout", at("carl@contoso.example"), key).want(201, "").text("subscription.id")
	operator := s.ask("POST", "/v1/checkout", at("ada@contoso.example"), key, asOperator).want(201, "").text("subscription.id")
	if ada == carl || ada == operator || carl == operator {
		t.Error("two callers share a key")
	}
	// The same address in another spelling is the same caller.
	s.ask("POST", "/v1/checkout", at("  ADA@Contoso.example "), key).want(409, "idempotency_conflict")
	// Another route, and another subscription, know nothing of it.
	s.ask("POST", "/v1/subscriptions/"+ada+"/cancel", `{}`, asOperator, key).want(200, "")
	s.ask("POST", "/v1/subscriptions/"+carl+"/cancel", `{}`, asOperator, key).want(200, "")
	s.ask("POST", "/v1/subscriptions/"+ada+"/resume", `{}`, asOperator, key).want(200, "")
}

func TestNoCredentialIsKept(t *testing.T) {
	s := newShop(t)
	for _, token := range []string{"tok_visa", "tok_declined"} {
		key := newKey()
		a := s.ask("POST", "/v1/checkout", order(`payment.token="`+token+`"`), "Idempotency-Key: "+key, asOperator)
		credential, _ := a.at("checkout_token").(string)
		if !strings.HasPrefix(credential, "cot_") {
			t.Fatalf("%s: no checkout token: %s", a.what, a.body)
		}
		used, err := s.store.APIKey(t.Context(), operatorKey)
		check(t, err)
		r := s.request("key:"+used.ID, "POST /v1/checkout", key)
		if r.Response == "" || strings.Contains(r.Response, "cot_") || strings.Contains(r.Response, "checkout_token") {
			t.Errorf("the row keeps %s", r.Response)
		}
	}
}

func TestAnOutcomeThatIsNotKnownInTimeIsToldLater(t *testing.T) {
	for name, cut := range map[string]struct{ before, after error }{
		"the command did not arrive in time":         {before: context.DeadlineExceeded},
		"the command was done, its answer was late":  {after: context.DeadlineExceeded},
		"Temporal's own deadline":                    {before: serviceerror.NewDeadlineExceeded("late")},
		"the run ended with the command in its hand": {before: sdk.NewApplicationError("the workflow has ended", "AcceptedUpdateCompletedWorkflow")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			id := s.buy("billing.email=\"first@contoso.example\"").want(201, "").text("subscription.id")
			for path, body := range map[string]string{"/v1/checkout": order(), "/v1/subscriptions/" + id + "/renew": `{}`} {
				key := withKey()
				s.temporal.fail(cut.before, cut.after)
				a := s.ask("POST", path, body, key, asOperator)
				s.temporal.fail(nil, nil)
				done := 201
				if path != "/v1/checkout" {
					done = 200
				}
				if cut.after != nil { // what counts is the row
					a.want(done, "")
				} else {
					a.want(202, "")
					if a.header.Get("Retry-After") == "" || a.text("payment.status") != "pending" {
						t.Errorf("202 says %q, %s", a.header.Get("Retry-After"), a.body)
					}
				}
				b := s.ask("POST", path, body, key, asOperator).want(done, "")
				if a.text("subscription.id") != b.text("subscription.id") || b.text("payment.status") != "succeeded" {
					t.Errorf("another order was made: %s and then %s", a.body, b.body)
				}
				if path == "/v1/checkout" && a.text("checkout_token") != b.text("checkout_token") {
					t.Error("the order's token has changed")
				}
				charges := s.ask("GET", "/v1/operator/sandbox/charges?subscription="+b.text("subscription.id"), "", asOperator)
				if n := len(charges.at("data").([]any)); path == "/v1/checkout" && n != 1 {
					t.Errorf("charged %d times", n)
				}
			}
		})
	}
}

func TestATemporalThatIsAwayIsNoFailure(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	for name, away := range map[string]error{
		"unavailable": serviceerror.NewUnavailable("gone"), "exhausted": serviceerror.NewResourceExhausted(0, "busy"),
		"unreachable": &net.OpError{Op: "dial", Err: errors.New("refused")},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			key := withKey()
			body := order(`billing.email="`+name+`@contoso.example"`, "licensee=")
			s.temporal.fail(away, nil)
			s.ask("POST", "/v1/checkout", body, key).want(503, "unavailable")
			s.on(id, "cancel", `{}`).want(503, "unavailable")
			if ready := s.ask("GET", "/readyz", ""); ready.status != 503 || ready.text("temporal") != "down" || ready.text("database") != "ok" || ready.header.Get("Retry-After") == "" {
				t.Errorf("/readyz: %d %s", ready.status, ready.body)
			}
			s.temporal.fail(nil, nil)
			s.ask("POST", "/v1/checkout", body, key).want(201, "")
			s.ask("GET", "/readyz", "").want(200, "")
		})
	}
	s.t = t
}

func TestOneKeyAtTheSameTime(t *testing.T) {
	s := newShop(t)
	key := withKey()
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			if a := s.ask("POST", "/v1/checkout", order(), key); a.status == 201 {
				ids[i] = a.json()["subscription"].(map[string]any)["id"].(string)
			} else {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("one key made orders %v", ids)
			break
		}
	}
	if n := len(s.ask("GET", "/v1/subscriptions", "", asOperator).at("data").([]any)); n != 1 {
		t.Errorf("there are %d subscriptions", n)
	}
}

func TestADatabaseThatIsAway(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	check(t, s.store.Close())
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/v1/products", ""},
		{"POST", "/v1/checkout/preview", samples["preview-checkout"]},
		{"POST", "/v1/checkout", order()},
		{"GET", "/v1/subscriptions", ""},
		{"GET", "/v1/subscriptions/" + bought.text("subscription.id"), ""},
		{"POST", "/v1/licenses/check", `{"v":1,"license":"` + nobody + `","product":"calendar-pro"}`},
	} {
		s.ask(c.method, c.path, c.body, asOperator, withKey()).want(503, "unavailable")
		s.ask(c.method, c.path, c.body, "Authorization: Bearer "+bought.text("checkout_token"), withKey())
	}
	if ready := s.ask("GET", "/readyz", ""); ready.status != 503 || ready.text("database") != "down" || ready.text("temporal") != "ok" {
		t.Errorf("/readyz: %d %s", ready.status, ready.body)
	}
	s.ask("GET", "/healthz", "").want(200, "")
	s.ask("GET", "/.well-known/jwks.json", "").want(200, "")
}

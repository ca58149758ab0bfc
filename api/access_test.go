package api_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// public are the operations that a guest may call.
var public = []string{
	"list-products", "get-product", "get-picture", "preview-checkout", "checkout", "check-license", "activate-license", "jwks", "login", "confirm-login",
	"confirm-order", "confirm-email", "accept-invitation", "quote", "get-sign-in-method", "sign-in-operator",
}

// byLink are those of them that need a link, a key or a picture that is there.
var byLink = []string{"confirm-login", "confirm-order", "confirm-email", "accept-invitation", "activate-license", "get-picture"}

// forVisuals are what visuals call.
var forVisuals = []string{"check-license", "activate-license", "jwks"}

// forOrders are what an order's checkout token opens.
var forOrders = []string{"get-subscription", "store-payment-method", "get-receipt"}

// forReceipts are what the token of an order opens only for that order's own.
var forReceipts = []string{"download-invoice", "download-license"}

// forQuotes are what a quote's token opens; accepting is a command and has its
// own tests.
var forQuotes = []string{"get-quote", "download-quote", "accept-quote"}

// forOwners are what no API key of an account opens.
var forOwners = []string{"logout", "create-api-key", "revoke-api-key", "erase-account", "change-email", "invite-member", "remove-member", "use-account", "list-sessions"}

func isIn(list []string, s string) bool {
	return strings.Contains(" "+strings.Join(list, " ")+" ", " "+s+" ")
}

func TestWhoMayCallWhat(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	owner, licensee := s.accountKey("ada@contoso.example"), s.accountKey("bea@contoso.example")
	s.buy(`billing.email="else@fabrikam.example"`, `licensee.email="else@fabrikam.example"`).want(201, "")
	foreigner := s.accountKey("else@fabrikam.example")
	mine := bought.text("subscription.id")
	other := s.buy().want(201, "").text("checkout_token")
	s.routes(s.description(), func(method, path string, op operation) {
		if i := strings.Index(path, "sub_"); i >= 0 {
			path = path[:i] + mine + path[i+len(mine):]
		}
		body := samples[op.OperationID]
		headers := []string{withKey()}
		switch op.OperationID {
		case "apply-catalog":
			body = "products: []"
		case "put-version":
			var contentType string
			body, contentType = form("", "", "x", []byte("x"))
			headers = append(headers, "Content-Type: "+contentType)
		case "list-charges":
			path += "?subscription=" + mine
		}
		ask := func(authorization string) answer {
			t.Helper()
			return s.ask(method, path, body, append(headers, "Authorization: "+authorization)...)
		}
		if !isIn(forVisuals, op.OperationID) { // they look at no credential
			for _, bad := range []string{"Bearer " + marker, "Bearer", "Basic " + marker, "Bearer cot_" + marker, "Bearer  " + operatorKey, marker,
				"Bearer " + operatorKey + "x", "Bearer " + strings.ToUpper(operatorKey), "Bearer \xff" + marker} {
				ask(bad).want(401, "unauthorized")
			}
		}
		guest := s.ask(method, path, body, headers...)
		order := ask("Bearer " + bought.text("checkout_token"))
		foreign := ask("Bearer " + other)
		own, licensed, elses := ask("bearer "+owner), ask("Bearer "+licensee), ask("Bearer "+foreigner)
		documented := len(op.Security) > 0
		switch {
		case isIn(public, op.OperationID):
			for _, a := range []answer{guest, order, foreign, own, licensed, elses} {
				if a.status >= 400 && !isIn(byLink, op.OperationID) {
					t.Errorf("%s: %d %s", a.what, a.status, a.body)
				}
			}
			documented = !documented
		case isIn(forQuotes, op.OperationID):
			guest.want(401, "unauthorized")
			order.want(403, "forbidden")
			foreign.want(403, "forbidden")
			licensed.want(404, "not_found")
			elses.want(404, "not_found")
			if own.status >= 300 {
				t.Errorf("%s: %d %s", own.what, own.status, own.body)
			}
		case isIn(forOrders, op.OperationID):
			guest.want(401, "unauthorized")
			order.want(200, "")
			foreign.want(404, "not_found")
			own.want(200, "")
			licensed.want(404, "not_found")
			elses.want(404, "not_found")
		case isIn(forOwners, op.OperationID): // who has signed in: account_test.go
			guest.want(401, "unauthorized")
			for _, a := range []answer{order, foreign, own, licensed, elses} {
				a.want(403, "forbidden")
			}
		case op.OperationID == "rotate-activation-key":
			guest.want(401, "unauthorized")
			order.want(403, "forbidden")
			foreign.want(403, "forbidden")
			own.want(403, "forbidden") // who pays does not see it
			licensed.want(409, "not_possible_now")
			elses.want(404, "not_found")
		case op.OperationID == "hand-over-license": // who uses it gives no commands
			guest.want(401, "unauthorized")
			order.want(403, "forbidden")
			foreign.want(403, "forbidden")
			own.want(200, "")
			licensed.want(404, "not_found")
			elses.want(404, "not_found")
		case strings.HasPrefix(path, "/v1/operator/"):
			guest.want(401, "unauthorized")
			for _, a := range []answer{order, foreign, own, licensed, elses} {
				a.want(403, "forbidden")
			}
		default:
			guest.want(401, "unauthorized")
			if isIn(forReceipts, op.OperationID) { // of an order's own: guests_test.go
				foreign.want(404, "not_found")
			} else {
				order.want(403, "forbidden")
				foreign.want(403, "forbidden")
			}
			// What is another's is not there. The licensee sees the licence, and no
			// prices.
			of := func(object string) bool { return strings.Contains(path, object) }
			for _, a := range []struct {
				answer
				there bool
			}{
				{own, !of("whe_")}, // an operator's
				{licensed, !of("whe_") && !of("sub_") && !of("inv_") && !of("INV-") && !of("key_") && !of("pm_")},
				{elses, !of("whe_") && !of("sub_") && !of("inv_") && !of("INV-") && !of("key_") && !of("pm_") && !of("lic_")},
			} {
				if a.there && (a.status == 401 || a.status == 403 || a.status == 404 || a.status >= 500) {
					t.Errorf("%s: %d %s", a.what, a.status, a.body)
				}
				if !a.there {
					a.want(404, "not_found")
				}
				if strings.Contains(string(a.body), bought.text("invoice.id")) && (a.what != own.what || string(a.body) != string(own.body)) {
					t.Errorf("%s shows another's invoice: %s", a.what, a.body)
				}
			}
		}
		if !documented {
			t.Errorf("%s: its security is not what is described: %v", op.OperationID, op.Security)
		}
	})
}

func TestAnOrdersTokenShowsNoNames(t *testing.T) {
	s := newShop(t)
	declined := s.buy(`payment.token="tok_declined"`).want(402, "card_declined")
	if declined.text("decline_code") != "generic_decline" {
		t.Errorf("the decline says %s", declined.body)
	}
	id, holder := declined.text("subscription_id"), "Authorization: Bearer "+declined.text("checkout_token")
	hasNoNames := func(a answer) {
		t.Helper()
		for _, name := range []string{"ada", "Ada", "bea", "Bea", "contoso", "@", "4242"} {
			if strings.Contains(string(a.body), name) {
				t.Errorf("%s: the answer says %q: %s", a.what, name, a.body)
			}
		}
	}
	waiting := s.ask("GET", "/v1/subscriptions/"+id, "", holder).want(200, "")
	hasNoNames(waiting)
	if waiting.text("status") != "incomplete" || waiting.at("price.amount") != 990.0 {
		t.Errorf("an order that waits is %s", waiting.body)
	}
	key := withKey()
	again := s.ask("POST", "/v1/subscriptions/"+id+"/payment-method", `{"token":"tok_insufficient_funds"}`, holder, withKey()).want(402, "card_declined")
	if again.text("decline_code") != "insufficient_funds" {
		t.Errorf("the second decline says %s", again.body)
	}
	for range 2 {
		paid := s.ask("POST", "/v1/subscriptions/"+id+"/payment-method", `{"token":"tok_visa"}`, holder, key).want(200, "")
		hasNoNames(paid)
		if paid.text("subscription.status") != "active" || paid.text("payment.status") != "succeeded" || paid.text("invoice.status") != "paid" {
			t.Errorf("paid: %s", paid.body)
		}
	}
	hasNoNames(s.ask("GET", "/v1/subscriptions/"+id, "", holder).want(200, ""))
}

func TestFiveDeclinesAreEnough(t *testing.T) {
	s := newShop(t)
	first := s.buy(`payment.token="tok_declined"`).want(402, "card_declined")
	path, holder := "/v1/subscriptions/"+first.text("subscription_id")+"/payment-method", "Authorization: Bearer "+first.text("checkout_token")
	for range 4 {
		s.ask("POST", path, `{"token":"tok_declined"}`, holder, withKey()).want(402, "card_declined")
	}
	key := withKey()
	for range 2 { // with Retry-After, also when it is said again
		s.ask("POST", path, `{"token":"tok_visa"}`, holder, key).want(429, "too_many_attempts")
	}
}

func TestAnOrdersTokenEndsAndCannotBeMade(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	other := s.buy().want(201, "")
	path, token := "/v1/subscriptions/"+bought.text("subscription.id"), bought.text("checkout_token")
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "cot_"))
	check(t, err)
	forge := func(change func([]byte) []byte) string {
		return "cot_" + base64.RawURLEncoding.EncodeToString(change(append([]byte{}, raw...)))
	}
	for name, forged := range map[string]string{
		"a later expiry":      forge(func(b []byte) []byte { b[32]++; return b }),
		"another order":       forge(func(b []byte) []byte { return append(b[:40], other.text("subscription.id")...) }),
		"another signature":   forge(func(b []byte) []byte { b[0] ^= 1; return b }),
		"cut":                 forge(func(b []byte) []byte { return b[:len(b)-1] }),
		"longer":              forge(func(b []byte) []byte { return append(b, 'x') }),
		"nothing":             "cot_",
		"too short":           "cot_AAAA",
		"padded":              token + "=",
		"with a line break":   token[:20] + "\t" + token[20:],
		"of another alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(token),
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			s.ask("GET", path, "", "Authorization: Bearer "+forged).want(401, "unauthorized")
		})
	}
	s.t = t
	// Another engine's secret.
	elsewhere := newShop(t, func(c *parts) { c.Secret = billing.Secret{"ffffffffffffffffffffffffffffffff"} })
	elsewhere.ask("GET", path, "", "Authorization: Bearer "+token).want(401, "unauthorized")

	created, err := time.Parse(time.RFC3339, bought.text("subscription.created_at"))
	check(t, err)
	s.now = created.Add(24*time.Hour - 2*time.Second)
	s.ask("GET", path, "", "Authorization: Bearer "+token).want(200, "")
	s.now = created.Add(24*time.Hour + 2*time.Second)
	s.ask("GET", path, "", "Authorization: Bearer "+token).want(401, "unauthorized")
}

func TestTestClocksAreForOperators(t *testing.T) {
	s := newShop(t)
	clock := s.ask("POST", "/v1/operator/test-clocks", `{"now":"2026-01-31T11:00:00.999+01:00"}`, asOperator).want(201, "")
	if clock.text("now") != "2026-01-31T10:00:00Z" || !strings.HasPrefix(clock.text("id"), "clk_") {
		t.Errorf("a clock is %s", clock.body)
	}
	on := `test_clock="` + clock.text("id") + `"`
	s.buy(on).want(403, "forbidden")
	s.ask("POST", "/v1/checkout", order(`test_clock="clk_`+marker+`"`), asOperator, withKey()).want(422, "unknown_clock")
	bought := s.ask("POST", "/v1/checkout", order(on), asOperator, withKey()).want(201, "")
	if bought.text("subscription.created_at") != "2026-01-31T10:00:00Z" || bought.text("subscription.current_period.end") != "2026-02-28T10:00:00Z" {
		t.Errorf("on a clock: %s", bought.body)
	}
	id := bought.text("subscription.id")
	advance := "/v1/operator/test-clocks/" + clock.text("id") + "/advance"
	s.ask("POST", advance, `{"to":"2026-03-31T10:00:00Z"}`, asOperator).want(200, "")
	charges := s.ask("GET", "/v1/operator/sandbox/charges?subscription="+id, "", asOperator).at("data").([]any)
	var at []string
	for _, c := range charges {
		at = append(at, c.(map[string]any)["at"].(string))
	}
	if got := strings.Join(at, " "); got != "2026-01-31T10:00:00Z 2026-02-28T10:00:00Z 2026-03-31T10:00:00Z" {
		t.Errorf("charged at %s", got)
	}
	preview := s.ask("POST", "/v1/subscriptions/"+id+"/change/preview", `{`+plan+`}`, asOperator).want(200, "")
	if preview.text("proration_time") != "2026-03-31T10:00:00Z" {
		t.Errorf("a preview's now is %s", preview.text("proration_time"))
	}
	s.ask("POST", advance, `{"to":"2026-03-31T09:59:59Z"}`, asOperator).want(422, "invalid")
	s.ask("POST", advance, `{"to":"2300-01-01T00:00:00Z"}`, asOperator).want(422, "invalid")
	s.ask("POST", "/v1/operator/test-clocks", `{"now":"1999-12-31T23:59:59Z"}`, asOperator).want(422, "invalid")
	_, err := s.store.HoldClock(t.Context(), clock.text("id"))
	check(t, err)
	if busy := s.ask("POST", advance, `{"to":"2026-04-30T10:00:00Z"}`, asOperator).want(409, "clock_busy"); busy.header.Get("Retry-After") == "" {
		t.Error("a busy clock does not say when to try again")
	}
	// Where there are no test clocks, there is nothing.
	production := newShop(t, func(c *parts) { c.TestClocks = false })
	production.ask("POST", "/v1/operator/test-clocks", `{"now":"2026-01-31T10:00:00Z"}`, asOperator).want(404, "not_found")
	production.ask("POST", "/v1/checkout", order(on), asOperator, withKey()).want(403, "forbidden")
}

func TestOtherSitesCannotMakeABrowserGiveCommands(t *testing.T) {
	s := newShop(t)
	d := s.description()
	s.routes(d, func(method, path string, op operation) {
		body := samples[op.OperationID]
		for _, headers := range [][]string{{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"}, {"Origin: https://evil.example"}, {"Origin: null"}, {"Origin: " + marker}} {
			a := s.ask(method, path, body, append(headers, asOperator, withKey())...)
			switch {
			case method == "GET" || isIn(forVisuals, op.OperationID):
				if a.status == 403 {
					t.Errorf("%s with %v: %d %s", a.what, headers, a.status, a.body)
				}
			default:
				a.want(403, "cross_site")
			}
		}
	})
	for _, headers := range [][]string{{"Sec-Fetch-Site: same-origin"}, {"Sec-Fetch-Site: none"}, {"Origin: http://127.0.0.1"}, {"X-Plain: client"}} {
		s.ask("POST", "/v1/checkout/preview", samples["preview-checkout"], headers...).want(200, "")
	}
}

func TestOperatorsNameTheAccountOnItsRoutes(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	carls := s.buy(`billing.email="carl@fabrikam.example"`, `licensee.email="carl@fabrikam.example"`).want(201, "")
	seen := 0
	for path, ops := range s.description().Paths {
		op := ops["get"]
		if strings.Contains(path, "{") || strings.HasPrefix(path, "/v1/operator/") || !slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.Name == "email" }) {
			continue
		}
		seen++
		query := "?email=ada%40contoso.example"
		for _, p := range op.Parameters {
			if p.In == "query" && p.Required && p.Name != "email" {
				query += "&" + p.Name + "=" + map[string]string{"currency": "USD", "from": "2026-01-01", "until": "2026-12-31"}[p.Name]
			}
		}
		a := s.ask("GET", path+query, "", asOperator).want(200, "")
		for _, other := range []string{"carl@", carls.text("subscription.id"), carls.text("invoice.id"), carls.text("license.id")} {
			if strings.Contains(string(a.body), other) {
				t.Errorf("%s shows %s of another account", path, other)
			}
		}
	}
	for _, path := range []string{"/v1/subscriptions", "/v1/invoices", "/v1/licenses"} {
		email := "ada%40contoso.example"
		if path == "/v1/licenses" {
			email = "bea%40contoso.example" // their licensee
		}
		if ids := s.ask("GET", path+"?email="+email, "", asOperator).want(200, "").ids(); len(ids) != 1 {
			t.Errorf("%s lists %v", path, ids)
		}
	}
	if seen < 8 {
		t.Errorf("only %d routes take an account's address", seen)
	}
}

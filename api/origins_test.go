package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const shopPage = "https://www.okviz.example"

func (s *shop) preflight(path, origin string) answer {
	return s.ask("OPTIONS", path, "", "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type,idempotency-key")
}

func TestAPageOfAConfiguredOriginOrders(t *testing.T) {
	s := newShop(t, func(p *parts) { p.Origins = []string{shopPage} })
	a := s.preflight("/v1/checkout", shopPage).want(204, "")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": shopPage, "Access-Control-Allow-Headers": "authorization,content-type,idempotency-key",
		"Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "7200", "Access-Control-Allow-Credentials": "",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("preflight: %s is %q, want %q", name, got, want)
		}
	}
	fromPage := []string{"Origin: " + shopPage, "Sec-Fetch-Site: cross-site"}
	bought := s.ask("POST", "/v1/checkout", order(), append(fromPage, withKey())...).want(201, "")
	if bought.header.Get("Access-Control-Allow-Origin") != shopPage || !strings.Contains(bought.header.Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("the order's headers are %v", bought.header)
	}
	token := "Authorization: Bearer " + bought.text("checkout_token")
	s.ask("GET", "/v1/subscriptions/"+bought.text("subscription.id")+"/receipt", "", append(fromPage, token)...).want(200, "")
	// Refusals can be read, too.
	if a := s.ask("POST", "/v1/checkout", `{}`, append(fromPage, withKey())...).want(422, "invalid"); a.header.Get("Access-Control-Allow-Origin") != shopPage {
		t.Error("the page cannot read why its order was refused")
	}
}

func TestOtherOriginsAndOtherRoutesStayClosed(t *testing.T) {
	s := newShop(t, func(p *parts) { p.Origins = []string{shopPage} })
	for _, origin := range []string{"https://evil.example", shopPage + ".evil.example", "http://www.okviz.example", "null", "https://www.okviz.example:444"} {
		if a := s.preflight("/v1/checkout", origin); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", origin, a.header)
		}
		s.ask("POST", "/v1/checkout", order(), "Origin: "+origin, "Sec-Fetch-Site: cross-site", withKey()).want(403, "cross_site")
	}
	for _, path := range []string{"/v1/login", "/v1/login/confirm", "/v1/me", "/v1/operator/sign-in", "/v1/operator/catalog", "/v1/subscriptions/sub_1/cancel", "/v1/webhooks/sandbox"} {
		if a := s.preflight(path, shopPage); a.header.Get("Access-Control-Allow-Origin") != "" || a.status < 400 {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	s.ask("POST", "/v1/login", `{"email":"ada@contoso.example"}`, "Origin: "+shopPage, "Sec-Fetch-Site: cross-site").want(403, "cross_site")
	if a := newShop(t).preflight("/v1/checkout", shopPage); a.status != http.StatusMethodNotAllowed || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without configured origins: %d %v", a.status, a.header)
	}
}

// A page on a sister domain would have its visitors' cookies sent along.
func TestAPageOfAnotherOriginHasNobodysSession(t *testing.T) {
	s := newShop(t, func(p *parts) { p.Origins = []string{shopPage} })
	bought := s.buy().want(201, "")
	cookie := s.signIn("ada@contoso.example")
	path := "/v1/subscriptions/" + bought.text("subscription.id")
	s.ask("GET", path, "", cookie).want(200, "")
	s.ask("GET", path, "", cookie, "Origin: "+shopPage).want(401, "unauthorized")
	if a := s.ask("GET", path, "", cookie, "Origin: "+shopPage); slices.Contains(a.header.Values("Access-Control-Allow-Credentials"), "true") {
		t.Error("credentials are allowed")
	}
}

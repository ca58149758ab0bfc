package api_test

import (
	"strings"
	"testing"
)

const endpoints = "/v1/webhook-endpoints"

func TestAWebhookEndpointShowsItsSecretOnceAndIsItsOwnersAlone(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	s.buy(`billing.email="else@fabrikam.example"`).want(201, "")
	ada, other := "Authorization: Bearer "+s.accountKey("ada@contoso.example"), "Authorization: Bearer "+s.accountKey("else@fabrikam.example")
	made := s.ask("POST", endpoints, `{"url":"https://crm.example/hook?t=1","types":["invoice.*","subscription.ended"],"description":"CRM"}`, ada).want(201, "")
	at, secret := endpoints+"/"+made.text("id"), made.text("secret")
	if !strings.HasPrefix(secret, "whsec_") || len(secret) != len("whsec_")+44 || made.text("status") != "enabled" {
		t.Errorf("made: %s", made.body)
	}
	for _, path := range []string{endpoints, at} {
		a := s.ask("GET", path, "", ada).want(200, "")
		if strings.Contains(string(a.body), "whsec_") || !strings.Contains(string(a.body), "https://crm.example/hook?t=1") {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	rotated := s.ask("POST", at+"/rotate-secret", "", ada).want(200, "")
	if rotated.text("secret") == secret {
		t.Error("the secret is the same")
	}
	for _, c := range []struct{ method, path, body string }{
		{"GET", at, ""}, {"PATCH", at, `{"description":"x"}`}, {"DELETE", at, ""}, {"POST", at + "/rotate-secret", ""}, {"POST", at + "/test", ""},
		{"POST", at + "/replay", `{"event":"evt_1"}`}, {"GET", at + "/deliveries", ""},
	} {
		for _, who := range []string{other, asOperator} { // the vendor has its own
			s.ask(c.method, c.path, c.body, who).want(404, "not_found")
		}
		s.ask(c.method, c.path, c.body).want(401, "unauthorized")
	}
	if a := s.ask("GET", at+"?email=ada@contoso.example", "", asOperator).want(200, ""); a.text("id") != made.text("id") {
		t.Errorf("an operator reads %s", a.body)
	}
	s.ask("DELETE", at, "", ada).want(204, "")
	s.ask("GET", at, "", ada).want(404, "not_found")
}

func TestAnEndpointIsRefusedThatNothingCouldBeSentTo(t *testing.T) {
	s := newShop(t)
	for name, body := range map[string]string{
		"http":            `{"url":"http://crm.example/` + marker + `"}`,
		"no host":         `{"url":"https:///` + marker + `"}`,
		"another scheme":  `{"url":"gopher://crm.example/` + marker + `"}`,
		"with a user":     `{"url":"https://` + marker + `:x@crm.example/"}`,
		"with a fragment": `{"url":"https://crm.example/#` + marker + `"}`,
		"no type":         `{"url":"https://crm.example/","types":["` + marker + `"]}`,
		"half a type":     `{"url":"https://crm.example/","types":["inv*"]}`,
	} {
		t.Run(name, func(t *testing.T) { s.ask("POST", endpoints, body, asOperator).want(422, "invalid") })
	}
	for range 16 {
		s.ask("POST", endpoints, `{"url":"https://crm.example/"}`, asOperator).want(201, "")
	}
	s.ask("POST", endpoints, `{"url":"https://crm.example/"}`, asOperator).want(409, "too_many_endpoints")
}

func TestTestsAndReplaysAreDeliveriesOfAnEnabledEndpoint(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	e := s.ask("POST", endpoints, `{"url":"https://crm.example/"}`, asOperator).want(201, "")
	at := endpoints + "/" + e.text("id")
	sent := s.ask("POST", at+"/test", "", asOperator).want(202, "")
	paid := s.ask("GET", "/v1/events?type=invoice.paid", "", asOperator).list()[0]
	s.ask("POST", at+"/replay", `{"event":"`+paid["id"].(string)+`"}`, asOperator).want(202, "")
	if a := s.ask("POST", at+"/replay", `{"from":"2020-01-01T00:00:00Z","to":"2099-01-01T00:00:00Z"}`, asOperator).want(202, ""); a.at("deliveries").(float64) < 4 {
		t.Errorf("replayed: %s", a.body)
	}
	list := s.ask("GET", at+"/deliveries?limit=100", "", asOperator).want(200, "").list()
	if first, second := list[len(list)-1], list[len(list)-2]; first["id"] != sent.text("id") || first["type"] != "endpoint.test" || second["event"] != paid["id"] || second["status"] != "pending" {
		t.Errorf("deliveries: %v %v", first, second)
	}
	for _, body := range []string{`{}`, `{"event":"` + marker + `"}`, `{"from":"2020-01-01T00:00:00Z"}`, `{"event":"evt_1","from":"2020-01-01T00:00:00Z","to":"2021-01-01T00:00:00Z"}`} {
		s.ask("POST", at+"/replay", body, asOperator).want(422, "invalid")
	}
	if a := s.ask("PATCH", at, `{"status":"disabled"}`, asOperator).want(200, ""); a.text("disabled_reason") != "owner" {
		t.Errorf("disabled: %s", a.body)
	}
	s.ask("POST", at+"/test", "", asOperator).want(409, "not_possible_now")
	s.ask("POST", at+"/replay", `{"event":"`+paid["id"].(string)+`"}`, asOperator).want(409, "not_possible_now")
	if a := s.ask("PATCH", at, `{"status":"enabled","types":["quote.*"]}`, asOperator).want(200, ""); a.text("status") != "enabled" || len(a.at("types").([]any)) != 1 {
		t.Errorf("enabled: %s", a.body)
	}
}

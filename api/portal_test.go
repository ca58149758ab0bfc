package api_test

import (
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

func TestAPortalSessionSignsItsAccountInOnce(t *testing.T) {
	s := newShop(t, func(p *parts) { p.Origins = []string{"https://www.okviz.example"} })
	s.buy().want(201, "")
	const path = "/v1/operator/portal-sessions"
	a := s.ask("POST", path, `{"account":"ada@contoso.example","return_url":"https://www.okviz.example/account?x=1"}`, asOperator).want(201, "")
	token, is := strings.CutPrefix(a.text("url"), "https://shop.example/login#token=")
	if !is || len(token) < 43 || len(s.links()) != 0 {
		t.Fatalf("%s, %d mails", a.body, len(s.links()))
	}
	in := s.ask("POST", "/v1/login/confirm", `{"token":"`+token+`"}`).want(200, "")
	if in.text("email") != "ada@contoso.example" || in.text("return_url") != "https://www.okviz.example/account?x=1" || in.header.Get("Set-Cookie") == "" {
		t.Errorf("signed in: %s", in.body)
	}
	s.ask("POST", "/v1/login/confirm", `{"token":"`+token+`"}`).want(403, "login_expired")
	log := s.ask("GET", "/v1/operator/audit", "", asOperator).want(200, "")
	if !strings.Contains(string(log.body), "account.portal_session") || strings.Contains(string(log.body), token) {
		t.Errorf("the audit log: %s", log.body)
	}
	for _, back := range []string{
		"https://evil.example/" + marker, "https://www.okviz.example.evil.example/", "https://www.okviz.example@evil.example/", "http://www.okviz.example/",
		"javascript:alert(1)", "//www.okviz.example/", "/account",
	} {
		s.ask("POST", path, `{"account":"ada@contoso.example","return_url":"`+back+`"}`, asOperator).want(422, "invalid")
	}
	s.ask("POST", path, `{"account":"nobody@contoso.example"}`, asOperator).want(404, "not_found")
	for _, who := range []string{s.operatorNamed("sam", billing.OperatorSupport), "Authorization: Bearer " + s.accountKey("ada@contoso.example")} {
		s.ask("POST", path, `{"account":"ada@contoso.example"}`, who).want(403, "forbidden")
	}
}

package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// at asks whether a licence is good at a site.
func (s *shop) validAt(license, host string) bool {
	s.t.Helper()
	a := s.ask("POST", "/v1/licenses/check", `{"v":1,"license":"`+license+`","product":"calendar-pro","env":8,"sites":["`+host+`"]}`, "Origin: null").want(200, "")
	return a.at("valid").(bool)
}

func TestTheLicenseeEditsTheSitesOfALicence(t *testing.T) {
	s := newShop(t)
	clock := s.ask("POST", "/v1/operator/test-clocks", `{"now":"2026-01-31T10:00:00Z"}`, asOperator).want(201, "").text("id") // no answer is kept
	id := s.ask("POST", "/v1/checkout", order(`plan={"type":"site","cycle":"monthly"}`, "quantity=2", `sites=["one.contoso.example"]`, `test_clock="`+clock+`"`),
		asOperator, withKey()).want(201, "").text("license.id")
	licensee := s.signIn("bea@contoso.example")
	put := func(sites string) answer {
		return s.ask("PUT", "/v1/licenses/"+id+"/sites", `{"sites":`+sites+`}`, licensee)
	}
	if got := fmt.Sprint(put(`["Two.Contoso.Example:443","*.fabrikam.example"]`).want(200, "").at("sites")); got != "[two.contoso.example *.fabrikam.example]" {
		t.Errorf("sites %s", got)
	}
	if s.validAt(id, "one.contoso.example") || !s.validAt(id, "two.contoso.example") || !s.validAt(id, "a.fabrikam.example") {
		t.Error("a check does not go by the new sites")
	}
	put(`["a.contoso.example","b.contoso.example","c.contoso.example"]`).want(422, "too_many_sites")
	put(`["app.powerbi.com"]`).want(422, "site_not_allowed")
	put(`["*.com"]`).want(422, "site_not_allowed")
	for range 3 {
		put(`["two.contoso.example","*.fabrikam.example"]`).want(200, "") // as they are: no edit
	}
	for i := range 9 {
		put(fmt.Sprintf(`["host%d.contoso.example"]`, i)).want(200, "")
	}
	put(`["eleventh.contoso.example"]`).want(409, "too_many_site_edits")
	s.ask("POST", "/v1/operator/test-clocks/"+clock+"/advance", `{"to":"2026-02-28T10:00:00Z"}`, asOperator).want(200, "")
	put(`["eleventh.contoso.example"]`).want(200, "") // a new period
}

func TestAChangeMayNameSites(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	id := bought.text("subscription.id")
	s.on(id, "change", `{"plan":{"type":"site","cycle":"monthly"},"sites":["a.contoso.example","b.contoso.example"]}`).want(422, "too_many_sites")
	s.on(id, "change", `{"plan":{"type":"site","cycle":"monthly"},"quantity":2,"sites":["a.contoso.example","b.contoso.example"]}`).want(200, "")
	sites := func() string {
		return fmt.Sprint(s.ask("GET", "/v1/licenses/"+bought.text("license.id"), "", asOperator).want(200, "").at("sites"))
	}
	if got := sites(); got != "[a.contoso.example b.contoso.example]" {
		t.Errorf("sites %s", got)
	}
	s.on(id, "change", `{"plan":{"type":"site","cycle":"monthly"},"quantity":1}`).want(200, "")
	if got := sites(); got != "[a.contoso.example]" {
		t.Errorf("of one site, sites %s", got)
	}
	if events := s.ask("GET", "/v1/subscriptions/"+id+"/events", "", asOperator).want(200, ""); strings.Contains(string(events.body), "contoso") {
		t.Errorf("the history names a site: %s", events.body)
	}
}

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/dev/system"
	"github.com/okviz/licensing/licensing/entra/entratest"
)

// ask asks about a licence as a visual of a product does.
func (s *shop) ask(t testing.TB, license, product string, more object) checked {
	t.Helper()
	q := object{"v": 1, "license": license, "product": product}
	for name, value := range more {
		q[name] = value
	}
	question, err := json.Marshal(q)
	must(t, err)
	var v checked
	s.send(t, http.MethodPost, "/v1/licenses/check", question, map[string]string{"Content-Type": "text/plain", "Origin": "null"}).want(t, http.StatusOK).into(t, &v)
	return v
}

// Users are counted aside, by the running engine, in windows of 28 days: the
// first one that is too large is no warning (docs/rules.md, Licences).
func TestAPlanThatIsOutgrownIsWarnedOfAndMailedOnce(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	license := c.License.ID
	visit := func() {
		t.Helper()
		for i := range 25 {
			if v := shared.ask(t, license, "calendar-pro", object{"user": fmt.Sprint("visitor-", i)}); !v.Valid {
				t.Fatalf("visitor %d: %s", i, v.Code)
			}
		}
	}
	visit()
	eventually(t, 30*time.Second, "the visitors are counted", func() bool {
		var l struct{ Usage struct{ Estimate int64 } }
		shared.get(t, "/v1/licenses/"+license, &l)
		return l.Usage.Estimate == 25
	})
	shared.advance(t, clock, "2026-02-27T10:00:00Z") // four calendar weeks later
	if v := shared.ask(t, license, "calendar-pro", nil); v.Code != "ACTIVE" {
		t.Errorf("after one window %s", v.Code)
	}
	visit()
	eventually(t, 30*time.Second, "the plan is outgrown", func() bool {
		v := shared.ask(t, license, "calendar-pro", nil)
		return v.Valid && v.Code == "OVER_LIMIT" && v.Token != nil
	})
	told := func() (n int) {
		for _, subject := range shared.subjects(t, who.email) {
			if strings.Contains(subject, "More people use Calendar Pro") {
				n++
			}
		}
		return n
	}
	eventually(t, 30*time.Second, "its billing contact is told", func() bool { return told() == 1 })
	shared.command(t, c.Subscription.ID, "change", object{"plan": users("21-50")}).want(t, http.StatusOK)
	if v := shared.ask(t, license, "calendar-pro", nil); v.Code != "ACTIVE" {
		t.Errorf("on the larger plan %s", v.Code)
	}
	if n := told(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestAnEntraTokenActivatesSynopticPanel(t *testing.T) {
	t.Parallel()
	const audience, tenant = "api://okviz", "8d5c1f0e-0000-4000-8000-0000000000aa"
	issuer := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	s, err := open(filepath.Join(t.TempDir(), "entra"), "", newOperator(), 0, func(o *system.Options) {
		o.EntraAuthority, o.EntraAudience = issuer.URL, audience
	})
	must(t, err)
	t.Cleanup(func() { s.close(t) })
	license := s.buy(t, newCustomer().order(object{"product": "synoptic-panel"})).License.ID
	if v := s.ask(t, license, "synoptic-panel", nil); v.Code != "NOT_ACTIVATED" || v.Valid {
		t.Errorf("before activation %s", v.Code)
	}
	var page struct {
		Key string `json:"activation_key"`
	}
	s.get(t, "/v1/licenses/"+license, &page)
	activate := func(token string) answer {
		body, err := json.Marshal(object{"activation_key": secret(page.Key), "entra_token": secret(token), "product": "synoptic-panel"})
		must(t, err)
		return s.send(t, http.MethodPost, "/v1/licenses/activate", body, map[string]string{"Content-Type": "text/plain", "Origin": "null"})
	}
	activate(issuer.Token(t, "api://other", tenant, time.Now())).wantProblem(t, http.StatusUnauthorized, "invalid_entra_token")
	token := issuer.Token(t, audience, tenant, time.Now())
	activate(token).want(t, http.StatusOK)
	activate(token).want(t, http.StatusOK)
	activate(issuer.Token(t, audience, strings.Replace(tenant, "aa", "bb", 1), time.Now())).wantProblem(t, http.StatusConflict, "already_activated")
	if v := s.ask(t, license, "synoptic-panel", object{"tenant": tenant}); v.Code != "ACTIVE" || !v.Valid {
		t.Errorf("activated: %s", v.Code)
	}
	if v := s.ask(t, license, "synoptic-panel", object{"tenant": "another"}); v.Code != "WRONG_TENANT" || v.Valid {
		t.Errorf("another tenant: %s", v.Code)
	}
}

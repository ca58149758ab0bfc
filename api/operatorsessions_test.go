package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/backoffice/signin"
	"github.com/okviz/licensing/backoffice/signin/signintest"
	"github.com/okviz/licensing/billing"
)

const fromConsole = "Okviz-Console: 1"

// cookieOf is a cookie that an answer sets.
func (a answer) cookieOf(name string) *http.Cookie {
	a.t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	a.t.Fatalf("%s sets no cookie %s: %v", a.what, name, a.header)
	return nil
}

// console signs an operator in, and returns the header of their cookie.
func (s *shop) console(name string, role billing.OperatorRole) (cookie, session string) {
	s.t.Helper()
	key := strings.TrimPrefix(s.operatorNamed(name, role), "Authorization: Bearer ")
	a := s.ask("POST", "/v1/operator/sign-in", `{"key":"`+key+`"}`).want(200, "")
	c := a.cookieOf("__Host-okviz-operator")
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || time.Until(c.Expires) > 8*time.Hour || time.Until(c.Expires) < 7*time.Hour {
		s.t.Errorf("the session's cookie is %v", c)
	}
	return "Cookie: " + c.Name + "=" + c.Value, a.text("id")
}

func TestAConsoleActsAsItsOperatorInTheRoleOfTheKey(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	anna, session := s.console("anna", billing.OperatorSupport)
	me := s.ask("GET", "/v1/operator/me", "", anna, fromConsole).want(200, "")
	if me.text("name") != "anna" || me.text("role") != "support" || me.text("session") != session {
		t.Errorf("she is %s", me.body)
	}
	s.ask("POST", "/v1/subscriptions/"+id+"/cancel", `{}`, anna, fromConsole, withKey()).want(200, "")
	s.ask("POST", "/v1/operator/subscriptions/"+id+"/cancel-now", `{"refund":"full"}`, anna, fromConsole, withKey()).want(403, "forbidden")
	rows, err := s.store.AuditLog(t.Context(), billing.AuditSelection{Actor: "anna"}, 10)
	check(t, err)
	if len(rows) != 2 || rows[0].Action != "operator.sign_in" || rows[0].Subject != session || rows[1].From != "console 192.0.2.1" {
		t.Errorf("the log says %+v", rows)
	}
}

func TestAnOperatorsCookieCountsOnRequestsOfTheConsoleAlone(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	anna, _ := s.console("anna", billing.OperatorAdmin)
	customer := s.signIn("ada@contoso.example")
	both := anna + "; " + strings.TrimPrefix(customer, "Cookie: ")
	s.ask("GET", "/v1/operator/me", "", anna).want(401, "unauthorized")
	s.ask("GET", "/v1/operator/me", "", customer, fromConsole).want(401, "unauthorized")
	s.ask("GET", "/v1/subscriptions/"+id, "", customer, fromConsole).want(401, "unauthorized")
	s.ask("POST", "/v1/subscriptions/"+id+"/cancel", `{}`, both, fromConsole, "Sec-Fetch-Site: cross-site", withKey()).want(403, "cross_site")
	s.ask("POST", "/v1/subscriptions/"+id+"/cancel", `{}`, both, withKey()).want(200, "")
	s.ask("POST", "/v1/subscriptions/"+id+"/resume", `{}`, both, fromConsole, withKey()).want(200, "")
	var actors []string
	for _, e := range s.ask("GET", "/v1/subscriptions/"+id+"/events", "", both, fromConsole).want(200, "").at("data").([]any) {
		actors = append(actors, e.(map[string]any)["actor"].(string))
	}
	if got := strings.Join(actors, " "); got != "customer customer anna" {
		t.Errorf("the history names %s", got)
	}
}

func TestASessionOfTheConsoleEnds(t *testing.T) {
	s := newShop(t)
	ended := func(cookie string) {
		t.Helper()
		s.ask("GET", "/v1/operator/me", "", cookie, fromConsole).want(401, "unauthorized")
	}
	anna, session := s.console("anna", billing.OperatorSupport)
	bert, berts := s.console("bert", billing.OperatorFinance)
	carla, _ := s.console("carla", billing.OperatorAdmin)
	count := func(cookie string) int {
		return len(s.ask("GET", "/v1/operator/sessions", "", cookie, fromConsole).want(200, "").at("data").([]any))
	}
	if count(anna) != 1 || count(carla) != 3 {
		t.Errorf("anna sees %d sessions, and the administrator %d", count(anna), count(carla))
	}
	s.ask("DELETE", "/v1/operator/sessions/"+berts, "", anna, fromConsole).want(404, "not_found")
	s.ask("DELETE", "/v1/operator/sessions/"+session, "", anna, fromConsole).want(204, "")
	ended(anna)
	s.ask("DELETE", "/v1/operator/sessions/"+berts, "", carla, fromConsole).want(204, "")
	ended(bert)
	check(t, s.store.SuspendOperator(t.Context(), "carla"))
	ended(carla)
	dora, _ := s.console("dora", billing.OperatorRead)
	keys, err := s.store.APIKeys(t.Context(), "", "")
	check(t, err)
	check(t, s.store.RevokeAPIKey(t.Context(), "", "", keys[0].ID)) // hers is the newest
	ended(dora)
	s.buy().want(201, "")
	for _, key := range []string{"okv_" + marker, s.accountKey("ada@contoso.example")} {
		s.ask("POST", "/v1/operator/sign-in", `{"key":"`+key+`"}`).want(403, "forbidden")
	}
}

func TestOperatorsSignInAtTheIssuerWhereThereIsOne(t *testing.T) {
	at := signintest.Start(t)
	s := newShop(t, func(p *parts) {
		var err error
		p.Issuer, err = signin.New(signin.Config{
			Issuer: at.Address, ClientID: signintest.Client, ClientSecret: signintest.Secret, Claim: "roles", Roles: map[string]billing.OperatorRole{"desk": "support"},
		}, "http://127.0.0.1"+api.CallbackPath)
		check(t, err)
	})
	s.ask("POST", "/v1/operator/sign-in", `{"key":"`+operatorKey+`"}`).want(405, "method_not_allowed") // not past the second factor
	if m := s.ask("GET", "/v1/operator/sign-in/method", "").want(200, ""); m.text("method") != "issuer" {
		t.Errorf("the method is %s", m.body)
	}
	// come goes to the issuer as a browser does, and back.
	come := func(kept func(*http.Cookie)) answer {
		t.Helper()
		gone := s.ask("GET", "/v1/operator/sign-in", "").want(303, "")
		c := gone.cookieOf("__Host-okviz-issuer")
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || time.Until(c.Expires) > 10*time.Minute {
			t.Errorf("what the browser keeps is %v", c)
		}
		kept(c)
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gone.header.Get("Location"), nil)
		check(t, err)
		res, err := client.Do(r)
		check(t, err)
		defer res.Body.Close()
		back, err := url.Parse(res.Header.Get("Location"))
		check(t, err)
		return s.ask("GET", back.RequestURI(), "", "Cookie: "+c.Name+"="+c.Value).want(303, "")
	}
	as := func(*http.Cookie) {}
	at.Say(map[string]any{"email": "anna@vendor.example", "roles": []string{"desk"}})
	in := come(as)
	cookie := in.cookieOf("__Host-okviz-operator")
	if in.header.Get("Location") != "/operator" || in.cookieOf("__Host-okviz-issuer").MaxAge >= 0 {
		t.Errorf("she is sent to %s with %v", in.header.Get("Location"), in.header)
	}
	anna := "Cookie: " + cookie.Name + "=" + cookie.Value
	if me := s.ask("GET", "/v1/operator/me", "", anna, fromConsole).want(200, ""); me.text("name") != "anna@vendor.example" || me.text("role") != "support" {
		t.Errorf("she is %s", me.body)
	}
	refused := func(a answer) {
		t.Helper()
		if a.header.Get("Location") != "/operator?refused" || strings.Contains(strings.Join(a.header.Values("Set-Cookie"), " "), "okviz-operator") {
			t.Errorf("%v", a.header)
		}
	}
	refused(come(func(c *http.Cookie) { c.Value = "a.b.c" }))
	at.Say(map[string]any{"email": "anna@vendor.example", "roles": []string{"else"}})
	refused(come(as))
	check(t, s.store.SuspendOperator(t.Context(), "anna@vendor.example"))
	s.ask("GET", "/v1/operator/me", "", anna, fromConsole).want(401, "unauthorized")
	at.Say(map[string]any{"email": "anna@vendor.example", "roles": []string{"desk"}})
	refused(come(as))
}

func TestKeysOfNoNamedOperatorShareNoSessions(t *testing.T) {
	s := newShop(t)
	signIn := func(key string) (cookie, session string) {
		_, err := s.store.PutAPIKey(t.Context(), key, billing.APIKey{Access: string(billing.OperatorSupport)})
		check(t, err)
		a := s.ask("POST", "/v1/operator/sign-in", `{"key":"`+key+`"}`).want(200, "")
		c := a.cookieOf("__Host-okviz-operator")
		return "Cookie: " + c.Name + "=" + c.Value, a.text("id")
	}
	one, mine := signIn("okv_one" + strings.Repeat("0", 32))
	_, others := signIn("okv_two" + strings.Repeat("0", 32))
	if got := s.ask("GET", "/v1/operator/sessions", "", one, fromConsole).want(200, "").ids(); len(got) != 1 || got[0] != mine {
		t.Errorf("it sees the sessions %v", got)
	}
	s.ask("DELETE", "/v1/operator/sessions/"+others, "", one, fromConsole).want(404, "")
	s.ask("DELETE", "/v1/operator/sessions/"+mine, "", one, fromConsole).want(204, "")
}

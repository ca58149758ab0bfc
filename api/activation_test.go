package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/entra"
	"github.com/okviz/licensing/licensing/entra/entratest"
)

const (
	audience = "api://okviz"
	contosos = "8d5c1f0e-0000-4000-8000-0000000000aa"
	another  = "8d5c1f0e-0000-4000-8000-0000000000bb"
)

// withEntra trusts a local authority.
func withEntra(t *testing.T) (*entratest.Issuer, func(*parts)) {
	t.Helper()
	issuer := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	tenants, err := entra.New(issuer.URL, audience)
	check(t, err)
	return issuer, func(c *parts) { c.Tenants = tenants }
}

// synoptic buys a licence that is activated with Entra, and reads its key as
// the licensee does.
func (s *shop) synoptic() (license, key string) {
	s.t.Helper()
	license = s.buy(`product="synoptic-panel"`).want(201, "").text("license.id")
	return license, s.activationKey(license)
}

func (s *shop) activationKey(license string) string {
	s.t.Helper()
	return s.ask("GET", "/v1/licenses/"+license, "", "Authorization: Bearer "+s.accountKey("bea@contoso.example")).want(200, "").text("activation_key")
}

func (s *shop) activate(key, token string, headers ...string) answer {
	s.t.Helper()
	return s.ask("POST", "/v1/licenses/activate", `{"activation_key":"`+key+`","entra_token":"`+token+`","product":"synoptic-panel","`+marker+`":1}`,
		append(headers, "Content-Type: text/plain", "Origin: null", "Sec-Fetch-Site: cross-site")...)
}

func (s *shop) synopticCode(license, tenant string) string {
	s.t.Helper()
	return s.ask("POST", "/v1/licenses/check", `{"v":1,"license":"`+license+`","product":"synoptic-panel","tenant":"`+tenant+`"}`, frame...).want(200, "").text("code")
}

func TestAnActivationKeyBindsALicenceToATenant(t *testing.T) {
	issuer, trusted := withEntra(t)
	s := newShop(t, trusted)
	license, key := s.synoptic()
	if len(key) < 26 { // of 32 letters each: 130 bits
		t.Errorf("an activation key of %d characters", len(key))
	}
	if got := s.synopticCode(license, contosos); got != "NOT_ACTIVATED" {
		t.Errorf("before activation %s", got)
	}
	token := issuer.Token(t, audience, contosos, time.Now())
	a := s.activate(key, token).want(200, "")
	exactKeys(t, a.json(), "license", "tenant", "v", "valid", "code", "valid_until", "now", "refresh_after", "token")
	if a.text("license") != license || a.text("tenant") != contosos || a.text("code") != "ACTIVE" || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v %s", a.header, a.body)
	}
	claims, err := licensing.Verify(a.text("token"), s.keys.Public(), time.Now(), "synoptic-panel")
	if err != nil || claims.Tenant != contosos {
		t.Errorf("the lease says %+v, %v", claims, err)
	}
	for tenant, want := range map[string]string{contosos: "ACTIVE", strings.ToUpper(contosos): "ACTIVE", another: "WRONG_TENANT", "": "WRONG_TENANT"} {
		if got := s.synopticCode(license, tenant); got != want {
			t.Errorf("tenant %q: %s, want %s", tenant, got, want)
		}
	}
	s.activate(key, token).want(200, "")
	s.activate(key, issuer.Token(t, audience, another, time.Now())).want(409, "already_activated")
	if got := s.ask("GET", "/v1/licenses/"+license, "", asOperator).want(200, "").text("tenant"); got != contosos {
		t.Errorf("bound to %s", got)
	}
	history := s.ask("GET", "/v1/subscriptions/"+s.ask("GET", "/v1/licenses/"+license, "", asOperator).text("subscription_id")+"/events", "", asOperator).want(200, "")
	if n := strings.Count(string(history.body), "bound to a tenant"); n != 1 || strings.Contains(string(history.body), contosos) {
		t.Errorf("the history tells it %d times: %s", n, history.body)
	}
}

// Their visual activates at each opening, in browsers that keep nothing.
func TestUsersOfATenantAreCountedByTheirTokens(t *testing.T) {
	issuer, trusted := withEntra(t)
	s := newShop(t, trusted)
	license, key := s.synoptic()
	ids := map[string]bool{}
	for range 3 {
		for _, object := range []string{"ada", "bea"} {
			token := issuer.Token(t, audience, contosos, time.Now(), func(c map[string]any) { c["oid"] = object })
			a := s.activate(key, token).want(200, "")
			user := a.text("user")
			ids[user] = true
			s.ask("POST", "/v1/licenses/check", `{"v":1,"license":"`+license+`","product":"synoptic-panel","tenant":"`+contosos+`","user":"`+user+`"}`, frame...).want(200, "")
		}
	}
	s.parts.Checks.Count(t.Context())
	if n, share, _ := s.usage(license); n != 2 || share != 0 || len(ids) != 2 {
		t.Errorf("two users have %d ids, and are counted as %d, with %v without an id", len(ids), n, share)
	}
}

func TestForgedTokensActivateNothing(t *testing.T) {
	issuer, trusted := withEntra(t)
	foreign := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	s := newShop(t, trusted)
	license, key := s.synoptic()
	now := time.Now()
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	for name, token := range map[string]string{
		"another issuer":         issuer.Token(t, audience, contosos, now, set("iss", foreign.Issuer(contosos))),
		"another audience":       issuer.Token(t, marker, contosos, now),
		"another tenant's iss":   issuer.Token(t, audience, contosos, now, set("iss", issuer.Issuer(another))),
		"expired":                issuer.Token(t, audience, contosos, now.Add(-2*time.Hour)),
		"not good yet":           issuer.Token(t, audience, contosos, now.Add(2*time.Hour)),
		"a foreign key":          foreign.Token(t, audience, contosos, now, set("iss", issuer.Issuer(contosos))),
		"a foreign key, its kid": foreign.TokenAs(t, issuer.KeyID(), audience, contosos, now, set("iss", issuer.Issuer(contosos))),
		"alg none":               issuer.Unsigned(t, audience, contosos, now),
		"HS256":                  issuer.Symmetric(t, audience, contosos, now),
		"no token":               marker,
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			a := s.activate(key, token).want(401, "invalid_entra_token")
			if a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("a visual cannot read it: %v", a.header)
			}
			if strings.Contains(string(a.body), "Zs3cret") || strings.Contains(string(a.body), key) {
				t.Errorf("it repeats what was sent: %s", a.body)
			}
		})
	}
	s.t = t
	if got := s.synopticCode(license, contosos); got != "NOT_ACTIVATED" {
		t.Errorf("then %s", got)
	}
}

func TestActivationIsOpenToEveryOriginOnEveryStatus(t *testing.T) {
	issuer, trusted := withEntra(t)
	s := newShop(t, trusted)
	_, key := s.synoptic()
	token := issuer.Token(t, audience, contosos, time.Now())
	open := func(a answer, status int, code string) {
		t.Helper()
		a.want(status, code)
		if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Expose-Headers") != "Retry-After" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d is not open: %v", a.what, a.status, a.header)
		}
	}
	const path = "/v1/licenses/activate"
	open(s.ask("OPTIONS", path, "", "Origin: null", "Access-Control-Request-Method: POST"), 204, "")
	open(s.ask("POST", path, "{", frame...), 400, "malformed")
	open(s.ask("POST", path, `{"activation_key":"`+key+`"}`, frame...), 400, "malformed")
	open(s.ask("POST", path, `{"a":"`+strings.Repeat("x", 16<<10)+`"}`, frame...), 413, "too_large")
	open(s.ask("PUT", path, "{}", frame...), 405, "")
	open(s.activate("none", token), 404, "unknown_activation_key")
	issuer.Down(true)
	a := s.activate(key, token)
	open(a, 503, "unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	issuer.Down(false)
	open(s.activate(key, token, "Cookie: __Host-okviz="+marker, "Authorization: Bearer "+marker), 200, "")
	check(t, s.store.Close())
	open(s.activate(key, token), 503, "unavailable")
}

func TestWithoutAnAuthorityNothingIsActivated(t *testing.T) {
	s := newShop(t)
	_, key := s.synoptic()
	s.activate(key, "a.b.c").want(503, "unavailable")
}

func TestAKeyActivatesItsOwnProductOnlyAndWhileTheLicenceIsValid(t *testing.T) {
	issuer, trusted := withEntra(t)
	s := newShop(t, trusted)
	token := issuer.Token(t, audience, contosos, time.Now())
	license, key := s.synoptic()
	s.ask("POST", "/v1/licenses/activate", `{"activation_key":"`+key+`","entra_token":"`+token+`","product":"calendar-pro"}`, frame...).want(404, "unknown_activation_key")
	s.ask("POST", "/v1/operator/licenses/"+license+"/suspend", `{}`, asOperator, withKey()).want(200, "")
	s.activate(key, token).want(409, "license_not_valid")
	s.ask("POST", "/v1/operator/licenses/"+license+"/reinstate", `{}`, asOperator, withKey()).want(200, "")
	s.activate(key, token).want(200, "")
}

func TestTheLicenseeReplacesTheActivationKey(t *testing.T) {
	issuer, trusted := withEntra(t)
	s := newShop(t, trusted)
	license, key := s.synoptic()
	licensee, payer := s.signIn("bea@contoso.example"), s.signIn("ada@contoso.example")
	s.ask("POST", "/v1/licenses/"+license+"/activation-key/rotate", "", payer).want(403, "forbidden")
	fresh := s.ask("POST", "/v1/licenses/"+license+"/activation-key/rotate", "", licensee).want(200, "").text("activation_key")
	if fresh == key || len(fresh) < 26 {
		t.Errorf("a new key of %d characters, the same as before: %t", len(fresh), fresh == key)
	}
	token := issuer.Token(t, audience, contosos, time.Now())
	s.activate(key, token).want(404, "unknown_activation_key")
	s.activate(fresh, token).want(200, "")
	s.ask("POST", "/v1/licenses/"+license+"/activation-key/rotate", "", asOperator).want(200, "")
	s.activate(fresh, token).want(404, "unknown_activation_key")
	if got := s.synopticCode(license, contosos); got != "ACTIVE" { // what is bound stays so
		t.Errorf("after a new key %s", got)
	}
}

func TestAnOperatorMovesATenant(t *testing.T) {
	issuer, trusted := withEntra(t)
	s := newShop(t, trusted)
	license, key := s.synoptic()
	s.activate(key, issuer.Token(t, audience, contosos, time.Now())).want(200, "")
	path := "/v1/operator/licenses/" + license + "/tenant"
	s.ask("PUT", path, `{"tenant":"`+another+`"}`, s.signIn("bea@contoso.example")).want(403, "forbidden")
	s.ask("PUT", path, `{"tenant":"../x"}`, asOperator).want(422, "invalid")
	s.ask("PUT", path, `{"tenant":"`+strings.ToUpper(another)+`"}`, asOperator).want(200, "")
	if a, b := s.synopticCode(license, contosos), s.synopticCode(license, another); a != "WRONG_TENANT" || b != "ACTIVE" {
		t.Errorf("after a move: the old tenant %s, the new one %s", a, b)
	}
	s.ask("PUT", path, `{"tenant":null}`, asOperator).want(200, "")
	if got := s.synopticCode(license, another); got != "NOT_ACTIVATED" {
		t.Errorf("released: %s", got)
	}
	s.activate(key, issuer.Token(t, audience, contosos, time.Now())).want(200, "")
	other := s.buy().want(201, "").text("license.id")
	s.ask("PUT", "/v1/operator/licenses/"+other+"/tenant", `{"tenant":"`+another+`"}`, asOperator).want(409, "not_possible_now")
}

func TestWrongActivationKeysAreCountedByAddress(t *testing.T) {
	issuer, trusted := withEntra(t)
	s := newShop(t, limited, trusted, func(c *parts) { c.TrustedProxies = []string{"192.0.2.1"} })
	_, key := s.synoptic()
	s.now = time.Now()
	token := issuer.Token(t, audience, contosos, s.now)
	for range 3 {
		s.activate(key, token, from("198.51.100.7")).want(200, "") // right ones are not
	}
	for range 10 {
		s.activate("wrong", token, from("198.51.100.7")).want(404, "unknown_activation_key")
	}
	refused := s.activate("wrong", token, from("198.51.100.7")).want(429, "too_many_requests")
	if refused.header.Get("Retry-After") == "" || refused.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", refused.header)
	}
	s.activate(key, token, from("198.51.100.7")).want(429, "too_many_requests")
	s.activate(key, token, from("198.51.100.8")).want(200, "")
	s.now = s.now.Add(time.Minute)
	s.activate(key, token, from("198.51.100.7")).want(200, "")
}

func TestALicenseeActivatesByTheExactText(t *testing.T) {
	s := newShop(t)
	license := s.buy(`product="smart-filter-pro"`).want(201, "").text("license.id")
	for licensee, want := range map[string]string{
		"Bea Bianchi <bea@contoso.example>": "ACTIVE", "bea bianchi <bea@contoso.example>": "WRONG_LICENSEE", "Bea Bianchi <bea@contoso.example> ": "WRONG_LICENSEE",
		"bea@contoso.example": "WRONG_LICENSEE", "": "WRONG_LICENSEE",
	} {
		a := s.ask("POST", "/v1/licenses/check", `{"v":1,"license":"`+license+`","product":"smart-filter-pro","licensee":"`+licensee+`"}`, frame...).want(200, "")
		if a.text("code") != want {
			t.Errorf("%q: %s, want %s", licensee, a.text("code"), want)
		}
	}
}

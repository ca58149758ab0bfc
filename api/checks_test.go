package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/licensing"
)

// frame is how a visual asks from its sandboxed frame.
var frame = []string{"Content-Type: text/plain;charset=UTF-8", "Origin: null", "Sec-Fetch-Site: cross-site"}

func question(license, more string) string {
	return `{"v":1,"license":"` + license + `","product":"calendar-pro","version":"2.4.2","env":8` + more + `}`
}

func TestALicenceCheck(t *testing.T) {
	s := newShop(t)
	license := s.buy().want(201, "").text("license.id")
	for name, headers := range map[string][]string{
		"from a frame": frame, "as JSON": {"Content-Type: application/json"}, "as something else": {"Content-Type: application/" + marker},
		"with a cookie":                  {"Content-Type: text/plain", "Cookie: __Host-okviz=" + marker, "Origin: https://app.powerbi.com"},
		"with a credential that is none": {"Content-Type: text/plain", "Authorization: Bearer " + marker},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			a := s.ask("POST", "/v1/licenses/check", question(license, `,"`+marker+`":{"a":[1]},"Licensee":"x","user":"u1","sites":null`), headers...).want(200, "")
			if a.text("code") != "ACTIVE" || a.at("valid") != true || a.at("v") != 1.0 || a.at("refresh_after") != 86400.0 || strings.Count(a.text("token"), ".") != 2 {
				t.Errorf("answer %s", a.body)
			}
			if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Set-Cookie") != "" {
				t.Errorf("headers %v", a.header)
			}
			for _, when := range []string{"now", "valid_until"} {
				if _, err := time.Parse("2006-01-02T15:04:05Z", a.text(when)); err != nil {
					t.Errorf("%s is %s", when, a.text(when))
				}
			}
			token := a.text("token")
			claims, err := licensing.Verify(token, s.keys.Public(), time.Now(), "calendar-pro")
			if err != nil || claims.Subject != license || claims.Kind != licensing.KindLease || claims.Licensee != "" {
				t.Errorf("the token says %+v, %v", claims, err)
			}
			for _, name := range []string{"Ada", "ada@", "Bea", "bea@", "ontoso"} {
				if strings.Contains(string(a.body), name) {
					t.Errorf("the answer says %q", name)
				}
			}
			exactKeys(t, a.json(), "v", "valid", "code", "valid_until", "now", "refresh_after", "token")
		})
	}
	s.t = t
	for _, c := range []struct{ body, code string }{
		{question("lic_none", ""), "UNKNOWN_LICENSE"},
		{strings.Replace(question(license, ""), "calendar-pro", "bullet-chart", 1), "WRONG_PRODUCT"},
		{question(strings.Repeat("x", 3000), ""), "UNKNOWN_LICENSE"},
		{question(`\u0000'; DROP TABLE licenses; --`, ""), "UNKNOWN_LICENSE"},
	} {
		a := s.ask("POST", "/v1/licenses/check", c.body, frame...).want(200, "")
		if a.text("code") != c.code || a.at("valid") != false || a.at("token") != nil || a.at("valid_until") != nil {
			t.Errorf("%s: %s, want %s", a.what, a.body, c.code)
		}
	}
}

func TestChecksAreOpenToEveryOriginOnEveryStatus(t *testing.T) {
	s := newShop(t)
	license := s.buy().want(201, "").text("license.id")
	open := func(a answer, status int) {
		t.Helper()
		a.want(status, "")
		if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Expose-Headers") != "Retry-After" {
			t.Errorf("%s: %d is not open: %v", a.what, a.status, a.header)
		}
	}
	open(s.ask("POST", "/v1/licenses/check", question(license, ""), frame...), 200)
	open(s.ask("POST", "/v1/licenses/check", "{", frame...), 400)
	open(s.ask("POST", "/v1/licenses/check", "", frame...), 400)
	open(s.ask("POST", "/v1/licenses/check", question(license, `,"user":"`+"\xff"+`"`), frame...), 400)
	full := question(license, `,"user":""`)
	full = strings.Replace(full, `"user":""`, `"user":"`+strings.Repeat("u", 4096-len(full))+`"`, 1)
	open(s.ask("POST", "/v1/licenses/check", full, frame...), 200)
	open(s.ask("POST", "/v1/licenses/check", full+" ", frame...), 413)
	open(s.ask("OPTIONS", "/v1/licenses/check", "", "Origin: null", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"), 204)
	open(s.ask("PUT", "/v1/licenses/check", "", "Origin: null"), 405)
	open(s.ask("GET", "/.well-known/jwks.json", ""), 200)
	open(s.ask("OPTIONS", "/.well-known/jwks.json", ""), 204)
	open(s.ask("POST", "/.well-known/jwks.json", ""), 405)
	check(t, s.store.Close())
	open(s.ask("POST", "/v1/licenses/check", question("lic_new", ""), frame...), 503)
	open(s.ask("GET", "/.well-known/jwks.json", ""), 200)
}

// flaky is a database that can be away, and counts what checks read.
type flaky struct {
	api.Store
	away  atomic.Bool
	hangs atomic.Bool
	reads atomic.Int64
}

func (f *flaky) License(ctx context.Context, id string) (licensing.Issued, error) {
	f.reads.Add(1)
	if f.hangs.Load() {
		<-ctx.Done()
		return licensing.Issued{}, ctx.Err()
	}
	if f.away.Load() {
		return licensing.Issued{}, errors.New("gone")
	}
	return f.Store.License(ctx, id)
}

func TestChecksGoOnWhileTheDatabaseIsAway(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *api.Config) { db.Store, c.Store = c.Store, db })
	license := s.buy().want(201, "").text("license.id")
	asked := func(want string) answer {
		t.Helper()
		a := s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "")
		if a.text("code") != want {
			t.Errorf("code %s, want %s", a.text("code"), want)
		}
		return a
	}
	until, err := time.Parse(time.RFC3339, asked("ACTIVE").text("valid_until"))
	check(t, err)
	reads := db.reads.Load()
	for range 50 {
		asked("ACTIVE")
	}
	if n := db.reads.Load() - reads; n > 2 { // a second may have passed
		t.Errorf("50 checks at once read the database %d times", n)
	}
	sent := s.temporal.sent
	db.away.Store(true)
	s.temporal.fail(errors.New("gone"), nil)
	s.now = until.Add(-time.Second)
	asked("ACTIVE")
	s.now = until
	asked("EXPIRED")
	if s.temporal.sent != sent {
		t.Error("a check has asked Temporal")
	}
	s.ask("POST", "/v1/licenses/check", question("lic_new", ""), frame...).want(503, "unavailable")
}

func TestADatabaseThatHangsHoldsNoCheckUp(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *api.Config) { db.Store, c.Store = c.Store, db })
	db.hangs.Store(true)
	start := time.Now()
	s.ask("POST", "/v1/licenses/check", question("lic_new", ""), frame...).want(503, "unavailable")
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("a check waited for %s", took)
	}
}

// exactKeys holds an object to exactly these names.
func exactKeys(t *testing.T, o any, names ...string) {
	t.Helper()
	m, ok := o.(map[string]any)
	if !ok {
		t.Errorf("%v is no object", o)
		return
	}
	for _, name := range names {
		if _, there := m[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range m {
		if !isIn(names, name) {
			t.Errorf("%s is there", name)
		}
	}
	if t.Failed() {
		b, _ := json.Marshal(o)
		t.Logf("%s", b)
	}
}

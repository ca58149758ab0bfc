package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
)

// frame is how a visual asks from its sandboxed frame.
var frame = []string{"Content-Type: text/plain;charset=UTF-8", "Origin: null", "Sec-Fetch-Site: cross-site"}

// nobody is an id that licences might have, and none has.
const nobody = "lic_00000000000000000000000000"

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
		{question(nobody, ""), "UNKNOWN_LICENSE"},
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

func TestAQuestionWithANonceGetsATokenOfItsOwn(t *testing.T) {
	s := newShop(t)
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Now()
	claims := func(more string) licensing.Claims {
		t.Helper()
		a := s.ask("POST", "/v1/licenses/check", question(license, more), frame...).want(200, "")
		c, err := licensing.Verify(a.text("token"), s.keys.Public(), s.now, "calendar-pro")
		check(t, err)
		return c
	}
	lease := claims("")
	s.now = s.now.Add(10 * time.Second)
	for _, nonce := range []string{"0123456789abcdef", "0123456789abcdeg"} {
		c := claims(`,"nonce":"` + nonce + `"`)
		if c.Kind != licensing.KindAnswer || c.Nonce != nonce || c.Code != "ACTIVE" || c.IssuedAt != s.now.Unix() {
			t.Errorf("the answer's token says %+v", c)
		}
	}
	if again := claims(""); again.ID != lease.ID || again.Nonce != "" {
		t.Errorf("the shared lease is now %+v", again)
	}
	s.ask("POST", "/v1/licenses/check", question(license, `,"nonce":"short"`), frame...).want(400, "malformed")
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
	open(s.ask("POST", "/v1/licenses/check", question(nobody, ""), frame...), 503)
	open(s.ask("GET", "/.well-known/jwks.json", ""), 200)
}

// flaky is a database that can be away, and counts what checks read.
type flaky struct {
	checks.Store
	away    atomic.Bool
	hangs   atomic.Bool
	waits   atomic.Bool // until release is closed
	release chan struct{}
	reads   atomic.Int64
}

func (f *flaky) License(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error) {
	f.reads.Add(1)
	if f.hangs.Load() {
		<-ctx.Done()
		return licensing.Issued{}, ctx.Err()
	}
	if f.waits.Load() {
		<-f.release
	}
	if f.away.Load() {
		return licensing.Issued{}, errors.New("gone")
	}
	return f.Store.License(ctx, id)
}

func TestChecksGoOnWhileTheDatabaseIsAway(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
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
	s.ask("POST", "/v1/licenses/check", question(nobody, ""), frame...).want(503, "unavailable")
}

func TestADatabaseThatHangsHoldsNoCheckUp(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
	db.hangs.Store(true)
	start := time.Now()
	s.ask("POST", "/v1/licenses/check", question(nobody, ""), frame...).want(503, "unavailable")
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("a check waited for %s", took)
	}
}

// answers asks until an answer is as wanted: what is read aside may take a
// moment.
func (s *shop) answers(license, want string) {
	s.t.Helper()
	got := ""
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if got = s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "").text("code"); got == want {
			return
		}
	}
	s.t.Errorf("code %s, want %s", got, want)
}

func TestACheckOfWhatIsKeptNeedsNothingElse(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Now()
	s.answers(license, "ACTIVE")
	s.answers(nobody, "UNKNOWN_LICENSE")
	db.Store = nil // whatever is asked of it now is a panic, and a panic is 500
	s.temporal.fail(errors.New("gone"), nil)
	for range 100 {
		s.answers(license, "ACTIVE")
		s.answers(nobody, "UNKNOWN_LICENSE")
		s.answers("lic_none", "UNKNOWN_LICENSE")
	}
}

// What another process, or the worker, has written is seen in time: a licence
// that is asked for all the time is read aside, one that is not, first.
func TestARevocationElsewhereIsSeenWithinThirtySeconds(t *testing.T) {
	for name, every := range map[string]time.Duration{"asked all the time": time.Second, "asked now and then": 29 * time.Second} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			bought := s.buy().want(201, "")
			license := bought.text("license.id")
			s.now = time.Now()
			s.answers(license, "ACTIVE")
			here := s.handler
			s.assemble(s.parts) // another process
			s.ask("POST", "/v1/operator/licenses/"+license+"/revoke", `{}`, asOperator, withKey()).want(200, "")
			s.answers(license, "REVOKED")
			s.handler = here
			last := ""
			for passed := every; passed < 30*time.Second; passed += every {
				s.now = s.now.Add(every)
				last = s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "").text("code")
			}
			if last != "REVOKED" {
				t.Errorf("after 29 seconds %s", last)
			}
		})
	}
}

func TestWhatIsChangedHereIsAnsweredAtOnce(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	license, sub := bought.text("license.id"), bought.text("subscription.id")
	asked := func(want string) {
		t.Helper()
		if got := s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "").text("code"); got != want {
			t.Errorf("code %s, want %s", got, want)
		}
	}
	asked("ACTIVE")
	s.on(sub, "cancel", `{}`).want(200, "")
	asked("CANCELED")
	s.on(sub, "resume", `{}`).want(200, "")
	asked("ACTIVE")
	s.ask("POST", "/v1/operator/licenses/"+license+"/suspend", `{}`, asOperator, withKey()).want(200, "")
	asked("SUSPENDED")
	hold := func(action string) {
		t.Helper()
		s.ask("POST", "/v1/operator/licenses/"+license+"/"+action, `{}`, asOperator, withKey()).want(200, "")
	}
	hold("reinstate")
	asked("ACTIVE")
	hold("revoke") // which also ends the subscription
	asked("REVOKED")
	hold("reinstate")
	asked("EXPIRED")
	s.on(sub, "renew", `{}`).want(200, "")
	asked("ACTIVE")
}

func TestWhatIsReadAsideHoldsNoCheckUp(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Now()
	s.answers(license, "ACTIVE")
	reads := db.reads.Load()
	db.hangs.Store(true)
	s.now = s.now.Add(15 * time.Second) // no longer fresh, not yet stale
	for range 100 {
		start := time.Now()
		s.answers(license, "ACTIVE")
		if took := time.Since(start); took > 1500*time.Millisecond { // a reading is given up after two seconds
			t.Errorf("a check took %s", took)
		}
	}
	for end := time.Now().Add(10 * time.Second); db.reads.Load() == reads && time.Now().Before(end); {
	}
	if n := db.reads.Load() - reads; n != 1 {
		t.Errorf("it was read aside %d times at once", n)
	}
}

func TestOneReadingThatFailsMakesNoAnswerOlder(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Now()
	s.answers(license, "ACTIVE")
	s.now = s.now.Add(time.Minute)
	db.away.Store(true)
	s.ask("POST", "/v1/licenses/check", question(nobody, ""), frame...).want(503, "unavailable")
	db.away.Store(false)
	reads := db.reads.Load()
	s.answers(license, "ACTIVE")
	if n := db.reads.Load() - reads; n != 1 {
		t.Errorf("what was read a minute ago was read again %d times", n)
	}
}

func TestADatabaseThatHangsIsNotWaitedForByEachCheck(t *testing.T) {
	db := &flaky{}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Now()
	s.answers(license, "ACTIVE")
	db.hangs.Store(true)
	s.now = s.now.Add(time.Minute)
	start := time.Now()
	for range 20 {
		s.answers(license, "ACTIVE")
	}
	if took := time.Since(start); took > 10*time.Second { // three of them waited for 2 s
		t.Errorf("20 checks took %s", took)
	}
}

func TestAMissIsReadOnceHoweverManyAsk(t *testing.T) {
	db := &flaky{release: make(chan struct{})}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Now()
	reads := db.reads.Load()
	db.waits.Store(true)
	var all, begun sync.WaitGroup
	for range 40 {
		begun.Add(1)
		all.Go(func() {
			begun.Done()
			s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "")
		})
	}
	begun.Wait()
	close(db.release)
	all.Wait()
	if n := db.reads.Load() - reads; n != 1 {
		t.Errorf("40 checks at once read the licence %d times", n)
	}
}

func TestAllWhoAskAreGivenOneLeaseUntilTheLicenceChanges(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	license, sub := bought.text("license.id"), bought.text("subscription.id")
	s.now = time.Now().UTC().Truncate(time.Second)
	ask := func() (string, licensing.Claims) {
		t.Helper()
		token := s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "").text("token")
		claims, err := licensing.Verify(token, s.keys.Public(), s.now, "calendar-pro")
		check(t, err)
		return token, claims
	}
	first, claims := ask()
	if claims.ExpiresAt != s.now.Add(14*24*time.Hour).Unix() {
		t.Errorf("it expires %v, asked %v", time.Unix(claims.ExpiresAt, 0), s.now)
	}
	s.now = s.now.Add(59 * time.Minute)
	if again, _ := ask(); again != first {
		t.Error("another lease was signed within the hour")
	}
	s.now = s.now.Add(time.Minute)
	second, claims := ask()
	if second == first || claims.IssuedAt != s.now.Unix() {
		t.Error("after an hour the lease is still the old one")
	}
	s.on(sub, "change", `{"plan":{"type":"users","tier":"21-50","cycle":"monthly"}}`).want(200, "")
	if _, claims := ask(); claims.Tier != "21-50" {
		t.Errorf("after a change it says %s", claims.Tier)
	}
	s.on(sub, "cancel", `{}`).want(200, "")
	end, err := time.Parse(time.RFC3339, s.ask("GET", "/v1/licenses/"+license, "", asOperator).want(200, "").text("valid_until"))
	check(t, err)
	s.now = end.Add(-time.Hour)
	if _, claims := ask(); claims.ExpiresAt != end.Unix() {
		t.Errorf("it outlives the licence: %v, want %v", time.Unix(claims.ExpiresAt, 0), end)
	}
}

func TestALeaseIsSignedAnewWhenTheLicenceWasChangedElsewhere(t *testing.T) {
	s := newShop(t)
	bought := s.buy(`plan={"type":"site","cycle":"yearly"}`, `sites=["one.contoso.example"]`).want(201, "")
	license := bought.text("license.id")
	s.now = time.Now()
	ask := func(site string) string {
		t.Helper()
		token := s.ask("POST", "/v1/licenses/check", question(license, `,"sites":["`+site+`"]`), frame...).want(200, "").text("token")
		claims, err := licensing.Verify(token, s.keys.Public(), s.now, "calendar-pro")
		check(t, err)
		return strings.Join(claims.Sites, " ")
	}
	if got := ask("one.contoso.example"); got != "one.contoso.example" {
		t.Errorf("it names %s", got)
	}
	check(t, s.store.SetSites(t.Context(), licensing.LicenseID(license), []string{"two.contoso.example"}, 10))
	s.now = s.now.Add(25 * time.Second)
	if got := ask("two.contoso.example"); got != "two.contoso.example" {
		t.Errorf("after a change elsewhere it still names %s", got)
	}
}

func TestALeaseOfATestClockIsOfTheClocksInstant(t *testing.T) {
	s := newShop(t)
	clock := s.ask("POST", "/v1/operator/test-clocks", `{"now":"2026-01-31T10:00:00Z"}`, asOperator).want(201, "").text("id")
	license := s.ask("POST", "/v1/checkout", order(`test_clock="`+clock+`"`), asOperator, withKey()).want(201, "").text("license.id")
	ask := func(now string) {
		t.Helper()
		a := s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "")
		at, err := time.Parse(time.RFC3339, now)
		check(t, err)
		claims, err := licensing.Verify(a.text("token"), s.keys.Public(), at, "calendar-pro")
		if err != nil || a.text("now") != now || claims.IssuedAt != at.Unix() || claims.ExpiresAt != at.AddDate(0, 0, 14).Unix() {
			t.Errorf("at %s: %s %+v, %v", now, a.text("now"), claims, err)
		}
	}
	ask("2026-01-31T10:00:00Z")
	s.ask("POST", "/v1/operator/test-clocks/"+clock+"/advance", `{"to":"2026-01-31T10:20:00Z"}`, asOperator).want(200, "")
	ask("2026-01-31T10:20:00Z")
}

func TestGuessingCostsTheDatabaseNothing(t *testing.T) {
	db := &flaky{}
	s := newShop(t, limited, func(c *parts) {
		db.Store, c.checks, c.TrustedProxies = c.checks, db, []string{"192.0.2.1"}
	})
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Now()
	bought := db.reads.Load()
	guess := func(i int, address string) answer {
		return s.ask("POST", "/v1/licenses/check", question("lic_"+fmt.Sprintf("%026d", i), ""), "Origin: null", from(address))
	}
	for range 50 {
		guess(1, "198.51.100.7").want(200, "")
	}
	for i := range 50 {
		s.ask("POST", "/v1/licenses/check", question("lic_"+strconv.Itoa(i), ""), "Origin: null", from("198.51.100.7")).want(200, "")
	}
	if n := db.reads.Load() - bought; n != 1 {
		t.Errorf("one id that is none, and 50 that cannot be, were read %d times", n)
	}
	refused := 0
	for i := range 500 {
		if a := guess(i+2, "198.51.100.7"); a.status == 429 {
			refused++
		}
	}
	if n := db.reads.Load() - bought; n > 101 || refused < 400 {
		t.Errorf("500 guesses cost %d readings, %d were refused", n, refused)
	}
	guess(1000, "198.51.100.8").want(200, "") // another address
	s.answers(license, "ACTIVE")
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

package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
)

// uses asks as so many people, each of them twice, and writes them down.
func (s *shop) uses(license string, from, to int) {
	s.t.Helper()
	for range 2 {
		for i := from; i < to; i++ {
			s.ask("POST", "/v1/licenses/check", question(license, fmt.Sprintf(`,"user":"person-%d"`, i)), frame...).want(200, "")
		}
	}
	s.checks.Count(s.t.Context())
}

func (s *shop) code(license string) (code string, valid bool) {
	s.t.Helper()
	a := s.ask("POST", "/v1/licenses/check", question(license, ""), frame...).want(200, "")
	return a.text("code"), a.at("valid").(bool)
}

func (s *shop) wantCode(license, want string) {
	s.t.Helper()
	code, valid := s.code(license)
	if code != want || valid != licensing.Code(want).Valid() {
		s.t.Errorf("code %s, valid %t, want %s", code, valid, want)
	}
}

// outgrown are the mails that tell of it.
func (s *shop) outgrown() (n int) {
	for _, l := range s.mailbox.Emails() {
		if string(l.Kind) == "over_limit" {
			n++
		}
	}
	return n
}

func TestATierThatIsOutgrownIsAWarningAndOneMailAPeriod(t *testing.T) {
	s := newShop(t)
	clock := s.ask("POST", "/v1/operator/test-clocks", `{"now":"2026-01-31T10:00:00Z"}`, asOperator).want(201, "").text("id")
	bought := s.ask("POST", "/v1/checkout", order(`test_clock="`+clock+`"`), asOperator, withKey()).want(201, "")
	license, sub := bought.text("license.id"), bought.text("subscription.id")
	s.uses(license, 0, 20)
	s.wantCode(license, "ACTIVE")
	if n := s.outgrown(); n != 0 {
		t.Errorf("20 people of 20: %d mails", n)
	}
	s.uses(license, 0, 21)
	s.wantCode(license, "OVER_LIMIT")
	s.uses(license, 10, 40) // it is told once
	emails := s.mailbox.Emails()
	last := emails[len(emails)-1]
	if n := s.outgrown(); n != 1 || last.Email != "ada@contoso.example" || last.Link != "https://shop.example/account/subscriptions/"+sub+"/change" || last.Users != 21 || last.Covers != 20 {
		t.Errorf("%d mails, the last one to %s with %s: %d of %d", n, last.Email, last.Link, last.Users, last.Covers)
	}
	if got := s.ask("GET", "/v1/licenses/"+license, "", asOperator).want(200, "").text("status"); got != "OVER_LIMIT" {
		t.Errorf("the licence's page says %s", got)
	}
	s.ask("POST", "/v1/operator/test-clocks/"+clock+"/advance", `{"to":"2026-02-28T10:00:00Z"}`, asOperator).want(200, "")
	s.wantCode(license, "ACTIVE") // a new period
	s.uses(license, 0, 21)
	s.wantCode(license, "OVER_LIMIT")
	if n := s.outgrown(); n != 2 {
		t.Errorf("in the second period %d mails in all", n)
	}
	s.on(sub, "change", `{"plan":{"type":"users","tier":"21-50","cycle":"monthly"}}`).want(200, "")
	s.wantCode(license, "ACTIVE")
	history := string(s.ask("GET", "/v1/subscriptions/"+sub+"/events", "", asOperator).want(200, "").body)
	if n := strings.Count(history, "More people used"); n != 2 {
		t.Errorf("the history tells it %d times: %s", n, history)
	}
}

func TestAnOperatorMayHaveALicenceBlockedAboveFiveQuarters(t *testing.T) {
	s := newShop(t)
	license := s.buy().want(201, "").text("license.id")
	path := "/v1/operator/licenses/" + license + "/block-over-limit"
	s.ask("POST", path, `{"on":true}`, s.signIn("ada@contoso.example")).want(403, "forbidden")
	s.uses(license, 0, 26) // more than 25 = 1.25 × 20
	s.wantCode(license, "OVER_LIMIT")
	use := s.ask("POST", path, `{"on":true}`, asOperator).want(200, "")
	hasForm(t, "use", use.body, map[string]any{"people": "whole", "covers": "whole", "period_end": "instant", "block_over_limit": "bool"})
	if use.at("people") != 26.0 || use.at("covers") != 20.0 || use.at("block_over_limit") != true {
		t.Errorf("26 of 20 people, blocked: %s", use.body)
	}
	s.wantCode(license, "BLOCKED_OVER_LIMIT")
	s.ask("POST", path, `{"on":true}`, asOperator).want(200, "")
	s.ask("POST", path, `{"on":false}`, asOperator).want(200, "")
	s.wantCode(license, "OVER_LIMIT")
	if use := s.ask("GET", "/v1/operator/licenses/"+license+"/use", "", asOperator).want(200, ""); use.at("block_over_limit") != false {
		t.Errorf("no longer blocked: %s", use.body)
	}
	few := s.buy().want(201, "").text("license.id")
	s.ask("POST", "/v1/operator/licenses/"+few+"/block-over-limit", `{"on":true}`, asOperator).want(200, "")
	s.uses(few, 0, 25)
	s.wantCode(few, "OVER_LIMIT")
	s.ask("POST", "/v1/operator/licenses/"+nobody+"/block-over-limit", `{"on":true}`, asOperator).want(404, "not_found")
}

// counting counts what is written down, and can fail.
type counting struct {
	checks.Store
	writes, users atomic.Int64
	away          atomic.Bool
}

func (c *counting) CountUsers(ctx context.Context, license licensing.LicenseID, periodEnd time.Time, users []licensing.User) (billing.SubscriptionID, error) {
	if c.away.Load() {
		return "", errors.New("gone")
	}
	c.writes.Add(1)
	c.users.Add(int64(len(users)))
	return c.Store.CountUsers(ctx, license, periodEnd, users)
}

func TestPeopleAreWrittenDownAsideAndOnceEach(t *testing.T) {
	db := &counting{}
	s := newShop(t, func(c *parts) { db.Store, c.checks = c.checks, db })
	license := s.buy().want(201, "").text("license.id")
	site := s.buy(`plan={"type":"site","cycle":"monthly"}`).want(201, "").text("license.id")
	db.away.Store(true)
	s.uses(license, 0, 30)
	s.uses(site, 0, 30)                                        // are not counted
	s.uses(strings.Replace(license, "lic_", "sub_", 1), 0, 30) // nobody's
	s.ask("POST", "/v1/licenses/check", strings.Replace(question(license, `,"user":"x"`), "calendar-pro", "bullet-chart", 1), frame...).want(200, "")
	s.wantCode(license, "ACTIVE")
	if db.writes.Load() != 0 {
		t.Error("a check has written")
	}
	db.away.Store(false)
	s.checks.Count(t.Context())
	s.wantCode(license, "OVER_LIMIT")
	s.uses(license, 0, 30)
	if w, p := db.writes.Load(), db.users.Load(); w != 1 || p != 30 {
		t.Errorf("30 people were written down %d times, as %d", w, p)
	}
}

func TestAnAddressAddsNoMoreThanAThousandPeopleADay(t *testing.T) {
	db := &counting{}
	s := newShop(t, func(c *parts) {
		db.Store, c.checks, c.TrustedProxies = c.checks, db, []string{"192.0.2.1"}
	})
	license := s.buy().want(201, "").text("license.id")
	s.now = time.Date(time.Now().Year(), time.Now().Month(), time.Now().Day(), 12, 0, 0, 0, time.UTC)
	ask := func(i int, address string) {
		s.ask("POST", "/v1/licenses/check", question(license, fmt.Sprintf(`,"user":"person-%d"`, i)), "Origin: null", from(address)).want(200, "")
	}
	for i := range 1100 {
		ask(i, "198.51.100.7")
	}
	s.checks.Count(t.Context())
	if n := db.users.Load(); n != 1000 {
		t.Errorf("1100 from one address are counted as %d", n)
	}
	ask(2000, "198.51.100.8")
	s.now = s.now.AddDate(0, 0, 1)
	ask(1099, "198.51.100.7")
	s.checks.Count(t.Context())
	if n := db.users.Load(); n != 1002 {
		t.Errorf("another address and another day: %d", n)
	}
}

// Run is what writes them down in the running engine, and at its end.
func TestWhoWaitsAtTheEndIsWrittenDown(t *testing.T) {
	s := newShop(t)
	license := s.buy().want(201, "").text("license.id")
	for i := range 21 {
		s.ask("POST", "/v1/licenses/check", question(license, fmt.Sprintf(`,"user":"person-%d"`, i)), frame...).want(200, "")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s.checks.Run(ctx)
	s.wantCode(license, "OVER_LIMIT")
}

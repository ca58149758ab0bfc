package reports

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestALicensedVisualWorksOnlineAndOffline(t *testing.T) {
	file := delivered(t, buy(t, nil).License.ID)
	p := newVisitor(t)
	if last := p.sees(t, visit{file: file}, "licensed pending", "licensed ok"); last.Kind != "none" || last.Words != "" || !last.Subtle {
		t.Errorf("a licensed visual shows %+v", last)
	}
	if n := posts(t, service.questions()); n != 1 {
		t.Errorf("it asked %d times", n)
	}
	// Within a day it need not ask again, and later it asks for the same person.
	p.sees(t, visit{file: file}, "licensed pending", "licensed ok")
	if asked := service.questions(); len(asked) > 0 {
		t.Errorf("it asked again: %q", asked)
	}
	service.goesDown(t)
	newVisitor(t).sees(t, visit{file: file}, "licensed pending", "licensed unreachable")
}

func TestATrialShowsABadge(t *testing.T) {
	file := delivered(t, buy(t, object{"pay": "trial", "payment": nil}).License.ID)
	if last := newVisitor(t).sees(t, visit{file: file}, "trial pending", "trial ok"); last.Kind != "badge" || !strings.HasPrefix(last.Words, "Trial until ") {
		t.Errorf("a trial shows %+v", last)
	}
	service.goesDown(t)
	newVisitor(t).sees(t, visit{file: file}, "trial pending", "trial unreachable")
}

func TestGraceIsShownUntilTheRenewal(t *testing.T) {
	clk := clock(t, "2026-01-31T10:00:00Z")
	b := buy(t, object{"test_clock": clk, "payment": object{"method": "card", "token": "tok_later_declined"}})
	file := delivered(t, b.License.ID)
	t.Run("offline from the end of the period to the end of the grace", func(t *testing.T) {
		service.goesDown(t)
		p := newVisitor(t)
		p.sees(t, visit{file: file, now: "2026-02-28T09:59:00Z"}, "licensed pending", "licensed unreachable")
		last := p.sees(t, visit{file: file, now: "2026-02-28T10:00:00Z"}, "grace pending", "grace unreachable")
		if last.Kind != "banner" || !strings.Contains(last.Words, "until March 3, 2026") {
			t.Errorf("grace shows %+v", last)
		}
		if to := p.follows(t); to != "http://localhost:8080/account/licenses/"+b.License.ID {
			t.Errorf("the link leads to %s", to)
		}
		p.sees(t, visit{file: file, now: "2026-03-03T10:00:00Z"}, "expired pending", "expired unreachable")
	})
	t.Run("online while a payment has failed", func(t *testing.T) {
		advance(t, clk, "2026-02-28T12:00:00Z")
		newVisitor(t).sees(t, visit{file: file, now: "2026-02-28T12:00:00Z"}, "grace pending", "grace ok")
	})
}

func TestACancelledVisualWorksToItsEndAndNoLonger(t *testing.T) {
	clk := clock(t, "2026-01-31T10:00:00Z")
	b := buy(t, object{"test_clock": clk})
	file := delivered(t, b.License.ID)
	ask(t, http.MethodPost, "/v1/subscriptions/"+b.Subscription.ID+"/cancel", object{})
	p := newVisitor(t)
	p.sees(t, visit{file: file, now: "2026-01-31T10:00:00Z"}, "licensed pending", "licensed ok")
	service.questions()

	// The file says more, but the service has said the end.
	advance(t, clk, "2026-02-28T10:00:00Z")
	last := newVisitor(t).sees(t, visit{file: file, now: "2026-02-28T10:00:00Z"}, "grace pending", "expired ok")
	if last.Kind != "overlay" {
		t.Errorf("an ended licence shows %+v", last)
	}
	service.goesDown(t)
	p.sees(t, visit{file: file, now: "2026-02-28T10:00:00Z"}, "grace pending", "expired unreachable")
	if to := p.follows(t); to != "http://localhost:8080/account/licenses/"+b.License.ID {
		t.Errorf("the link leads to %s", to)
	}
}

func TestARenewedVisualNeedsNoNewFile(t *testing.T) {
	clk := clock(t, "2026-01-31T10:00:00Z")
	b := buy(t, object{"test_clock": clk})
	file := delivered(t, b.License.ID)
	advance(t, clk, "2026-03-10T09:00:00Z")
	p := newVisitor(t)
	p.sees(t, visit{file: file, now: "2026-03-10T09:00:00Z"}, "expired pending", "licensed ok")
	service.goesDown(t)
	p.sees(t, visit{file: file, now: "2026-03-11T10:00:00Z"}, "expired pending", "licensed unreachable") // on the lease
	p.sees(t, visit{file: file, now: "2026-03-24T09:00:00Z"}, "expired pending", "expired unreachable")  // 14 days later
	newVisitor(t).sees(t, visit{file: file, now: "2026-03-11T10:00:00Z"}, "expired pending", "expired unreachable")
}

func TestARevokedVisualStops(t *testing.T) {
	b := buy(t, nil)
	file := delivered(t, b.License.ID)
	ask(t, http.MethodPost, "/v1/operator/licenses/"+b.License.ID+"/revoke", object{"reason": "tests"})
	awaitCode(t, b.License.ID, "REVOKED")
	p := newVisitor(t)
	if last := p.sees(t, visit{file: file}, "licensed pending", "revoked ok"); last.Kind != "overlay" || !strings.Contains(last.Words, "revoked") {
		t.Errorf("a revoked licence shows %+v", last)
	}
	service.goesDown(t)
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	p.sees(t, visit{file: file, now: later}, "licensed pending", "revoked unreachable")
}

// forge signs a token's claims anew, with a key of the forger's own and ten
// more years.
func forge(t *testing.T, token, kind, signed string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, signed)
	must(t, err)
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	end := time.Now().AddDate(10, 0, 0).Unix()
	return resigned(t, token, object{"kind": kind, "iat": at.Unix(), "exp": end, "period_end": end, "trial": false}, key)
}

// resigned is a token with some claims changed, signed with a key.
func resigned(t *testing.T, token string, changes object, key ed25519.PrivateKey) string {
	t.Helper()
	parts := strings.Split(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	claims := object{}
	must(t, json.Unmarshal(raw, &claims))
	maps.Copy(claims, changes)
	raw, err = json.Marshal(claims)
	must(t, err)
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(signed)))
}

// forgeriesFail opens a file with a forged token, and with its own while the
// service is a forger's, under https or the like and under plain http. It
// returns what is wrong, so that a build that does not check can be held to it.
func forgeriesFail(t *testing.T, genuine file, ended string) error {
	t.Helper()
	token := genuine.token(t)
	for _, site := range []string{"localhost", "reports.contoso.example"} {
		_, last := newVisitor(t).looksAt(t, visit{file: genuine.withToken(t, forge(t, token, "embedded", ended)), site: site, now: ended})
		if last.says() != "invalid off" || last.Kind != "overlay" {
			return fmt.Errorf("at %s a forged token is %q with the sign %q", site, last.says(), last.Kind)
		}
		if asked := service.questions(); len(asked) > 0 {
			return fmt.Errorf("at %s it asked about a forged token: %q", site, asked)
		}
		service.breaks(t, answered(http.StatusOK, `{"v": 1, "valid": true, "code": "ACTIVE", "valid_until": "2036-01-01T00:00:00Z", "now": "`+ended+`", "refresh_after": 86400, "token": "`+forge(t, token, "lease", ended)+`"}`))
		_, last = newVisitor(t).looksAt(t, visit{file: genuine, site: site, now: ended})
		service.mend()
		if last.says() != "expired unreachable" {
			return fmt.Errorf("at %s a forged lease is %q", site, last.says())
		}
		if last.Subtle != (site == "localhost") {
			return fmt.Errorf("at %s crypto.subtle is there: %v", site, last.Subtle)
		}
	}
	return nil
}

func TestForgeriesAreInvalid(t *testing.T) {
	b := buy(t, object{"test_clock": clock(t, "2026-01-31T10:00:00Z")})
	if err := forgeriesFail(t, delivered(t, b.License.ID), "2026-05-01T10:00:00Z"); err != nil {
		t.Error(err)
	}
}

func TestABuildThatDoesNotCheckSignaturesIsFound(t *testing.T) {
	b := buy(t, object{"test_clock": clock(t, "2026-01-31T10:00:00Z")})
	original := delivered(t, b.License.ID)
	prelude, _, _ := strings.Cut(original.code, ";")
	const ended = "2026-05-01T10:00:00Z"
	whole := file{prelude + ";" + build(t, original.guid), original.guid, ""}
	if err := forgeriesFail(t, whole, ended); err != nil {
		t.Errorf("the same build with its check: %v", err)
	}
	for name, off := range map[string][]patch{
		"nowhere":   {pureOff, browsersOff},
		"at once":   {pureOff},
		"of leases": {browsersOff},
	} {
		t.Run(name, func(t *testing.T) {
			blind := file{prelude + ";" + build(t, original.guid, off...), original.guid, ""}
			err := forgeriesFail(t, blind, ended)
			if err == nil {
				t.Error("nothing was noticed")
			}
			t.Log("noticed:", err)
		})
	}
}

func TestAnotherProductsTokenIsInvalid(t *testing.T) {
	own := delivered(t, buy(t, nil).License.ID)
	other := delivered(t, buy(t, object{"product": "bullet-chart"}).License.ID)
	newVisitor(t).sees(t, visit{file: own.withToken(t, other.token(t))}, "invalid off", "invalid off")
	if asked := service.questions(); len(asked) > 0 {
		t.Errorf("it asked: %q", asked)
	}
}

func TestAFileWithoutATokenIsUnlicensed(t *testing.T) {
	own := delivered(t, buy(t, nil).License.ID)
	_, own.code, _ = strings.Cut(own.code, ";")
	newVisitor(t).sees(t, visit{file: own}, "unlicensed off", "unlicensed off")
}

func TestAServiceThatFailsLeavesTheLicence(t *testing.T) {
	file := delivered(t, buy(t, nil).License.ID)
	faults := []struct {
		name  string
		fault fault
	}{
		{"500", answered(http.StatusInternalServerError, `{"code": "internal"}`)},
		{"429", answered(http.StatusTooManyRequests, `{"code": "too_many_requests"}`, "Retry-After", "30")},
		{"503", answered(http.StatusServiceUnavailable, `{"code": "unavailable"}`, "Retry-After", "30")},
		{"a login page of the network's", answered(http.StatusOK, `<html>Sign in</html>`)},
		{"a page of a proxy's that lets nobody read it", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	}
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			service.breaks(t, tt.fault)
			newVisitor(t).sees(t, visit{file: file}, "licensed pending", "licensed unreachable")
			if posts(t, service.questions()) == 0 {
				t.Error("nobody was asked")
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		service.goesDown(t)
		newVisitor(t).sees(t, visit{file: file}, "licensed pending", "licensed unreachable")
	})
	t.Run("slow", func(t *testing.T) {
		looked := make(chan struct{})
		service.breaks(t, delayed(looked))
		p := newVisitor(t)
		must(t, p.opens(visit{file: file}))
		var now sign
		must(t, chromedp.Run(p.ctx, chromedp.Evaluate(`last()`, &now)))
		close(looked)
		if now.says() != "licensed pending" {
			t.Errorf("while the service thinks it shows %q", now.says())
		}
		if _, last, err := p.settles(); err != nil || last.says() != "licensed ok" {
			t.Errorf("then %q, %v", last.says(), err)
		}
	})
	t.Run("silent for ten seconds", func(t *testing.T) {
		service.breaks(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		newVisitor(t).sees(t, visit{file: file}, "licensed pending", "licensed unreachable")
	})
	t.Run("forbidden by the page", func(t *testing.T) {
		newVisitor(t).sees(t, visit{file: file, csp: "connect-src 'none'"}, "licensed pending", "licensed blocked")
		if asked := service.questions(); len(asked) > 0 {
			t.Errorf("a blocked visual asked: %q", asked)
		}
	})
}

func TestAVisualUnderPlainHTTPWorks(t *testing.T) {
	file := delivered(t, buy(t, nil).License.ID)
	last := newVisitor(t).sees(t, visit{file: file, site: "reportserver.contoso.example"}, "licensed pending", "licensed ok")
	if last.Subtle {
		t.Error("crypto.subtle is there: the page counts as secure")
	}
	service.goesDown(t)
	newVisitor(t).sees(t, visit{file: file, site: "reportserver.contoso.example"}, "licensed pending", "licensed unreachable")
}

func TestRenamedVisualsFindTheirLicence(t *testing.T) {
	file := delivered(t, buy(t, nil).License.ID)
	for _, suffix := range []string{"_OrgStore", "_DEBUG"} {
		newVisitor(t).sees(t, visit{file: file.renamed(suffix)}, "licensed pending", "licensed ok")
	}
}

func TestASiteLicenceWorksAtItsSitesAlone(t *testing.T) {
	b := buy(t, object{
		"plan": object{"type": "site", "cycle": "monthly"}, "quantity": 2, "sites": []string{"reports.contoso.example", "*.fabrikam.example"},
	})
	file := delivered(t, b.License.ID)
	cases := []struct {
		name, site string
		env        int
		want       string
	}{
		{"at its site", "reports.contoso.example", embedded, "licensed"},
		{"below its wildcard", "a.fabrikam.example", embedded, "licensed"},
		{"on a desktop at its site", "reports.contoso.example", onDesktop, "licensed"},
		{"elsewhere", "reports.tailspin.example", embedded, "invalid"},
		{"beside its wildcard", "fabrikam.example", embedded, "invalid"},
		{"at its site, but in the service", "reports.contoso.example", inService, "invalid"},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			last := newVisitor(t).sees(t, visit{file: file, site: tt.site, env: tt.env}, tt.want+" pending", tt.want+" ok")
			if refused := strings.Contains(last.Words, "for other sites"); refused != (tt.want == "invalid") {
				t.Errorf("it shows %+v", last)
			}
		})
		t.Run(tt.name+", offline", func(t *testing.T) {
			service.goesDown(t)
			newVisitor(t).sees(t, visit{file: file, site: tt.site, env: tt.env}, tt.want+" pending", tt.want+" unreachable")
		})
	}
	t.Run("at a site that was named after the file was made", func(t *testing.T) {
		ask(t, http.MethodPut, "/v1/licenses/"+b.License.ID+"/sites", object{"sites": []string{"new.contoso.example"}})
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(40 * time.Second); ; <-tick.C {
			_, last := newVisitor(t).looksAt(t, visit{file: file, site: "new.contoso.example", env: embedded})
			if last.says() == "licensed ok" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("it still shows %q", last.says())
			}
		}
	})
}

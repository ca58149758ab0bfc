package reports

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/keys"
)

// opening is one time that a report is opened. All fields but wants may be
// left out.
type opening struct {
	name  string
	by    string // another visitor, with another storage
	now   string // the visitor's clock
	proxy func(*stage) fault
	first func(*testing.T, *stage) // happens before
	file  func(*testing.T, *stage) file
	wants string // status and online in the end: "licensed ok"
	kind  string // the sign: none, badge, banner, overlay; empty: any
	asks  int    // questions
}

// stage is what the openings of a case share: a monthly licence, bought at
// 2026-01-31T10:00:00Z by a test clock. Its period ends on 02-28 at 10:00, its
// file three days later.
type stage struct {
	bought
	file     file
	clock    string
	recorded [][]byte // answers to the first opening
	visitor  *visitor // who opens the report now
	second   *file    // of the same product
}

func always(f fault) func(*stage) fault { return func(*stage) fault { return f } }

func replays(s *stage) fault { return replayed(s.recorded) }

// moves moves the licence's own clock.
func moves(to string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) { advance(t, s.clock, to) }
}

// unsigned is an answer that anybody can make, inside the paid period.
var unsigned = answered(http.StatusOK, `{"v": 1, "valid": true, "code": "ACTIVE", "valid_until": null, "now": "2026-02-10T10:00:00Z", "refresh_after": 86400, "token": null}`)

type proxiedCase struct {
	name     string
	openings []opening
}

// proxied are the cases. To add one, say when the report is opened, what the
// proxy does, and what the visual has to show in the end.
var proxied = []proxiedCase{
	{"an unsigned answer does not revive an expired file", []opening{
		{now: "2026-05-01T10:00:00Z", proxy: always(unsigned), wants: "outdated ok", kind: "overlay", asks: 1},
		{now: "2026-05-01T11:00:00Z", proxy: always(away), wants: "expired unreachable", kind: "overlay", asks: 1},
	}},
	{"an unsigned answer does not lift a refusal", []opening{
		{now: "2026-01-31T10:00:00Z", proxy: always(changed(object{"valid": false, "code": "REVOKED", "token": nil})), wants: "revoked ok", kind: "overlay", asks: 1},
		{now: "2026-01-31T11:00:00Z", proxy: always(unsigned), wants: "revoked unreachable", kind: "overlay", asks: 1},
	}},
	{"an answer of 400 days ago does not revive an expired file", []opening{
		{now: "2026-01-31T10:00:00Z", wants: "licensed ok", kind: "none", asks: 1},
		{name: "in the same browser", now: "2027-03-07T10:00:00Z", proxy: replays, wants: "expired unreachable", kind: "overlay", asks: 2},
		{name: "in a new one", by: "another", now: "2027-03-07T10:00:00Z", proxy: replays, wants: "expired unreachable", kind: "overlay", asks: 2},
	}},
	{"an answer to another's nonce corrects no clock", []opening{
		{name: "whose answers are recorded", now: "2026-04-30T10:00:00Z", wants: "licensed ok", asks: 2},
		{by: "another", now: "2027-03-07T10:00:00Z", proxy: replays, wants: "expired unreachable", kind: "overlay", asks: 2},
	}},
	{"a clock that is set back does not revive an expired file", []opening{
		{now: "2026-05-01T10:00:00Z", proxy: always(away), wants: "expired unreachable", asks: 1},
		{name: "offline", now: "2026-02-10T10:00:00Z", proxy: always(away), wants: "expired unreachable", kind: "overlay", asks: 1},
		{name: "with an unsigned answer", now: "2026-02-10T10:00:00Z", proxy: always(unsigned), wants: "outdated ok", kind: "overlay", asks: 1},
	}},
	{"a clock that was ahead when it was corrected, and is set right, ends the file in time", []opening{
		{name: "ten years ahead", now: "2036-01-31T10:00:00Z", wants: "licensed ok", asks: 2},
		{name: "right again", now: "2026-05-01T10:00:00Z", proxy: always(away), wants: "expired unreachable", kind: "overlay", asks: 1},
	}},
	{"a customer whose clock is 40 days ahead works", []opening{
		{now: "2026-03-12T10:00:00Z", wants: "licensed ok", kind: "none", asks: 2},
		{name: "at the second opening", now: "2026-03-12T11:00:00Z", wants: "licensed ok", kind: "none"},
		{name: "at the next day's", now: "2026-03-13T11:00:00Z", first: moves("2026-02-01T11:00:00Z"), wants: "licensed ok", kind: "none", asks: 1},
		{name: "offline", now: "2026-03-15T11:00:00Z", proxy: always(away), wants: "licensed unreachable", kind: "none", asks: 1},
	}},
	{"a customer whose clock is 40 days behind works, and ends in time", []opening{
		{now: "2025-12-22T10:00:00Z", wants: "licensed ok", kind: "none", asks: 2},
		{name: "offline, after the end", now: "2026-01-22T11:00:00Z", proxy: always(away), wants: "expired unreachable", asks: 1},
	}},
	{"a build that knows no signing key works as long as its file", []opening{
		{now: "2026-02-10T10:00:00Z", first: moves("2026-02-10T10:00:00Z"), proxy: always(changed(object{"token": nil})), wants: "outdated ok", kind: "banner", asks: 1},
		{name: "and says what to do after it", now: "2026-03-10T10:00:00Z", first: moves("2026-03-10T10:00:00Z"), proxy: always(changed(object{"token": nil})), wants: "outdated ok", kind: "overlay", asks: 1},
		{name: "and with a lease again it works again", now: "2026-03-10T11:00:00Z", wants: "licensed ok", kind: "none", asks: 1},
	}},
	{"two licences of one product keep an answer each", []opening{
		{name: "one", now: "2026-01-31T10:00:00Z", wants: "licensed ok", asks: 1},
		{name: "the other", now: "2026-01-31T10:00:00Z", file: another, wants: "licensed ok", asks: 1},
		{name: "one again", now: "2026-01-31T11:00:00Z", wants: "licensed ok"},
		{name: "the other again", now: "2026-01-31T11:00:00Z", file: another, wants: "licensed ok"},
	}},
	{"what a storage has kept may be anything", []opening{
		{now: "2026-01-31T10:00:00Z", first: keeps(`{"user": 7}`), wants: "licensed ok", asks: 1},
		{by: "another", now: "2026-01-31T10:00:00Z", first: keeps(`{"user": {}, "answer": {"valid": true, "code": 7, "at": 9e9, "next": 9e15, "token": 7}, "seen": "x", "skew": [], "at": {}}`), wants: "licensed ok", asks: 1},
		{by: "a third", now: "2026-05-01T10:00:00Z", first: keeps(`{"seen": "x", "skew": "x", "at": "x"}`), proxy: always(away), wants: "expired unreachable", asks: 1},
	}},
	{"another issuer's token is no licence", []opening{
		{now: "2026-01-31T10:00:00Z", file: issuedBy("okviz"), wants: "licensed ok", asks: 1},
		{by: "another", now: "2026-01-31T10:00:00Z", file: issuedBy("fabrikam"), wants: "invalid off", kind: "overlay"},
	}},
	{"a reinstated licence works when the report is opened again", []opening{
		{now: "2026-01-31T10:00:00Z", first: suspends, wants: "revoked ok", kind: "overlay", asks: 1},
		{name: "offline it stays suspended", now: "2026-01-31T10:00:01Z", proxy: always(away), wants: "revoked unreachable", kind: "overlay", asks: 1},
		{name: "reinstated", now: "2026-01-31T10:00:02Z", first: reinstates, wants: "licensed ok", kind: "none", asks: 1},
	}},
	{"a database without the licence takes nothing away", []opening{
		{now: "2026-01-31T10:00:00Z", proxy: always(asking(object{"license": "lic_00000000000000000000000000"})), wants: "licensed unknown", kind: "none", asks: 1},
		{name: "but what was suspended before stays so", now: "2026-01-31T10:00:00Z", first: suspends, wants: "revoked ok", asks: 1},
		{now: "2026-01-31T11:00:00Z", proxy: always(asking(object{"license": "lic_00000000000000000000000000"})), wants: "revoked unknown", kind: "overlay", asks: 1},
	}},
}

func TestNoProxyRevivesALicenceAndNoHonestCustomerLosesOne(t *testing.T) {
	for _, tt := range proxied {
		t.Run(tt.name, func(t *testing.T) {
			for _, wrong := range plays(t, tt.openings) {
				t.Error(wrong)
			}
		})
	}
}

// plays opens the report as a case says, and returns what is wrong, so that a
// build can be held to it that is. The build is the delivered one, or the
// source with patches.
func plays(t *testing.T, openings []opening, patches ...patch) (wrong []string) {
	t.Helper()
	s := &stage{clock: clock(t, "2026-01-31T10:00:00Z")}
	s.bought = buy(t, object{"test_clock": s.clock})
	s.file = delivered(t, s.License.ID)
	if len(patches) > 0 {
		prelude, _, _ := strings.Cut(s.file.code, ";")
		s.file.code = prelude + ";" + build(t, s.file.guid, patches...)
	}
	visitors := map[string]*visitor{}
	service.answers()
	for i, o := range openings {
		s.visitor = visitors[o.by]
		if s.visitor == nil {
			s.visitor = newVisitor(t)
			visitors[o.by] = s.visitor
		}
		if o.first != nil {
			o.first(t, s)
		}
		v := visit{file: s.file, now: o.now}
		if o.file != nil {
			v.file = o.file(t, s)
		}
		service.mend()
		if o.proxy != nil {
			service.breaks(t, o.proxy(s))
		}
		service.questions()
		_, last := s.visitor.looksAt(t, v)
		if i == 0 {
			s.recorded = service.answers()
		}
		if last.says() != o.wants || o.kind != "" && last.Kind != o.kind {
			wrong = append(wrong, fmt.Sprintf("opening %d %s: it shows %q with the sign %q, want %q %q", i+1, o.name, last.says(), last.Kind, o.wants, o.kind))
		}
		if n := posts(t, service.questions()); n != o.asks {
			wrong = append(wrong, fmt.Sprintf("opening %d %s: it asked %d times, want %d", i+1, o.name, n, o.asks))
		}
	}
	service.mend()
	return wrong
}

func TestABuildThatBelievesWhatIsNotSignedIsFound(t *testing.T) {
	mutants := []struct {
		caught string // by this case
		patch
	}{
		{"an unsigned answer does not revive an expired file", patch{"license.ts", `status !== "invalid" ? "outdated"`, `status !== "invalid" ? "licensed"`}},
		{"an answer to another's nonce corrects no clock", patch{"license.ts", "|| lease.nonce !== nonce", ""}},
		{"a clock that is set back does not revive an expired file", patch{"license.ts", "Math.max(this.#seen, instant)", "instant"}},
		{"a clock that was ahead when it was corrected, and is set right, ends the file in time", patch{"license.ts", "local < this.#correctedAt - DAY ?", "false ?"}},
	}
	for _, m := range mutants {
		t.Run(m.caught, func(t *testing.T) {
			i := slices.IndexFunc(proxied, func(c proxiedCase) bool { return c.name == m.caught })
			wrong := plays(t, proxied[i].openings, m.patch)
			if len(wrong) == 0 {
				t.Error("nothing was noticed")
			}
			t.Log("noticed:", wrong)
		})
	}
}

// another is the file of a second licence of the same product.
func another(t *testing.T, s *stage) file {
	if s.second == nil {
		f := delivered(t, buy(t, object{"test_clock": s.clock}).License.ID)
		s.second = &f
	}
	return *s.second
}

// keeps has a text under every name that a visual has ever kept something by.
func keeps(text string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		t.Helper()
		kept, err := json.Marshal(map[string]string{"okviz.calendar-pro": text, "okviz.user": text, "okviz." + s.License.ID: text})
		must(t, err)
		must(t, chromedp.Run(s.visitor.ctx, append(s.visitor.arrives("localhost"), chromedp.Evaluate(`kept = `+string(kept)+`; 0`, nil))...))
	}
}

func suspends(t *testing.T, s *stage) {
	ask(t, http.MethodPost, "/v1/operator/licenses/"+s.License.ID+"/suspend", object{"reason": "tests"})
	awaitCode(t, s.License.ID, "SUSPENDED")
}

func reinstates(t *testing.T, s *stage) {
	ask(t, http.MethodPost, "/v1/operator/licenses/"+s.License.ID+"/reinstate", object{"reason": "tests"})
	awaitCode(t, s.License.ID, "ACTIVE")
}

// issuedBy is the file with its claims signed anew for an issuer, with the key
// of the development system.
func issuedBy(issuer string) func(*testing.T, *stage) file {
	return func(t *testing.T, s *stage) file {
		t.Helper()
		return s.file.withToken(t, signedAnew(t, s.file.token(t), object{"iss": issuer}))
	}
}

// signedAnew is a token with some claims changed, signed with the key of the
// development system.
func signedAnew(t *testing.T, token string, changes object) string {
	t.Helper()
	block, _ := pem.Decode(keys.Signing)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(t, err)
	return resigned(t, token, changes, key.(ed25519.PrivateKey))
}

// people are the ids in the questions since the last call, and how many
// questions there were.
func people(t *testing.T) (ids []string, questions int) {
	t.Helper()
	for _, asked := range service.questions() {
		var q struct{ User string }
		must(t, json.Unmarshal([]byte(strings.TrimPrefix(asked, "POST ")), &q))
		if questions++; q.User != "" && !slices.Contains(ids, q.User) {
			ids = append(ids, q.User)
		}
	}
	return ids, questions
}

func TestAnIDIsUsedOnlyWhereItCanBeKept(t *testing.T) {
	file := delivered(t, buy(t, nil).License.ID)
	for _, storage := range []string{"denied", "rejecting", "throwing", "silent", "forgetful", "read-only"} {
		t.Run(storage, func(t *testing.T) {
			newVisitor(t).sees(t, visit{file: file, storage: storage, visuals: 20}, "licensed pending", "licensed ok")
			if ids, questions := people(t); len(ids) > 0 || questions == 0 {
				t.Errorf("20 openings asked %d times for %d people", questions, len(ids))
			}
		})
	}
}

func TestVisualsThatStartTogetherAgreeWhoLooks(t *testing.T) {
	file := delivered(t, buy(t, nil).License.ID)
	p := newVisitor(t)
	p.sees(t, visit{file: file, visuals: 50}, "licensed pending", "licensed ok")
	ids, questions := people(t)
	if len(ids) != 1 || questions != 50 {
		t.Fatalf("50 visuals asked %d times for %d people", questions, len(ids))
	}
	p.sees(t, visit{file: file, now: time.Now().Add(25 * time.Hour).UTC().Format(time.RFC3339)}, "licensed pending", "licensed ok")
	if again, _ := people(t); !slices.Equal(again, ids) {
		t.Errorf("the next day it asks for %q, not %q", again, ids)
	}
}

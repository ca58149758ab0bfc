package licensing_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "github.com/okviz/licensing/licensing"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

var now = at("2026-02-10T09:00:00Z")

// bought is a card licence in its first month; with makes another of it.
func bought() License {
	return License{
		ID: "lic_1", Product: "calendar-pro", Activation: ActivationNone,
		PlanID: "calendar-pro-users-1-20-monthly", Type: Users, Tier: "1-20", Covers: 20, Quantity: 1,
		Licensee: "Bea Bianchi <bea@contoso.example>", State: StateActive,
		ValidUntil: at("2026-03-03T10:00:00Z"), PeriodEnd: at("2026-02-28T10:00:00Z"), Revision: 3,
	}
}

func with(change func(*License)) License {
	l := bought()
	change(&l)
	return l
}

func siteLicense(sites ...string) License {
	return with(func(l *License) { l.Type, l.Tier, l.Covers, l.Quantity, l.Sites = Site, "", 0, 2, sites })
}

func asked(change ...func(*Question)) Question {
	q := Question{V: 1, License: "lic_1", Product: "calendar-pro"}
	for _, c := range change {
		c(&q)
	}
	return q
}

func TestCheckAnswers(t *testing.T) {
	const tenant = "6f1c2b1e-0000-4000-8000-00000000000a"
	typedIn := with(func(l *License) { l.Activation = ActivationLicensee })
	entra := with(func(l *License) { l.Activation, l.Tenant = ActivationEntra, tenant })
	naming := func(s string) func(*Question) { return func(q *Question) { q.Licensee = s } }
	from := func(s string) func(*Question) { return func(q *Question) { q.Tenant = s } }

	tests := []struct {
		name     string
		license  License
		question Question
		want     Code
	}{
		{"a bought licence is active", bought(), asked(), Active},
		{"a trial is a trial", with(func(l *License) { l.State, l.Trial = StateTrial, true }), asked(), Trial},
		{"a failed renewal leaves it valid", with(func(l *License) { l.State = StatePastDue }), asked(), PastDue},
		{"a cancelled one runs to its end", with(func(l *License) { l.State = StateCanceled }), asked(), Canceled},
		{"a cancelled trial is cancelled", with(func(l *License) { l.State, l.Trial = StateCanceled, true }), asked(), Canceled},
		{"too many users are a warning", with(func(l *License) { l.OverLimit = true }), asked(), OverLimit},
		{"far too many users may be blocked", with(func(l *License) { l.OverLimit, l.Blocked = true, true }), asked(), BlockedOverLimit},
		{"an ended one has expired, whatever its instant says", with(func(l *License) { l.State = StateEnded }), asked(), Expired},
		{"one past its instant has expired", with(func(l *License) { l.ValidUntil = now.Add(-time.Hour) }), asked(), Expired},
		{"one without an instant has expired", with(func(l *License) { l.ValidUntil = time.Time{} }), asked(), Expired},
		{"a revoked one is revoked", with(func(l *License) { l.Revoked = true }), asked(), Revoked},
		{"a suspended one is suspended", with(func(l *License) { l.Suspended = true }), asked(), Suspended},
		{"one that waits for its payment is not activated", with(func(l *License) { l.State = StateIncomplete }), asked(), NotActivated},
		{"a state from nowhere is not activated", with(func(l *License) { l.State = "paused" }), asked(), NotActivated},
		{"no licence is unknown", License{}, asked(), UnknownLicense},
		{"no licence is unknown even to an empty question", License{}, Question{}, UnknownLicense},
		{"another licence than the one asked for is unknown", bought(), asked(func(q *Question) { q.License = "lic_2" }), UnknownLicense},
		{"a licence is one product's", bought(), asked(func(q *Question) { q.Product = "bullet-chart" }), WrongProduct},

		{"the exact licensee is right", typedIn, asked(naming("Bea Bianchi <bea@contoso.example>")), Active},
		{"another spelling of the licensee is wrong", typedIn, asked(naming("bea bianchi <bea@contoso.example>")), WrongLicensee},
		{"no licensee is wrong where one must be typed in", typedIn, asked(), WrongLicensee},
		{"a licensee does not matter where none is typed in", bought(), asked(naming("Somebody <else@fabrikam.example>")), Active},

		{"the bound tenant is right", entra, asked(from(tenant)), Active},
		{"a tenant id has no case", entra, asked(from(strings.ToUpper(tenant))), Active},
		{"another tenant is wrong", entra, asked(from("6f1c2b1e-0000-4000-8000-00000000000b")), WrongTenant},
		{"no tenant is wrong", entra, asked(), WrongTenant},
		{"an entra licence without a tenant is not activated", with(func(l *License) { l.Activation = ActivationEntra }), asked(), NotActivated},
		{"a tenant does not matter elsewhere", bought(), asked(from(tenant)), Active},

		{"sites do not matter to users licences", bought(), asked(func(q *Question) { q.Env, q.Sites = Web, []string{"app.powerbi.com"} }), Active},
		{"a site licence at its site is active", siteLicense("reports.contoso.example"),
			asked(func(q *Question) { q.Env, q.Sites = Embed, []string{"reports.contoso.example"} }), Active},
		{"a site licence elsewhere is at the wrong site", siteLicense("reports.contoso.example"),
			asked(func(q *Question) { q.Env, q.Sites = Embed, []string{"reports.fabrikam.example"} }), WrongSite},
	}
	answered := map[Code]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(tt.license, tt.question, now)
			if got != tt.want {
				t.Errorf("Check = %s, want %s", got, tt.want)
			}
			answered[got] = true
		})
	}
	if len(answered) != 15 {
		t.Errorf("the table answers %d of the contract's 15 codes: %v", len(answered), answered)
	}
}

func TestTheFirstReasonDecides(t *testing.T) {
	// A licence and a question with everything wrong; each step mends the
	// reason that was told, and the next one is told.
	l := License{
		ID: "lic_2", Product: "bullet-chart", Activation: ActivationEntra, Type: Site, Sites: []string{"a.contoso.example"},
		State: StatePastDue, ValidUntil: now, Revoked: true, Suspended: true, OverLimit: true, Blocked: true,
	}
	q := Question{V: 1, License: "lic_1", Product: "calendar-pro", Env: Web}
	steps := []struct {
		want Code
		mend func()
	}{
		{UnknownLicense, func() { l.ID = "lic_1" }},
		{WrongProduct, func() { l.Product = "calendar-pro" }},
		{Revoked, func() { l.Revoked = false }},
		{Suspended, func() { l.Suspended = false }},
		{NotActivated, func() { l.Tenant = "t1" }},
		{Expired, func() { l.ValidUntil = now.Add(time.Second) }},
		{WrongTenant, func() { l.Activation = ActivationLicensee; l.Licensee = "A <a@contoso.example>" }},
		{WrongLicensee, func() { q.Licensee = "A <a@contoso.example>" }},
		{WrongSite, func() { l.Type = Users }},
		{BlockedOverLimit, func() { l.Blocked = false }},
		{OverLimit, func() { l.OverLimit = false }},
		{PastDue, func() { l.State = StateActive }},
		{Active, func() {}},
	}
	for _, s := range steps {
		if got := Check(l, q, now); got != s.want {
			t.Fatalf("Check = %s, want %s", got, s.want)
		}
		s.mend()
	}
}

func TestALicenceEndsAtItsInstant(t *testing.T) {
	for _, state := range []struct {
		state State
		code  Code
	}{{StateActive, Active}, {StateTrial, Trial}, {StatePastDue, PastDue}, {StateCanceled, Canceled}} {
		l := with(func(l *License) { l.State, l.ValidUntil = state.state, at("2026-02-28T10:00:00Z") })
		for instant, want := range map[string]Code{
			"2026-02-28T09:59:59Z":           state.code,
			"2026-02-28T09:59:59.999999999Z": state.code,
			"2026-02-28T10:00:00Z":           Expired,
			"2026-02-28T10:00:01Z":           Expired,
			"2026-02-28T11:00:00+01:00":      Expired,
			"2026-02-28T10:59:59+01:00":      state.code,
		} {
			if got := Check(l, asked(), at(instant)); got != want {
				t.Errorf("%s at %s: %s, want %s", state.state, instant, got, want)
			}
		}
	}
}

func TestWhereASiteLicenceWorks(t *testing.T) {
	l := siteLicense("reports.contoso.example", "*.fabrikam.example")
	const site, below, other, service = "reports.contoso.example", "a.b.fabrikam.example", "evil.example", "app.powerbi.com"
	tests := []struct {
		name string
		env  Env
		sent []string
		want Code
	}{
		{"embedded at its site", Embed, []string{site}, Active},
		{"embedded at its site through the service's frame", Embed, []string{service, site}, Active},
		{"embedded at its site inside another page", Embed, []string{service, site, other}, Active},
		{"embedded below its wildcard", Embed, []string{below}, Active},
		{"embedded at its site with an origin and port", Embed, []string{"https://Reports.Contoso.Example:8443"}, Active},
		{"embedded elsewhere", Embed, []string{other}, WrongSite},
		{"embedded at a wildcard's own domain", Embed, []string{"fabrikam.example"}, WrongSite},
		{"embedded in nothing but the service", Embed, []string{service}, WrongSite},
		{"embedded where the browser tells no hosts", Embed, nil, Active},
		{"embedded where the browser tells only opaque origins", Embed, []string{"null", ""}, Active},
		{"embedded at an opaque origin in a foreign page", Embed, []string{"null", other}, WrongSite},
		{"embedded at something that is no host", Embed, []string{"https://"}, WrongSite},
		{"an env that was not sent counts as embedded, with hosts", 0, []string{other}, WrongSite},
		{"an env that was not sent counts as embedded, at the site", 0, []string{site}, Active},
		{"an env that was not sent counts as embedded, without hosts", 0, nil, Active},

		{"in the service", Web, []string{service}, WrongSite},
		{"in the service, even inside a page of the site", Web, []string{service, site}, WrongSite},
		{"in the service without hosts", Web, nil, WrongSite},
		{"published to the web at the site", PublishToWeb, []string{service, site}, WrongSite},
		{"on a report server of that name", ReportServer, []string{site}, WrongSite},
		{"on a dashboard at the site", DashboardHost, []string{site}, WrongSite},

		{"in Desktop without hosts", Desktop, nil, WrongSite},
		{"in Desktop at the site", Desktop, []string{site}, Active},
		{"exported at the site", ExportReportHost, []string{service, site}, Active},
		{"exported without hosts", ExportReportHost, nil, WrongSite},
		{"on a phone at the site", Mobile, []string{site}, Active},
		{"on a phone without hosts", Mobile, nil, WrongSite},
		{"in an env of the future at the site", 256, []string{site}, Active},
		{"in an env of the future without hosts", 256, nil, WrongSite},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := asked(func(q *Question) { q.Env, q.Sites = tt.env, tt.sent })
			if got := Check(l, q, now); got != tt.want {
				t.Errorf("Check = %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("nowhere while no site is named", func(t *testing.T) {
		if got := Check(siteLicense(), asked(func(q *Question) { q.Sites = []string{site} }), now); got != WrongSite {
			t.Errorf("Check = %s, want %s", got, WrongSite)
		}
	})
}

func TestALicenceIsOverItsLimitAfterTwoWindowsInARow(t *testing.T) {
	tests := []struct {
		name         string
		license      License
		distinct     int64 // in both windows
		blocking     bool
		over, blocks bool
	}{
		{"as many as covered is no warning", bought(), 20, true, false, false},
		{"one more is a warning", bought(), 21, true, true, false},
		{"exactly 1.25 times is still a warning", bought(), 25, true, true, false},
		{"above 1.25 times is blocked", bought(), 26, true, true, true},
		{"but only where an operator turned it on", bought(), 1000, false, true, false},
		{"1.25 is not rounded down: 1 covers 1.25, so 2 is above", with(func(l *License) { l.Covers = 1 }), 2, true, true, true},
		{"nor up: 50 covers 62.5, so 62 is not above", with(func(l *License) { l.Covers = 50 }), 62, true, true, false},
		{"and 63 is", with(func(l *License) { l.Covers = 50 }), 63, true, true, true},
		{"unlimited is unlimited", with(func(l *License) { l.Covers = 0 }), 1 << 40, true, false, false},
		{"a capacity has any number of users", with(func(l *License) { l.Type = Capacity }), 1 << 40, true, false, false},
		{"an earlier count is forgotten", with(func(l *License) { l.OverLimit, l.Blocked = true, true }), 5, true, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hold(t, tt.license.WithUsage(Usage{Estimate: tt.distinct, Before: tt.distinct}, tt.blocking), tt.over, tt.blocks)
		})
	}
}

func hold(t *testing.T, l License, over, blocked bool) {
	t.Helper()
	if l.OverLimit != over || l.Blocked != blocked {
		t.Errorf("OverLimit %v, Blocked %v; want %v, %v", l.OverLimit, l.Blocked, over, blocked)
	}
}

func TestOneWindowIsNoWarningAndManyQuestionsWithoutAnIDBlockNobody(t *testing.T) {
	for _, tt := range []struct {
		name         string
		usage        Usage
		over, blocks bool
	}{
		{"only now", Usage{Estimate: 100, Before: 20}, false, false},
		{"no longer", Usage{Estimate: 20, Before: 100}, false, false},
		{"far above now, a little above before", Usage{Estimate: 100, Before: 25}, true, false},
		{"a quarter of the questions names nobody", Usage{Estimate: 30, Before: 30, Questions: 400, WithoutID: 100}, true, true},
		{"more than a quarter does", Usage{Estimate: 30, Before: 30, Questions: 400, WithoutID: 101}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) { hold(t, bought().WithUsage(tt.usage, true), tt.over, tt.blocks) })
	}
}

func TestParseQuestionReads(t *testing.T) {
	full := Question{V: 1, License: "lic_1", Product: "calendar-pro", Version: "2.4.2", Licensee: "Bea <bea@contoso.example>",
		Tenant: "t1", Sites: []string{"reports.contoso.example"}, User: "u1", Env: Embed}
	tests := []struct {
		name, body string
		want       Question
	}{
		{"the contract's example", `{"v":1,"license":"lic_1","product":"calendar-pro","version":"2.4.2","licensee":"Bea <bea@contoso.example>","tenant":"t1","sites":["reports.contoso.example"],"user":"u1","env":8}`, full},
		{"the least that asks something", `{"v":1,"license":"lic_1","product":"calendar-pro"}`, asked()},
		{"fields that it does not know", ` {"v":1,"license":"lic_1","product":"calendar-pro","colour":{"a":[1]}} `, asked()},
		{"nulls as absent", `{"v":1,"license":"lic_1","product":"calendar-pro","sites":null,"env":null,"user":null}`, asked()},
		{"a nonce", `{"v":1,"license":"lic_1","product":"calendar-pro","nonce":"0123456789abcd_-"}`, asked(func(q *Question) { q.Nonce = "0123456789abcd_-" })},
		{"as many hosts as it may", `{"v":1,"license":"lic_1","product":"calendar-pro","sites":[` + strings.Repeat(`"a",`, 31) + `"a"]}`,
			asked(func(q *Question) { q.Sites = strings.Split(strings.Repeat("a,", 31)+"a", ",") })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseQuestion([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseQuestionRefuses(t *testing.T) {
	tests := []struct{ name, body, code string }{
		{"nothing", ``, MalformedQuestion},
		{"null", `null`, MalformedQuestion},
		{"a list", `[]`, MalformedQuestion},
		{"half an object", `{"v":1,"license":"lic_secret"`, MalformedQuestion},
		{"two objects", `{"v":1,"license":"lic_secret","product":"p"}{}`, MalformedQuestion},
		{"no version", `{"license":"lic_secret","product":"p"}`, MalformedQuestion},
		{"another version", `{"v":2,"license":"lic_secret","product":"p"}`, MalformedQuestion},
		{"a version in quotes", `{"v":"1","license":"lic_secret","product":"p"}`, MalformedQuestion},
		{"no licence", `{"v":1,"product":"p"}`, MalformedQuestion},
		{"no product", `{"v":1,"license":"lic_secret"}`, MalformedQuestion},
		{"a licence that is a number", `{"v":1,"license":7,"product":"p"}`, MalformedQuestion},
		{"one site instead of a list", `{"v":1,"license":"lic_secret","product":"p","sites":"a"}`, MalformedQuestion},
		{"sites that are numbers", `{"v":1,"license":"lic_secret","product":"p","sites":[1]}`, MalformedQuestion},
		{"an env in words", `{"v":1,"license":"lic_secret","product":"p","env":"Embed"}`, MalformedQuestion},
		{"a negative env", `{"v":1,"license":"lic_secret","product":"p","env":-1}`, MalformedQuestion},
		{"a fraction of an env", `{"v":1,"license":"lic_secret","product":"p","env":0.5}`, MalformedQuestion},
		{"too many hosts", `{"v":1,"license":"lic_secret","product":"p","sites":[` + strings.Repeat(`"a",`, 32) + `"a"]}`, MalformedQuestion},
		{"a nonce of 15 characters", `{"v":1,"license":"lic_secret","product":"p","nonce":"0123456789abcde"}`, MalformedQuestion},
		{"a nonce of 65 characters", `{"v":1,"license":"lic_secret","product":"p","nonce":"` + strings.Repeat("n", 65) + `"}`, MalformedQuestion},
		{"a nonce that is not base64url", `{"v":1,"license":"lic_secret","product":"p","nonce":"0123456789abcde="}`, MalformedQuestion},
		{"what is not UTF-8", "{\"v\":1,\"license\":\"lic_secret\xff\",\"product\":\"p\"}", MalformedQuestion},
		{"more than 4 KiB", `{"v":1,"license":"lic_secret","product":"p","user":"` + strings.Repeat("u", 4096) + `"}`, QuestionTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := ParseQuestion([]byte(tt.body))
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Code != tt.code {
				t.Fatalf("error %v, want code %s", err, tt.code)
			}
			if diff := cmp.Diff(Question{}, q); diff != "" {
				t.Errorf("a refused question was returned: %s", diff)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats what was sent: %v", err)
			}
		})
	}
}

func FuzzParseQuestion(f *testing.F) {
	f.Add([]byte(`{"v":1,"license":"lic_1","product":"calendar-pro","sites":["a.example"],"env":8}`))
	f.Add([]byte(`{"v":1e0,"license":"\ud800","product":"p","sites":[null,"*.b"],"env":4294967295}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := ParseQuestion(body)
		if err != nil {
			if diff := cmp.Diff(Question{}, q); diff != "" {
				t.Fatalf("refused and returned: %s", diff)
			}
			return
		}
		again, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		l := siteLicense("reports.contoso.example")
		l.ID, l.Product = LicenseID(q.License), q.Product
		if code := Check(l, q, now); code != Active && code != WrongSite {
			t.Fatalf("%s for %s", code, again)
		}
	})
}

func TestAnAnswerIsWrittenAsTheLibraryWritesIt(t *testing.T) {
	until, token := now.Add(31*24*time.Hour), "e30.e30.c2ln_-"
	for _, a := range []Answer{
		Respond(bought(), Active, now, token), Respond(bought(), Revoked, now, ""), {}, {V: -1, Valid: true, ValidUntil: &until, Token: &token, RefreshAfter: -5, Now: until},
	} {
		want, err := json.Marshal(a)
		if got := a.AppendJSON(nil); err != nil || string(got) != string(want) {
			t.Errorf("%s, want %s, %v", got, want, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	paris := time.FixedZone("CET", 3600)
	tests := []struct {
		name   string
		answer Answer
		want   string
	}{
		{"a valid one tells its end and carries its lease", Respond(bought(), Active, now.Add(400*time.Millisecond).In(paris), "e30.e30.c2ln"),
			`{"v":1,"valid":true,"code":"ACTIVE","valid_until":"2026-03-03T10:00:00Z","now":"2026-02-10T09:00:00Z","refresh_after":86400,"token":"e30.e30.c2ln"}`},
		{"a valid one may be without a token", Respond(bought(), OverLimit, now, ""),
			`{"v":1,"valid":true,"code":"OVER_LIMIT","valid_until":"2026-03-03T10:00:00Z","now":"2026-02-10T09:00:00Z","refresh_after":86400,"token":null}`},
		{"one that is not valid tells nothing more", Respond(bought(), WrongLicensee, now, "e30.e30.c2ln"),
			`{"v":1,"valid":false,"code":"WRONG_LICENSEE","valid_until":null,"now":"2026-02-10T09:00:00Z","refresh_after":300,"token":null}`},
		{"an unknown one has nothing to tell", Respond(License{}, UnknownLicense, now, ""),
			`{"v":1,"valid":false,"code":"UNKNOWN_LICENSE","valid_until":null,"now":"2026-02-10T09:00:00Z","refresh_after":300,"token":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(tt.answer)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOnlyValidCodesAreValid(t *testing.T) {
	valid := map[Code]bool{
		Active: true, Trial: true, PastDue: true, Canceled: true, OverLimit: true,
		Expired: false, Revoked: false, Suspended: false, NotActivated: false, UnknownLicense: false, WrongProduct: false,
		WrongLicensee: false, WrongSite: false, WrongTenant: false, BlockedOverLimit: false,
		"": false, "active": false,
	}
	for code, want := range valid {
		if got := code.Valid(); got != want {
			t.Errorf("%q.Valid() = %v", code, got)
		}
	}
}

func TestRefreshAfter(t *testing.T) {
	tests := []struct {
		name string
		left time.Duration
		code Code
		want int64
	}{
		{"once a day", 30 * 24 * time.Hour, Active, 86400},
		{"a day before the end, at the end", 24 * time.Hour, Trial, 86400},
		{"an hour before the end, at the end", time.Hour, Canceled, 3600},
		{"in the last seconds, within a minute", 5 * time.Second, PastDue, 60},
		{"every five minutes while not valid", -time.Hour, Expired, 300},
		{"every five minutes at the wrong site", 30 * 24 * time.Hour, WrongSite, 300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := with(func(l *License) { l.ValidUntil = now.Add(tt.left) })
			if got := RefreshAfter(l, tt.code, now); got != tt.want {
				t.Errorf("RefreshAfter = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestWhatTokensSay(t *testing.T) {
	// 2026-02-10T09:00:00Z is 1770714000; the 14 days of a lease are 1209600.
	const signedAt = 1770714000
	embedded := Claims{
		Issuer: "okviz", Audience: "calendar-pro", Subject: "lic_1", IssuedAt: signedAt, ExpiresAt: 1772532000, Kind: KindEmbedded,
		Plan: "calendar-pro-users-1-20-monthly", Type: Users, Tier: "1-20", Quantity: 1, PeriodEnd: 1772272800,
	}
	lease := embedded
	lease.Kind, lease.ExpiresAt = KindLease, signedAt+1209600
	answer := lease
	answer.Kind, answer.Nonce, answer.Code = KindAnswer, "0123456789abcdef", OverLimit
	short := lease
	short.ExpiresAt, short.PeriodEnd, short.Trial = signedAt+3600, signedAt+3600, true
	hybrid := embedded
	hybrid.Licensee = "Bea Bianchi <bea@contoso.example>"
	sites := embedded
	sites.Type, sites.Tier, sites.Quantity, sites.Sites = Site, "", 2, []string{"*.contoso.example"}

	tests := []struct {
		name      string
		got, want Claims
	}{
		{"the file's lasts as long as the licence", Embedded(bought(), now), embedded},
		{"a lease lasts 14 days", Lease(bought(), now.Add(999*time.Millisecond)), lease},
		{"an answer says what was asked, and is a lease otherwise", SignedAnswer(bought(), OverLimit, "0123456789abcdef", now), answer},
		{"a lease ends with the licence", Lease(with(func(l *License) {
			l.State, l.ValidUntil, l.PeriodEnd = StateTrial, now.Add(time.Hour), now.Add(time.Hour)
		}), now), short},
		{"the licensee is named where the visual asks for it", Embedded(with(func(l *License) { l.Activation = ActivationLicensee }), now), hybrid},
		{"sites are named", Embedded(siteLicense("*.contoso.example"), now), sites},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if len(tt.got.ID) != 22 {
				t.Errorf("jti %q is not 16 bytes of base64url", tt.got.ID)
			}
			tt.got.ID = ""
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Error(diff)
			}
		})
	}

	t.Run("a token's id follows what it says and the revision", func(t *testing.T) {
		ids := map[string]string{}
		for name, c := range map[string]Claims{
			"embedded": Embedded(bought(), now),
			"lease":    Lease(bought(), now),
			"later":    Lease(bought(), now.Add(time.Second)),
			"answer":   SignedAnswer(bought(), Active, "0123456789abcdef", now),
			"another":  SignedAnswer(bought(), Active, "0123456789abcdeg", now),
			"revised":  Lease(with(func(l *License) { l.Revision++ }), now),
		} {
			if other, taken := ids[c.ID]; taken {
				t.Errorf("%s and %s share a jti", name, other)
			}
			ids[c.ID] = name
		}
		if first, again := Lease(bought(), now), Lease(bought(), now); first.ID != again.ID {
			t.Error("the same lease has two ids")
		}
	})
}

func ExampleCheck() {
	l := License{ID: "lic_1", Product: "calendar-pro", State: StateTrial, ValidUntil: at("2026-02-28T10:00:00Z")}
	q, _ := ParseQuestion([]byte(`{"v":1,"license":"lic_1","product":"calendar-pro"}`))
	fmt.Println(Check(l, q, at("2026-02-28T09:59:59Z")))
	fmt.Println(Check(l, q, at("2026-02-28T10:00:00Z")))
	// Output:
	// TRIAL
	// EXPIRED
}

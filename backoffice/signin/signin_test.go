package signin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/okviz/licensing/backoffice/signin"
	"github.com/okviz/licensing/backoffice/signin/signintest"
	"github.com/okviz/licensing/billing"
)

const callback = "http://127.0.0.1/back"

var roles = map[string]billing.OperatorRole{"billing team": "finance", "help desk": "support", "owners": "admin"}

func issuer(t *testing.T, change ...func(*signin.Config)) (*signin.Issuer, *signintest.Issuer) {
	t.Helper()
	at := signintest.Start(t)
	c := signin.Config{Issuer: at.Address, ClientID: signintest.Client, ClientSecret: signintest.Secret, Claim: "groups", Roles: roles}
	for _, f := range change {
		f(&c)
	}
	i, err := signin.New(c, callback)
	if err != nil {
		t.Fatal(err)
	}
	return i, at
}

// visit goes to the issuer as a browser does, and tells what it comes back with.
func visit(t *testing.T, i *signin.Issuer) (kept, state, code string) {
	t.Helper()
	address, kept, err := i.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || back.Host+back.Path != "127.0.0.1/back" {
		t.Fatalf("the issuer sends the browser to %q: %v", back, err)
	}
	return kept, back.Query().Get("state"), back.Query().Get("code")
}

func TestTheClaimGivesTheRole(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]any
		name   string
		role   billing.OperatorRole
	}{
		"a list":                           {map[string]any{"email": "Anna@vendor.example", "groups": []string{"everybody", "help desk"}}, "anna@vendor.example", "support"},
		"a text":                           {map[string]any{"email": "anna@vendor.example", "groups": "billing team"}, "anna@vendor.example", "finance"},
		"the last role of several":         {map[string]any{"email": "anna@vendor.example", "groups": []string{"owners", "help desk", "billing team"}}, "anna@vendor.example", "admin"},
		"a name at the issuer":             {map[string]any{"preferred_username": "anna@vendor.example", "groups": "owners"}, "anna@vendor.example", "admin"},
		"an address that is not proven":    {map[string]any{"email": "bea@vendor.example", "email_verified": false, "preferred_username": "anna", "groups": "owners"}, "anna", "admin"},
		"no role":                          {map[string]any{"email": "anna@vendor.example", "groups": []string{"everybody"}}, "", ""},
		"no such claim":                    {map[string]any{"email": "anna@vendor.example", "roles": "owners"}, "", ""},
		"a role's name that is not mapped": {map[string]any{"email": "anna@vendor.example", "groups": "admin"}, "", ""},
		"no name":                          {map[string]any{"groups": "owners"}, "", ""},
		"a name that none may have":        {map[string]any{"preferred_username": "engine", "groups": "owners"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			i, at := issuer(t)
			at.Say(c.claims)
			kept, state, code := visit(t, i)
			got, role, err := i.Finish(t.Context(), kept, state, code)
			if got != c.name || role != c.role || (err == nil) != (c.role != "") || err != nil && !errors.Is(err, signin.ErrRefused) {
				t.Errorf("%q in the role %q: %v", got, role, err)
			}
		})
	}
}

func TestOnlyTheBrowserThatBeganMayFinishAndOnlyWithATokenForIt(t *testing.T) {
	anna := map[string]any{"email": "anna@vendor.example", "groups": "owners"}
	with := func(more map[string]any) map[string]any {
		claims := map[string]any{"email": anna["email"], "groups": anna["groups"]}
		for k, v := range more {
			claims[k] = v
		}
		return claims
	}
	for name, c := range map[string]struct {
		claims map[string]any
		change func(i *signin.Issuer, kept, state, code *string)
	}{
		"nothing kept":      {anna, func(_ *signin.Issuer, kept, _, _ *string) { *kept = "" }},
		"another browser's": {anna, func(i *signin.Issuer, kept, _, _ *string) { *kept, _, _ = visit(t, i) }},
		"another verifier":  {anna, func(i *signin.Issuer, kept, _, _ *string) { *kept = (*kept)[:len(*kept)-1] + "_" }},
		"no state":          {anna, func(_ *signin.Issuer, _, state, _ *string) { *state = "" }},
		"another code":      {anna, func(_ *signin.Issuer, _, _, code *string) { *code = "x" }},
		"no code":           {anna, func(_ *signin.Issuer, _, _, code *string) { *code = "" }},
		"a code that was used": {anna, func(i *signin.Issuer, kept, state, code *string) {
			_, _, _ = i.Finish(t.Context(), *kept, *state, *code)
		}},
		"another nonce":          {with(map[string]any{"nonce": "x"}), nil},
		"another audience":       {with(map[string]any{"aud": "else"}), nil},
		"another issuer":         {with(map[string]any{"iss": "https://else.example"}), nil},
		"a token that has ended": {with(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			i, at := issuer(t)
			at.Say(c.claims)
			kept, state, code := visit(t, i)
			if c.change != nil {
				c.change(i, &kept, &state, &code)
			}
			if got, _, err := i.Finish(t.Context(), kept, state, code); !errors.Is(err, signin.ErrRefused) {
				t.Errorf("%q was signed in: %v", got, err)
			}
		})
	}
}

func TestAnIssuerThatIsAwayRefusesNobody(t *testing.T) {
	i, err := signin.New(signin.Config{Issuer: "http://127.0.0.1:1", ClientID: "x", Claim: "groups", Roles: roles}, callback)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := i.Begin(ctx); err == nil || errors.Is(err, signin.ErrRefused) {
		t.Errorf("beginning: %v", err)
	}
	if _, _, err := i.Finish(ctx, "a.b.c", "a", "d"); err == nil || errors.Is(err, signin.ErrRefused) {
		t.Errorf("finishing: %v", err)
	}
}

func TestAnIssuerThatHangsHoldsNobodyAfterAnother(t *testing.T) {
	var asked atomic.Int32
	hangs := make(chan struct{})
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		<-hangs
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(at.Close)
	i, err := signin.New(signin.Config{Issuer: at.URL, ClientID: "okviz", Claim: "groups", Roles: roles}, callback)
	if err != nil {
		t.Fatal(err)
	}
	const many = 20
	answers := make(chan error, many)
	for range many {
		go func() {
			_, _, err := i.Begin(context.Background())
			answers <- err
		}()
	}
	close(hangs)
	for range many {
		if <-answers == nil {
			t.Error("somebody was sent to an issuer that is away")
		}
	}
	if _, _, err := i.Begin(t.Context()); err == nil {
		t.Error("it is there at once")
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times within five seconds", n)
	}
}

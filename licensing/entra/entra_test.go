package entra_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing/entra"
	"github.com/okviz/licensing/licensing/entra/entratest"
)

const audience = "api://okviz"

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func verifier(t *testing.T, authority string) *entra.Verifier {
	t.Helper()
	v, err := entra.New(authority, audience)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// change is what a forger does to good claims.
type change = func(c map[string]any)

func set(name string, value any) change { return func(c map[string]any) { c[name] = value } }
func without(name string) change        { return func(c map[string]any) { delete(c, name) } }

func TestTokensOfTheConfiguredAuthority(t *testing.T) {
	const tenant, other = "8d5c1f0e-0000-4000-8000-0000000000aa", "8d5c1f0e-0000-4000-8000-0000000000bb"
	many := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	one := entratest.New(t, "/"+tenant+"/v2.0", tenant)
	foreign := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	for name, c := range map[string]struct {
		of     *entratest.Issuer // whose authority is configured
		token  string
		refuse string // nothing: it is good
	}{
		"a token of a tenant of many":           {many, many.Token(t, audience, tenant, now), ""},
		"a token of the authority's own tenant": {one, one.Token(t, audience, tenant, now), ""},
		"one of several audiences":              {many, many.Token(t, audience, tenant, now, set("aud", []string{"x", audience})), ""},
		"a tenant in capitals":                  {many, many.Token(t, audience, strings.ToUpper(tenant), now), ""},
		"no nbf":                                {many, many.Token(t, audience, tenant, now, without("nbf")), ""},
		"good until the next second":            {many, many.Token(t, audience, tenant, now, set("exp", now.Unix()+1)), ""},
		"good from this second on":              {many, many.Token(t, audience, tenant, now, set("nbf", now.Unix())), ""},
		"expired at this second":                {many, many.Token(t, audience, tenant, now, set("exp", now.Unix())), "has expired"},
		"no exp":                                {many, many.Token(t, audience, tenant, now, without("exp")), "has expired"},
		"good from the next second on":          {many, many.Token(t, audience, tenant, now, set("nbf", now.Unix()+1)), "is not good yet"},
		"another audience":                      {many, many.Token(t, "api://other", tenant, now), "another audience"},
		"no audience":                           {many, many.Token(t, audience, tenant, now, without("aud")), "another audience"},
		"the issuer of another tenant":          {many, many.Token(t, audience, tenant, now, set("iss", many.Issuer(other))), "another issuer's"},
		"the issuer's template itself":          {many, many.Token(t, audience, tenant, now, set("iss", many.Issuer("{tenantid}"))), "another issuer's"},
		"the template as the tenant":            {many, many.Token(t, audience, "{tenantid}", now), "names no tenant"},
		"another authority's issuer, own key":   {many, many.Token(t, audience, tenant, now, set("iss", foreign.Issuer(tenant))), "another issuer's"},
		"no issuer":                             {many, many.Token(t, audience, tenant, now, without("iss")), "another issuer's"},
		"no tenant":                             {many, many.Token(t, audience, tenant, now, without("tid")), "names no tenant"},
		"a path as the tenant":                  {many, many.Token(t, audience, "../x", now), "names no tenant"},
		"the tenant of all personal accounts":   {many, many.Token(t, audience, "9188040d-6c67-4c5b-b112-36a304b66dad", now), "personal account"},
		"a key of another authority":            {many, foreign.Token(t, audience, tenant, now, set("iss", many.Issuer(tenant))), "does not publish"},
		"a key of another authority, own name":  {many, foreign.TokenAs(t, many.KeyID(), audience, tenant, now, set("iss", many.Issuer(tenant))), "do not fit"},
		"alg none":                              {many, many.Unsigned(t, audience, tenant, now), "RS256"},
		"HS256 with the public key":             {many, many.Symmetric(t, audience, tenant, now), "RS256"},
		"a key for another issuer's tokens":     {many, many.TokenAs(t, entratest.Bound, audience, tenant, now), "another issuer's"},
		"claims changed after they were signed": {many, entratest.Spliced(many.Token(t, audience, other, now), many.Token(t, audience, tenant, now)), "do not fit"},
		"a key that comes along with the token": {many, foreign.TokenWithKey(t, audience, tenant, now, set("iss", many.Issuer(tenant))), "does not publish"},
		"no token":                              {many, "", "RS256"},
		"anything":                              {many, "a.b.c", "RS256"},
		"a key of fewer than 2048 bits":         {many, many.TokenAs(t, entratest.Weak, audience, tenant, now), "does not publish"},
		"a key for encryption":                  {many, many.TokenAs(t, entratest.Encrypts, audience, tenant, now), "does not publish"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := verifier(t, c.of.URL).Identify(t.Context(), c.token, now)
			var refusal *billing.Error
			switch {
			case c.refuse == "":
				if err != nil || got != tenant {
					t.Errorf("%q, %v", got, err)
				}
			case !errors.As(err, &refusal) || refusal.Code != billing.CodeInvalidEntraToken || !strings.Contains(err.Error(), c.refuse):
				t.Errorf("%q, %v, want %s", got, err, c.refuse)
			}
		})
	}
}

func TestAUserIsAnIDThatIsTheSameEverywhereAndNamesNobody(t *testing.T) {
	const tenant, other, ada, bea = "8d5c1f0e-0000-4000-8000-0000000000aa", "8d5c1f0e-0000-4000-8000-0000000000bb", "0b1e0000-0000-4000-8000-00000000000a", "0b1e0000-0000-4000-8000-00000000000b"
	i := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	v := verifier(t, i.URL)
	user := func(tenant, object string) string {
		t.Helper()
		_, user, err := v.Identify(t.Context(), i.Token(t, audience, tenant, now, set("oid", object), set("sub", object+now.String())), now)
		if err != nil {
			t.Fatal(err)
		}
		return user
	}
	first := user(tenant, ada)
	if len(first) != 22 || strings.Contains(first, ada[:8]) {
		t.Errorf("the id is %q", first)
	}
	if again := user(tenant, strings.ToUpper(ada)); again != first {
		t.Errorf("another time it is %q, and first %q", again, first)
	}
	if user(tenant, bea) == first || user(other, ada) == first {
		t.Error("two users have one id")
	}
	if nobody := user(tenant, ""); nobody != "" {
		t.Errorf("a token that names nobody has the user %q", nobody)
	}
}

func TestTheAuthoritysKeysAreReadOnceAndAgainWhenTheyMayBeOld(t *testing.T) {
	const tenant = "8d5c1f0e-0000-4000-8000-0000000000aa"
	i := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	v := verifier(t, i.URL+"/") // a slash at its end does not matter
	ask := func(token string, at time.Time, want string, reads int64) {
		t.Helper()
		_, _, err := v.Identify(t.Context(), token, at)
		if got := word(err); got != want || i.Reads() != reads {
			t.Errorf("%s after %d readings, want %s after %d: %v", got, i.Reads(), want, reads, err)
		}
	}
	long := set("exp", now.AddDate(0, 0, 9).Unix())
	good := i.Token(t, audience, tenant, now, long)
	i.Down(true)
	ask(good, now, "away", 0)
	i.Down(false)
	ask(good, now, "good", 1)
	ask(good, now.Add(59*time.Minute), "good", 1)
	ask(good, now.Add(time.Hour), "good", 2)
	i.Down(true)
	ask(good, now.Add(2*time.Hour), "good", 2) // what was read will do for a day
	ask(good, now.Add(25*time.Hour), "away", 2)
	i.Down(false)
	at := now.Add(26 * time.Hour)
	ask(good, at, "good", 3)
	i.Rotate(t, "key-2")
	after := i.Token(t, audience, tenant, now, long)
	ask(after, at.Add(9*time.Second), "refused", 3) // somebody who makes key ids up cannot have them read each time
	ask(after, at.Add(10*time.Second), "good", 4)
	ask(good, at.Add(11*time.Second), "refused", 4) // its key is no longer published
}

// word says what an error comes to.
func word(err error) string {
	var refusal *billing.Error
	switch {
	case err == nil:
		return "good"
	case errors.As(err, &refusal):
		return "refused"
	}
	return "away"
}

func TestErrorsRepeatNothingOfATokenAndAuthoritiesAreURLs(t *testing.T) {
	i := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	v := verifier(t, i.URL)
	token := i.Token(t, "api://other", "8d5c1f0e-0000-4000-8000-0000000000aa", now)
	_, _, err := v.Identify(t.Context(), token, now)
	i.Down(true)
	_, _, away := verifier(t, i.URL).Identify(t.Context(), token, now)
	for _, err := range []error{err, away} {
		for _, secret := range []string{"Zs3cret", "ada@", "8d5c1f0e", "api://other", token[:20]} {
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%v says %s", err, secret)
			}
		}
	}
	for _, authority := range []string{"", "login.microsoftonline.com", "ftp://x", "https://", "https://u:p@login.example", "https://login.example/?x=1", "https://login.example/#x"} {
		if _, err := entra.New(authority, audience); err == nil {
			t.Errorf("the authority %q was taken", authority)
		}
	}
	if _, err := entra.New(i.URL, ""); err == nil {
		t.Error("no audience was taken")
	}
}

// An authority that is reached by https has its keys there too.
func TestKeysAreNotReadByALesserSchemeThanTheAuthority(t *testing.T) {
	i := entratest.New(t, "/organizations/v2.0", "{tenantid}")
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.Issuer("{tenantid}"), strings.TrimSuffix(i.URL, "/organizations/v2.0")+"/keys")
	}))
	defer secure.Close()
	usual := http.DefaultTransport
	http.DefaultTransport = secure.Client().Transport
	defer func() { http.DefaultTransport = usual }()
	token := i.Token(t, audience, "8d5c1f0e-0000-4000-8000-0000000000aa", now)
	if _, _, err := verifier(t, secure.URL).Identify(t.Context(), token, now); word(err) != "away" || i.Reads() != 0 {
		t.Errorf("%v after %d readings", err, i.Reads())
	}
}

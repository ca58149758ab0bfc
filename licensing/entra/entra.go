// Package entra verifies tokens of Microsoft Entra ID and tells which customer's
// tenant a token comes from. The trusted authority is configured; nothing in a
// token decides where its issuer or keys are looked up.
package entra

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/okviz/licensing/billing"
)

const (
	patience = 5 * time.Second // with each of the authority's documents
	maxDoc   = 1 << 20
	// keysLife is how old the authority's keys may be; a key that is withdrawn
	// is trusted no longer than that, unless the authority is away.
	keysLife = time.Hour
	// keysAway is how long they are good for while it is away.
	keysAway = 24 * time.Hour
	// keysAgain is how soon a token with an unknown key has them read again.
	keysAgain = 10 * time.Second

	leastKey = 2048 // bits
)

// anyTenant stands in the issuer of an authority of many tenants (common,
// organizations), and in its keys' issuers.
const anyTenant = "{tenantid}"

// consumers is the tenant that all personal Microsoft accounts share. Bound to
// it, a licence would be everybody's.
const consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"

var tenantID = regexp.MustCompile(`^[0-9a-z][0-9a-z-]{0,63}$`)

// Verifier holds tokens to one authority and one audience.
type Verifier struct {
	authority *url.URL
	audience  string
	client    *http.Client

	mu   sync.Mutex
	read document
}

// document is what the authority publishes of itself.
type document struct {
	issuer string
	keys   []key
	at     time.Time
}

type key struct {
	id     string
	issuer string // for whose tokens alone it is; empty: for all
	public *rsa.PublicKey
}

// New makes a verifier of an authority such as
// https://login.microsoftonline.com/organizations/v2.0, below which its OpenID
// configuration is found. It calls nobody.
func New(authority, audience string) (*Verifier, error) {
	u, err := url.Parse(strings.TrimSuffix(authority, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("the authority is not a URL such as https://login.microsoftonline.com/organizations/v2.0")
	}
	if audience == "" {
		return nil, errors.New("the audience is missing")
	}
	return &Verifier{authority: u, audience: audience, client: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// claims of a token, as far as they are looked at.
type claims struct {
	jwt.Claims
	Tenant string `json:"tid"`
	Object string `json:"oid"` // who it is, within the tenant
}

// Identify verifies a token and returns its tenant's id, in lower case, and an id
// of its user by which they can be counted and not found: a hash, or nothing where
// the token names nobody. The token is
// signed with RS256 by a key of the authority, issued by it for the token's own
// tenant and for the audience, and good at this instant. Errors: a
// *billing.Error invalid_entra_token; any other says that the authority is
// away. None repeats anything of the token.
func (v *Verifier) Identify(ctx context.Context, token string, now time.Time) (tenant, user string, err error) {
	signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(signed.Headers) != 1 || signed.Headers[0].KeyID == "" {
		return "", "", refuse("is not a token signed with RS256")
	}
	doc, err := v.document(ctx, now, signed.Headers[0].KeyID)
	if err != nil {
		return "", "", err
	}
	k, known := doc.key(signed.Headers[0].KeyID)
	if !known {
		return "", "", refuse("is signed with a key that the authority does not publish")
	}
	var c claims
	if err := signed.Claims(k.public, &c); err != nil {
		return "", "", refuse("has a signature or claims that do not fit")
	}
	tenant = strings.ToLower(c.Tenant)
	of := func(issuer string) string { return strings.ReplaceAll(issuer, anyTenant, c.Tenant) }
	switch {
	case !tenantID.MatchString(tenant):
		return "", "", refuse("names no tenant")
	case tenant == consumers:
		return "", "", refuse("is of a personal account, which no organisation owns")
	case c.Issuer != of(doc.issuer) || k.issuer != "" && c.Issuer != of(k.issuer):
		return "", "", refuse("is another issuer's")
	case !c.Audience.Contains(v.audience):
		return "", "", refuse("is for another audience")
	case c.Expiry == nil || !now.Before(c.Expiry.Time()):
		return "", "", refuse("has expired")
	case c.NotBefore != nil && now.Before(c.NotBefore.Time()):
		return "", "", refuse("is not good yet")
	}
	if c.Object != "" {
		sum := sha256.Sum256([]byte(tenant + "/" + strings.ToLower(c.Object)))
		user = base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	return tenant, user, nil
}

func refuse(detail string) error {
	return &billing.Error{Code: billing.CodeInvalidEntraToken, Field: "entra_token", Detail: detail}
}

func (d document) key(id string) (key, bool) {
	for _, k := range d.keys {
		if k.id == id {
			return k, true
		}
	}
	return key{}, false
}

// document is what the authority publishes, read anew where it is old or has
// not the key that is asked for. Callers wait for one reading.
func (v *Verifier) document(ctx context.Context, now time.Time, key string) (document, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	age := now.Sub(v.read.at)
	_, known := v.read.key(key)
	if known && age < keysLife || !known && age < keysAgain {
		return v.read, nil
	}
	doc, err := v.fetch(context.WithoutCancel(ctx)) // others wait for it too
	switch {
	case err == nil:
		doc.at = now
		v.read = doc
	case !known || age >= keysAway:
		return document{}, fmt.Errorf("reading the Entra authority's keys: %w", err)
	}
	return v.read, nil
}

func (v *Verifier) fetch(ctx context.Context) (document, error) {
	var about struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := v.get(ctx, v.authority.String()+"/.well-known/openid-configuration", &about); err != nil {
		return document{}, err
	}
	at, err := url.Parse(about.Keys)
	if err != nil || at.Host == "" || at.Scheme != v.authority.Scheme || about.Issuer == "" {
		return document{}, errors.New("the OpenID configuration names no issuer, or no keys")
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := v.get(ctx, about.Keys, &set); err != nil {
		return document{}, err
	}
	doc := document{issuer: about.Issuer}
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		var more struct {
			Issuer string `json:"issuer"`
		}
		if k.UnmarshalJSON(raw) != nil || json.Unmarshal(raw, &more) != nil {
			continue // of a kind that is not known here
		}
		public, isRSA := k.Key.(*rsa.PublicKey)
		if isRSA && k.KeyID != "" && public.N.BitLen() >= leastKey && (k.Use == "" || k.Use == "sig") && (k.Algorithm == "" || k.Algorithm == string(jose.RS256)) {
			doc.keys = append(doc.keys, key{k.KeyID, more.Issuer, public})
		}
	}
	if len(doc.keys) == 0 {
		return document{}, errors.New("the authority publishes no RSA key")
	}
	return doc, nil
}

func (v *Verifier) get(ctx context.Context, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := v.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", r.URL.Host, response.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxDoc)).Decode(into)
}

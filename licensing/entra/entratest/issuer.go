// Package entratest is an Entra authority on this machine, for tests: it issues
// good tokens, and every forged one that a test wants.
package entratest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Names of keys that an Issuer publishes besides its own one.
const (
	Bound    = "bound"    // for the tokens of one other tenant alone
	Weak     = "weak"     // 1024 bits
	Encrypts = "encrypts" // not for signing
)

// Issuer is an authority.
type Issuer struct {
	URL string // what is configured as OKVIZ_ENTRA_AUTHORITY

	issuer string // as its configuration says, perhaps with {tenantid}
	server *httptest.Server
	reads  atomic.Int64
	down   atomic.Bool

	mu    sync.Mutex
	keyID string
	keys  map[string]*rsa.PrivateKey
}

func newKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// New starts an authority at a path, which names tenant in its issuer:
// "{tenantid}" where it is that of many.
func New(t testing.TB, path, tenant string) *Issuer {
	t.Helper()
	id := rand.Text()
	i := &Issuer{keyID: id, keys: map[string]*rsa.PrivateKey{id: newKey(t, 2048)}}
	i.keys[Bound], i.keys[Encrypts] = i.keys[id], i.keys[id]
	i.keys[Weak] = newKey(t, 1024)
	mux := http.NewServeMux()
	mux.HandleFunc(path+"/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.write(w, map[string]any{"issuer": i.issuer, "jwks_uri": i.server.URL + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.reads.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		list := []map[string]any{i.published(i.keyID, "sig", ""), i.published(Weak, "sig", ""), i.published(Encrypts, "enc", "")}
		list = append(list, i.published(Bound, "sig", i.server.URL+"/another/v2.0"), map[string]any{"kty": "new", "kid": "unknown"})
		i.write(w, map[string]any{"keys": list})
	})
	i.server = httptest.NewServer(mux)
	t.Cleanup(i.server.Close)
	i.URL, i.issuer = i.server.URL+path, i.server.URL+"/"+tenant+"/v2.0"
	return i
}

func (i *Issuer) published(id, use, issuer string) map[string]any {
	public := &i.keys[id].PublicKey
	jwk := map[string]any{
		"kty": "RSA", "kid": id, "use": use, "n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()), "e": "AQAB",
	}
	if issuer != "" {
		jwk["issuer"] = issuer
	}
	return jwk
}

func (i *Issuer) write(w http.ResponseWriter, doc any) {
	if i.down.Load() {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(doc) // a client that has gone
}

// Down makes it answer 502, or work again.
func (i *Issuer) Down(down bool) { i.down.Store(down) }

// Reads counts how often its keys were read.
func (i *Issuer) Reads() int64 { return i.reads.Load() }

// Rotate gives it another key in place of its own.
func (i *Issuer) Rotate(t testing.TB, id string) {
	k := newKey(t, 2048)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keyID, i.keys[id] = id, k
}

// KeyID names its own key.
func (i *Issuer) KeyID() string { return i.keyID }

// Issuer is the iss of a tenant's tokens.
func (i *Issuer) Issuer(tenant string) string {
	return strings.ReplaceAll(i.issuer, "{tenantid}", tenant)
}

func (i *Issuer) claims(t testing.TB, audience, tenant string, now time.Time, changes []func(map[string]any)) []byte {
	t.Helper()
	c := map[string]any{
		"iss": i.Issuer(tenant), "aud": audience, "tid": tenant, "iat": now.Add(-5 * time.Minute).Unix(), "nbf": now.Add(-5 * time.Minute).Unix(),
		"exp": now.Add(time.Hour).Unix(), "sub": "Zs3cret-subject", "preferred_username": "ada@contoso.example",
	}
	for _, change := range changes {
		change(c)
	}
	doc, err := json.Marshal(c)
	must(t, err)
	return doc
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, id string, embed bool, payload []byte) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}},
		(&jose.SignerOptions{EmbedJWK: embed}).WithType("JWT").WithHeader("kid", id)) // of a symmetric key, too
	must(t, err)
	signed, err := s.Sign(payload)
	must(t, err)
	token, err := signed.CompactSerialize()
	must(t, err)
	return token
}

// Token is a good token, unless changes make it another.
func (i *Issuer) Token(t testing.TB, audience, tenant string, now time.Time, changes ...func(map[string]any)) string {
	t.Helper()
	return i.TokenAs(t, i.keyID, audience, tenant, now, changes...)
}

// TokenAs is signed with the key of that name, or with the issuer's own under
// a name that is none of its keys'.
func (i *Issuer) TokenAs(t testing.TB, id, audience, tenant string, now time.Time, changes ...func(map[string]any)) string {
	t.Helper()
	k := i.keys[id]
	if k == nil {
		k = i.keys[i.keyID]
	}
	return sign(t, jose.RS256, k, id, false, i.claims(t, audience, tenant, now, changes))
}

// TokenWithKey brings along the key that it is signed with, under a name that
// nobody publishes.
func (i *Issuer) TokenWithKey(t testing.TB, audience, tenant string, now time.Time, changes ...func(map[string]any)) string {
	t.Helper()
	return sign(t, jose.RS256, i.keys[i.keyID], "own", true, i.claims(t, audience, tenant, now, changes))
}

// Unsigned says alg none.
func (i *Issuer) Unsigned(t testing.TB, audience, tenant string, now time.Time) string {
	t.Helper()
	header := `{"alg":"none","typ":"JWT","kid":"` + i.keyID + `"}`
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." +
		base64.RawURLEncoding.EncodeToString(i.claims(t, audience, tenant, now, nil)) + "."
}

// Symmetric is signed with HS256 under the public key, which everybody knows.
func (i *Issuer) Symmetric(t testing.TB, audience, tenant string, now time.Time) string {
	t.Helper()
	public := x509.MarshalPKCS1PublicKey(&i.keys[i.keyID].PublicKey)
	return sign(t, jose.HS256, public, i.keyID, false, i.claims(t, audience, tenant, now, nil))
}

// Spliced has the header and claims of one token and the signature of another.
func Spliced(claims, signature string) string {
	return claims[:strings.LastIndex(claims, ".")] + signature[strings.LastIndex(signature, "."):]
}

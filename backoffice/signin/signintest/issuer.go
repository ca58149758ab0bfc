// Package signintest is an identity provider for tests. Whoever comes to it is
// the person that it has been told of.
package signintest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Client and Secret are what the issuer knows its one client by.
const (
	Client = "okviz"
	Secret = "a secret of the client"
)

// Issuer is a running identity provider.
type Issuer struct {
	Address string

	mu     sync.Mutex
	key    *rsa.PrivateKey
	person map[string]any
	codes  map[string]url.Values // what was asked for, by the code that it was answered with
}

// Start starts one, until the test ends.
func Start(t *testing.T) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{key: key, codes: map[string]url.Values{}}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /.well-known/openid-configuration", i.configuration)
	routes.HandleFunc("GET /keys", i.keys)
	routes.HandleFunc("GET /authorize", i.authorize)
	routes.HandleFunc("POST /token", i.token)
	server := httptest.NewServer(routes)
	t.Cleanup(server.Close)
	i.Address = server.URL
	return i
}

// Say tells whom the issuer will name, by the claims of the ID token. A claim
// that the flow sets itself is replaced by one of these.
func (i *Issuer) Say(claims map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.person = claims
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (i *Issuer) configuration(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{
		"issuer": i.Address, "authorization_endpoint": i.Address + "/authorize", "token_endpoint": i.Address + "/token", "jwks_uri": i.Address + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
}

// authorize signs whoever comes in, and sends them back.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := rand.Text()
	i.mu.Lock()
	i.codes[code] = q
	i.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token gives an ID token for a code, once, to the client that asked for it.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	asked, known := i.codes[r.PostFormValue("code")]
	delete(i.codes, r.PostFormValue("code"))
	client, secret, basic := r.BasicAuth()
	if !basic {
		client, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	} else {
		secret, _ = url.QueryUnescape(secret)
	}
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || client != Client || secret != Secret || asked.Get("client_id") != Client || asked.Get("redirect_uri") != r.PostFormValue("redirect_uri") ||
		asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
		write(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	now := time.Now()
	claims := map[string]any{
		"iss": i.Address, "aud": Client, "sub": "1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": asked.Get("nonce"),
	}
	maps.Copy(claims, i.person)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: i.key, KeyID: "1"}}, nil)
	if err != nil {
		panic(err)
	}
	id, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(err)
	}
	write(w, http.StatusOK, map[string]any{"access_token": "none", "token_type": "Bearer", "expires_in": 60, "id_token": id})
}

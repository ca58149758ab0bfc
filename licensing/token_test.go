package licensing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	. "github.com/okviz/licensing/licensing"
)

// The key pair of RFC 8037, appendix A (RFC 8032's first test vector), and its
// thumbprint from A.3.
const (
	rfcSeed       = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
	rfcPublic     = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	rfcThumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
)

func key(t testing.TB, seed string) Key {
	t.Helper()
	raw, err := hex.DecodeString(seed)
	if err != nil {
		t.Fatal(err)
	}
	k, err := GenerateKey(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ring(t testing.TB) KeyRing {
	return KeyRing{Current: key(t, rfcSeed), Next: key(t, strings.Repeat("07", 32))}
}

func sign(t testing.TB, r KeyRing, c Claims, kids ...string) string {
	t.Helper()
	token, err := r.Sign(c, kids...)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func TestAKeyIsNamedByItsThumbprint(t *testing.T) {
	k := key(t, rfcSeed)
	if k.ID() != rfcThumbprint {
		t.Errorf("ID = %s, want %s", k.ID(), rfcThumbprint)
	}
	if got := k.Public().String(); got != rfcPublic {
		t.Errorf("Public = %s, want %s", got, rfcPublic)
	}
}

func TestAKeySurvivesItsPEM(t *testing.T) {
	k, err := GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParsePrivateKey(append(k.PEM(), '\n'))
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != k.ID() || !bytes.Equal(again.PEM(), k.PEM()) {
		t.Error("another key came back")
	}
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(elliptical)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(key(t, rfcSeed).Public()))
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for name, text := range map[string][]byte{
		"nothing":         nil,
		"no PEM":          []byte("a key"),
		"a public key":    block("PUBLIC KEY", public),
		"a mislabelled":   block("PRIVATE KEY", public),
		"another curve":   block("PRIVATE KEY", der),
		"two keys":        append(key(t, rfcSeed).PEM(), key(t, rfcSeed).PEM()...),
		"a key and words": append(key(t, rfcSeed).PEM(), "and more"...),
	} {
		t.Run(name, func(t *testing.T) {
			k, err := ParsePrivateKey(text)
			wantCode(t, err, InvalidKey)
			if !k.IsZero() {
				t.Error("a key was returned")
			}
		})
	}
}

func TestGenerateKeyNeedsEnoughRandom(t *testing.T) {
	if _, err := GenerateKey(bytes.NewReader(make([]byte, 31))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestAPrivateKeyIsNeverShown(t *testing.T) {
	r := ring(t)
	raw, _ := hex.DecodeString(rfcSeed)
	hidden := struct{ r KeyRing }{r} // fmt does not call methods of unexported fields
	var out bytes.Buffer
	for _, action := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%c", "%U", "%p", "%t"} {
		fmt.Fprintf(&out, action+" "+action+" "+action+" "+action+" "+action+"\n", r.Current, &r.Current, r, &r, hidden)
	}
	fmt.Fprintln(&out, r.Current.String(), r.Current.GoString())
	slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", r.Current, "ring", r, "hidden", hidden)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "key", r.Current, "ring", r, "hidden", hidden)
	asJSON, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	out.Write(r.JWKS())
	for name, secret := range map[string]string{
		"hex":       rfcSeed[:16],
		"HEX":       strings.ToUpper(rfcSeed[:16]),
		"bytes":     string(raw[:4]),
		"decimals":  "157 97 177 157", // 9d 61 b1 9d
		"octal":     "235 141 261 235",
		"go":        "0x9d, 0x61, 0xb1",
		"base64":    base64.StdEncoding.EncodeToString(raw)[:12],
		"base64url": base64.RawURLEncoding.EncodeToString(raw)[:12],
		"unicode":   "U+009D U+0061",
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the private key is shown in %s", name)
		}
	}
	if !strings.Contains(out.String(), "signing key "+rfcThumbprint) {
		t.Error("the key's id is not shown")
	}
}

func TestJWKSPublishesBothPublicKeys(t *testing.T) {
	r := ring(t)
	want := fmt.Sprintf(`{"keys":[`+
		`{"use":"sig","kty":"OKP","kid":"%s","crv":"Ed25519","alg":"EdDSA","x":"%s"},`+
		`{"use":"sig","kty":"OKP","kid":"%s","crv":"Ed25519","alg":"EdDSA","x":"%s"}]}`,
		rfcThumbprint, rfcPublic, r.Next.ID(), r.Next.Public().String())
	if diff := cmp.Diff(want, string(r.JWKS())); diff != "" {
		t.Error(diff)
	}
	if got := string(KeyRing{Current: r.Current}.JWKS()); strings.Count(got, `"kid"`) != 1 {
		t.Errorf("without a next key: %s", got)
	}
	if got := string(KeyRing{}.JWKS()); got != `{"keys":[]}` {
		t.Errorf("without keys: %s", got)
	}
}

func TestATokenIsAPlainEd25519Signature(t *testing.T) {
	r, c := ring(t), Embedded(siteLicense("*.contoso.example"), now)
	token := sign(t, r, c)
	if again := sign(t, r, c); again != token {
		t.Error("the same claims have two tokens")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	if want := `{"alg":"EdDSA","kid":"` + rfcThumbprint + `","typ":"okviz-license+jwt"}`; string(header) != want {
		t.Errorf("header %s, want %s", header, want)
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	want := `{"iss":"okviz","aud":"calendar-pro","sub":"lic_1","jti":"` + c.ID + `","iat":1770714000,"exp":1772532000,` +
		`"kind":"embedded","plan":"calendar-pro-users-1-20-monthly","type":"site","quantity":2,"sites":["*.contoso.example"],` +
		`"trial":false,"period_end":1772272800}`
	if diff := cmp.Diff(want, string(payload)); diff != "" {
		t.Error(diff)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	public, _ := base64.RawURLEncoding.DecodeString(rfcPublic)
	if !ed25519.Verify(public, []byte(parts[0]+"."+parts[1]), signature) {
		t.Error("crypto/ed25519 does not accept the signature")
	}
}

func TestSignUsesAKeyThatTheVersionKnows(t *testing.T) {
	r, c := ring(t), Lease(bought(), now)
	current, next := r.Current.ID(), r.Next.ID()
	for _, tt := range []struct {
		name string
		kids []string
		want string
	}{
		{"the current one, if nothing is said", nil, current},
		{"the current one, if it knows both", []string{next, current}, current},
		{"the next one, if it was built after this rotation", []string{next, "after-next"}, next},
		{"the current one, if it was built before", []string{"previous", current}, current},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token := sign(t, r, c, tt.kids...)
			header, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
			if !strings.Contains(string(header), tt.want) {
				t.Errorf("header %s, want kid %s", header, tt.want)
			}
			if _, err := Verify(token, r.Public(), now, "calendar-pro"); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("none, if it knows neither", func(t *testing.T) {
		_, err := r.Sign(c, "previous")
		wantCode(t, err, UnknownKey)
	})
	t.Run("none, if there is no next key", func(t *testing.T) {
		_, err := KeyRing{Current: r.Current}.Sign(c, next)
		wantCode(t, err, UnknownKey)
		_, err = KeyRing{Current: r.Current}.Sign(c, "")
		wantCode(t, err, UnknownKey)
	})
	t.Run("none, if there is no key", func(t *testing.T) {
		_, err := KeyRing{}.Sign(c)
		wantCode(t, err, UnknownKey)
	})
}

func TestSignRefusesClaimsThatNoVisualCouldUse(t *testing.T) {
	for name, change := range map[string]func(*Claims){
		"an ended licence":          func(c *Claims) { c.ExpiresAt = c.IssuedAt },
		"no expiry":                 func(c *Claims) { c.ExpiresAt = 0 },
		"no instant":                func(c *Claims) { c.IssuedAt = 0 },
		"no licence":                func(c *Claims) { c.Subject = "" },
		"no audience":               func(c *Claims) { c.Audience = "" },
		"no id":                     func(c *Claims) { c.ID = "" },
		"another issuer":            func(c *Claims) { c.Issuer = "elsewhere" },
		"a kind that is not known":  func(c *Claims) { c.Kind = "gift" },
		"a lease with a nonce":      func(c *Claims) { c.Nonce = "0123456789abcdef" },
		"an answer without a nonce": func(c *Claims) { c.Kind = KindAnswer },
		"a type that is not known":  func(c *Claims) { c.Type = "planet" },
		"the claims of a zero time": func(c *Claims) { c.IssuedAt = time.Time{}.Unix() },
	} {
		t.Run(name, func(t *testing.T) {
			c := Lease(bought(), now)
			change(&c)
			_, err := ring(t).Sign(c)
			wantCode(t, err, InvalidClaims)
		})
	}
}

func TestVerifyGivesTheClaimsBack(t *testing.T) {
	r := ring(t)
	want := Lease(siteLicense("reports.contoso.example"), now)
	token := sign(t, r, want)
	var published jose.JSONWebKeySet
	if err := json.Unmarshal(r.JWKS(), &published); err != nil {
		t.Fatal(err)
	}
	got, err := Verify(token, published, now, "calendar-pro")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestATokenEndsAtItsInstant(t *testing.T) {
	r := ring(t)
	token := sign(t, r, Embedded(bought(), now))
	until := bought().ValidUntil
	if _, err := Verify(token, r.Public(), until.Add(-time.Nanosecond), "calendar-pro"); err != nil {
		t.Errorf("just before: %v", err)
	}
	_, err := Verify(token, r.Public(), until, "calendar-pro")
	wantCode(t, err, TokenExpired)
}

func TestVerifyRefusesForgeries(t *testing.T) {
	r := ring(t)
	claims := Lease(bought(), now)
	good := sign(t, r, claims)
	parts := strings.Split(good, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	b64 := base64.RawURLEncoding.EncodeToString
	private := ed25519.NewKeyFromSeed(func() []byte { s, _ := hex.DecodeString(rfcSeed); return s }())
	made := func(header string, payload []byte) string {
		input := b64([]byte(header)) + "." + b64(payload)
		return input + "." + b64(ed25519.Sign(private, []byte(input)))
	}
	header := `{"alg":"EdDSA","kid":"` + rfcThumbprint + `","typ":"okviz-license+jwt"}`
	guest := key(t, strings.Repeat("09", 32))
	saying := func(change func(map[string]any)) []byte {
		var c map[string]any
		if err := json.Unmarshal(payload, &c); err != nil {
			t.Fatal(err)
		}
		change(c)
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	none := b64([]byte(`{"alg":"none","kid":"`+rfcThumbprint+`","typ":"okviz-license+jwt"}`)) + "." + parts[1] + "."
	hs256 := func() string {
		input := b64([]byte(`{"alg":"HS256","kid":"`+rfcThumbprint+`","typ":"okviz-license+jwt"}`)) + "." + parts[1]
		mac := hmac.New(sha256.New, r.Current.Public())
		mac.Write([]byte(input))
		return input + "." + b64(mac.Sum(nil))
	}()
	ownKey := func() string {
		jwk, err := json.Marshal(guest.Public().JWK())
		if err != nil {
			t.Fatal(err)
		}
		input := b64([]byte(`{"alg":"EdDSA","kid":"`+rfcThumbprint+`","jwk":`+string(jwk)+`,"typ":"okviz-license+jwt"}`)) + "." + parts[1]
		seed, _ := hex.DecodeString(strings.Repeat("09", 32))
		return input + "." + b64(ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte(input)))
	}()
	if _, err := Verify(made(header, payload), r.Public(), now, "calendar-pro"); err != nil {
		t.Fatalf("the test's own signing is wrong: %v", err)
	}

	tests := []struct{ name, token, code string }{
		{"nothing", "", TokenMalformed},
		{"words", "a.b.c", TokenMalformed},
		{"alg none", none, TokenMalformed},
		{"HS256 with the public key as its secret", hs256, TokenMalformed},
		{"another alg over a good signature", made(strings.Replace(header, "EdDSA", "RS256", 1), payload), TokenMalformed},
		{"a header with two algs", made(strings.Replace(header, `{`, `{"alg":"none",`, 1), payload), TokenMalformed},
		{"another typ", made(strings.Replace(header, "okviz-license+jwt", "JWT", 1), payload), TokenWrongType},
		{"no typ", made(`{"alg":"EdDSA","kid":"`+rfcThumbprint+`"}`, payload), TokenWrongType},
		{"a typ that is no string", made(strings.Replace(header, `"okviz-license+jwt"`, `["okviz-license+jwt"]`, 1), payload), TokenWrongType},
		{"another kid", made(strings.Replace(header, rfcThumbprint, "other", 1), payload), UnknownKey},
		{"no kid", made(`{"alg":"EdDSA","typ":"okviz-license+jwt"}`, payload), UnknownKey},
		{"a stranger's key", sign(t, KeyRing{Current: guest}, claims), UnknownKey},
		{"the kid of the next key", made(strings.Replace(header, rfcThumbprint, r.Next.ID(), 1), payload), BadSignature},
		{"a key that it brings along", ownKey, BadSignature},
		{"a critical extension", made(strings.Replace(header, `{`, `{"crit":["exp"],"exp":1,`, 1), payload), BadSignature},
		{"a changed claim", parts[0] + "." + b64(saying(func(c map[string]any) { c["exp"] = 4102444800 })) + "." + parts[2], BadSignature},
		{"the signature of another token", parts[0] + "." + parts[1] + "." + strings.Split(sign(t, r, Embedded(bought(), now)), ".")[2], BadSignature},
		{"no signature", parts[0] + "." + parts[1] + ".", BadSignature},
		{"two parts", parts[0] + "." + parts[1], TokenMalformed},
		{"four parts", good + ".", TokenMalformed},
		{"a truncated signature", good[:len(good)-2], BadSignature},
		{"a line break", good[:20] + "\n" + good[20:], TokenMalformed},
		{"padding", good + "==", TokenMalformed},
		{"the same signature spelt otherwise", respell(good), TokenMalformed},
		{"a JSON serialisation", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, TokenMalformed},
		{"claims that are no object", made(header, []byte(`[]`)), TokenMalformed},
		{"an audience that is a list", made(header, saying(func(c map[string]any) { c["aud"] = []string{"calendar-pro"} })), TokenMalformed},
		{"no expiry", made(header, saying(func(c map[string]any) { delete(c, "exp") })), TokenExpired},
		{"another issuer", made(header, saying(func(c map[string]any) { c["iss"] = "elsewhere" })), WrongIssuer},
		{"another kind", made(header, saying(func(c map[string]any) { c["kind"] = "gift" })), TokenMalformed},
		{"another product's", made(header, saying(func(c map[string]any) { c["aud"] = "bullet-chart" })), WrongAudience},
		{"an expired one", made(header, saying(func(c map[string]any) { c["exp"] = now.Unix() })), TokenExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Verify(tt.token, r.Public(), now, "calendar-pro")
			wantCode(t, err, tt.code)
			if diff := cmp.Diff(Claims{}, c); diff != "" {
				t.Errorf("claims of a refused token were returned: %s", diff)
			}
		})
	}
	t.Run("truncated anywhere", func(t *testing.T) {
		for n := range len(good) {
			if _, err := Verify(good[:n], r.Public(), now, "calendar-pro"); err == nil {
				t.Fatalf("accepted after %d bytes", n)
			}
		}
	})
	t.Run("a changed character anywhere", func(t *testing.T) {
		for i := range len(good) {
			for _, c := range "Aq-." {
				if rune(good[i]) == c {
					continue
				}
				if _, err := Verify(good[:i]+string(c)+good[i+1:], r.Public(), now, "calendar-pro"); err == nil {
					t.Fatalf("accepted with %q at %d", c, i)
				}
			}
		}
	})
	t.Run("a key set with an HMAC key under the kid", func(t *testing.T) {
		keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: []byte(r.Current.Public()), KeyID: rfcThumbprint}}}
		_, err := Verify(good, keys, now, "calendar-pro")
		wantCode(t, err, UnknownKey)
	})
	t.Run("no keys", func(t *testing.T) {
		_, err := Verify(good, jose.JSONWebKeySet{}, now, "calendar-pro")
		wantCode(t, err, UnknownKey)
	})
}

// respell sets the four bits that the last character of a 64-byte signature in
// base64 does not use.
func respell(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}

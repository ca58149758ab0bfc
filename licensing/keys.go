package licensing

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Key is an Ed25519 key that signs licence tokens. However it is printed or
// logged, only its id is shown. The zero Key is no key.
type Key struct {
	// A function, because fmt prints what unexported fields hold without asking
	// their methods, and looks into everything but functions.
	private func() ed25519.PrivateKey
	id      string
}

func newKey(private ed25519.PrivateKey) Key {
	k := Key{private: func() ed25519.PrivateKey { return private }}
	public := k.JWK()
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		panic(err) // an Ed25519 key always has one
	}
	k.id = base64.RawURLEncoding.EncodeToString(sum)
	return k
}

// GenerateKey makes a key out of 32 bytes of random, which must be
// crypto/rand's Reader outside of tests.
func GenerateKey(random io.Reader) (Key, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return Key{}, fmt.Errorf("read the seed of a signing key: %w", err)
	}
	return newKey(ed25519.NewKeyFromSeed(seed)), nil
}

// ParsePrivateKey reads one PKCS #8 private key in PEM, as PEM and
// `openssl genpkey -algorithm ed25519` write it.
func ParsePrivateKey(text []byte) (Key, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) != 0 {
		return Key{}, refuse(InvalidKey, "is not one PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Key{}, refuse(InvalidKey, "is not a PKCS #8 private key")
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return Key{}, refuse(InvalidKey, "is not an Ed25519 key")
	}
	return newKey(private), nil
}

// PEM writes the private key as PKCS #8.
func (k Key) PEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.private())
	if err != nil {
		panic(err) // an Ed25519 key always can
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// IsZero tells whether there is no key.
func (k Key) IsZero() bool { return k.private == nil }

// ID is the kid: the thumbprint of the public key (RFC 7638, RFC 8037).
func (k Key) ID() string { return k.id }

// Public is the public key, 32 bytes.
func (k Key) Public() ed25519.PublicKey { return k.private().Public().(ed25519.PublicKey) }

// JWK is the public key as it is published.
func (k Key) JWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.Public(), KeyID: k.id, Algorithm: string(jose.EdDSA), Use: "sig"}
}

func (k Key) String() string       { return "signing key " + k.id }
func (k Key) GoString() string     { return k.String() }
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Format keeps the verbs that ignore String from showing the key.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// KeyRing is the key that signs, and the one that will sign after it. Every
// build of a visual carries both public keys, so that the keys can be rotated
// without new builds (visuals.md, Token). Next may be zero.
type KeyRing struct {
	Current, Next Key
}

// Public are the public keys, the current one first.
func (r KeyRing) Public() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range []Key{r.Current, r.Next} {
		if !k.IsZero() {
			set.Keys = append(set.Keys, k.JWK())
		}
	}
	return set
}

// JWKS is the document of /.well-known/jwks.json.
func (r KeyRing) JWKS() []byte {
	document, err := json.Marshal(r.Public())
	if err != nil {
		panic(err) // public Ed25519 keys: cannot happen
	}
	return document
}

// Sign returns the token that makes these claims: a compact JWS whose bytes
// depend on claims and key alone. It is signed with the current key. Where kids
// are named, which are those that a version of a visual knows, it is signed
// with the first of Current and Next that is among them; with none, the error
// is UnknownKey. Claims that Validate refuses are not signed.
func (r KeyRing) Sign(c Claims, kids ...string) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	key := r.Current
	if len(kids) > 0 && !slices.Contains(kids, key.id) {
		key = r.Next
		if !slices.Contains(kids, key.id) {
			key = Key{}
		}
	}
	if key.IsZero() {
		return "", refuse(UnknownKey, "no signing key that this version of the visual knows")
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the claims of %s: %w", c.Subject, err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key.private(), KeyID: key.id}},
		(&jose.SignerOptions{}).WithType(TokenType))
	if err != nil {
		return "", fmt.Errorf("sign for %s with %s: %w", c.Subject, key, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign for %s with %s: %w", c.Subject, key, err)
	}
	return signed.CompactSerialize()
}

package licensing

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"strings"

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
	public := PublicKey(private.Public().(ed25519.PublicKey))
	return Key{private: func() ed25519.PrivateKey { return private }, id: public.ID()}
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
	if block == nil || block.Type != privateBlock || len(bytes.TrimSpace(rest)) != 0 {
		return Key{}, refuse(InvalidKey, "is not one PEM block "+privateBlock)
	}
	return parsePrivate(block.Bytes)
}

func parsePrivate(der []byte) (Key, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
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
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der})
}

// IsZero tells whether there is no key.
func (k Key) IsZero() bool { return k.private == nil }

// ID is the kid: the thumbprint of the public key (RFC 7638, RFC 8037).
func (k Key) ID() string { return k.id }

// Public is the half that visuals are built with.
func (k Key) Public() PublicKey { return PublicKey(k.private().Public().(ed25519.PublicKey)) }

func (k Key) String() string       { return "signing key " + k.id }
func (k Key) GoString() string     { return k.String() }
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Format keeps the verbs that ignore String from showing the key.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// PublicKey is the 32 bytes by which a visual knows a Key.
type PublicKey ed25519.PublicKey

// ID is the kid of the key.
func (p PublicKey) ID() string {
	sum, err := (&jose.JSONWebKey{Key: ed25519.PublicKey(p)}).Thumbprint(crypto.SHA256)
	if err != nil {
		panic(err) // an Ed25519 key always has one
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// JWK is the key as it is published.
func (p PublicKey) JWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: ed25519.PublicKey(p), KeyID: p.ID(), Algorithm: string(jose.EdDSA), Use: "sig"}
}

// String is the key as a JWK's x has it, and as visuals are built with it:
// base64url.
func (p PublicKey) String() string { return base64.RawURLEncoding.EncodeToString(p) }

// In tells whether a build's code carries the key, in one of the spellings that
// survive minification: base64url, base64 (the key as PEM has it included), or
// hexadecimal. contains looks for a literal in the code.
func (p PublicKey) In(contains func(literal string) bool) bool {
	digits := hex.EncodeToString(p)
	for _, literal := range []string{p.String(), base64.RawStdEncoding.EncodeToString(p), digits, strings.ToUpper(digits)} {
		if contains(literal) {
			return true
		}
	}
	return false
}

package licensing

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// KeyRing is the key that signs, the one that will sign after it, and those
// that have signed before. Every build of a visual carries the public halves of
// the first two, so that the keys can be rotated without new builds
// (docs/operators.md, Signing keys). Next may be zero.
type KeyRing struct {
	Current, Next Key
	Former        []FormerKey
}

// FormerKey is what is left of a key that signs no more: it stays published
// until the last token that it can have signed has ended.
type FormerKey struct {
	PublicKey
	Until time.Time
}

// Rotate makes the ring in which Next signs, a new key made out of 32 bytes of
// random comes after it, and the key that signs now is published until an
// instant. The private half of that key is gone with it. Without a Next the
// error is NoNextKey: no build knows a key that has just been made.
func (r KeyRing) Rotate(random io.Reader, until time.Time) (KeyRing, error) {
	if r.Next.IsZero() {
		return KeyRing{}, refuse(NoNextKey, "there is no next key that builds could know")
	}
	made, err := GenerateKey(random)
	if err != nil {
		return KeyRing{}, err
	}
	return KeyRing{
		Current: r.Next, Next: made,
		Former: append([]FormerKey{{r.Current.Public(), until.UTC().Truncate(time.Second)}}, r.Former...),
	}, nil
}

// At is the ring without the former keys whose last tokens have ended.
func (r KeyRing) At(now time.Time) KeyRing {
	r.Former = slices.DeleteFunc(slices.Clone(r.Former), func(f FormerKey) bool { return !now.Before(f.Until) })
	return r
}

// publicKeys are all public halves: the current key's first, then the next
// one's, then those of former keys, the last one first.
func (r KeyRing) publicKeys() []PublicKey {
	var list []PublicKey
	for _, k := range []Key{r.Current, r.Next} {
		if !k.IsZero() {
			list = append(list, k.Public())
		}
	}
	for _, f := range r.Former {
		list = append(list, f.PublicKey)
	}
	return list
}

// Public are the public keys, the current one first.
func (r KeyRing) Public() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, p := range r.publicKeys() {
		set.Keys = append(set.Keys, p.JWK())
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

// KnownTo lists the kids of the keys that a build's code carries (PublicKey.In).
func (r KeyRing) KnownTo(contains func(literal string) bool) []string {
	var kids []string
	for _, p := range r.publicKeys() {
		if p.In(contains) {
			kids = append(kids, p.ID())
		}
	}
	return kids
}

// Signer is the key that signs for a build that knows the keys with these kids:
// the first of Current and Next that is among them. Where no kids are named,
// because nobody recorded them, it is Current. With none of the two the error
// is UnknownKey.
func (r KeyRing) Signer(kids ...string) (Key, error) {
	for _, k := range []Key{r.Current, r.Next} {
		if !k.IsZero() && (len(kids) == 0 || slices.Contains(kids, k.id)) {
			return k, nil
		}
	}
	return Key{}, refuse(UnknownKey, "no signing key that this version of the visual knows")
}

// SignsFor tells whether a build that was recorded with these kids knows a key
// that signs. One that does not is outdated.
func (r KeyRing) SignsFor(kids []string) bool {
	_, err := r.Signer(kids...)
	return err == nil
}

// Sign returns the token that makes these claims for a build that knows the
// keys with these kids, signed by its Signer: a compact JWS whose bytes depend
// on claims and key alone. Claims that Validate refuses are not signed.
func (r KeyRing) Sign(c Claims, kids ...string) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	key, err := r.Signer(kids...)
	if err != nil {
		return "", err
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

// The PEM blocks of a ring, and the header that a former key's carries.
const (
	privateBlock   = "PRIVATE KEY"
	publicBlock    = "PUBLIC KEY"
	publishedUntil = "Published-Until" // RFC 3339
)

// ParseKeyRing reads a ring as PEM writes it: the private keys in PKCS #8, the
// current one first and then the next, and the public halves of former keys.
// Words between the blocks are not read. Errors are *Error with InvalidKey.
func ParseKeyRing(text []byte) (KeyRing, error) {
	var r KeyRing
	// A block that cannot be read would be passed over, and another key would
	// take its place.
	begun := bytes.Count(text, []byte("-----BEGIN"))
	for n := 1; ; n++ {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		if err := r.add(block); err != nil {
			return KeyRing{}, fmt.Errorf("block %d: %w", n, err)
		}
		text, begun = rest, begun-1
	}
	seen := map[string]bool{}
	for _, p := range r.publicKeys() {
		if seen[p.ID()] {
			return KeyRing{}, refuse(InvalidKey, "the same key occurs twice")
		}
		seen[p.ID()] = true
	}
	switch {
	case begun != 0:
		return KeyRing{}, refuse(InvalidKey, "a PEM block cannot be read")
	case r.Current.IsZero():
		return KeyRing{}, refuse(InvalidKey, "there is no PEM block "+privateBlock)
	}
	return r, nil
}

func (r *KeyRing) add(block *pem.Block) error {
	switch block.Type {
	case privateBlock:
		key, err := parsePrivate(block.Bytes)
		switch {
		case err != nil:
			return err
		case r.Current.IsZero():
			r.Current = key
		case r.Next.IsZero():
			r.Next = key
		default:
			return refuse(InvalidKey, "is a third private key: one signs, and one comes after it")
		}
		return nil
	case publicBlock:
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		public, ok := parsed.(ed25519.PublicKey)
		if err != nil || !ok {
			return refuse(InvalidKey, "is not an Ed25519 public key")
		}
		until, err := time.Parse(time.RFC3339, block.Headers[publishedUntil])
		if err != nil {
			return refuse(InvalidKey, "does not say until when it is published")
		}
		r.Former = append(r.Former, FormerKey{PublicKey(public), until})
		return nil
	}
	return refuse(InvalidKey, "is neither a private nor a public key")
}

// PEM writes the ring, private keys and all.
func (r KeyRing) PEM() []byte {
	var out bytes.Buffer
	for _, k := range []struct {
		what string
		key  Key
	}{{"Signs", r.Current}, {"Signs after the next rotation", r.Next}} {
		if !k.key.IsZero() {
			fmt.Fprintf(&out, "%s: %s\n%s", k.what, k.key.ID(), k.key.PEM())
		}
	}
	for _, f := range r.Former {
		der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(f.PublicKey))
		if err != nil {
			panic(err) // an Ed25519 key always can
		}
		fmt.Fprintf(&out, "Has signed: %s\n%s", f.ID(), pem.EncodeToMemory(&pem.Block{
			Type: publicBlock, Headers: map[string]string{publishedUntil: f.Until.Format(time.RFC3339)}, Bytes: der,
		}))
	}
	return out.Bytes()
}

package licensing

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Verify returns the claims of a token that is ours, for this audience (a
// product's id), and not yet expired. It must be signed with EdDSA, carry the
// type TokenType, and name one of the keys; keys that it brings along count for
// nothing. Errors are *Error with, in the order of the checks, TokenMalformed,
// TokenWrongType, UnknownKey, BadSignature, WrongIssuer, WrongAudience or
// TokenExpired.
func Verify(token string, keys jose.JSONWebKeySet, now time.Time, audience string) (Claims, error) {
	// Base64 with stray bits or line breaks would give one token many spellings.
	for part := range strings.SplitSeq(token, ".") {
		_, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return Claims{}, refuse(TokenMalformed, "is not a compact JWS")
		}
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return Claims{}, refuse(TokenMalformed, "is not a compact JWS with EdDSA")
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != TokenType {
		return Claims{}, refuse(TokenWrongType, "is not a licence token")
	}
	known := keys.Key(header.KeyID)
	if header.KeyID == "" || len(known) != 1 {
		return Claims{}, refuse(UnknownKey, "is signed with a key that is not known")
	}
	public, ok := known[0].Key.(ed25519.PublicKey)
	if !ok {
		return Claims{}, refuse(UnknownKey, "is signed with a key of another kind")
	}
	payload, err := signed.Verify(public)
	if err != nil {
		return Claims{}, refuse(BadSignature, "has a signature that does not fit")
	}
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Claims{}, refuse(TokenMalformed, "has claims of wrong types")
	}
	switch {
	case c.Issuer != Issuer:
		return Claims{}, refuse(WrongIssuer, "is another issuer's")
	case c.Audience != audience:
		return Claims{}, refuse(WrongAudience, "is another product's")
	case now.Unix() >= c.ExpiresAt:
		return Claims{}, refuse(TokenExpired, "has expired")
	}
	if err := c.Validate(); err != nil {
		return Claims{}, refuse(TokenMalformed, "has claims that no licence makes")
	}
	return c, nil
}

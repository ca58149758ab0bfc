package licensing

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
)

const (
	// Issuer is the iss of every token.
	Issuer = "okviz"
	// TokenType is the typ in every token's header.
	TokenType = "okviz-license+jwt"
)

// Kind is how a token reaches the visual.
type Kind string

const (
	KindEmbedded Kind = "embedded" // in the delivered file
	KindLease    Kind = "lease"    // in a check's answer, the same for all who ask
	KindAnswer   Kind = "answer"   // in the answer to one question, which named a nonce
)

// Claims is the content of a licence token. Times are seconds since 1970, UTC.
// The token is valid while now is before ExpiresAt. Between PeriodEnd and
// ExpiresAt the visual shows that it runs in the grace period.
type Claims struct {
	Issuer    string   `json:"iss"`
	Audience  string   `json:"aud"` // the product's id
	Subject   string   `json:"sub"` // the licence's id
	ID        string   `json:"jti"`
	IssuedAt  int64    `json:"iat"`
	ExpiresAt int64    `json:"exp"`
	Kind      Kind     `json:"kind"`
	Plan      string   `json:"plan"`
	Type      Type     `json:"type"`
	Tier      string   `json:"tier,omitempty"`
	Quantity  int64    `json:"quantity"`
	Sites     []string `json:"sites,omitempty"`
	Tenant    string   `json:"tenant,omitempty"`
	Trial     bool     `json:"trial"`
	PeriodEnd int64    `json:"period_end"`
	Licensee  string   `json:"licensee,omitempty"` // only where the visual shows it
	Nonce     string   `json:"nonce,omitempty"`    // kind answer: the question's
	Code      Code     `json:"code,omitempty"`     // kind answer
}

// Validate refuses claims that no visual could use, above all those of a
// licence that has already ended.
func (c Claims) Validate() error {
	switch {
	case c.Issuer != Issuer:
		return &Error{InvalidClaims, "iss", "is " + Issuer}
	case c.Audience == "":
		return &Error{InvalidClaims, "aud", "is missing"}
	case c.Subject == "":
		return &Error{InvalidClaims, "sub", "is missing"}
	case c.ID == "":
		return &Error{InvalidClaims, "jti", "is missing"}
	case c.Kind != KindEmbedded && c.Kind != KindLease && c.Kind != KindAnswer:
		return &Error{InvalidClaims, "kind", "is embedded, lease or answer"}
	case (c.Kind == KindAnswer) != (c.Nonce != ""):
		return &Error{InvalidClaims, "nonce", "belongs to an answer, and to nothing else"}
	case c.Type != Users && c.Type != Capacity && c.Type != Site:
		return &Error{InvalidClaims, "type", "is users, capacity or site"}
	case c.IssuedAt <= 0:
		return &Error{InvalidClaims, "iat", "is missing"}
	case c.ExpiresAt <= c.IssuedAt:
		return &Error{InvalidClaims, "exp", "is not after iat"}
	}
	return nil
}

// fingerprint makes a jti out of what the token says, so that the same licence
// at the same second has the same token.
func (c Claims) fingerprint(revision int64) string {
	said, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and integers: cannot happen
	}
	sum := sha256.Sum256(strconv.AppendInt(said, revision, 10))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

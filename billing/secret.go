package billing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Secret makes credentials that need not be stored: everybody who knows it can make
// the same ones. It has at least 32 bytes, and API and worker share it.
type Secret []byte

// Sign makes the HMAC-SHA256 of something for one purpose.
func (s Secret) Sign(purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, s)
	h.Write([]byte(purpose + "\x00"))
	h.Write(body)
	return h.Sum(nil)
}

// LoginToken is the credential of a mailed link to sign in with, by the
// login's id: 256 bits.
func (s Secret) LoginToken(login string) string {
	return base64.RawURLEncoding.EncodeToString(s.Sign("login", []byte(login)))
}

// ReturnSignature is what a return address ends with, so that nobody can make
// one up: it binds the address to its purpose and order.
func (s Secret) ReturnSignature(purpose, order string) string {
	return base64.RawURLEncoding.EncodeToString(s.Sign("return", []byte(purpose+"/"+order))[:16])
}

// IsReturn tells whether a return address's signature is its own.
func (s Secret) IsReturn(purpose, order, signature string) bool {
	return hmac.Equal([]byte(signature), []byte(s.ReturnSignature(purpose, order)))
}

// quoteToken is what every quote's token begins with.
const quoteToken = "qot_"

// QuoteToken is the credential of a mailed quote, for that quote alone: its id
// under 128 bits.
func (s Secret) QuoteToken(quote string) string {
	return quoteToken + base64.RawURLEncoding.EncodeToString(append(s.quoteMAC(quote), quote...))
}

func (s Secret) quoteMAC(quote string) []byte { return s.Sign("quote", []byte(quote))[:16] }

// QuoteOf is the quote that a token is for. isQuote says whether it is one of
// a quote at all, good or not.
func (s Secret) QuoteOf(token string) (quote string, isQuote, good bool) {
	encoded, isQuote := strings.CutPrefix(token, quoteToken)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !isQuote || err != nil || len(raw) <= 16 {
		return "", isQuote, false
	}
	quote = string(raw[16:])
	return quote, true, hmac.Equal(raw[:16], s.quoteMAC(quote))
}

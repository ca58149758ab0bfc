package billing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
)

// Secret makes credentials that need not be stored: everybody who knows it can make
// the same ones. API and worker share it. The first value signs; the others are
// former ones, or the one to come, and what they signed is good as well. Each has at
// least 32 bytes.
type Secret []string

// Sign makes the HMAC-SHA256 of something for one purpose.
func (s Secret) Sign(purpose string, body []byte) []byte { return sign(s[0], purpose, body) }

// SignAll is Sign with each value, the current one first.
func (s Secret) SignAll(purpose string, body []byte) [][]byte {
	all := make([][]byte, len(s))
	for i, key := range s {
		all[i] = sign(key, purpose, body)
	}
	return all
}

// Signed tells whether mac is the beginning, or all, of what one of the values makes
// of a body.
func (s Secret) Signed(mac []byte, purpose string, body []byte) bool {
	return len(mac) >= 16 && slices.ContainsFunc(s.SignAll(purpose, body), func(made []byte) bool {
		return len(mac) <= len(made) && hmac.Equal(mac, made[:len(mac)])
	})
}

func sign(key, purpose string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(purpose + "\x00"))
	h.Write(body)
	return h.Sum(nil)
}

// LoginToken is the credential of a mailed link to sign in with, by the
// login's id: 256 bits.
func (s Secret) LoginToken(login string) string { return s.LoginTokens(login)[0] }

// LoginTokens are what each value makes of a login's id.
func (s Secret) LoginTokens(login string) []string {
	var tokens []string
	for _, mac := range s.SignAll("login", []byte(login)) {
		tokens = append(tokens, base64.RawURLEncoding.EncodeToString(mac))
	}
	return tokens
}

// ReturnSignature is what a return address ends with, so that nobody can make
// one up: it binds the address to its purpose and order.
func (s Secret) ReturnSignature(purpose, order string) string {
	return base64.RawURLEncoding.EncodeToString(s.Sign("return", []byte(purpose+"/"+order))[:16])
}

// IsReturn tells whether a return address's signature is its own.
func (s Secret) IsReturn(purpose, order, signature string) bool {
	mac, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	return err == nil && len(mac) == 16 && s.Signed(mac, "return", []byte(purpose+"/"+order))
}

// What the tokens of mailed links begin with.
const (
	quoteToken        = "qot_"
	confirmationToken = "oct_"
	invitationToken   = "mit_"
	addressToken      = "ect_"
)

// QuoteToken is the credential of a mailed quote, for that quote alone.
func (s Secret) QuoteToken(quote string) string { return s.token(quoteToken, "quote", quote) }

// QuoteOf is the quote that a token is for. isQuote says whether it is one of
// a quote at all, good or not.
func (s Secret) QuoteOf(token string) (quote string, isQuote, good bool) {
	quote, good = s.subject(token, quoteToken, "quote")
	return quote, strings.HasPrefix(token, quoteToken), good
}

// ConfirmationToken is the credential of a mailed link that confirms the address
// of an order, by the order's request.
func (s Secret) ConfirmationToken(request RequestID) string {
	return s.token(confirmationToken, "confirm", string(request))
}

// ConfirmationOf is the request that a token confirms the address of.
func (s Secret) ConfirmationOf(token string) (request RequestID, good bool) {
	id, good := s.subject(token, confirmationToken, "confirm")
	return RequestID(id), good
}

// InvitationToken is the credential of a mailed link that makes a member of who was
// invited, by the member's id.
func (s Secret) InvitationToken(member string) string {
	return s.token(invitationToken, "invite", member)
}

// InvitationOf is the member that a token is for.
func (s Secret) InvitationOf(token string) (member string, good bool) {
	return s.subject(token, invitationToken, "invite")
}

// AddressToken is the credential of a link that was mailed to one of the addresses of
// an EmailChange, by its id.
func (s Secret) AddressToken(change string, side AddressSide) string {
	return s.token(addressToken, "address "+string(side), change)
}

// AddressOf is the change, and which of its addresses confirms it, that a token is
// for.
func (s Secret) AddressOf(token string) (change string, side AddressSide, good bool) {
	for _, side := range []AddressSide{FormerAddress, NewAddress} {
		if change, good := s.subject(token, addressToken, "address "+string(side)); good {
			return change, side, true
		}
	}
	return "", "", false
}

// token is a credential for one thing and one purpose: its id under 128 bits.
func (s Secret) token(prefix, purpose, id string) string {
	return prefix + base64.RawURLEncoding.EncodeToString(append(s.Sign(purpose, []byte(id))[:16], id...))
}

// subject is the id that a token is for.
func (s Secret) subject(token, prefix, purpose string) (id string, good bool) {
	encoded, is := strings.CutPrefix(token, prefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !is || err != nil || len(raw) <= 16 || !s.Signed(raw[:16], purpose, raw[16:]) {
		return "", false
	}
	return string(raw[16:]), true
}

// Seal encrypts what must be read again, under the current value, for one purpose
// and one thing. nonce has 12 random bytes, new each time.
func (s Secret) Seal(purpose, id string, nonce, text []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.sealer(0, purpose).Seal(nonce, nonce, text, []byte(id)))
}

// Unseal reads what Seal has made with any of the values; current tells whether it
// was the current one.
func (s Secret) Unseal(purpose, id, sealed string) (text []byte, current, good bool) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < 12 {
		return nil, false, false
	}
	for i := range s {
		if text, err := s.sealer(i, purpose).Open(nil, raw[:12], raw[12:], []byte(id)); err == nil {
			return text, i == 0, true
		}
	}
	return nil, false, false
}

// sealer is AES-256-GCM under a key of one of the values.
func (s Secret) sealer(i int, purpose string) cipher.AEAD {
	block, err := aes.NewCipher(sign(s[i], "seal "+purpose, nil))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return aead
}

package billing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// Secret makes credentials that need not be stored: whoever knows it can make
// the same ones again. It has at least 32 bytes, and API and worker share it.
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

// Package licensing holds the rules of licences: what a token says and how it
// is signed and verified, what a visual's check is answered, and which sites a
// licence may name.
//
// A licence reaches a visual twice. The token inside the delivered file
// (Embedded) speaks for it at once and without a network. An online check
// (ParseQuestion, Check, Respond) speaks for it as it stands now, and brings a
// Lease that the visual may keep for some days. A check's answer beats the
// file. Both tokens are the same compact JWS, so a visual verifies them with
// the same few lines and the public keys that it was built with.
//
// The package is pure: no clock, no I/O. Instants are UTC in whole seconds and
// come in as arguments; a licence is valid while now is before its ValidUntil.
package licensing

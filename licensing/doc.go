// Package licensing holds the rules of licences: what a licence token contains and
// how it is signed and verified, how a visual's check is answered, and which sites
// a licence may name.
//
// A licence reaches a visual in two ways. The token inside the delivered file
// (Embedded) works at once and without a network. An online check (ParseQuestion,
// Check, Respond) says how the licence stands now, and returns a Lease that the
// visual may keep for some days. A check's answer takes precedence over the file.
// Both tokens are compact JWS with the same claims, so a visual verifies both with
// the same few lines of code and the public keys that it was built with.
//
// The package is pure: no clock, no I/O. Instants are arguments, in UTC and whole
// seconds. A licence is valid while now is before its ValidUntil.
package licensing

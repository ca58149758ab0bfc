package billing

import (
	"encoding/hex"
	"time"
)

// Allowance is how often something may happen to a subject within a time.
type Allowance struct {
	Subject string // what is counted and of whom; a person only as an HMAC
	Limit   int
	Window  time.Duration
}

// What guests may do in an hour, over all orders (docs/rules.md, Guests).
const (
	mailsToMailbox    = 5 // that did not ask: trials, quotes, invoices
	linksToMailbox    = 5 // to sign in: no other mail uses them up
	mailsFromNetwork  = 50
	declinesOfMailbox = 10
	declinesOfCard    = 10
	declinesOfNetwork = 20
)

func (s Secret) anHour(what, of string, limit int) Allowance {
	return Allowance{what + ":" + hex.EncodeToString(s.Sign("allowance "+what, []byte(of))), limit, time.Hour}
}

// MailTo is how many mails an address may get that nobody with a session asked
// for.
func (s Secret) MailTo(email string) Allowance {
	return s.anHour("mail to", Mailbox(email), mailsToMailbox)
}

// SignInLinksTo is how many links to sign in an address may get.
func (s Secret) SignInLinksTo(email string) Allowance {
	return s.anHour("sign-in links to", Mailbox(email), linksToMailbox)
}

// MailsFrom is how many such mails a source network may cause.
func (s Secret) MailsFrom(network string) Allowance {
	return s.anHour("mails from", network, mailsFromNetwork)
}

// DeclinesFrom is how many cards may be declined for a source network.
func (s Secret) DeclinesFrom(network string) Allowance {
	return s.anHour("declines from", network, declinesOfNetwork)
}

// DeclinesFor is how many cards may be declined for an address's orders.
func (s Secret) DeclinesFor(email string) Allowance {
	return s.anHour("declines for", Mailbox(email), declinesOfMailbox)
}

// DeclinesOf is how often one card may be declined, by the gateway's fingerprint
// of it.
func (s Secret) DeclinesOf(fingerprint string) Allowance {
	return s.anHour("declines of", fingerprint, declinesOfCard)
}

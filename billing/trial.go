package billing

import (
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// freeMail are providers whose domain says nothing about an organisation.
var freeMail = map[string]bool{
	"163.com": true, "126.com": true, "aliceadsl.fr": true, "alice.it": true, "aol.com": true, "bluewin.ch": true,
	"btinternet.com": true, "fastmail.com": true, "free.fr": true, "freenet.de": true, "gmail.com": true, "gmx.at": true,
	"gmx.ch": true, "gmx.com": true, "gmx.de": true, "gmx.net": true, "googlemail.com": true, "hotmail.co.uk": true,
	"hotmail.com": true, "hotmail.de": true, "hotmail.es": true, "hotmail.fr": true, "hotmail.it": true, "icloud.com": true,
	"laposte.net": true, "libero.it": true, "live.co.uk": true, "live.com": true, "live.fr": true, "live.it": true,
	"live.nl": true, "mac.com": true, "mail.com": true, "mail.ru": true, "me.com": true, "msn.com": true, "orange.fr": true,
	"outlook.com": true, "outlook.de": true, "outlook.es": true, "outlook.fr": true, "outlook.it": true, "pm.me": true,
	"proton.me": true, "protonmail.com": true, "qq.com": true, "rocketmail.com": true, "t-online.de": true, "tin.it": true,
	"tiscali.it": true, "tutanota.com": true, "virgilio.it": true, "wanadoo.fr": true, "web.de": true, "wp.pl": true,
	"yahoo.ca": true, "yahoo.co.in": true, "yahoo.co.jp": true, "yahoo.co.uk": true, "yahoo.com": true, "yahoo.com.br": true,
	"yahoo.de": true, "yahoo.es": true, "yahoo.fr": true, "yahoo.it": true, "yandex.com": true, "yandex.ru": true,
	"ymail.com": true, "zoho.com": true,
}

// provider is how a mail provider reads the part before the @, by its own
// published rules.
type provider struct {
	domain  string // that its other domains stand for
	ignored string // signs that make no difference
}

// providers have +tag addresses, all of one mailbox.
var providers = func() map[string]provider {
	m := map[string]provider{}
	add := func(ignored, domain string, others ...string) {
		for _, d := range append(others, domain) {
			m[d] = provider{domain, ignored}
		}
	}
	add(".", "gmail.com", "googlemail.com")
	add(".-_", "proton.me", "protonmail.com", "pm.me")
	add("", "icloud.com", "me.com", "mac.com")
	add("", "fastmail.com")
	for d := range freeMail { // each of Microsoft's domains has mailboxes of its own
		for _, brand := range []string{"outlook.", "hotmail.", "live.", "msn."} {
			if strings.HasPrefix(d, brand) {
				add("", d)
			}
		}
	}
	return m
}()

// Mailbox is the mailbox that an address belongs to: lower case, and the same for
// all aliases that its provider makes of it (docs/rules.md, Guests).
func Mailbox(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	at := strings.LastIndexByte(email, '@') // a quoted local part may hold another
	if at < 0 {
		return email
	}
	local, domain := email[:at], email[at+1:]
	if user, ok := strings.CutSuffix(domain, ".fastmail.com"); ok { // anything@user.fastmail.com
		local, domain = user, "fastmail.com"
	}
	p, ok := providers[domain]
	if !ok {
		return email
	}
	local, _, _ = strings.Cut(local, "+")
	for _, sign := range p.ignored {
		local = strings.ReplaceAll(local, string(sign), "")
	}
	return local + "@" + p.domain
}

// Organisation is who a trial counts for: the registrable domain of a work
// address, the whole mailbox at a free-mail provider (docs/rules.md, Buying).
func Organisation(email string) string {
	email = Mailbox(email)
	at := strings.LastIndexByte(email, '@')
	registrable, err := publicsuffix.EffectiveTLDPlusOne(email[at+1:])
	if at < 0 || err != nil || freeMail[registrable] {
		return email
	}
	return registrable
}

// endTrial ends a trial or turns it into a subscription. A trial that was
// cancelled or has no card is never charged.
func (b Snapshot) endTrial(step Step, at time.Time) Decision {
	s := b.Subscription
	switch {
	case s.Prepaid():
		s = s.entered()
		s.Status, s.Anchor = Active, s.TrialEnd
		return Decision{Changeset: b.enter(s, at, EventConverted, EventDetails{})}
	case s.CancelAtPeriodEnd:
		return Decision{Changeset: b.end(s.TrialEnd, ReasonRequested)}
	case b.Method == "":
		return Decision{Changeset: b.end(s.TrialEnd, ReasonTrialEnded)}
	}
	return b.collect(b.draft(ForConversion, step.At.Format(time.RFC3339), step.At, b.saleAt(s.TrialEnd, s.TrialEnd, at)))
}

package billing_test

import (
	"testing"

	"github.com/okviz/licensing/billing"
)

func TestAliasesOfAMailProviderAreOneMailbox(t *testing.T) {
	for want, aliases := range map[string][]string{
		"adarossi@gmail.com":   {"ada.rossi@gmail.com", "A.d.a.Rossi+trial@GoogleMail.com", " adarossi@gmail.com "},
		"adarossi@proton.me":   {"ada.rossi@protonmail.com", "ada-rossi+x@pm.me", "ada_rossi@proton.me"},
		"ada.rossi@icloud.com": {"ada.rossi+x@me.com", "ada.rossi@mac.com"},
		"ada@fastmail.com":     {"ada+x@fastmail.com", "shop@ada.fastmail.com"},
		"ada.r@outlook.com":    {"ada.r+1@outlook.com", "ada.r+2@outlook.com"},
		"ada.r@hotmail.it":     {"ada.r+1@hotmail.it"},
		// Who publishes no such rule is taken at their word.
		"ada.r+1@yahoo.com":       {"Ada.R+1@yahoo.com"},
		"ada.r+1@contoso.example": {"ada.r+1@contoso.example"},
		"ada@evil-gmail.com":      {"ada@evil-gmail.com"},
		"no address":              {"No address"},
	} {
		for _, a := range aliases {
			if got := billing.Mailbox(a); got != want {
				t.Errorf("%q belongs to %q, want %q", a, got, want)
			}
		}
	}
}

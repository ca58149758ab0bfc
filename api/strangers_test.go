package api_test

import (
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

// mailed sends an order's mails, and returns them.
func (s *shop) mailed(order answer) []billing.Email {
	s.t.Helper()
	before := len(s.mailbox.Emails())
	check(s.t, s.temporal.steps.Notify(s.t.Context(), order.text("subscription.id")))
	return s.mailbox.Emails()[before:]
}

func TestAStrangersOrderMailsNoNameThatIsNone(t *testing.T) {
	s := newShop(t)
	printed := func(order answer) (names string) {
		for _, l := range s.mailed(order.want(201, "")) {
			names += l.Name + "; " + l.Licensee + "; "
		}
		return names
	}
	const evil = `"VERIFY AT https://evil.example"`
	if got := printed(s.buy("licensee.name="+evil, "billing.name="+evil)); got == "" || strings.Contains(got, "evil") {
		t.Errorf("printed is %q", got)
	}
	if got := printed(s.buy()); !strings.Contains(got, "Ada Rossi") || !strings.Contains(got, "Bea Bianchi <bea@contoso.example>") {
		t.Errorf("names that are such are left out: %q", got)
	}
	// Who has signed in is no stranger.
	signed := s.ask("POST", "/v1/checkout", order(`licensee.name="Team 7"`), s.signIn("ada@contoso.example"), withKey())
	if got := printed(signed); !strings.Contains(got, "Team 7 <bea@contoso.example>") {
		t.Errorf("of a signed-in account %q is printed", got)
	}
}

package api_test

import (
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

// move asks for another address of a session's account, and returns the tokens that
// were mailed to the former one and the new one.
func (s *shop) move(session, to string) (former, fresh string) {
	s.t.Helper()
	s.ask("POST", "/v1/me/email", `{"email":"`+to+`"}`, session).want(202, "")
	return s.tokenOf(billing.NoticeEmailFrom), s.tokenOf(billing.NoticeEmailTo)
}

func (s *shop) confirmEmail(token string) answer {
	s.t.Helper()
	return s.ask("POST", "/v1/me/email/confirm", withToken(token))
}

func TestAnAccountMovesOnceBothAddressesHaveConfirmed(t *testing.T) {
	s := newShop(t)
	bought := s.buy(`licensee.email="ada@contoso.example"`).want(201, "")
	session := s.signIn("ada@contoso.example")
	account := s.ask("GET", "/v1/me", "", session).text("id")
	invoice := s.ask("GET", "/v1/invoices/"+bought.text("invoice.id")+"/pdf", "", session).want(200, "")
	former, fresh := s.move(session, "Ada@Fabrikam.example")
	for kind, to := range map[billing.NoticeKind]string{billing.NoticeEmailFrom: "ada@contoso.example", billing.NoticeEmailTo: "ada@fabrikam.example"} {
		if m := s.mailsOf(kind); len(m) != 1 || m[0].Email != to {
			t.Errorf("%s was mailed %+v", kind, m)
		}
	}
	if got := s.confirmEmail(fresh).want(200, "").text("status"); got != "waiting" {
		t.Errorf("after the new address alone it is %s", got)
	}
	if got := s.ask("GET", "/v1/me", "", session).want(200, ""); got.text("email") != "ada@contoso.example" || got.text("email_change.email") != "ada@fabrikam.example" {
		t.Errorf("while it waits: %s", got.body)
	}
	if got := s.confirmEmail(former).want(200, "").text("status"); got != "changed" {
		t.Errorf("after both it is %s", got)
	}
	for _, token := range []string{former, fresh} {
		s.confirmEmail(token).want(403, "confirmation_expired")
	}
	if told := s.mailsOf(billing.NoticeEmailChanged); len(told) != 1 || told[0].Email != "ada@contoso.example" || len(told[0].CC) != 1 || told[0].CC[0] != "ada@fabrikam.example" {
		t.Errorf("told are %+v", told)
	}
	me := s.ask("GET", "/v1/me", "", session).want(200, "") // the session stays
	if me.text("id") != account || me.text("email") != "ada@fabrikam.example" || me.at("email_change") != nil {
		t.Errorf("it is %s", me.body)
	}
	before := len(s.links())
	s.ask("POST", "/v1/login", `{"email":"ada@contoso.example"}`).want(202, "")
	if len(s.links()) != before {
		t.Error("the former address still signs in")
	}
	s.signIn("ada@fabrikam.example")
	id := bought.text("subscription.id")
	sub := s.ask("GET", "/v1/subscriptions/"+id, "", session).want(200, "")
	if sub.text("billing_account") != "ada@fabrikam.example" || sub.text("licensee_account") != "ada@fabrikam.example" {
		t.Errorf("the subscription is %s", sub.body)
	}
	if l := s.ask("GET", "/v1/licenses/"+bought.text("license.id"), "", session).want(200, ""); !strings.HasSuffix(l.text("licensee"), "<ada@fabrikam.example>") {
		t.Errorf("the licence is %s", l.body)
	}
	if after := s.ask("GET", "/v1/invoices/"+bought.text("invoice.id")+"/pdf", "", session).want(200, ""); string(after.body) != string(invoice.body) {
		t.Error("an issued document has changed")
	}
	sent := len(s.mailbox.Emails())
	s.on(id, "renew", `{}`).want(200, "")
	s.mailed(bought)
	for _, m := range s.mailbox.Emails()[sent:] {
		if m.Email != "ada@fabrikam.example" {
			t.Errorf("%s went to %s", m.Kind, m.Email)
		}
	}
	if len(s.mailbox.Emails()) == sent {
		t.Error("nothing was mailed")
	}
	if events := string(s.ask("GET", "/v1/events?type=subscription.amended", "", session).want(200, "").body); !strings.Contains(events, id) {
		t.Errorf("the feed has %s", events)
	}
}

func TestAnAddressThatHasAnAccountIsNotToldAndNotMerged(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	s.buy(`billing.email="eve@fabrikam.example"`).want(201, "")
	session := s.signIn("ada@contoso.example")
	taken := s.ask("POST", "/v1/me/email", `{"email":"eve@fabrikam.example"}`, session).want(202, "")
	former, fresh := s.tokenOf(billing.NoticeEmailFrom), s.tokenOf(billing.NoticeEmailTo)
	if got := s.confirmEmail(former).want(200, "").text("status"); got != "waiting" {
		t.Errorf("the asker is told %s", got)
	}
	s.confirmEmail(fresh).want(409, "address_taken") // who reads eve's mail may know
	if got := s.confirmEmail(former).want(200, "").text("status"); got != "waiting" {
		t.Errorf("the asker is told %s", got)
	}
	free := s.ask("POST", "/v1/me/email", `{"email":"nobody@fabrikam.example"}`, session).want(202, "")
	if a, b := taken.at("email"), free.at("email"); a != "eve@fabrikam.example" || b != "nobody@fabrikam.example" || len(taken.body)+len("nobody")-len("eve") != len(free.body) {
		t.Errorf("who has an account can be told: %s %s", taken.body, free.body)
	}
	s.confirmEmail(fresh).want(403, "confirmation_expired") // a later change took its place
	if list := s.ask("GET", "/v1/subscriptions", "", s.signIn("eve@fabrikam.example")).want(200, "").at("data").([]any); len(list) != 1 {
		t.Errorf("eve has %v", list)
	}
}

func TestOnlyOwnersAndOperatorsMoveAnAccount(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	fred, _ := s.member(owner, "fred@contoso.example", "finance")
	s.ask("POST", "/v1/me/email", `{"email":"fred@evil.example"}`, fred).want(403, "forbidden")
	s.ask("POST", "/v1/me/email", `{"email":"x@evil.example"}`, "Authorization: Bearer "+s.accountKey("ada@contoso.example")).want(403, "forbidden")
	s.ask("POST", "/v1/me/email", `{"email":"ADA@contoso.example"}`, owner).want(422, "invalid")
	s.ask("POST", "/v1/me/email?email=fred%40contoso.example", `{"email":"x@evil.example"}`, owner).want(403, "forbidden")
	// A token of one side is not one of the other's, nor of anything else.
	former, _ := s.move(owner, "ada@fabrikam.example")
	secret := s.parts.Secret
	change, _, _ := secret.AddressOf(former)
	for _, wrong := range []string{secret.InvitationToken(change), secret.QuoteToken(change), former[:len(former)-2], "ect_AAAA"} {
		s.confirmEmail(wrong).want(403, "confirmation_expired")
	}
	for range 2 { // one side twice is not both
		if got := s.confirmEmail(former).want(200, "").text("status"); got != "waiting" {
			t.Errorf("one side alone: %s", got)
		}
	}
	// An operator vouches for the former address, which is told.
	s.ask("POST", "/v1/me/email?email=ada%40contoso.example", `{"email":"new@contoso.example"}`, asOperator).want(202, "")
	if got := s.confirmEmail(s.tokenOf(billing.NoticeEmailTo)).want(200, "").text("status"); got != "changed" {
		t.Errorf("for an operator it is %s", got)
	}
	if told := s.mailsOf(billing.NoticeEmailChanged); len(told) != 1 || told[0].Email != "ada@contoso.example" {
		t.Errorf("told are %+v", told)
	}
	if me := s.ask("GET", "/v1/me", "", fred).want(200, ""); me.text("email") != "new@contoso.example" {
		t.Errorf("a member sees %s", me.body)
	}
}

func TestAMemberWhoMovesStaysAMember(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	s.join(owner, "fred@contoso.example", "finance")
	fred := s.signIn("fred@contoso.example")
	own := s.ask("GET", "/v1/me", "", fred).at("accounts").([]any)[0].(map[string]any)["id"].(string)
	s.ask("PUT", "/v1/me/account", `{"account":"`+own+`"}`, fred).want(204, "")
	former, fresh := s.move(fred, "fred@fabrikam.example")
	s.confirmEmail(former).want(200, "")
	s.confirmEmail(fresh).want(200, "")
	list := s.ask("GET", "/v1/members", "", owner).want(200, "").at("data").([]any)
	if len(list) != 2 || list[1].(map[string]any)["email"] != "fred@fabrikam.example" {
		t.Errorf("members are %v", list)
	}
	if me := s.ask("GET", "/v1/me", "", s.signIn("fred@fabrikam.example")).want(200, ""); len(me.at("accounts").([]any)) != 2 {
		t.Errorf("he sees %s", me.body)
	}
}

func TestWhoUsesTheFormerAddressCannotStopAnOperatorsChangeAndIsSignedOutByIt(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	left := s.signIn("ada@contoso.example")
	s.ask("POST", "/v1/me/email?email=ada%40contoso.example", `{"email":"new@contoso.example"}`, asOperator).want(202, "")
	token := s.tokenOf(billing.NoticeEmailTo)
	s.ask("POST", "/v1/me/email", `{"email":"ada@home.example"}`, left).want(409, "not_possible_now")
	s.confirmEmail(token).want(200, "")
	s.ask("GET", "/v1/me", "", left).want(401, "unauthorized")
}

func TestALinkThatWasMailedToTheFormerAddressSignsNobodyIn(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	session := s.signIn("ada@contoso.example")
	s.ask("POST", "/v1/login", `{"email":"ada@contoso.example"}`).want(202, "")
	links := s.links()
	former, fresh := s.move(session, "ada@fabrikam.example")
	s.confirmEmail(former).want(200, "")
	s.confirmEmail(fresh).want(200, "")
	s.ask("POST", "/v1/login/confirm", withToken(links[len(links)-1])).want(403, "login_expired")
}

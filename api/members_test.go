package api_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// mailsOf are the mails of a kind, the oldest first.
func (s *shop) mailsOf(kind billing.NoticeKind) (mails []billing.Email) {
	for _, l := range s.mailbox.Emails() {
		if l.Kind == kind {
			mails = append(mails, l)
		}
	}
	return mails
}

// tokenOf is the token of the link of the newest mail of a kind.
func (s *shop) tokenOf(kind billing.NoticeKind) string {
	s.t.Helper()
	mails := s.mailsOf(kind)
	if len(mails) == 0 {
		s.t.Fatalf("no mail %s was sent", kind)
	}
	_, token, _ := strings.Cut(mails[len(mails)-1].Link, "#token=")
	return token
}

func withToken(token string) string { return `{"token":"` + token + `"}` }

// join invites an address to the account of a session, and accepts.
func (s *shop) join(owner, email, role string) (id string) {
	s.t.Helper()
	s.ask("POST", "/v1/members", `{"email":"`+email+`","role":"`+role+`"}`, owner).want(201, "")
	return s.ask("POST", "/v1/invitations/accept", withToken(s.tokenOf(billing.NoticeInvited))).want(200, "").text("id")
}

// member joins an account and signs in to it.
func (s *shop) member(owner, email, role string) (session, id string) {
	s.t.Helper()
	id = s.join(owner, email, role)
	session = s.signIn(email)
	s.lookAt(session, owner)
	return session, id
}

// lookAt has a session look at the account of another.
func (s *shop) lookAt(session, owner string) {
	s.t.Helper()
	account := s.ask("GET", "/v1/me", "", owner).want(200, "").text("id")
	s.ask("PUT", "/v1/me/account", `{"account":"`+account+`"}`, session).want(204, "")
}

func TestEachMemberMayUseTheRoutesThatAreDocumented(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	table, d := documentedRoles(t, "integrators.md"), s.description()
	people := map[string]string{"owner": "olga@contoso.example", "finance": "fred@contoso.example", "technical": "tina@contoso.example"}
	sessions := map[string]string{}
	for role, email := range people {
		sessions[role], _ = s.member(owner, email, role)
	}
	tried, seen := 0, map[string]bool{}
	s.routes(d, func(method, path string, op operation) {
		route := ""
		for template, ops := range d.Paths {
			if _, is := ops[strings.ToLower(method)]; is && ops[strings.ToLower(method)].OperationID == op.OperationID {
				route = method + " " + template
			}
		}
		seen[route] = true
		forAccounts := slices.ContainsFunc(op.Security, func(by map[string][]string) bool { _, is := by["session"]; return is })
		if !forAccounts {
			if op.Members != nil || table[route] != nil {
				t.Errorf("%s is not for accounts, and has roles of members", route)
			}
			return
		}
		may := table[route]
		if may == nil {
			may = []string{"owner"}
		}
		if told := slices.Sorted(slices.Values(op.Members)); !slices.Equal(told, slices.Sorted(slices.Values(may))) {
			t.Errorf("%s: described for %v, documented for %v", route, told, may)
		}
		for _, role := range []string{"owner", "finance", "technical"} {
			a := s.ask(method, path, samples[op.OperationID], sessions[role], withKey())
			refused := a.status == 403 && a.text("code") == "forbidden" && strings.Contains(a.text("detail"), "your role in this account")
			if refused == slices.Contains(may, role) || a.status == 401 {
				t.Errorf("%s as %s: %d %s", route, role, a.status, a.body)
			}
			tried++
			if op.OperationID == "logout" {
				sessions[role] = s.signIn(people[role])
				s.lookAt(sessions[role], owner)
			}
		}
	})
	for route := range table {
		if !seen[route] {
			t.Errorf("%s is documented, and is no route", route)
		}
	}
	if tried < 120 {
		t.Errorf("only %d requests were made", tried)
	}
}

func TestAMemberSeesTheAccountAndNothingElse(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	s.buy(`billing.email="fred@fabrikam.example"`, `licensee.email="fred@fabrikam.example"`).want(201, "")
	owner := s.signIn("ada@contoso.example")
	fred, _ := s.member(owner, "fred@fabrikam.example", "finance")
	me := s.ask("GET", "/v1/me", "", fred).want(200, "")
	if me.text("email") != "ada@contoso.example" || me.text("signed_in_as") != "fred@fabrikam.example" || me.text("role") != "finance" || len(me.at("accounts").([]any)) != 2 {
		t.Errorf("a member is %s", me.body)
	}
	list := s.ask("GET", "/v1/subscriptions", "", fred).want(200, "").at("data").([]any)
	if len(list) != 1 || list[0].(map[string]any)["id"] != bought.text("subscription.id") {
		t.Errorf("the account has %v", list)
	}
	own := s.signIn("fred@fabrikam.example") // begins with what is his own
	if list := s.ask("GET", "/v1/subscriptions", "", own).want(200, "").at("data").([]any); len(list) != 1 || list[0].(map[string]any)["id"] == bought.text("subscription.id") {
		t.Errorf("of his own he has %v", list)
	}
	s.ask("GET", "/v1/invoices/"+bought.text("invoice.id"), "", own).want(404, "not_found")
	eve := s.signIn("bea@contoso.example")
	s.ask("PUT", "/v1/me/account", `{"account":"`+me.text("id")+`"}`, eve).want(404, "not_found")
	if n := len(s.ask("GET", "/v1/sessions", "", fred).want(200, "").at("data").([]any)); n != 2 { // his, and not the owner's
		t.Errorf("a member sees %d sessions", n)
	}
	s.ask("POST", "/v1/privacy/erase", "", func() string { o, _ := s.member(owner, "olga@contoso.example", "owner"); return o }()).want(403, "forbidden")
}

func TestAMemberBeginsInTheirOwnAccount(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	s.join(s.signIn("ada@contoso.example"), "fred@contoso.example", "finance")
	if me := s.ask("GET", "/v1/me", "", s.signIn("fred@contoso.example")).want(200, ""); me.text("email") != "fred@contoso.example" {
		t.Errorf("who has just signed in orders for %s", me.body)
	}
}

func TestAnOwnerWhoIsRemovedLeavesNoEndpointsAndNoInvitations(t *testing.T) {
	for _, leaves := range []string{"removed", "no owner any more"} {
		s := newShop(t)
		s.buy().want(201, "")
		owner := s.signIn("ada@contoso.example")
		olga, id := s.member(owner, "olga@contoso.example", "owner")
		endpoint := func(by string) string {
			return s.ask("POST", "/v1/webhook-endpoints", `{"url":"https://crm.contoso.example/hook"}`, by).want(201, "").text("id")
		}
		hers, adas := endpoint(olga), endpoint(owner)
		s.ask("POST", "/v1/members", `{"email":"olga@home.example","role":"owner"}`, olga).want(201, "")
		invitation := withToken(s.tokenOf(billing.NoticeInvited))
		if leaves == "removed" {
			s.ask("DELETE", "/v1/members/"+id, "", owner).want(204, "")
		} else {
			s.ask("POST", "/v1/members", `{"email":"olga@contoso.example","role":"finance"}`, owner).want(201, "")
		}
		for id, want := range map[string]string{hers: "disabled", adas: "enabled"} {
			if got := s.ask("GET", "/v1/webhook-endpoints/"+id, "", owner).want(200, "").text("status"); got != want {
				t.Errorf("she is %s: an endpoint is %s, want %s", leaves, got, want)
			}
		}
		s.ask("POST", "/v1/invitations/accept", invitation).want(403, "confirmation_expired")
	}
}

func TestAKeyTellsOfItsAccountAlone(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	fred, _ := s.member(s.signIn("ada@contoso.example"), "fred@contoso.example", "finance")
	key := "Authorization: Bearer " + s.ask("POST", "/v1/api-keys", "", fred).want(201, "").text("key")
	if n := len(s.ask("GET", "/v1/me", "", key).want(200, "").at("accounts").([]any)); n != 1 {
		t.Errorf("a key of one account tells of %d", n)
	}
	s.ask("GET", "/v1/sessions", "", key).want(403, "forbidden")
}

func TestWhatIsPersonalIsExportedByTheAccountsOwnAddress(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	olga, _ := s.member(owner, "olga@contoso.example", "owner")
	s.ask("GET", "/v1/privacy/export", "", olga).want(403, "forbidden")
	s.ask("GET", "/v1/privacy/export", "", owner).want(200, "")
}

func TestAMemberForFinanceSeesNoActivationKey(t *testing.T) {
	s := newShop(t)
	bought := s.buy(`product="synoptic-panel"`, `licensee.email="ada@contoso.example"`).want(201, "")
	owner := s.signIn("ada@contoso.example")
	fred, _ := s.member(owner, "fred@contoso.example", "finance")
	receipt := "/v1/subscriptions/" + bought.text("subscription.id") + "/receipt"
	if key := s.ask("GET", receipt, "", owner).want(200, "").at("license.activation_key"); key == nil {
		t.Error("the licensee sees no activation key")
	}
	if key := s.ask("GET", receipt, "", fred).want(200, "").at("license.activation_key"); key != nil {
		t.Errorf("finance sees the activation key %v", key)
	}
}

func TestARemovedMemberLosesAccessAtOnce(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	fred, id := s.member(owner, "fred@contoso.example", "finance")
	second := s.signIn("fred@contoso.example")
	key := "Authorization: Bearer " + s.ask("POST", "/v1/api-keys", "", fred).want(201, "").text("key")
	own := s.ask("GET", "/v1/me", "", fred).at("accounts").([]any)[0].(map[string]any)["id"].(string)
	s.ask("PUT", "/v1/me/account", `{"account":"`+own+`"}`, second).want(204, "") // looks at his own
	s.ask("GET", "/v1/invoices", "", key).want(200, "")
	s.ask("DELETE", "/v1/members/"+id, "", owner).want(204, "")
	s.ask("GET", "/v1/invoices", "", fred).want(401, "unauthorized")
	s.ask("GET", "/v1/invoices", "", key).want(401, "unauthorized")
	s.ask("GET", "/v1/me", "", second).want(200, "") // what is his own he keeps
	s.ask("DELETE", "/v1/members/"+id, "", owner).want(404, "not_found")
	s.member(owner, "fred@contoso.example", "finance")
	s.ask("GET", "/v1/invoices", "", key).want(401, "unauthorized") // it does not come back
}

func TestAMembersKeyHasTheirRoleAndIsTheirsToSee(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	mine := s.ask("POST", "/v1/api-keys", "", owner).want(201, "").text("id")
	fred, _ := s.member(owner, "fred@contoso.example", "finance")
	made := s.ask("POST", "/v1/api-keys", "", fred).want(201, "")
	key := "Authorization: Bearer " + made.text("key")
	s.ask("GET", "/v1/invoices", "", key).want(200, "")
	s.ask("GET", "/v1/licenses", "", key).want(403, "forbidden")
	if list := s.ask("GET", "/v1/api-keys", "", fred).want(200, "").at("data").([]any); len(list) != 1 {
		t.Errorf("he sees %v", list)
	}
	s.ask("DELETE", "/v1/api-keys/"+mine, "", fred).want(404, "not_found")
	s.ask("POST", "/v1/members", `{"email":"fred@contoso.example","role":"technical"}`, owner).want(201, "")
	s.ask("GET", "/v1/invoices", "", key).want(403, "forbidden")
	s.ask("GET", "/v1/invoices", "", fred).want(403, "forbidden")
	s.ask("DELETE", "/v1/api-keys/"+made.text("id"), "", owner).want(204, "")
}

func TestAnInvitationIsTheInvitedAddressesAndWorksOnce(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	invite := func(email, role string) answer {
		return s.ask("POST", "/v1/members", `{"email":"`+email+`","role":"`+role+`"}`, owner)
	}
	invite("ada@contoso.example", "technical").want(422, "invalid") // the first owner stays one
	invite("fred@contoso.example", "admin").want(422, "invalid")
	known, unknown := invite("bea@contoso.example", "finance").want(201, ""), invite("fred@contoso.example", "finance").want(201, "")
	if known.text("status") != unknown.text("status") {
		t.Errorf("who has an account can be told: %s %s", known.body, unknown.body)
	}
	older := s.tokenOf(billing.NoticeInvited)
	invite("fred@contoso.example", "technical").want(201, "")
	newer := s.tokenOf(billing.NoticeInvited)
	s.ask("POST", "/v1/invitations/accept", withToken(older)).want(403, "confirmation_expired")
	for _, wrong := range []string{s.parts.Secret.LoginToken("mem_1"), s.parts.Secret.QuoteToken("mem_1"), newer[:len(newer)-2], "mit_AAAA", billing.Secret{strings.Repeat("x", 32)}.InvitationToken("mem_1")} {
		s.ask("POST", "/v1/invitations/accept", withToken(wrong)).want(403, "confirmation_expired")
	}
	// Another's session takes nothing from the link.
	if got := s.ask("POST", "/v1/invitations/accept", withToken(newer), s.signIn("bea@contoso.example")).want(200, "").text("email"); got != "fred@contoso.example" {
		t.Errorf("%s has joined", got)
	}
	s.ask("POST", "/v1/invitations/accept", withToken(newer)).want(403, "confirmation_expired")
	if told := s.mailsOf(billing.NoticeJoined); len(told) != 1 || told[0].Email != "ada@contoso.example" || told[0].Member != "fred@contoso.example" {
		t.Errorf("the account was told %+v", told)
	}
	if a := s.signIn("fred@contoso.example"); s.ask("GET", "/v1/licenses", "", a).status != 200 {
		t.Error("the member sees no licences")
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	olga, id := s.member(owner, "olga@contoso.example", "owner")
	first := s.ask("GET", "/v1/members", "", olga).want(200, "").at("data").([]any)[0].(map[string]any)["id"].(string)
	var gone sync.WaitGroup
	for session, member := range map[string]string{owner: id, olga: first} { // each other, at once
		gone.Go(func() { s.ask("DELETE", "/v1/members/"+member, "", session) })
	}
	gone.Wait()
	list := s.ask("GET", "/v1/members", "", owner).want(200, "").at("data").([]any)
	if len(list) != 1 || list[0].(map[string]any)["role"] != "owner" {
		t.Errorf("left are %v", list)
	}
	s.ask("DELETE", "/v1/members/"+first, "", owner).want(409, "not_possible_now")
}

func TestATechnicalMemberOrdersAsAGuest(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	s.ask("PUT", "/v1/operator/accounts/discount", `{"email":"ada@contoso.example","percent":50}`, asOperator).want(200, "")
	tina, _ := s.member(owner, "tina@contoso.example", "technical")
	preview := func(session string) any {
		return s.ask("POST", "/v1/checkout/preview", samples["preview-checkout"], session).want(200, "").at("discount.amount")
	}
	if preview(owner) == preview(tina) || preview(tina) != 0.0 {
		t.Errorf("she sees the account's discount: %v, the owner %v", preview(tina), preview(owner))
	}
}

func TestInvitationsAreLimitedLikeAllMailsThatPeopleCause(t *testing.T) {
	s := newShop(t, func(c *parts) { c.RateLimits = true })
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	refused := 0
	for range 8 {
		if a := s.ask("POST", "/v1/members", `{"email":"fred@contoso.example","role":"finance"}`, owner); a.status == 429 {
			refused++
		}
	}
	if n := len(s.mailsOf(billing.NoticeInvited)); refused == 0 || n > 5 {
		t.Errorf("%d were mailed, %d refused", n, refused)
	}
}

func TestAnInvitationEndsAfterSevenDays(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	owner := s.signIn("ada@contoso.example")
	made := s.ask("POST", "/v1/members", `{"email":"fred@contoso.example","role":"finance"}`, owner).want(201, "")
	until, err := time.Parse(time.RFC3339, made.text("expires_at"))
	check(t, err)
	if left := time.Until(until); left < 7*24*time.Hour-time.Minute || left > 7*24*time.Hour {
		t.Errorf("it is good for %v", left)
	}
	if mail := s.mailsOf(billing.NoticeInvited)[0]; !mail.Until.Equal(until) || mail.Email != "fred@contoso.example" {
		t.Errorf("mailed is %+v", mail)
	}
}

package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

// links are the tokens of the links to sign in with that were mailed.
func (s *shop) links() (tokens []string) {
	for _, l := range s.mailbox.Emails() {
		if token, ok := strings.CutPrefix(l.Link, "https://shop.example/login#token="); ok && l.Kind == billing.NoticeLogin {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// signIn signs a browser in and returns its cookie.
func (s *shop) signIn(email string) (header string) {
	s.t.Helper()
	s.ask("POST", "/v1/login", `{"email":"`+email+`"}`).want(202, "")
	tokens := s.links()
	a := s.ask("POST", "/v1/login/confirm", `{"token":"`+tokens[len(tokens)-1]+`"}`).want(200, "")
	c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	check(s.t, err)
	if c.Name != "__Host-okviz" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 43 {
		s.t.Errorf("the cookie is %s", a.header.Get("Set-Cookie"))
	}
	if strings.Contains(string(a.body), c.Value) {
		s.t.Error("the session stands in the answer")
	}
	return "Cookie: " + c.Name + "=" + c.Value
}

func TestAMailedLinkSignsInOnce(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	known := s.ask("POST", "/v1/login", `{"email":"ADA@contoso.example"}`).want(202, "")
	unknown := s.ask("POST", "/v1/login", `{"email":"nobody@contoso.example"}`).want(202, "")
	if string(known.body) != string(unknown.body) || len(s.links()) != 1 {
		t.Errorf("who has an account can be told: %s %s, links %d", known.body, unknown.body, len(s.links()))
	}
	email := s.mailbox.Emails()[len(s.mailbox.Emails())-1]
	if email.Email != "ada@contoso.example" {
		t.Errorf("mailed to %s", email.Email)
	}
	confirm := `{"token":"` + s.links()[0] + `"}`
	s.ask("GET", "/v1/login/confirm", "").want(405, "method_not_allowed")
	s.ask("POST", "/v1/login/confirm", confirm).want(200, "")
	s.ask("POST", "/v1/login/confirm", confirm).want(403, "login_expired")
	s.ask("POST", "/v1/login/confirm", `{"token":"`+marker+`"}`).want(403, "login_expired")
}

func TestASessionSeesItsAccountUntilItIsEnded(t *testing.T) {
	s := newShop(t)
	mine := s.buy().want(201, "").text("subscription.id")
	s.buy(`billing.email="else@fabrikam.example"`).want(201, "")
	first, second := s.signIn("ada@contoso.example"), s.signIn("ada@contoso.example")
	if got := s.ask("GET", "/v1/me", "", first).want(200, "").text("email"); got != "ada@contoso.example" {
		t.Errorf("signed in as %s", got)
	}
	list := s.ask("GET", "/v1/subscriptions", "", first).want(200, "").at("data").([]any)
	if len(list) != 1 || list[0].(map[string]any)["id"] != mine {
		t.Errorf("sees %v", list)
	}
	if n := len(s.ask("GET", "/v1/sessions", "", first).want(200, "").at("data").([]any)); n != 2 {
		t.Errorf("%d sessions", n)
	}
	s.ask("POST", "/v1/subscriptions/"+mine+"/cancel", "{}", first, withKey()).want(200, "")
	s.ask("POST", "/v1/logout", "{}", first).want(204, "")
	s.ask("GET", "/v1/me", "", first).want(401, "unauthorized")
	s.ask("GET", "/v1/me", "", second).want(200, "")
	third := s.signIn("ada@contoso.example")
	s.ask("POST", "/v1/logout", `{"everywhere":true}`, second).want(204, "")
	s.ask("GET", "/v1/me", "", third).want(401, "unauthorized")
	s.ask("GET", "/v1/products", "", third).want(200, "") // an ended session is a guest's
}

func TestAnAPIKeyIsShownOnceAndRevoked(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	session := s.signIn("ada@contoso.example")
	made := s.ask("POST", "/v1/api-keys", "", session).want(201, "")
	bearer := "Authorization: Bearer " + made.text("key")
	s.ask("GET", "/v1/subscriptions", "", bearer).want(200, "")
	if list := s.ask("GET", "/v1/api-keys", "", session).want(200, ""); strings.Contains(string(list.body), made.text("key")) || !strings.Contains(string(list.body), made.text("id")) {
		t.Errorf("the list says %s", list.body)
	}
	s.ask("GET", "/v1/operator/subscriptions", "", bearer).want(403, "forbidden")
	s.ask("GET", "/v1/me?email=bea%40contoso.example", "", bearer).want(403, "forbidden")
	s.ask("DELETE", "/v1/api-keys/"+made.text("id"), "", session).want(204, "")
	s.ask("GET", "/v1/subscriptions", "", bearer).want(401, "unauthorized")
}

func TestOnlyTheLicenseeSeesTheActivationKey(t *testing.T) {
	s := newShop(t)
	bought := s.buy(`product="synoptic-panel"`).want(201, "")
	if bought.at("license.activation_key") != nil {
		t.Errorf("who orders is shown the key: %s", bought.body)
	}
	at := "/v1/licenses/" + bought.text("license.id")
	if v := s.ask("GET", at, "", s.signIn("ada@contoso.example")).want(200, ""); v.at("activation_key") != nil {
		t.Errorf("the billing contact sees %s", v.body)
	}
	if v := s.ask("GET", at, "", s.signIn("bea@contoso.example")).want(200, ""); len(v.text("activation_key")) < 26 {
		t.Errorf("the licensee sees %s", v.body)
	}
}

func TestAnAPIKeyMayDoWhatItsScopesSayUntilItExpires(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	session := s.signIn("ada@contoso.example")
	s.ask("POST", "/v1/api-keys", `{"expires_at":"2020-01-01T00:00:00Z"}`, session).want(422, "invalid")
	s.ask("POST", "/v1/api-keys", `{"scopes":["`+marker+`"]}`, session).want(422, "invalid")
	reader := s.ask("POST", "/v1/api-keys", `{"name":"reports","scopes":["read"],"expires_at":"2090-01-01T00:00:00Z"}`, session).want(201, "")
	writer := s.ask("POST", "/v1/api-keys", `{"scopes":["write"]}`, session).want(201, "")
	if mails := s.mailbox.Emails(); mails[len(mails)-1].Kind != billing.NoticeAPIKeyMade || mails[len(mails)-1].Email != "ada@contoso.example" {
		t.Errorf("no mail tells of a new key: %+v", mails[len(mails)-1])
	}
	read, write := "Authorization: Bearer "+reader.text("key"), "Authorization: Bearer "+writer.text("key")
	s.ask("GET", "/v1/subscriptions/"+id, "", read).want(200, "")
	s.ask("GET", "/v1/privacy/export", "", read).want(200, "")
	s.ask("POST", "/v1/subscriptions/"+id+"/change/preview", `{`+plan+`}`, read).want(200, "")
	s.ask("POST", "/v1/subscriptions/"+id+"/cancel", "{}", read, withKey()).want(403, "forbidden")
	s.ask("POST", "/v1/checkout", order(), read, withKey()).want(403, "forbidden")
	s.ask("POST", "/v1/subscriptions/"+id+"/cancel", "{}", write, withKey()).want(200, "")
	for _, key := range []string{read, write} {
		s.ask("POST", "/v1/api-keys", "", key).want(403, "forbidden")
		s.ask("DELETE", "/v1/api-keys/"+writer.text("id"), "", key).want(403, "forbidden")
		s.ask("POST", "/v1/logout", `{"everywhere":true}`, key).want(403, "forbidden")
	}
	list := s.ask("GET", "/v1/api-keys", "", session).want(200, "")
	k := list.at("data").([]any)[1].(map[string]any)
	if k["name"] != "reports" || len(k["scopes"].([]any)) != 1 || k["expires_at"] != "2090-01-01T00:00:00Z" || k["last_used_at"] == nil {
		t.Errorf("the list says %s", list.body)
	}
}

func TestASignInFromANewBrowserIsMailed(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	signIn := func(headers ...string) answer {
		t.Helper()
		s.ask("POST", "/v1/login", `{"email":"ada@contoso.example"}`).want(202, "")
		tokens := s.links()
		return s.ask("POST", "/v1/login/confirm", `{"token":"`+tokens[len(tokens)-1]+`"}`, headers...).want(200, "")
	}
	told := func() (n int) {
		for _, l := range s.mailbox.Emails() {
			if l.Kind == billing.NoticeNewBrowser && l.Email == "ada@contoso.example" {
				n++
			}
		}
		return n
	}
	cookies := signIn().header.Values("Set-Cookie")
	if len(cookies) != 2 || !strings.HasPrefix(cookies[1], "__Host-okviz-browser=") {
		t.Fatalf("cookies %v", cookies)
	}
	known, _, _ := strings.Cut(cookies[1], ";")
	signIn("Cookie: " + known)
	if told() != 0 {
		t.Error("the first browser, or a known one, is told of")
	}
	signIn()
	if told() != 1 {
		t.Errorf("a new browser is told of %d times", told())
	}
}

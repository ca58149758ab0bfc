package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/billing"
)

// mailed sends an order's mails, and returns them.
func (s *shop) mailed(order answer) []billing.Email {
	s.t.Helper()
	before := len(s.mailbox.Emails())
	check(s.t, s.temporal.steps.Notify(s.t.Context(), billing.SubscriptionID(order.text("subscription.id"))))
	return s.mailbox.Emails()[before:]
}

func TestAGuestsOrderMailsNoNameThatIsNone(t *testing.T) {
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
	// Who has signed in is no guest.
	signed := s.ask("POST", "/v1/checkout", order(`licensee.name="Team 7"`), s.signIn("ada@contoso.example"), withKey())
	if got := printed(signed); !strings.Contains(got, "Team 7 <bea@contoso.example>") {
		t.Errorf("of a signed-in account %q is printed", got)
	}
}

// waits orders with a card whose bank asks for the customer.
func (s *shop) waits() (subscription string) {
	s.t.Helper()
	return s.buy(`payment.token="tok_3ds"`).want(201, "").text("subscription.id")
}

func (s *shop) wayBack(subscription string) string {
	return "/return/payments/purchase/" + subscription + "/" + s.parts.Secret.ReturnSignature("purchase", subscription)
}

func TestOnlyAnAddressThatWeGaveLeadsBack(t *testing.T) {
	s := newShop(t)
	id, other := s.waits(), s.waits()
	sent := s.temporal.updates()
	signature := s.parts.Secret.ReturnSignature("purchase", id)
	for _, path := range []string{
		"/return/payments/purchase/" + id, "/return/payments/purchase/" + id + "/" + signature[1:], "/return/payments/purchase/" + id + "/x",
		"/return/payments/change/" + id + "/" + signature, "/return/payments/purchase/" + other + "/" + signature,
	} {
		s.ask("GET", path, "").want(404, "")
	}
	if n := s.temporal.updates(); n != sent {
		t.Errorf("without a signature %d questions were asked", n-sent)
	}
	if back := s.comeBack("https://shop.example" + s.wayBack(id)); back != "/checkout?order="+id {
		t.Errorf("the customer comes back to %s", back)
	}
	if n := s.temporal.updates(); n != sent+1 {
		t.Errorf("%d questions were asked, want 1", n-sent)
	}
}

func TestOneReturnAtATimeAsksAboutAnOrder(t *testing.T) {
	s := newShop(t)
	id := s.waits()
	sent, within := s.temporal.updates(), 0
	s.temporal.before = func() error { // while the first one asks
		s.temporal.mu.Unlock()
		defer s.temporal.mu.Lock()
		if within++; within == 1 {
			s.ask("GET", s.wayBack(id), "").want(303, "")
			s.second().ask("GET", s.wayBack(id), "").want(303, "")
		}
		return nil
	}
	s.ask("GET", s.wayBack(id), "").want(303, "")
	if n := s.temporal.updates(); n != sent+1 {
		t.Errorf("%d questions were asked, want 1", n-sent)
	}
	s.ask("GET", s.wayBack(id), "").want(303, "")
	if n := s.temporal.updates(); n != sent+2 {
		t.Error("once the first one has its answer nobody may ask again")
	}
}

func TestReturnsAreLimitedByAddress(t *testing.T) {
	s := newShop(t, limited)
	s.now = time.Now()
	for range 20 {
		s.ask("GET", "/return/payments/purchase/sub_x/y", "").want(404, "")
	}
	s.ask("GET", "/return/payments/purchase/sub_x/y", "").want(429, "too_many_requests")
}

// second is another process that serves the same shop.
func (s *shop) second() *shop {
	s.t.Helper()
	handler, err := api.New(s.parts.Config)
	check(s.t, err)
	return &shop{t: s.t, store: s.store, temporal: s.temporal, mailbox: s.mailbox, handler: handler, parts: s.parts}
}

func guests(c *parts) {
	c.RateLimits, c.TrustedProxies = true, []string{"192.0.2.1"}
}

func TestMailsAreCountedByMailboxAndNetworkOverAllProcesses(t *testing.T) {
	s := newShop(t, guests)
	other := s.second()
	ask := func(s *shop, to, address string) answer {
		return s.ask("POST", "/v1/quotes", quoted(`billing.email="`+to+`"`), withKey(), from(address))
	}
	for i, alias := range []string{"ada@gmail.com", "a.da@gmail.com", "ada+1@gmail.com", "ada@googlemail.com", "A.D.A@gmail.com"} {
		ask([]*shop{s, other}[i%2], alias, fmt.Sprintf("198.51.%d.7", i)).want(201, "")
	}
	ask(s, "ada+2@gmail.com", "198.51.9.7").want(429, "too_many_mails")
	ask(other, "ada+3@gmail.com", "198.51.9.7").want(429, "too_many_mails")
	for i := range 50 { // a /24 is one network
		ask([]*shop{s, other}[i%2], fmt.Sprintf("x%d@company%d.example", i, i), fmt.Sprintf("203.0.113.%d", i)).want(201, "")
	}
	ask(other, "y@company.example", "203.0.113.99").want(429, "too_many_mails")
	ask(other, "y@company.example", "203.0.114.99").want(201, "")
	for i := range 5 { // the link that confirms an order is a mail too
		s.ask("POST", "/v1/checkout", order(`billing.email="bea@company.example"`, `plan={"type":"users","tier":"Unlimited","cycle":"yearly"}`, `payment={"method":"invoice"}`), withKey(), from(fmt.Sprintf("198.52.%d.7", i))).want(202, "")
	}
	s.ask("POST", "/v1/checkout", order(`billing.email="bea@company.example"`, `plan={"type":"users","tier":"Unlimited","cycle":"yearly"}`, `payment={"method":"invoice"}`), withKey(), from("198.52.9.7")).want(429, "too_many_mails")
	s.ask("POST", "/v1/login", `{"email":"y@company.example"}`, from("203.0.113.99")).want(202, "")
	if n := len(s.links()); n != 0 {
		t.Errorf("a network that is held up had %d links mailed", n)
	}
}

// Somebody who has quotes mailed to a customer does not lock them out.
func TestSignInLinksAreCountedApartFromOtherMails(t *testing.T) {
	s := newShop(t, guests)
	s.buy().want(201, "")
	quote := func(network int) answer {
		return s.ask("POST", "/v1/quotes", quoted(), withKey(), from(fmt.Sprintf("198.51.%d.7", network)))
	}
	for i := range 5 {
		quote(i).want(201, "")
	}
	quote(6).want(429, "too_many_mails")
	for i := range 6 {
		s.ask("POST", "/v1/login", `{"email":"ada@contoso.example"}`, from(fmt.Sprintf("198.52.%d.7", i))).want(202, "")
	}
	if n := len(s.links()); n != 5 {
		t.Errorf("%d links were mailed in an hour, want 5", n)
	}
}

func TestDeclinesAreCountedByNetworkOverAllOrdersAndProcesses(t *testing.T) {
	s := newShop(t, guests)
	other, n := s.second(), 0
	tokens := []string{"tok_declined", "tok_insufficient_funds", "tok_stolen", "tok_expired_card"}
	try := func(s *shop, token, address string) answer {
		n++
		return s.ask("POST", "/v1/checkout", order(fmt.Sprintf(`billing.email="ada@company%d.example"`, n), `payment.token="`+token+`"`), withKey(), from(address))
	}
	for i := range 20 {
		try([]*shop{s, other}[i%2], tokens[i%4], fmt.Sprintf("2001:db8:1:%d::1", i)).want(402, "card_declined") // a /48 is one network
		if i < 19 {
			try(s, "tok_visa", "2001:db8:1::1").want(201, "") // and counts for nothing
		}
	}
	refused := try(other, "tok_visa", "2001:db8:1:77::1").want(429, "too_many_attempts")
	if after, err := strconv.Atoi(refused.header.Get("Retry-After")); err != nil || after < 1 || after > 3600 {
		t.Errorf("Retry-After %q", refused.header.Get("Retry-After"))
	}
	try(other, "tok_visa", "2001:db8:2::1").want(201, "")
}

func TestDeclinesAreCountedByAddressAndByCard(t *testing.T) {
	s := newShop(t, guests)
	try := func(i int, token, email string) answer {
		return s.ask("POST", "/v1/checkout", order(`billing.email="`+email+`"`, `payment.token="`+token+`"`), withKey(), from(fmt.Sprintf("198.51.%d.7", i)))
	}
	for i := range 10 { // with aliases, and several cards
		try(i, []string{"tok_declined", "tok_stolen"}[i%2], fmt.Sprintf("ada+%d@gmail.com", i)).want(402, "card_declined")
	}
	try(11, "tok_visa", "ada@gmail.com").want(429, "too_many_attempts")
	try(11, "tok_visa", "bea@gmail.com").want(201, "")
	for i := range 5 {
		try(20+i, "tok_declined", fmt.Sprintf("x%d@company.example", i)).want(402, "card_declined")
	}
	try(40, "tok_declined", "y@company.example").want(429, "too_many_attempts") // the eleventh time
	try(41, "tok_stolen", "y@company.example").want(402, "card_declined")
}

func TestSigningInDoesTheSameWhateverTheAddress(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	ask := func(email string) (runs int) {
		before := s.temporal.delivered
		s.ask("POST", "/v1/login", `{"email":"`+email+`"}`).want(202, "")
		return s.temporal.delivered - before
	}
	if known, unknown := ask("ada@contoso.example"), ask("nobody@contoso.example"); known != 1 || unknown != 1 {
		t.Errorf("%d runs for an account, %d for none", known, unknown)
	}
	if n := len(s.links()); n != 1 {
		t.Errorf("%d links were mailed, want 1", n)
	}
}

func TestAQuotesTokenEndsWithTheQuote(t *testing.T) {
	s := newShop(t)
	key, quote := withKey(), func() (at, holder string) {
		id := s.ask("POST", "/v1/quotes", quoted(), withKey()).want(201, "").text("id")
		return "/v1/quotes/" + id, "Authorization: Bearer " + s.parts.Secret.QuoteToken(id)
	}
	accept := func(at, holder, token, key string) answer {
		return s.ask("POST", at+"/accept", `{"payment":{"method":"card","token":"`+token+`"},"accept_terms":true}`, holder, key)
	}
	at, holder := quote()
	declined, itsHolder := quote()
	accept(declined, itsHolder, "tok_declined", withKey()).want(402, "card_declined")
	s.ask("GET", declined, "", itsHolder).want(200, "") // another card may be tried
	first := accept(at, holder, "tok_visa", key).want(201, "")
	s.ask("GET", at, "", holder).want(409, "quote_accepted")
	s.ask("GET", at+"/pdf", "", holder).want(409, "quote_accepted")
	if again := accept(at, holder, "tok_visa", key).want(201, ""); again.text("subscription.id") != first.text("subscription.id") {
		t.Error("the same key has another answer")
	}
	s.ask("GET", at, "", s.signIn("ada@contoso.example")).want(200, "")
	expired, itsHolder := quote()
	s.now = time.Now().AddDate(0, 0, 31)
	s.ask("GET", expired, "", itsHolder).want(409, "quote_expired")
	s.ask("GET", expired, "", asOperator).want(200, "")
}

func TestWhoPaidByCardHasTheReceiptByTheOrdersToken(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	id, token := bought.text("subscription.id"), "Authorization: Bearer "+bought.text("checkout_token")
	receipt := s.ask("GET", "/v1/subscriptions/"+id+"/receipt", "", token).want(200, "")
	if got, want := receipt.text("invoice.number"), bought.text("invoice.number"); got != want || want == "" {
		t.Errorf("the receipt names the invoice %q, want %q", got, want)
	}
	if receipt.text("payment.status") != "succeeded" || receipt.at("subscription.billing_account") != nil || receipt.text("license.licensee") != "" {
		t.Errorf("the receipt is %s", receipt.body)
	}
	pdf, file := "/v1/invoices/"+receipt.text("invoice.id")+"/pdf", "/v1/licenses/"+receipt.text("license.id")+"/download"
	if got := s.ask("GET", pdf, "", token).want(200, "").body; !strings.HasPrefix(string(got), "%PDF") {
		t.Error("the invoice is no PDF")
	}
	s.ask("GET", file, "", token).want(200, "")

	other := "Authorization: Bearer " + s.buy().want(201, "").text("checkout_token")
	s.ask("GET", "/v1/subscriptions/"+id+"/receipt", "", other).want(404, "")
	s.ask("GET", pdf, "", other).want(404, "")
	s.ask("GET", file, "", other).want(404, "")
	for _, path := range []string{"/v1/subscriptions/" + id + "/receipt", pdf, file} {
		s.ask("GET", path, "").want(401, "")
	}
	s.now = time.Now().Add(25 * time.Hour)
	s.ask("GET", pdf, "", token).want(401, "")
}

func TestATrialsTokenHandsOutNoFile(t *testing.T) {
	s := newShop(t)
	trial := s.buy(`pay="trial"`, "payment=").want(201, "")
	id, token := trial.text("subscription.id"), "Authorization: Bearer "+trial.text("checkout_token")
	license := s.ask("GET", "/v1/subscriptions/"+id, "", asOperator).text("license_id")
	receipt := s.ask("GET", "/v1/subscriptions/"+id+"/receipt", "", token).want(200, "")
	if receipt.at("license") != nil || receipt.at("invoice") != nil || strings.Contains(string(receipt.body), license) {
		t.Errorf("the receipt of a trial is %s", receipt.body)
	}
	s.ask("GET", "/v1/licenses/"+license+"/download", "", token).want(404, "")
}

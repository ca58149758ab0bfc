package api_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// byInvoice is an order for any number of users, for a year at 4,950.00.
var byInvoice = []string{`plan={"type":"users","tier":"Unlimited","cycle":"yearly"}`, `payment={"method":"invoice"}`}

func trialFor(licensee string) []string {
	return []string{`pay="trial"`, "payment=", `billing.email="` + licensee + `"`, `licensee.email="` + licensee + `"`}
}

// confirmations are the mails with the links that confirm orders.
func (s *shop) confirmations() (mails []billing.Email) {
	for _, l := range s.mailbox.Emails() {
		if l.Kind == billing.NoticeConfirmOrder {
			mails = append(mails, l)
		}
	}
	return mails
}

// confirm follows the link that was mailed last.
func (s *shop) confirm() answer {
	s.t.Helper()
	mails := s.confirmations()
	if len(mails) == 0 {
		s.t.Fatal("no link was mailed")
	}
	return s.follow(mails[len(mails)-1])
}

func (s *shop) follow(mail billing.Email) answer {
	s.t.Helper()
	token, ok := strings.CutPrefix(mail.Link, "https://shop.example/confirm#token=")
	if !ok {
		s.t.Fatalf("the link is %s", mail.Link)
	}
	return s.ask("POST", "/v1/checkout/confirm", `{"token":"`+token+`"}`)
}

// numbers are those of all invoices.
func (s *shop) numbers() (numbers []any) {
	s.t.Helper()
	for _, inv := range s.ask("GET", "/v1/invoices?limit=100", "", asOperator).want(200, "").at("data").([]any) {
		numbers = append(numbers, inv.(map[string]any)["number"])
	}
	return numbers
}

func (a answer) waits() answer {
	a.t.Helper()
	a.want(202, "")
	if a.text("payment.status") != "awaiting_confirmation" || a.text("subscription.status") != "incomplete" || a.at("invoice") != nil || a.at("license") != nil || a.at("subscription.confirm_by") == nil {
		a.t.Errorf("the order does not wait: %s", a.body)
	}
	return a
}

func TestAGuestsOrderByInvoiceIsInvoicedOnceItsAddressIsConfirmed(t *testing.T) {
	s := newShop(t)
	for range 19 {
		s.buy(byInvoice...).waits()
	}
	key := withKey()
	ask := func() answer { return s.ask("POST", "/v1/checkout", order(byInvoice...), key) }
	first := ask().waits()
	if again := ask().waits(); again.text("subscription.id") != first.text("subscription.id") || again.text("checkout_token") != first.text("checkout_token") {
		t.Errorf("the same key has another answer: %s", again.body)
	}
	if got := s.numbers(); len(got) != 0 {
		t.Errorf("before a confirmation there are invoices %v", got)
	}
	mails := s.confirmations()
	if len(mails) != 20 {
		t.Fatalf("%d links were mailed, want 20", len(mails))
	}
	mail := mails[19]
	if mail.Email != "ada@contoso.example" || len(mail.Attachments) != 1 || mail.Attachments[0].Name != "Pro forma.pdf" || mail.Amount.Amount != 495000 || !mail.ForOther {
		t.Errorf("mailed is %+v", mail.Notice)
	}
	var confirmed sync.WaitGroup
	for range 10 { // as an impatient finger does
		confirmed.Go(func() { s.follow(mail) })
	}
	confirmed.Wait()
	done := s.follow(mail).want(201, "")
	if done.text("subscription.id") != first.text("subscription.id") || done.text("payment.status") != "pending" || done.text("invoice.status") != "open" {
		t.Errorf("confirmed: %s", done.body)
	}
	if got := s.numbers(); len(got) != 1 || got[0] != done.text("invoice.number") || !strings.HasSuffix(done.text("invoice.number"), "-000001") {
		t.Errorf("after a confirmation there are invoices %v", got)
	}
	if after := ask().want(201, ""); after.text("invoice.number") != done.text("invoice.number") {
		t.Errorf("the key's answer is %s", after.body)
	}
}

func TestOnlyTheMailedLinkConfirmsAnOrder(t *testing.T) {
	s := newShop(t)
	id := s.buy(byInvoice...).waits().text("subscription.id")
	token := strings.TrimPrefix(s.confirmations()[0].Link, "https://shop.example/confirm#token=")
	secret, request := s.parts.Secret, string(s.confirmations()[0].Request)
	for name, wrong := range map[string]string{
		"a quote's":     secret.QuoteToken(request),
		"a login's":     secret.LoginToken(request),
		"a quote's mac": "oct_" + strings.TrimPrefix(secret.QuoteToken(request), "qot_"),
		"another id":    secret.ConfirmationToken("req_none"),
		"the order's":   secret.ConfirmationToken(billing.RequestID(id)),
		"cut short":     token[:len(token)-2],
		"foreign":       billing.Secret{strings.Repeat("x", 32)}.ConfirmationToken(billing.RequestID(request)),
		"none":          "x",
	} {
		if a := s.ask("POST", "/v1/checkout/confirm", `{"token":"`+wrong+`"}`); a.status != 403 || a.text("code") != "confirmation_expired" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	s.ask("GET", "/v1/checkout/confirm?token="+token, "").want(405, "")
	if got := s.numbers(); len(got) != 0 {
		t.Errorf("invoices %v", got)
	}
	if _, _, good := secret.QuoteOf(token); good {
		t.Error("the link opens a quote")
	}
	s.confirm().want(201, "")
}

func TestAnOrderThatNobodyConfirmsComesToNothing(t *testing.T) {
	s := newShop(t)
	key := withKey()
	a := s.ask("POST", "/v1/checkout", order(byInvoice...), key).waits()
	id := billing.SubscriptionID(a.text("subscription.id"))
	o, err := s.store.Overview(t.Context(), id)
	check(t, err)
	if life := o.Next.At.Sub(o.CreatedAt); o.Next.Kind != billing.StepExpireOrder || life != 7*24*time.Hour || a.at("subscription.actions").([]any)[0] != "cancel" {
		t.Errorf("next is %+v, and possible %v", o.Next, a.at("subscription.actions"))
	}
	token := "Authorization: Bearer " + a.text("checkout_token")
	s.ask("POST", "/v1/subscriptions/"+string(id)+"/payment-method", `{"token":"tok_visa"}`, token, withKey()).want(409, "not_possible_now")
	check(t, s.temporal.due(t.Context(), id, o.Next.At))
	s.confirm().want(409, "request_expired")
	s.ask("POST", "/v1/checkout", order(byInvoice...), key).want(409, "request_expired")
	// Nor does one that was withdrawn.
	withdrawn := s.buy(byInvoice...).waits().text("subscription.id")
	s.on(withdrawn, "cancel", `{}`).want(200, "")
	s.confirm().want(409, "request_expired")
	if got := s.numbers(); len(got) != 0 {
		t.Errorf("invoices %v", got)
	}
}

func TestWhoHasProvedTheAddressNeedNotConfirmIt(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	session := s.signIn("ada@contoso.example")
	s.ask("POST", "/v1/checkout", order(byInvoice...), session, withKey()).want(201, "")
	s.ask("POST", "/v1/checkout", order(byInvoice...), asOperator, withKey()).want(201, "")
	quote := s.ask("POST", "/v1/quotes", quoted(byInvoice[0]), withKey()).want(201, "").text("id")
	holder := "Authorization: Bearer " + s.parts.Secret.QuoteToken(quote)
	s.ask("POST", "/v1/quotes/"+quote+"/accept", `{"payment":{"method":"invoice"},"accept_terms":true}`, holder, withKey()).want(201, "")
	// Another's address is not proved by one's own.
	s.ask("POST", "/v1/checkout", order(append(byInvoice, `billing.email="eve@fabrikam.example"`)...), session, withKey()).waits()
}

// check asks about a licence as its visual does.
func (s *shop) checked(license string) {
	s.t.Helper()
	s.ask("POST", "/v1/licenses/check", `{"v":1,"license":"`+license+`","product":"calendar-pro"}`, "Content-Type: text/plain").want(200, "")
	s.checks.Count(s.t.Context())
}

func TestATrialThatNobodyUsedIsNotTheOrganisations(t *testing.T) {
	s := newShop(t)
	attacker := s.buy(trialFor("attacker@bigcorp.example")...).want(201, "")
	if attacker.at("license") != nil || attacker.at("subscription.license_id") != nil {
		t.Errorf("a guest is told the id of the licence: %s", attacker.body)
	}
	token := "Authorization: Bearer " + attacker.text("checkout_token")
	if seen := s.ask("GET", "/v1/subscriptions/"+attacker.text("subscription.id"), "", token).want(200, ""); seen.at("license_id") != nil {
		t.Errorf("the token's holder is told the id of the licence: %s", seen.body)
	}
	key, late := withKey(), s.buy(trialFor("late@bigcorp.example")...)
	late.waits()
	s.ask("POST", "/v1/checkout", order(trialFor("bea@bigcorp.example")...), key).waits()
	mails := s.confirmations()
	if len(mails) != 2 || mails[1].Email != "bea@bigcorp.example" || len(mails[1].Attachments) != 0 {
		t.Fatalf("mailed: %+v", mails)
	}
	if got := s.follow(mails[1]).want(201, "").text("subscription.status"); got != "trialing" {
		t.Errorf("confirmed, the trial is %s", got)
	}
	s.follow(mails[1]).want(201, "")
	s.ask("POST", "/v1/checkout", order(trialFor("bea@bigcorp.example")...), key).want(201, "")
	s.follow(mails[0]).want(409, "trial_already_used")
	s.buy(trialFor("third@bigcorp.example")...).want(409, "trial_already_used")
}

func TestATrialThatSomebodyUsedIsTheOrganisations(t *testing.T) {
	s := newShop(t)
	licensee := func(email string) (session, license string) {
		session = s.signIn(email)
		return session, s.ask("GET", "/v1/licenses", "", session).want(200, "").at("data").([]any)[0].(map[string]any)["id"].(string)
	}
	for name, use := range map[string]func(email string){
		"checked": func(email string) { _, license := licensee(email); s.checked(license) },
		"downloaded": func(email string) {
			session, license := licensee(email)
			s.ask("GET", "/v1/licenses/"+license+"/download", "", session).want(200, "")
		},
	} {
		s.buy(trialFor("ada@"+name+".example")...).want(201, "")
		s.buy(trialFor("early@" + name + ".example")...).waits()
		waiting := s.confirmations()
		use("ada@" + name + ".example")
		s.buy(trialFor("bea@"+name+".example")...).want(409, "trial_already_used")
		s.follow(waiting[len(waiting)-1]).want(409, "trial_already_used")
	}
	// A licence for a capacity counts no users, but its checks are use, too.
	node := append(trialFor("ada@node.example"), `plan={"type":"capacity","tier":"P1 or F64","cycle":"yearly"}`)
	s.buy(node...).want(201, "")
	_, license := licensee("ada@node.example")
	s.checked(license)
	s.buy(trialFor("bea@node.example")...).want(409, "trial_already_used")
	// Ordered by somebody of the organisation who had signed in.
	s.buy(`billing.email="ada@own.example"`).want(201, "")
	s.ask("POST", "/v1/checkout", order(trialFor("ada@own.example")...), s.signIn("ada@own.example"), withKey()).want(201, "")
	s.buy(trialFor("bea@own.example")...).want(409, "trial_already_used")
}

func TestASecondTrialIsConfirmedBySomebodyOfTheOrganisation(t *testing.T) {
	s := newShop(t)
	s.buy(trialFor("attacker@bigcorp.example")...).want(201, "")
	reseller := append(trialFor("bea@bigcorp.example"), `billing.email="sales@reseller.example"`)
	s.buy(`billing.email="sales@reseller.example"`).want(201, "")
	s.ask("POST", "/v1/checkout", order(reseller...), s.signIn("sales@reseller.example"), withKey()).waits()
	mail := s.confirmations()[0]
	if mail.Email != "bea@bigcorp.example" {
		t.Errorf("the link goes to %s", mail.Email)
	}
	if got := s.follow(mail).want(201, "").text("subscription.status"); got != "trialing" {
		t.Errorf("confirmed, the trial is %s", got)
	}
}

func TestWhatIsRefusedAnywayIsRefusedAtOnce(t *testing.T) {
	s := newShop(t)
	s.buy(`payment={"method":"invoice"}`).want(422, "invoice_not_allowed") // 9.90
	s.buy(append(byInvoice, `pay="trial"`)...).want(422, "invoice_not_allowed")
	if n := len(s.confirmations()); n != 0 {
		t.Errorf("%d links were mailed", n)
	}
}

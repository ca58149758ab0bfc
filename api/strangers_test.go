package api_test

import (
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
			second, err := api.New(s.parts.Config) // another process
			check(t, err)
			s.handler, second = second, s.handler
			s.ask("GET", s.wayBack(id), "").want(303, "")
			s.handler = second
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

package e2e

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/sandbox"
)

// leaver gives a card and goes away: the way back to the shop is not taken.
var leaver = &http.Client{
	Timeout: visitor.Timeout, Transport: visitor.Transport,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func giveCardAndLeave(t *testing.T, page, number string) {
	t.Helper()
	given, err := leaver.PostForm(page, url.Values{"number": {number}})
	must(t, err)
	must(t, given.Body.Close())
	if given.StatusCode != http.StatusSeeOther {
		t.Errorf("the form answers %d", given.StatusCode)
	}
}

// orderOnForm is an order without a card, and the page on which it is given.
func (s *shop) orderOnForm(t *testing.T, who customer, clock string) (id, page string) {
	t.Helper()
	var w waits
	s.post(t, "/v1/checkout", newKey(), who.order(object{"test_clock": clock, "payment": object{"method": "card"}})).want(t, http.StatusCreated).into(t, &w)
	secret(w.CheckoutToken)
	if w.Payment.Status != "requires_action" || w.Payment.ActionURL == nil {
		t.Fatalf("%+v", w)
	}
	return w.Subscription.ID, *w.Payment.ActionURL
}

func TestAnOrderIsPaidWhereTheCustomerGivesACardAndDoesNotComeBack(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	id, page := shared.orderOnForm(t, who, clock)
	shared.wantCharges(t, id)
	giveCardAndLeave(t, page, "4242 4242 4242 4242")
	eventually(t, listed, "the order is paid", func() bool { return shared.subscription(t, id).Status == "active" })
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	shared.awaitEmails(t, who.licenseeEmail, 1)

	giveCardAndLeave(t, page, "4000 0000 0000 0002") // the page again, and then back after all
	shown, err := visitor.Get(page)
	must(t, err)
	must(t, shown.Body.Close())
	if at := shown.Request.URL.RequestURI(); at != "/checkout?order="+id {
		t.Errorf("the customer ends at %s", at)
	}
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	shared.audit(t, id)
}

func TestADeclinedCardThatNobodyComesBackFromLeavesTheOrderOpen(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	id, page := shared.orderOnForm(t, newCustomer(), clock)
	giveCardAndLeave(t, page, "4000 0000 0000 9995")
	eventually(t, listed, "the card has been declined", func() bool { return len(shared.ledger(t, id)) == 1 })
	shared.wantCharges(t, id, "2026-01-31T10:00:00Z 990 USD declined")
	if s := shared.subscription(t, id); s.Status != "incomplete" {
		t.Errorf("%+v", s)
	}
	shared.audit(t, id)
}

// A form that was left until the order had lapsed.
func TestACardThatIsGivenTooLateIsNotCharged(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	id, page := shared.orderOnForm(t, newCustomer(), clock)
	shared.advance(t, clock, "2026-02-01T10:00:00Z")
	giveCardAndLeave(t, page, "4242 4242 4242 4242")
	ref := page[len(page)-len("form_01M895JDZNN9XJ81Q5VK7KHC23"):]
	eventually(t, listed, "the gateway event was acted on", func() bool {
		var r struct {
			PendingPayment int `json:"pending_gateway_events"`
		}
		f, err := shared.system.Engine.Store.SandboxLedger().Form(t.Context(), ref)
		must(t, err)
		shared.get(t, "/v1/operator/reconcile", &r)
		return f.Given.Type == sandbox.EventCardCollected && f.Given.Told > 0 && r.PendingPayment == 0
	})
	shared.wantCharges(t, id)
	if s := shared.subscription(t, id); s.Status != "incomplete_expired" {
		t.Errorf("%+v", s)
	}
	shared.audit(t, id)
}

func TestARemovedCardIsDetachedAtTheGateway(t *testing.T) {
	who := newCustomer()
	id := shared.buy(t, who.order(nil)).Subscription.ID
	first, err := shared.system.Engine.Store.Snapshot(t.Context(), billing.SubscriptionID(id))
	must(t, err)
	session := shared.signIn(t, who.email)
	remove := func() answer {
		return shared.send(t, http.MethodDelete, "/v1/payment-methods/"+first.Method, nil, session)
	}
	remove().wantProblem(t, http.StatusConflict, "method_in_use")
	shared.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, http.StatusOK)
	remove().want(t, http.StatusNoContent)
	ledger := shared.system.Engine.Store.SandboxLedger()
	detached := func(card string) (is bool) {
		must(t, ledger.UpdateMethod(t.Context(), card, func(m *sandbox.Method) error {
			is = m.Detached
			return nil
		}))
		return is
	}
	eventually(t, listed, "the gateway has forgotten it", func() bool { return detached(first.Method) })
	second, err := shared.system.Engine.Store.Snapshot(t.Context(), billing.SubscriptionID(id))
	must(t, err)
	if detached(second.Method) {
		t.Error("the card in use was detached")
	}
	shared.command(t, id, "renew", nil).want(t, http.StatusOK)
	if n := len(shared.charges(t, id)); n != 2 {
		t.Errorf("%d charges", n)
	}
	shared.audit(t, id)
}

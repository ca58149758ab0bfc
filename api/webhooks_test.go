package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/sandbox"
)

const webhooks = "/v1/webhooks/sandbox"

// told is the body of a webhook of the sandbox's, and its signature header.
func told(t *testing.T, e sandbox.Event) (body, signature string) {
	t.Helper()
	raw, err := json.Marshal(e)
	check(t, err)
	return string(raw), signed(string(raw), time.Now())
}

func signed(body string, at time.Time) string {
	return sandbox.SignatureHeader + ": " + sandbox.Sign(webhookSecret, []byte(body), at)
}

func TestAWebhookIsTakenFromItsGatewayAlone(t *testing.T) {
	s := newShop(t)
	body, signature := told(t, sandbox.Event{ID: "evt_1", Type: sandbox.EventSucceeded, Charge: "pay_" + marker, Created: time.Now()})
	real, realSignature := told(t, sandbox.Event{ID: "evt_2", Type: sandbox.EventSucceeded, Charge: "pay_1", Live: true, Created: time.Now()})
	large := `{"id":"` + strings.Repeat("x", 256<<10) + `"}`
	for name, c := range map[string]struct {
		path, body string
		headers    []string
		status     int
		code       string
	}{
		"unsigned":             {webhooks, body, nil, 400, "invalid_signature"},
		"signed by another":    {webhooks, body, []string{sandbox.SignatureHeader + ": t=1,v1=" + marker}, 400, "invalid_signature"},
		"signed long ago":      {webhooks, body, []string{signed(body, time.Now().Add(-time.Hour))}, 400, "invalid_signature"},
		"of real money":        {webhooks, real, []string{realSignature}, 400, "wrong_mode"},
		"no event":             {webhooks, `{"what":"` + marker + `"}`, []string{signed(`{"what":"`+marker+`"}`, time.Now())}, 400, "malformed"},
		"empty":                {webhooks, "", []string{signed("", time.Now())}, 400, "malformed"},
		"another gateway's":    {"/v1/webhooks/stripe", body, []string{signature}, 404, "not_found"},
		"no gateway's":         {"/v1/webhooks/" + marker, body, []string{signature}, 404, "not_found"},
		"without a gateway":    {"/v1/webhooks/", body, []string{signature}, 404, "not_found"},
		"too large":            {webhooks, large, []string{signed(large, time.Now())}, 413, "too_large"},
		"an operator's, alone": {webhooks, body, []string{asOperator}, 400, "invalid_signature"},
	} {
		t.Run(name, func(t *testing.T) {
			(&shop{t: t, handler: s.handler}).ask("POST", c.path, c.body, c.headers...).want(c.status, c.code)
		})
	}
	s.ask("GET", webhooks, "").want(405, "method_not_allowed")
	// Neither another site nor a credential that is not good matters.
	s.ask("POST", webhooks, body, signature, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example",
		"Authorization: Bearer "+marker, "Cookie: __Host-okviz="+marker).want(200, "")
	s.ask("POST", webhooks, body, signature).want(200, "")
}

// invoiceOf reads the invoice of an order.
func (s *shop) invoiceOf(id billing.InvoiceID) billing.Invoice {
	s.t.Helper()
	inv, _, err := s.store.Invoice(s.t.Context(), id)
	check(s.t, err)
	return inv
}

// tell sends a webhook about a charge, twice.
func (s *shop) tell(id string, kind sandbox.EventType, charge billing.ChargeID) {
	s.t.Helper()
	body, signature := told(s.t, sandbox.Event{ID: id, Type: kind, Charge: string(charge), Created: time.Now()})
	s.ask("POST", webhooks, body, signature).want(200, "")
	s.ask("POST", webhooks, body, signature).want(200, "")
}

// waits until so many gateway events have not been acted on.
func (s *shop) awaitGatewayEvents(want int) {
	s.t.Helper()
	s.eventually("the gateway events have been acted on", func() bool {
		return s.ask("GET", "/v1/operator/reconcile", "", asOperator).at("pending_gateway_events") == float64(want)
	})
}

func (s *shop) eventually(what string, so func() bool) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !so(); <-tick.C {
		if time.Now().After(deadline) {
			s.t.Fatal("still not so: " + what)
		}
	}
}

func TestAnEventOfWhatIsSettledTellsTheWorkflowNothing(t *testing.T) {
	s := newShop(t)
	paid := s.invoiceOf(billing.InvoiceID(s.buy().want(201, "").text("invoice.id")))
	sent := s.temporal.updates()
	for i, kind := range []sandbox.EventType{
		sandbox.EventFailed, sandbox.EventSucceeded, sandbox.EventWaits, sandbox.EventRefunded, "payment.canceled", "payment.created",
	} {
		s.tell(fmt.Sprint("evt_", i), kind, paid.Charge)
	}
	s.tell("evt_unknown", sandbox.EventSucceeded, "pay_nobody")
	s.awaitGatewayEvents(0)
	if n := s.temporal.updates(); n != sent {
		t.Errorf("%d updates were sent for nothing", n-sent)
	}
	if got := s.invoiceOf(paid.ID); got.Status != billing.InvoicePaid || got.Number != paid.Number {
		t.Errorf("the invoice is %s", got.Status)
	}
}

// Whatever the gateway tells, its books are asked; and the workflow is told
// again and again until it could look.
func TestAnEventOfAPaymentThatWaitsReachesItsWorkflow(t *testing.T) {
	s := newShop(t)
	a := s.buy(`payment.token="tok_3ds"`).want(201, "")
	inv := s.invoiceOf(billing.InvoiceID(a.text("invoice.id")))
	id := inv.Subscription
	s.tell("evt_0", sandbox.EventSucceeded, inv.Charge) // which is not so
	s.awaitGatewayEvents(0)
	if got := s.invoiceOf(inv.ID); got.Status != billing.InvoiceDraft {
		t.Errorf("the invoice is %s", got.Status)
	}
	check(t, s.gateway.Approve(t.Context(), inv.Charge))
	s.temporal.fail(serviceerror.NewUnavailable("away"), nil)
	s.tell("evt_1", sandbox.EventFailed, inv.Charge) // which is not so either
	defer s.sweeping()()
	sent := s.temporal.updates()
	s.eventually("the workflow is told again, and cannot be reached", func() bool { return s.temporal.updates() > sent+1 })
	s.awaitGatewayEvents(1)
	s.temporal.fail(nil, nil)
	s.awaitGatewayEvents(0)
	if got := s.ask("GET", "/v1/subscriptions/"+string(id), "", asOperator); got.text("status") != "active" {
		t.Errorf("the subscription is %s", got.body)
	}
	s.charged(id, "succeeded")
}

// givenBack refunds 4.00 of a purchase and has the gateway give them, without the
// engine having recorded it.
func (s *shop) givenBack() (inv billing.Invoice, refund billing.Refund) {
	s.t.Helper()
	inv = s.invoiceOf(billing.InvoiceID(s.buy().want(201, "").text("invoice.id")))
	s.ask("POST", "/v1/operator/invoices/"+string(inv.ID)+"/refund", `{"amount":{"amount":400,"currency":"USD"}}`, asOperator, withKey()).want(200, "")
	answered, err := s.temporal.steps.Refund(s.t.Context(), inv.Subscription)
	check(s.t, err)
	return inv, answered[0]
}

// recordRefund writes down what the gateway has said.
func (s *shop) recordRefund(sub billing.SubscriptionID, r billing.Refund) {
	s.t.Helper()
	check(s.t, s.temporal.run(s.t.Context(), sub, func(state billing.Subscription) (activities.Task, bool) {
		return activities.Task{At: state.At(time.Now()), Refunds: []billing.Refund{r}}, true
	}))
}

func (s *shop) balanceOf(inv billing.Invoice) int64 {
	s.t.Helper()
	m, err := s.store.BalanceIn(s.t.Context(), inv.Account, "USD")
	check(s.t, err)
	return m.Amount
}

// The gateway has said that a refund succeeded, which is about to be recorded
// when it says that it has failed.
func TestARefundThatFailsBeforeItsSuccessIsRecordedIsNotLost(t *testing.T) {
	s := newShop(t)
	inv, r := s.givenBack()
	check(t, s.gateway.FailRefund(t.Context(), inv.Charge, r.ID, time.Now()))
	sent := s.temporal.updates()
	s.tell("evt_1", sandbox.EventRefundFailed, inv.Charge)
	s.awaitGatewayEvents(1)
	if n := s.temporal.updates(); n != sent {
		t.Errorf("the workflow was told %d times of what it does not know yet", n-sent)
	}
	s.recordRefund(inv.Subscription, r)
	if got := s.balanceOf(inv); got != 0 {
		t.Errorf("the balance is %d", got)
	}
	defer s.sweeping()()
	s.awaitGatewayEvents(0)
	if got := s.balanceOf(inv); got != 400 {
		t.Errorf("the balance is %d", got)
	}
	// Told again and out of order, it is nothing new.
	sent = s.temporal.updates()
	for i, kind := range []sandbox.EventType{sandbox.EventRefundFailed, sandbox.EventRefunded, sandbox.EventSucceeded} {
		s.tell(fmt.Sprint("evt_again_", i), kind, inv.Charge)
	}
	s.awaitGatewayEvents(0)
	if n := s.temporal.updates(); n != sent || s.balanceOf(inv) != 400 {
		t.Errorf("%d updates were sent for nothing, and the balance is %d", n-sent, s.balanceOf(inv))
	}
}

func TestARefundThatFailedUnheardIsActedOnWhenTheMoneyIsReconciled(t *testing.T) {
	s := newShop(t)
	inv, r := s.givenBack()
	s.recordRefund(inv.Subscription, r)
	check(t, s.gateway.FailRefund(t.Context(), inv.Charge, r.ID, time.Now())) // and no webhook comes
	path := "/v1/operator/reconcile/money?from=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + "&to=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for range 2 {
		list := s.ask("GET", path, "", asOperator).want(200, "")
		if !strings.Contains(string(list.body), `"kind":"refund_missing"`) {
			t.Errorf("it finds %s", list.body)
		}
	}
	s.awaitGatewayEvents(1)
	defer s.sweeping()()
	s.awaitGatewayEvents(0)
	if got := s.balanceOf(inv); got != 400 {
		t.Errorf("the balance is %d", got)
	}
	if list := s.ask("GET", path, "", asOperator).want(200, ""); len(list.at("data").([]any)) != 0 {
		t.Errorf("afterwards it finds %s", list.body)
	}
	s.awaitGatewayEvents(0)
}

func TestOnlyWhatWasGivenBackIsSentBack(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("invoice.id")
	s.ask("POST", "/v1/operator/sandbox/refunds", `{"invoice":"`+id+`","status":"failed"}`, asOperator).want(409, "not_possible_now")
	s.ask("POST", "/v1/operator/sandbox/refunds", `{"invoice":"inv_none","status":"failed"}`, asOperator).want(404, "not_found")
}

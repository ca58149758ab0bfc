package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/sandbox"
)

// retell has the sandbox tell everything of a charge again, the newest first.
func (s *shop) retell(t *testing.T, charge billing.ChargeID) {
	t.Helper()
	g := s.system.Engine.Sandbox()
	events, err := g.Events(t.Context(), charge)
	must(t, err)
	post := func(_ context.Context, body []byte, signature string) error {
		got, err := s.try(http.MethodPost, "/v1/webhooks/sandbox", body, map[string]string{sandbox.SignatureHeader: signature})
		if err == nil && got.status != http.StatusOK {
			err = fmt.Errorf("the engine answers %d", got.status)
		}
		return err
	}
	for _, e := range slices.Backward(events) {
		must(t, g.Redeliver(t.Context(), charge, e.ID, post, time.Now()))
	}
}

// failed counts the events of refunds that failed.
func (s *shop) failed(t *testing.T, sub string) (n int) {
	t.Helper()
	for _, e := range s.events(t, sub) {
		if e.Kind == "refund_failed" {
			n++
		}
	}
	return n
}

// sendBack has the bank send the newest refund of an invoice back, and waits until
// the engine has heard of it.
func (s *shop) sendBack(t *testing.T, sub, invoice string) (sent money) {
	t.Helper()
	before := s.failed(t, sub)
	var refund struct{ Amount money }
	s.send(t, http.MethodPost, "/v1/operator/sandbox/refunds", object{"invoice": invoice, "status": "failed"}, s.asOperator()).
		want(t, http.StatusAccepted).into(t, &refund)
	eventually(t, listed, "the engine has heard of it", func() bool { return s.failed(t, sub) == before+1 })
	return refund.Amount
}

// The bank takes 3.00 and, days after, sends 4.00 back: the customer has them on
// the balance, and the next renewal uses them up.
func TestARefundThatTheBankSendsBackLaterGoesToTheBalanceOnce(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.refund(t, c.Invoice.ID, object{"amount": usd(300)}).want(t, http.StatusOK)
	shared.wantBack(t, id, "990 − 300") // so that the other one is the newest
	shared.refund(t, c.Invoice.ID, object{"amount": usd(400)}).want(t, http.StatusOK)
	shared.wantBack(t, id, "990 − 700")
	if sent := shared.sendBack(t, id, c.Invoice.ID); sent != usd(400) {
		t.Errorf("sent back is %+v", sent)
	}
	shared.wantBack(t, id, "990 − 300")
	if got := shared.balance(t, who); got != 400 {
		t.Errorf("the balance is %d", got)
	}

	inv, _, err := shared.system.Engine.Store.Invoice(t.Context(), billing.InvoiceID(c.Invoice.ID))
	must(t, err)
	for range 2 {
		shared.retell(t, inv.Charge)
	}
	settled := func() bool {
		var r struct {
			PendingPayment int `json:"pending_gateway_events"`
		}
		shared.get(t, "/v1/operator/reconcile", &r)
		return r.PendingPayment == 0
	}
	eventually(t, listed, "all of it has been acted on", settled)
	if n := shared.failed(t, id); n != 1 || shared.balance(t, who) != 400 {
		t.Errorf("told again, it has failed %d times and the balance is %d", n, shared.balance(t, who))
	}
	var notes []int64
	for _, n := range shared.invoice(t, c.Invoice.ID).Notes {
		notes = append(notes, n.Total.Amount)
	}
	if !slices.Equal(notes, []int64{300, 400}) { // they stay: the customer has the money
		t.Errorf("credit notes of %v", notes)
	}
	eventually(t, listed, "the operator is told", func() bool {
		return slices.ContainsFunc(shared.emails(t, "licences@okviz.example"), func(l email) bool {
			return strings.Contains(l.Subject, "A refund of $4.00 could not be made") && strings.Contains(l.Text, id)
		})
	})
	shared.refund(t, c.Invoice.ID, object{}).want(t, http.StatusOK) // the rest: the card is not asked for the 4.00 again
	shared.wantBack(t, id, "990 − 590")

	shared.advance(t, clock, "2026-02-28T10:00:00Z")
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 590))
	if got := shared.balance(t, who); got != 0 {
		t.Errorf("the balance is %d", got)
	}
	shared.wantMoneyAgreed(t, "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")
	shared.audit(t, id)
}

func TestMoneyBackThatTheBankSendsBackReachesAnEndedSubscription(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.command(t, id, "money-back", nil).want(t, http.StatusOK)
	shared.wantBack(t, id, "990 − 990")
	shared.sendBack(t, id, c.Invoice.ID)
	if s := shared.subscription(t, id); s.Status != "canceled" || deref(s.CancelReason) != "refunded" || shared.balance(t, who) != 990 {
		t.Errorf("%+v, and the balance is %d", s, shared.balance(t, who))
	}
	shared.wantBack(t, id, "990 − 0")
	shared.audit(t, id)
}

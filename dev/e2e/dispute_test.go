package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dispute has the customer's bank dispute an invoice's charge, and waits until
// the engine has heard of it.
func (s *shop) dispute(t testing.TB, sub, invoice, status, event string) {
	t.Helper()
	heard := func() (times int) {
		for _, e := range s.events(t, sub) {
			if e.Kind == event {
				times++
			}
		}
		return times
	}
	before := heard()
	s.send(t, http.MethodPost, "/v1/operator/sandbox/disputes", object{"invoice": invoice, "status": status}, s.asOperator()).want(t, http.StatusAccepted)
	eventually(t, listed, "the engine has heard that it is "+status, func() bool { return heard() > before })
}

func TestADisputeSuspendsTheLicenceAndAllChargesUntilItIsWon(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.dispute(t, id, c.Invoice.ID, "opened", "disputed")
	if v := shared.check(t, c.License.ID); v.Valid || v.Code != "SUSPENDED" || v.Token != nil {
		t.Errorf("a check says %+v", v)
	}
	for action, body := range map[string]object{"change": {"plan": users("21-50")}, "renew": {}, "money-back": {}} {
		shared.command(t, id, action, body).wantProblem(t, http.StatusConflict, "not_possible_now")
	}
	shared.post(t, "/v1/operator/invoices/"+c.Invoice.ID+"/refund", newKey(), object{"reason": "no"}).wantProblem(t, http.StatusConflict, "not_possible_now")
	if got := shared.subscription(t, id).Actions; !cmp.Equal(got, []string{"cancel", "payment-method"}) {
		t.Errorf("the actions are %v", got)
	}
	shared.advance(t, clock, "2026-04-15T00:00:00Z") // two renewals were due
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	shared.dispute(t, id, c.Invoice.ID, "won", "dispute_won")
	eventually(t, listed, "it has been renewed", func() bool { return shared.subscription(t, id).CurrentPeriod.End == "2026-04-30T10:00:00Z" })
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-04-15T00:00:00Z", 990)) // the period that runs alone
	sub := shared.subscription(t, id)
	if sub.Status != "active" || *sub.CurrentPeriod != (period{"2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"}) {
		t.Errorf("%+v", sub)
	}
	eventually(t, listed, "the licence is good", func() bool { return shared.check(t, c.License.ID).Code == "ACTIVE" })
	shared.audit(t, id)
}

func TestALostDisputeEndsTheSubscriptionWithACreditNote(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.dispute(t, id, c.Invoice.ID, "opened", "disputed")
	shared.dispute(t, id, c.Invoice.ID, "lost", "dispute_lost")
	sub := shared.subscription(t, id)
	if sub.Status != "canceled" || deref(sub.CancelReason) != "disputed" {
		t.Errorf("%+v", sub)
	}
	var inv invoice
	shared.get(t, "/v1/invoices/"+c.Invoice.ID, &inv)
	if len(inv.Notes) != 1 || inv.Notes[0].Reason != "dispute" || inv.Notes[0].Total != usd(990) {
		t.Errorf("credit notes %+v", inv.Notes)
	}
	if l := shared.ledger(t, id); len(l) != 1 || l[0].Refunded != usd(0) {
		t.Errorf("the ledger is %+v", l)
	}
	shared.post(t, "/v1/operator/invoices/"+c.Invoice.ID+"/refund", newKey(), object{"reason": "no"}).wantProblem(t, http.StatusConflict, "nothing_to_refund")
	eventually(t, listed, "the billing contact is told", func() bool {
		for _, l := range shared.emails(t, who.email) {
			if strings.Contains(l.Subject, "has ended") && strings.Contains(l.Text, "disputed at the bank") {
				return true
			}
		}
		return false
	})
	var balance struct{ Data []money }
	shared.get(t, "/v1/balance?email="+who.email, &balance)
	for _, m := range balance.Data {
		if m.Amount != 0 {
			t.Errorf("the balance is %+v", balance)
		}
	}
	shared.audit(t, id)
}

func TestADisputeOfACancelledSubscriptionLeavesItsEnd(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, newCustomer().order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
	shared.dispute(t, id, c.Invoice.ID, "opened", "disputed")
	shared.advance(t, clock, "2026-02-28T10:00:00Z")
	if sub := shared.subscription(t, id); sub.Status != "canceled" || deref(sub.CancelReason) != "requested" {
		t.Errorf("%+v", sub)
	}
	shared.dispute(t, id, c.Invoice.ID, "lost", "dispute_lost")
	if sub := shared.subscription(t, id); deref(sub.CancelReason) != "requested" {
		t.Errorf("%+v", sub)
	}
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	shared.audit(t, id)
}

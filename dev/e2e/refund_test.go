package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// back is the sandbox's ledger of a subscription as "charged − refunded", one
// line for each charge that succeeded.
func (s *shop) back(t testing.TB, sub string) []string {
	t.Helper()
	lines := []string{}
	for _, c := range s.ledger(t, sub) {
		if c.Status == "succeeded" {
			lines = append(lines, fmt.Sprintf("%d − %d", c.Amount.Amount, c.Refunded.Amount))
		}
	}
	return lines
}

func (s *shop) wantBack(t testing.TB, sub string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.back(t, sub)); diff != "" {
		t.Errorf("charges and refunds of %s:\n%s", sub, diff)
	}
	s.wantNotesWithin(t, sub)
}

// wantNotesWithin holds the credit notes of every invoice to its total.
func (s *shop) wantNotesWithin(t testing.TB, sub string) {
	t.Helper()
	for _, inv := range s.invoices(t, sub) {
		var noted int64
		for _, n := range inv.Notes {
			noted += n.Total.Amount
			if !strings.HasPrefix(n.Number, "CN-2026-") {
				t.Errorf("a credit note has the number %q", n.Number)
			}
		}
		if noted > inv.Total.Amount {
			t.Errorf("%s came to %d and is corrected by %d", inv.ID, inv.Total.Amount, noted)
		}
	}
}

func (s *shop) cancelNow(t testing.TB, sub, refund string) answer {
	t.Helper()
	return s.post(t, "/v1/operator/subscriptions/"+sub+"/cancel-now", newKey(), object{"refund": refund})
}

func (s *shop) refund(t testing.TB, inv string, body object) answer {
	t.Helper()
	return s.post(t, "/v1/operator/invoices/"+inv+"/refund", newKey(), body)
}

func TestMoneyBackAfterAnUpgradeGivesBackAllThatWasCharged(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	if !slices.Contains(shared.subscription(t, id).Actions, "money-back") {
		t.Error("money-back is not offered")
	}
	shared.advance(t, clock, "2026-04-11T00:00:00Z")
	shared.command(t, id, "change", object{"plan": users("21-50")}).want(t, http.StatusOK)
	shared.wantBack(t, id, "990 − 0", "1320 − 0") // 19.80 less 20 of 30 days of 9.90
	shared.advance(t, clock, "2026-04-15T00:00:00Z")

	key := newKey()
	first := shared.post(t, "/v1/subscriptions/"+id+"/money-back", key, object{}).want(t, http.StatusOK)
	again := shared.post(t, "/v1/subscriptions/"+id+"/money-back", key, object{}).want(t, http.StatusOK)
	if diff := cmp.Diff(first.same(t), again.same(t)); diff != "" {
		t.Error(diff)
	}
	shared.wantBack(t, id, "990 − 990", "1320 − 1320")
	var out struct{ Subscription subscription }
	first.into(t, &out)
	if s := out.Subscription; s.Status != "canceled" || deref(s.CancelReason) != "refunded" || deref(s.CanceledAt) != "2026-04-15T00:00:00Z" ||
		slices.Contains(s.Actions, "money-back") {
		t.Errorf("%+v", s)
	}
	if v := shared.check(t, c.License.ID); v.Valid || v.Code != "EXPIRED" || v.Token != nil {
		t.Errorf("the licence answers %+v", v)
	}
	invoices := shared.invoices(t, id)
	if got := []int64{invoices[0].Notes[0].Total.Amount, invoices[1].Notes[0].Total.Amount}; !slices.Equal(got, []int64{990, 1320}) {
		t.Errorf("credit notes of %v", got)
	}
	if got := invoices[0].Notes[0].Reason; got != "money_back" {
		t.Errorf("a credit note's reason is %q", got)
	}
	l := shared.awaitEmails(t, who.email, 3)[2]
	if !strings.Contains(l.Subject, "Your money back") || !strings.Contains(l.Text, "$23.10") || len(l.Attachments) != 2 ||
		!strings.HasPrefix(l.Attachments[0].FileName, "CN-2026-") {
		t.Errorf("%q with %v:\n%s", l.Subject, l.Attachments, l.Text)
	}
	shared.command(t, id, "money-back", nil).wantProblem(t, http.StatusConflict, "not_possible_now")
	shared.audit(t, id)
}

func TestMoneyBackIsOverAfterFourteenDaysAndAfterARenewal(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	shared.advance(t, clock, "2026-04-15T00:00:01Z")
	shared.command(t, id, "money-back", nil).wantProblem(t, http.StatusConflict, "money_back_over")
	if slices.Contains(shared.subscription(t, id).Actions, "money-back") {
		t.Error("money-back is still offered")
	}
	shared.advance(t, clock, "2026-05-01T00:00:00Z")
	shared.command(t, id, "money-back", nil).wantProblem(t, http.StatusConflict, "money_back_over")
	shared.wantBack(t, id, "990 − 0", "990 − 0")
}

func TestMoneyBackIsGivenTwicePerProductAndAccount(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	var last string
	for i := range 3 {
		last = shared.buy(t, who.order(object{"test_clock": clock})).Subscription.ID
		if i < 2 {
			shared.command(t, last, "money-back", nil).want(t, http.StatusOK)
			shared.wantBack(t, last, "990 − 990")
		}
	}
	shared.command(t, last, "money-back", nil).wantProblem(t, http.StatusConflict, "money_back_used_up")
	shared.wantBack(t, last, "990 − 0")
	if s := shared.subscription(t, last); s.Status != "active" {
		t.Errorf("%+v", s)
	}
	other := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	shared.command(t, other, "money-back", nil).want(t, http.StatusOK)
}

func TestARevivalMayHaveItsOwnMoneyBack(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	shared.cancelNow(t, id, "none").want(t, http.StatusOK)
	shared.advance(t, clock, "2026-06-01T00:00:00Z")
	shared.command(t, id, "renew", nil).want(t, http.StatusOK)
	shared.command(t, id, "money-back", nil).want(t, http.StatusOK)
	shared.wantBack(t, id, "990 − 0", "990 − 990") // what was bought in April stays
}

// What the balance has paid comes back to the balance.
func TestARevivalPaidInPartByTheBalance(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock, "plan": users("21-50")})).Subscription.ID
	shared.advance(t, clock, "2026-04-11T00:00:00Z")
	// 20 of 30 days of 19.80 are 13.20; less 9.90, 3.30 are left for the balance.
	shared.command(t, id, "change", object{"plan": users("1-20")}).want(t, http.StatusOK)
	shared.cancelNow(t, id, "none").want(t, http.StatusOK)
	shared.command(t, id, "renew", nil).want(t, http.StatusOK)
	shared.wantBack(t, id, "1980 − 0", "660 − 0")
	shared.command(t, id, "money-back", nil).want(t, http.StatusOK)
	shared.wantBack(t, id, "1980 − 0", "660 − 660")
	shared.command(t, id, "renew", nil).want(t, http.StatusOK) // the balance pays for it again
	shared.wantBack(t, id, "1980 − 0", "660 − 660", "660 − 0")
	shared.audit(t, id)
}

// A bill that an earlier one has paid for cannot be corrected by itself: what is
// left of it corrects the earlier one, and the card gets it.
func TestABillOfNothingIsGivenBackByTheOneThatPaidIt(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock, "plan": users("21-50")})).Subscription.ID
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	// 15 of 30 days of 19.80 are 9.90, which pay the smaller plan to the cent.
	shared.command(t, id, "change", object{"plan": users("1-20")}).want(t, http.StatusOK)
	shared.refund(t, shared.invoices(t, id)[1].ID, object{}).wantProblem(t, http.StatusConflict, "nothing_to_refund")
	shared.cancelNow(t, id, "full").want(t, http.StatusOK)
	shared.wantBack(t, id, "1980 − 990")
}

func TestCancelNowGivesBackWhatTheOperatorSays(t *testing.T) {
	for _, c := range []struct{ refund, want string }{
		{"none", "990 − 0"}, {"prorated", "990 − 495"}, {"full", "990 − 990"}, // 15 of 30 days are left
	} {
		t.Run(c.refund, func(t *testing.T) {
			who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
			bought := shared.buy(t, who.order(object{"test_clock": clock}))
			id := bought.Subscription.ID
			shared.advance(t, clock, "2026-04-16T00:00:00Z")
			shared.cancelNow(t, id, c.refund).want(t, http.StatusOK)
			shared.wantBack(t, id, c.want)
			if s := shared.subscription(t, id); s.Status != "canceled" || deref(s.CancelReason) != "operator" {
				t.Errorf("%+v", s)
			}
			if v := shared.check(t, bought.License.ID); v.Code != "EXPIRED" {
				t.Errorf("the licence answers %+v", v)
			}
			shared.cancelNow(t, id, c.refund).wantProblem(t, http.StatusConflict, "not_possible_now")
			shared.audit(t, id)
		})
	}
}

func TestAPeriodPaidAheadIsGivenBackWhole(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	shared.command(t, id, "renew", nil).want(t, http.StatusOK)
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	shared.cancelNow(t, id, "prorated").want(t, http.StatusOK)
	shared.wantBack(t, id, "990 − 495", "990 − 990")
}

func TestPartsOfAnInvoiceAreRefundedUpToItsTotal(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	o := who.order(object{"test_clock": clock, "currency": "EUR"})
	o["billing"].(object)["country"] = "IT" // 9.90 and 22 % of VAT: 12.08
	c := shared.buy(t, o)
	id, inv := c.Subscription.ID, c.Invoice.ID
	shared.refund(t, inv, object{"amount": usd(3)}).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	shared.refund(t, inv, object{"amount": money{1209, "EUR"}}).wantProblem(t, http.StatusUnprocessableEntity, "amount_too_large")
	shared.refund(t, inv, object{"amount": money{3, "EUR"}, "reason": "a courtesy"}).want(t, http.StatusOK)
	shared.refund(t, inv, object{"amount": money{1000, "EUR"}}).want(t, http.StatusOK)
	shared.wantBack(t, id, "1208 − 1003")
	shared.refund(t, inv, object{"amount": money{206, "EUR"}}).wantProblem(t, http.StatusUnprocessableEntity, "amount_too_large")
	if s := shared.subscription(t, id); s.Status != "active" {
		t.Errorf("%+v", s)
	}
	// The subscription ends, its run as well; the rest can be given back still.
	shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
	shared.advance(t, clock, "2026-05-01T00:00:00Z")
	key := newKey()
	for range 2 {
		shared.post(t, "/v1/operator/invoices/"+inv+"/refund", key, object{}).want(t, http.StatusOK)
	}
	shared.wantBack(t, id, "1208 − 1208")
	shared.refund(t, inv, object{}).wantProblem(t, http.StatusConflict, "nothing_to_refund")
	if s := shared.subscription(t, id); s.Status != "canceled" || deref(s.CancelReason) != "requested" {
		t.Errorf("%+v", s)
	}
	if got := shared.subjects(t, who.email); !slices.Contains(got, "A refund for Calendar Pro") {
		t.Errorf("mails %q", got)
	}
	shared.audit(t, id)
}

func TestALicenceIsSuspendedReinstatedAndRevoked(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	c := shared.buy(t, newCustomer().order(object{"test_clock": clock}))
	hold := func(action string) answer {
		return shared.post(t, "/v1/operator/licenses/"+c.License.ID+"/"+action, newKey(), object{})
	}
	answers := func(code string) {
		t.Helper()
		if v := shared.check(t, c.License.ID); v.Code != code || v.Valid != (code == "ACTIVE") || (v.Token != nil) != v.Valid {
			t.Errorf("the licence answers %+v, want %s", v, code)
		}
	}
	hold("suspend").want(t, http.StatusOK)
	answers("SUSPENDED")
	shared.advance(t, clock, "2026-05-01T00:00:00Z") // renewed, and suspended still
	answers("SUSPENDED")
	hold("reinstate").want(t, http.StatusOK)
	answers("ACTIVE")
	hold("reinstate").wantProblem(t, http.StatusConflict, "no_change")
	hold("revoke").want(t, http.StatusOK)
	answers("REVOKED")
	if s := shared.subscription(t, c.Subscription.ID); s.Status != "canceled" || deref(s.CancelReason) != "operator" {
		t.Errorf("%+v", s)
	}
	shared.command(t, c.Subscription.ID, "renew", nil).wantProblem(t, http.StatusConflict, "not_possible_now")
	shared.wantBack(t, c.Subscription.ID, "990 − 0", "990 − 0")
}

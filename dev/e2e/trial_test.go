package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestATrialNeedsNoPaymentDetailsAndEndsByItself(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"pay": "trial", "payment": nil, "test_clock": clock}))
	id, sub := c.Subscription.ID, c.Subscription
	if sub.Status != "trialing" || deref(sub.TrialEnd) != "2026-02-28T10:00:00Z" || c.Payment.Status != "none" || c.Invoice != nil || sub.NextPaymentAt != nil {
		t.Errorf("%+v", c)
	}
	if got := shared.check(t, c.License.ID); got.Code != "TRIAL" || deref(got.ValidUntil) != "2026-02-28T10:00:00Z" {
		t.Errorf("%+v", got)
	}
	l := shared.awaitEmails(t, who.licenseeEmail, 1)[0]
	if claims := shared.claims(t, stamped(t, shared.attached(t, l))); claims["trial"] != true || claims["sub"] != c.License.ID {
		t.Errorf("claims %v", claims)
	}
	shared.awaitEmails(t, who.email, 1)
	for _, reminder := range []string{"2026-02-21T10:00:00Z", "2026-02-27T10:00:00Z"} { // 7 days and 1 day before
		had := len(shared.emails(t, who.email))
		shared.advance(t, clock, reminder)
		if got := shared.subjects(t, who.email); len(got) != had+1 || !strings.Contains(strings.ToLower(got[had]), "trial") {
			t.Errorf("on %s: mails %q", reminder, got)
		}
	}
	shared.advance(t, clock, "2026-02-28T09:59:59Z")
	if got := shared.check(t, c.License.ID); !got.Valid {
		t.Errorf("in the last second: %+v", got)
	}
	shared.advance(t, clock, "2026-02-28T10:00:00Z")
	if got := shared.check(t, c.License.ID); got.Code != "EXPIRED" {
		t.Errorf("%+v", got)
	}
	if sub := shared.subscription(t, id); sub.Status != "canceled" || deref(sub.CancelReason) != "trial_ended" {
		t.Errorf("%+v", sub)
	}
	shared.advance(t, clock, "2036-02-28T10:00:00Z")
	shared.wantCharges(t, id)

	// One trial per product and organisation.
	again := newCustomer().order(object{"pay": "trial", "payment": nil})
	again["licensee"].(object)["email"] = secret("jemand.anders@" + strings.SplitN(who.licenseeEmail, "@", 2)[1])
	shared.post(t, "/v1/checkout", newKey(), again).wantProblem(t, http.StatusConflict, "trial_already_used")
}

func TestATrialWithACardIsChargedAtItsEndAndRenewedFromThere(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, newCustomer().order(object{"pay": "trial", "payment": nil, "test_clock": clock}))
	id := c.Subscription.ID
	shared.advance(t, clock, "2026-02-02T00:00:00Z")
	shared.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, http.StatusOK)
	shared.wantCharges(t, id)
	shared.advance(t, clock, "2026-02-28T09:59:59Z")
	shared.wantCharges(t, id)
	shared.advance(t, clock, "2026-04-01T00:00:00Z")
	shared.wantCharges(t, id, charged("2026-02-28T10:00:00Z", 990), charged("2026-03-28T10:00:00Z", 990))
	if sub := shared.subscription(t, id); sub.Status != "active" || deref(sub.LicenseID) != c.License.ID {
		t.Errorf("%+v", sub)
	}
	shared.audit(t, id)
}

// The official Temporal template for subscriptions never selects its cancel
// signal: cancelled on day 5 of a trial it charged 24 times at its end,
// cancelled on day 20 it charged 23 times at once.
func TestATrialWithACardThatIsCancelledIsNeverCharged(t *testing.T) {
	for name, trial := range map[string]struct {
		payment  any    // at checkout
		storeAt  string // else the card is stored then
		cancelAt string
		signal   bool
		resumed  bool // cancelled, resumed and cancelled again
	}{
		"the card is stored on day 2 and the trial cancelled on day 5":            {storeAt: "2026-02-02T10:00:00Z", cancelAt: "2026-02-05T10:00:00Z"},
		"the card is stored on day 2 and the trial cancelled on day 20":           {storeAt: "2026-02-02T10:00:00Z", cancelAt: "2026-02-20T10:00:00Z"},
		"the card is given at the checkout and the trial cancelled on day 5":      {payment: card("tok_visa"), cancelAt: "2026-02-05T10:00:00Z"},
		"the card is stored and the trial cancelled by signal on day 5":           {storeAt: "2026-02-02T10:00:00Z", cancelAt: "2026-02-05T10:00:00Z", signal: true},
		"the card is stored and the trial cancelled by signal on day 20":          {storeAt: "2026-02-02T10:00:00Z", cancelAt: "2026-02-20T10:00:00Z", signal: true},
		"the trial is cancelled, resumed and cancelled again in its last seconds": {payment: card("tok_visa"), cancelAt: "2026-02-28T09:59:58Z", resumed: true},
	} {
		t.Run(name, func(t *testing.T) {
			clock := shared.clock(t, "2026-01-31T10:00:00Z")
			c := shared.buy(t, newCustomer().order(object{"pay": "trial", "payment": trial.payment, "test_clock": clock}))
			id := c.Subscription.ID
			if trial.storeAt != "" {
				shared.advance(t, clock, trial.storeAt)
				shared.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, http.StatusOK)
			}
			shared.advance(t, clock, trial.cancelAt)
			if trial.signal {
				shared.signal(t, id, "cancel", object{})
				eventually(t, listed, "the signal has cancelled it", func() bool { return shared.subscription(t, id).CancelAtPeriodEnd })
			} else {
				shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
			}
			if trial.resumed {
				shared.command(t, id, "resume", nil).want(t, http.StatusOK)
				shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
			}
			if got := shared.check(t, c.License.ID); !got.Valid {
				t.Errorf("after it was cancelled: %+v", got)
			}
			shared.wantCharges(t, id)
			shared.advance(t, clock, "2026-02-28T10:00:00Z")
			if got := shared.check(t, c.License.ID); got.Code != "EXPIRED" {
				t.Errorf("from its end: %+v", got)
			}
			sub := shared.subscription(t, id)
			if sub.Status != "canceled" || deref(sub.CancelReason) != "requested" {
				t.Errorf("%+v", sub)
			}
			shared.advance(t, clock, "2040-01-01T00:00:00Z")
			shared.wantCharges(t, id)
			if got := shared.invoices(t, id); len(got) != 0 {
				t.Errorf("invoices %+v", got)
			}
		})
	}
}

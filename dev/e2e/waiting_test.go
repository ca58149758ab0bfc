package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/okviz/licensing/billing"
)

// waits is what is told of a payment that waits for the customer.
type waits struct {
	Payment struct {
		Status    string  `json:"status"`
		ActionURL *string `json:"action_url"`
	} `json:"payment"`
	Subscription struct {
		ID            string `json:"id"`
		Status        string `json:"status"`
		Plan          plan   `json:"plan"`
		PendingChange *struct {
			Plan      plan    `json:"plan"`
			AmountDue money   `json:"amount_due"`
			ActionURL *string `json:"action_url"`
			ExpiresAt *string `json:"expires_at"`
		} `json:"pending_change"`
		PendingPayment *struct {
			Status    string  `json:"status"`
			Amount    money   `json:"amount"`
			ActionURL *string `json:"action_url"`
			ExpiresAt *string `json:"expires_at"`
		} `json:"pending_payment"`
	} `json:"subscription"`
	CheckoutToken string `json:"checkout_token"`
}

// waiting reads what a subscription waits for.
func (s *shop) waiting(t testing.TB, id string) (w waits) {
	t.Helper()
	s.get(t, "/v1/subscriptions/"+id, &w.Subscription)
	return w
}

// answerBank does what a customer does on the page of their bank, and returns
// the address of the page to which that leads in the end.
func (s *shop) answerBank(t testing.TB, page, answer string) string {
	t.Helper()
	shown, err := visitor.Get(page)
	must(t, err)
	must(t, shown.Body.Close())
	last, err := visitor.PostForm(page, url.Values{"answer": {answer}})
	must(t, err)
	must(t, last.Body.Close())
	if last.StatusCode != http.StatusOK {
		t.Errorf("the customer ends at %s: %d", last.Request.URL, last.StatusCode)
	}
	return last.Request.URL.RequestURI()
}

// buyAsked is an order by a card whose bank asks for the customer each time.
func (s *shop) buyAsked(t *testing.T, who customer, clock string) waits {
	t.Helper()
	var w waits
	s.post(t, "/v1/checkout", newKey(), who.order(object{"test_clock": clock, "payment": card("tok_3ds")})).want(t, http.StatusCreated).into(t, &w)
	secret(w.CheckoutToken)
	if w.Payment.Status != "requires_action" || w.Subscription.Status != "incomplete" || w.Payment.ActionURL == nil {
		t.Fatalf("%+v", w)
	}
	return w
}

// confirmed is a subscription that was bought so.
func (s *shop) confirmed(t *testing.T, who customer, clock string) string {
	t.Helper()
	w := s.buyAsked(t, who, clock)
	s.answerBank(t, *w.Payment.ActionURL, "approve")
	return w.Subscription.ID
}

func (s *shop) change(t *testing.T, id, tier string) waits {
	t.Helper()
	var w waits
	s.command(t, id, "change", object{"plan": users(tier)}).want(t, http.StatusOK).into(t, &w)
	if w.Payment.Status != "requires_action" || w.Payment.ActionURL == nil || w.Subscription.PendingChange == nil {
		t.Fatalf("%+v", w)
	}
	return w
}

func TestAnOrderThatTheBankAsksAboutIsPaidWhenTheCustomerHasConfirmed(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	w := shared.buyAsked(t, who, clock)
	id := w.Subscription.ID
	shared.wantCharges(t, id)
	if p := w.Subscription.PendingPayment; p == nil || p.Amount != usd(990) || deref(p.ExpiresAt) != "2026-02-01T09:00:00Z" {
		t.Errorf("it waits for %+v", p)
	}
	if details := shared.details(t, id); !strings.Contains(details, "the customer is to confirm a payment") || strings.Contains(details, "sandbox") {
		t.Error(details)
	}
	if page := shared.answerBank(t, *w.Payment.ActionURL, "approve"); page != "/checkout?order="+id {
		t.Errorf("the customer is led to %s", page)
	}
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	sub := shared.subscription(t, id)
	if sub.Status != "active" || *sub.CurrentPeriod != (period{"2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"}) {
		t.Errorf("%+v", sub)
	}
	if shared.waiting(t, id).Subscription.PendingPayment != nil {
		t.Error("it waits still")
	}
	shared.awaitEmails(t, who.licenseeEmail, 1)
	shared.answerBank(t, *w.Payment.ActionURL, "approve") // a second click
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	shared.audit(t, id)
}

func TestAnOrderThatWasNotConfirmedTakesAnotherCard(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	w := shared.buyAsked(t, who, clock)
	id := w.Subscription.ID
	if page := shared.answerBank(t, *w.Payment.ActionURL, "fail"); page != "/checkout?declined=authentication_failed&order="+id {
		t.Errorf("the customer is led to %s", page)
	}
	if s := shared.subscription(t, id); s.Status != "incomplete" {
		t.Errorf("%+v", s)
	}
	shared.send(t, http.MethodPost, "/v1/subscriptions/"+id+"/payment-method", object{"token": secret("tok_visa")},
		map[string]string{"Authorization": "Bearer " + w.CheckoutToken, "Idempotency-Key": newKey()}).want(t, http.StatusOK)
	shared.wantCharges(t, id, "2026-01-31T10:00:00Z 990 USD declined", charged("2026-01-31T10:00:00Z", 990))
	shared.audit(t, id)
}

func TestAnotherCardTakesThePlaceOfAConfirmation(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	w := shared.buyAsked(t, newCustomer(), clock)
	id := w.Subscription.ID
	shared.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, http.StatusOK)
	shared.answerBank(t, *w.Payment.ActionURL, "approve") // too late
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	shared.audit(t, id)
}

func TestAnOrderThatNobodyConfirmedLapsesAndCannotBeConfirmedLater(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	w := shared.buyAsked(t, newCustomer(), clock)
	id := w.Subscription.ID
	shared.advance(t, clock, "2026-02-01T09:00:00Z")
	if s := shared.subscription(t, id); s.Status != "incomplete_expired" {
		t.Errorf("%+v", s)
	}
	shared.answerBank(t, *w.Payment.ActionURL, "approve")
	shared.wantCharges(t, id)
	shared.audit(t, id)
}

func TestAChangeThatTheBankAsksAboutWaitsWithItsAmountsFrozen(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.confirmed(t, who, clock)
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	w := shared.change(t, id, "21-50")
	if c := w.Subscription.PendingChange; c.Plan.ID != "calendar-pro_users_21-50_monthly" || c.AmountDue != usd(1485) || deref(c.ExpiresAt) != "2026-04-16T01:00:00Z" {
		t.Errorf("what waits is %+v", c)
	}
	if w.Subscription.Plan.ID != "calendar-pro_users_1-20_monthly" {
		t.Errorf("the old plan does not go on: %+v", w.Subscription.Plan)
	}
	shared.command(t, id, "cancel", nil).want(t, http.StatusOK) // which leaves it waiting
	shared.command(t, id, "resume", nil).want(t, http.StatusOK)
	shared.advance(t, clock, "2026-04-16T00:59:59Z")
	if page := shared.answerBank(t, *w.Payment.ActionURL, "approve"); page != "/account/subscriptions/"+id {
		t.Errorf("the customer is led to %s", page)
	}
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
	sub := shared.subscription(t, id)
	if sub.Plan.ID != "calendar-pro_users_21-50_monthly" || *sub.CurrentPeriod != (period{"2026-04-16T00:00:00Z", "2026-05-16T00:00:00Z"}) {
		t.Errorf("%+v", sub)
	}
	shared.audit(t, id)
}

func TestAChangeThatIsNotConfirmedLeavesEverythingAsItWas(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, id, clock string, w waits){
		"the customer says no": func(t *testing.T, id, _ string, w waits) {
			if page := shared.answerBank(t, *w.Payment.ActionURL, "fail"); page != "/account/subscriptions/"+id+"?declined=authentication_failed" {
				t.Errorf("the customer is led to %s", page)
			}
		},
		"an hour is over": func(t *testing.T, _, clock string, _ waits) { shared.advance(t, clock, "2026-04-16T01:00:00Z") },
	} {
		t.Run(name, func(t *testing.T) {
			clock := shared.clock(t, "2026-04-01T00:00:00Z")
			id := shared.confirmed(t, newCustomer(), clock)
			shared.advance(t, clock, "2026-04-16T00:00:00Z")
			before := shared.subscription(t, id)
			w := shared.change(t, id, "21-50")
			end(t, id, clock, w)
			shared.answerBank(t, *w.Payment.ActionURL, "approve") // too late: no money moves
			if diff := cmp.Diff(before, shared.subscription(t, id)); diff != "" {
				t.Error(diff)
			}
			if shared.waiting(t, id).Subscription.PendingChange != nil {
				t.Error("it waits still")
			}
			for _, c := range shared.ledger(t, id)[1:] {
				if c.Status == "succeeded" {
					t.Errorf("charged %+v", c)
				}
			}
			shared.audit(t, id)
		})
	}
}

func TestASecondChangeTakesThePlaceOfTheOneThatWaits(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.confirmed(t, newCustomer(), clock)
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	first := shared.change(t, id, "21-50")
	second := shared.change(t, id, "51-100")
	shared.answerBank(t, *first.Payment.ActionURL, "approve")
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990))
	shared.answerBank(t, *second.Payment.ActionURL, "approve")
	if sub := shared.subscription(t, id); sub.Plan.ID != "calendar-pro_users_51-100_monthly" {
		t.Errorf("%+v", sub)
	}
	if got := shared.charges(t, id); len(got) != 2 {
		t.Errorf("charged %v", got)
	}
	shared.audit(t, id)
}

func TestARenewalThatTheBankAsksAboutIsConfirmedByTheMailsLink(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	id := shared.confirmed(t, who, clock)
	shared.advance(t, clock, "2026-02-28T10:00:00Z")
	w := shared.waiting(t, id)
	if p := w.Subscription.PendingPayment; w.Subscription.Status != "past_due" || p == nil || deref(p.ExpiresAt) != "2026-03-07T10:00:00Z" {
		t.Fatalf("%+v", w)
	}
	eventually(t, listed, "the mail has come", func() bool {
		for _, l := range shared.emails(t, who.email) {
			if strings.Contains(l.Subject, "confirm the payment") && strings.Contains(l.Text, "/account/subscriptions/"+id) {
				return true
			}
		}
		return false
	})
	shared.advance(t, clock, "2026-03-02T10:00:00Z") // no retry in between
	shared.answerBank(t, *w.Subscription.PendingPayment.ActionURL, "approve")
	sub := shared.subscription(t, id)
	if sub.Status != "active" || *sub.CurrentPeriod != (period{"2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z"}) {
		t.Errorf("%+v", sub)
	}
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 990))
	shared.audit(t, id)
}

func TestARenewalThatNobodyConfirmsEndsAtTheDeadline(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	id := shared.confirmed(t, newCustomer(), clock)
	shared.advance(t, clock, "2026-02-28T10:00:00Z")
	w := shared.waiting(t, id)
	shared.advance(t, clock, "2026-03-07T10:00:00Z")
	if sub := shared.subscription(t, id); sub.Status != "canceled" || deref(sub.CancelReason) != "payment_failed" || deref(sub.CanceledAt) != "2026-03-07T10:00:00Z" {
		t.Errorf("%+v", sub)
	}
	shared.answerBank(t, *w.Subscription.PendingPayment.ActionURL, "approve")
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990))
	shared.audit(t, id)
}

// The same key gives the same answer again, from what is kept of it: the address
// may be a credential, and is no part of that.
func TestTheAddressOfABankIsToldAgainAndNotKeptWithTheAnswer(t *testing.T) {
	who, clock, key := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z"), newKey()
	order := who.order(object{"test_clock": clock, "payment": card("tok_3ds")})
	first := shared.post(t, "/v1/checkout", key, order).want(t, http.StatusCreated)
	var w waits
	first.into(t, &w)
	secret(w.CheckoutToken)
	id := w.Subscription.ID
	if again := shared.post(t, "/v1/checkout", key, order); again.same(t) != first.same(t) {
		t.Errorf("first\n%s\nthen\n%s", first.body, again.body)
	}
	shared.answerBank(t, *w.Payment.ActionURL, "approve")
	changeKey := newKey()
	body := object{"plan": users("21-50")}
	changed := shared.post(t, "/v1/subscriptions/"+id+"/change", changeKey, body).want(t, http.StatusOK)
	if again := shared.post(t, "/v1/subscriptions/"+id+"/change", changeKey, body); again.same(t) != changed.same(t) || !strings.Contains(string(changed.body), "/sandbox/") {
		t.Errorf("first\n%s\nthen\n%s", changed.body, again.body)
	}
	requests := 0
	for _, h := range shared.runs(t, id) {
		for _, e := range h.Events {
			a := e.GetWorkflowExecutionUpdateAcceptedEventAttributes()
			if a == nil {
				continue
			}
			r, err := shared.system.Engine.Store.Request(t.Context(), billing.RequestID(a.AcceptedRequest.Meta.UpdateId))
			if err != nil {
				continue // nobody waited for an answer
			}
			if requests++; strings.Contains(r.Response, "/sandbox/") || r.Response == "" {
				t.Errorf("kept is %s", r.Response)
			}
		}
	}
	if requests != 2 {
		t.Errorf("%d requests were kept, want 2", requests)
	}
	var now waits
	shared.post(t, "/v1/checkout", key, order).want(t, http.StatusCreated).into(t, &now)
	if now.Payment.Status != "requires_action" || now.Payment.ActionURL != nil {
		t.Errorf("once it is paid the answer is %+v", now.Payment)
	}
}

// Nobody has paid for them yet.
func TestTheSitesOfAChangeThatWaitsAreNotTaken(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	var w waits
	site := object{"type": "site", "cycle": "monthly"}
	shared.post(t, "/v1/checkout", newKey(), newCustomer().order(object{
		"test_clock": clock, "payment": card("tok_3ds"), "plan": site, "sites": []string{"one.contoso.example"},
	})).want(t, http.StatusCreated).into(t, &w)
	secret(w.CheckoutToken)
	id := w.Subscription.ID
	shared.answerBank(t, *w.Payment.ActionURL, "approve")
	shared.command(t, id, "change", object{"plan": site, "quantity": 2, "sites": []string{"two.contoso.example", "three.contoso.example"}}).want(t, http.StatusOK).into(t, &w)
	if w.Payment.Status != "requires_action" {
		t.Fatalf("%+v", w)
	}
	var l struct{ Sites []string }
	shared.get(t, "/v1/licenses/"+*shared.subscription(t, id).LicenseID, &l)
	if diff := cmp.Diff([]string{"one.contoso.example"}, l.Sites); diff != "" {
		t.Error(diff)
	}
}

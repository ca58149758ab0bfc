package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
)

type quote struct {
	ID             string `json:"id"`
	Number         string `json:"number"`
	Status         string `json:"status"`
	Product        string `json:"product"`
	Lines          []line `json:"lines"`
	Total          money  `json:"total"`
	Recurring      struct{ Total money }
	ExpiresAt      string  `json:"expires_at"`
	SubscriptionID *string `json:"subscription_id"`
}

// quoted is the order without what pays for it.
func (c customer) quoted(changes object) object {
	o := c.order(changes)
	for _, name := range []string{"pay", "payment", "accept_terms"} {
		delete(o, name)
	}
	return o
}

// quote asks for a quote as an operator, who may name a test clock.
func (s *shop) quote(t testing.TB, o object) quote {
	t.Helper()
	var q quote
	s.post(t, "/v1/quotes", newKey(), o).want(t, http.StatusCreated).into(t, &q)
	return q
}

// holder presents the token of a quote's mailed link.
func (s *shop) holder(t testing.TB, who customer, q quote) map[string]string {
	t.Helper()
	l := s.awaitEmails(t, who.email, 1)[0]
	_, rest, ok := strings.Cut(l.Text, "/quotes/"+q.ID+"#token=")
	if !ok {
		t.Fatalf("there is no link in\n%s", l.Text)
	}
	return map[string]string{"Authorization": "Bearer " + secret(strings.Fields(rest)[0])}
}

// accept accepts a quote with a key.
func (s *shop) accept(t testing.TB, q quote, holder map[string]string, key, token string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/v1/quotes/"+q.ID+"/accept", object{"payment": card(token), "accept_terms": true},
		map[string]string{"Authorization": holder["Authorization"], "Idempotency-Key": key})
}

func (s *shop) look(t testing.TB, q quote, holder map[string]string) (now quote) {
	t.Helper()
	s.send(t, http.MethodGet, "/v1/quotes/"+q.ID, nil, holder).want(t, http.StatusOK).into(t, &now)
	return now
}

func TestAQuoteIsMailedAndAcceptedAtItsPriceWhateverTheCatalogueSaysByThen(t *testing.T) {
	t.Parallel()
	s, who := start(t, 0), newCustomer()
	var q quote
	key := map[string]string{"Idempotency-Key": newKey()}
	asked := s.send(t, http.MethodPost, "/v1/quotes", who.quoted(nil), key).want(t, http.StatusCreated)
	asked.into(t, &q)
	if q.Status != "open" || q.Total != usd(990) || !strings.HasPrefix(q.Number, "Q-") || len(q.Lines) != 1 || q.Lines[0].Period != nil || q.SubscriptionID != nil {
		t.Fatalf("%s", asked.body)
	}
	if again := s.send(t, http.MethodPost, "/v1/quotes", who.quoted(nil), key); string(again.body) != string(asked.body) {
		t.Errorf("asked again: %s", again.body)
	}
	s.send(t, http.MethodPost, "/v1/quotes", who.quoted(object{"currency": "EUR"}), key).wantProblem(t, http.StatusConflict, "idempotency_conflict")

	holder := s.holder(t, who, q)
	if strings.Contains(string(asked.body), strings.Fields(holder["Authorization"])[1]) {
		t.Error("the token is in the answer")
	}
	emails := s.emails(t, who.email)
	if l := emails[0]; len(emails) != 1 || l.Subject != "Your quote for Calendar Pro: "+q.Number || !strings.Contains(l.Text, "$9.90") || l.Attachments[0].FileName != q.Number+".pdf" {
		t.Errorf("%d letters, %q:\n%s", len(emails), l.Subject, l.Text)
	}
	at := "/v1/quotes/" + q.ID
	pdf := s.send(t, http.MethodGet, at+"/pdf", nil, holder).want(t, http.StatusOK)
	if string(pdf.body) != string(s.attached(t, emails[0])) || !strings.HasPrefix(string(pdf.body), "%PDF-") {
		t.Error("the PDF is not the one that was mailed")
	}

	// It is for the holder of its token, its billing contact and operators.
	elses := newCustomer()
	another := s.holder(t, elses, s.quote(t, elses.quoted(nil)))
	bad, guest := map[string]string{"Authorization": holder["Authorization"] + "A"}, s.signIn(t, elses.email)
	for _, path := range []string{at, at + "/pdf"} {
		s.send(t, http.MethodGet, path, nil, nil).wantProblem(t, http.StatusUnauthorized, "unauthorized")
		s.send(t, http.MethodGet, path, nil, bad).wantProblem(t, http.StatusUnauthorized, "unauthorized")
		s.send(t, http.MethodGet, path, nil, another).wantProblem(t, http.StatusNotFound, "not_found")
		s.send(t, http.MethodGet, path, nil, guest).wantProblem(t, http.StatusNotFound, "not_found")
		s.send(t, http.MethodGet, path, nil, s.asOperator()).want(t, http.StatusOK)
	}
	s.send(t, http.MethodGet, at, nil, s.signIn(t, who.email)).want(t, http.StatusOK)
	s.accept(t, q, another, newKey(), "tok_visa").wantProblem(t, http.StatusNotFound, "not_found")
	s.send(t, http.MethodGet, "/v1/subscriptions", nil, holder).wantProblem(t, http.StatusForbidden, "forbidden")

	s.post(t, "/v1/operator/catalog", newKey(), object{"products": []object{{
		"id": "calendar-pro", "name": "Calendar Pro", "trial": true, "plans": []object{
			{"type": "users", "tier": "1-20", "covers": 20, "cycle": "monthly", "prices": []object{{"amount": 1490, "currency": "USD"}}},
		},
	}}}).want(t, http.StatusOK)
	if dearer := s.buy(t, newCustomer().order(nil)); dearer.Invoice.Total != usd(1490) {
		t.Fatalf("the price has not changed: %+v", dearer.Invoice)
	}
	accept := newKey()
	var c checkout
	first := s.accept(t, q, holder, accept, "tok_visa").want(t, http.StatusCreated)
	first.into(t, &c)
	s.know(c)
	if c.Subscription.Status != "active" || c.License == nil || c.Invoice.Status != "paid" || c.Payment.Status != "succeeded" || c.CheckoutToken == "" {
		t.Errorf("%s", first.body)
	}
	s.wantCharges(t, c.Subscription.ID, charged(c.Subscription.CurrentPeriod.Start, 990))
	if again := s.accept(t, q, holder, accept, "tok_visa"); again.same(t) != first.same(t) {
		t.Errorf("accepted again with the same key: %s", again.body)
	}
	s.accept(t, q, holder, newKey(), "tok_visa").wantProblem(t, http.StatusConflict, "quote_accepted")
	s.send(t, http.MethodGet, at, nil, holder).wantProblem(t, http.StatusConflict, "quote_accepted") // the token has ended
	if now := s.look(t, q, s.signIn(t, who.email)); now.Status != "accepted" || deref(now.SubscriptionID) != c.Subscription.ID {
		t.Errorf("%+v", now)
	}
	s.awaitEmails(t, who.licenseeEmail, 1)
}

func TestAQuoteIsGoodForThirtyDays(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	late, timely := newCustomer(), newCustomer()
	expired, open := shared.quote(t, late.quoted(object{"test_clock": clock})), shared.quote(t, timely.quoted(object{"test_clock": clock}))
	if open.ExpiresAt != "2026-03-02T10:00:00Z" || !strings.HasPrefix(open.Number, "Q-2026-") || open.Number == expired.Number {
		t.Errorf("%+v", open)
	}
	holder := shared.holder(t, late, expired)
	shared.advance(t, clock, "2026-03-02T09:59:59Z")
	var c checkout
	shared.accept(t, open, shared.holder(t, timely, open), newKey(), "tok_visa").want(t, http.StatusCreated).into(t, &c)
	shared.know(c)
	shared.wantCharges(t, c.Subscription.ID, charged("2026-03-02T09:59:59Z", 990))
	shared.advance(t, clock, "2026-03-02T10:00:00Z")
	shared.accept(t, expired, holder, newKey(), "tok_visa").wantProblem(t, http.StatusConflict, "quote_expired")
	shared.send(t, http.MethodGet, "/v1/quotes/"+expired.ID, nil, holder).wantProblem(t, http.StatusConflict, "quote_expired")
	if now := shared.look(t, expired, shared.asOperator()); now.Status != "expired" || now.SubscriptionID != nil {
		t.Errorf("%+v", now)
	}
}

func TestAQuoteThatIsAcceptedTwiceAtOnceIsOneOrder(t *testing.T) {
	who := newCustomer()
	q := shared.quote(t, who.quoted(nil))
	holder := shared.holder(t, who, q)
	var mu sync.Mutex
	codes, ids := map[string]int{}, map[string]bool{}
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			a, err := shared.answered("/v1/quotes/"+q.ID+"/accept", newKey(), object{"payment": card("tok_visa"), "accept_terms": true}, holder)
			if err != nil {
				t.Error(err)
				return
			}
			var c checkout
			var p problem
			if err := errors.Join(json.Unmarshal(a.body, &c), json.Unmarshal(a.body, &p)); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			codes[p.Code]++
			if a.status == http.StatusCreated {
				ids[c.Subscription.ID] = true
				shared.know(c)
			}
		})
	}
	work.Wait()
	if len(ids) != 1 || codes[""] != 1 || codes["quote_accepted"] != 9 {
		t.Fatalf("%v, subscriptions %v", codes, ids)
	}
	for id := range ids {
		if got := shared.charges(t, id); len(got) != 1 {
			t.Errorf("charges %q", got)
		}
		shared.audit(t, id)
	}
}

func TestAQuoteWhoseCardIsDeclinedIsPaidByAnotherCard(t *testing.T) {
	who := newCustomer()
	q := shared.quote(t, who.quoted(nil))
	holder := shared.holder(t, who, q)
	p := shared.accept(t, q, holder, newKey(), "tok_declined").wantProblem(t, http.StatusPaymentRequired, "card_declined")
	if p.DeclineCode != "generic_decline" {
		t.Errorf("%+v", p)
	}
	shared.accept(t, q, holder, newKey(), "tok_visa").wantProblem(t, http.StatusConflict, "quote_accepted")
	shared.send(t, http.MethodPost, "/v1/subscriptions/"+p.SubscriptionID+"/payment-method", object{"token": secret("tok_visa")},
		map[string]string{"Authorization": "Bearer " + secret(p.CheckoutToken), "Idempotency-Key": newKey()}).want(t, http.StatusOK)
	if sub := shared.subscription(t, p.SubscriptionID); sub.Status != "active" {
		t.Errorf("%+v", sub)
	}
	shared.audit(t, p.SubscriptionID)
}

func TestAQuoteWhoseOrderHasLapsedCanBeAcceptedAgainUntilItExpires(t *testing.T) {
	clock, who := shared.clock(t, "2026-01-31T10:00:00Z"), newCustomer()
	q := shared.quote(t, who.quoted(object{"test_clock": clock}))
	holder := shared.holder(t, who, q)
	shared.accept(t, q, holder, newKey(), "tok_Preiselbeere").wantProblem(t, http.StatusUnprocessableEntity, "unknown_token")
	p := shared.accept(t, q, holder, newKey(), "tok_declined").wantProblem(t, http.StatusPaymentRequired, "card_declined")
	shared.advance(t, clock, "2026-02-01T09:00:00Z") // 23 hours
	if sub := shared.subscription(t, p.SubscriptionID); sub.Status != "incomplete_expired" {
		t.Fatalf("%+v", sub)
	}
	if now := shared.look(t, q, holder); now.Status != "open" || now.SubscriptionID != nil {
		t.Errorf("%+v", now)
	}
	var c checkout
	shared.accept(t, q, holder, newKey(), "tok_visa").want(t, http.StatusCreated).into(t, &c)
	shared.know(c)
	shared.wantCharges(t, c.Subscription.ID, charged("2026-02-01T09:00:00Z", 990))
}

func TestAQuoteIsPaidByInvoiceWhereAnOrderIs(t *testing.T) {
	clock, who := shared.clock(t, "2026-01-31T10:00:00Z"), newCustomer()
	byInvoice := object{"payment": object{"method": "invoice"}, "accept_terms": true}
	small := shared.quote(t, who.quoted(object{"test_clock": clock}))
	shared.post(t, "/v1/quotes/"+small.ID+"/accept", newKey(), byInvoice).wantProblem(t, http.StatusUnprocessableEntity, "invoice_not_allowed")
	large := shared.quote(t, who.quoted(object{"test_clock": clock, "plan": object{"type": "users", "tier": "Unlimited", "cycle": "yearly"}}))
	var c checkout
	shared.post(t, "/v1/quotes/"+large.ID+"/accept", newKey(), byInvoice).want(t, http.StatusCreated).into(t, &c)
	shared.know(c)
	if c.Payment.Status != "pending" || c.Invoice.Status != "open" || c.Invoice.AmountDue != large.Total || c.Subscription.Collection != "invoice" {
		t.Errorf("%+v", c)
	}
}

func TestQuotesThatAreRefused(t *testing.T) {
	who := newCustomer()
	q := shared.quote(t, who.quoted(nil))
	holder := shared.holder(t, who, q)
	for _, c := range []struct {
		changes object
		status  int
		code    string
	}{
		{object{"product": "none"}, http.StatusUnprocessableEntity, "unknown_product"},
		{object{"plan": users("none")}, http.StatusUnprocessableEntity, "unknown_plan"},
		{object{"currency": "XYZ"}, http.StatusUnprocessableEntity, "unknown_currency"},
		{object{"quantity": 2}, http.StatusUnprocessableEntity, "quantity_not_allowed"},
		{object{"coupon": "none"}, http.StatusUnprocessableEntity, "unknown_coupon"},
		{object{"quantitty": 1}, http.StatusUnprocessableEntity, "invalid"},
		{object{"billing": nil}, http.StatusUnprocessableEntity, "invalid"},
	} {
		shared.post(t, "/v1/quotes", newKey(), who.quoted(c.changes)).wantProblem(t, c.status, c.code)
	}
	shared.post(t, "/v1/quotes", newKey(), who.order(nil)).wantProblem(t, http.StatusUnprocessableEntity, "invalid") // it has a payment
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	key := map[string]string{"Idempotency-Key": newKey()}
	shared.send(t, http.MethodPost, "/v1/quotes", who.quoted(object{"test_clock": clock}), key).wantProblem(t, http.StatusForbidden, "forbidden")
	shared.send(t, http.MethodPost, "/v1/quotes", who.quoted(nil), nil).wantProblem(t, http.StatusBadRequest, "idempotency_key_required")
	if n := len(shared.emails(t, who.email)); n != 1 {
		t.Errorf("%d emails", n)
	}

	holder["Idempotency-Key"] = newKey()
	at := "/v1/quotes/" + q.ID + "/accept"
	for code, body := range map[string]object{
		"terms_not_accepted": {"payment": card("tok_visa"), "accept_terms": false},
		"invalid":            {"accept_terms": true},
	} {
		shared.send(t, http.MethodPost, at, body, holder).wantProblem(t, http.StatusUnprocessableEntity, code)
	}
	shared.post(t, "/v1/quotes/quo_none/accept", newKey(), object{"payment": card("tok_visa"), "accept_terms": true}).wantProblem(t, http.StatusNotFound, "not_found")
	if now := shared.look(t, q, holder); now.Status != "open" {
		t.Errorf("%+v", now)
	}
}

func TestAQuoteKeepsTheTermsOfItsCoupon(t *testing.T) {
	clock, who := shared.clock(t, "2026-01-31T10:00:00Z"), newCustomer()
	code := shared.coupon(t, object{"percent": 20, "invoices": 1, "limit": 1})
	q := shared.quote(t, who.quoted(object{"test_clock": clock, "coupon": code}))
	if q.Total != usd(792) || q.Recurring.Total != usd(990) {
		t.Errorf("%+v", q)
	}
	shared.send(t, http.MethodPut, "/v1/operator/coupons/"+code, object{"percent": 1, "invoices": 1, "limit": 1}, shared.asOperator()).want(t, http.StatusOK)
	var c checkout
	shared.accept(t, q, shared.holder(t, who, q), newKey(), "tok_visa").want(t, http.StatusCreated).into(t, &c)
	shared.know(c)
	shared.advance(t, clock, "2026-02-28T10:00:00Z")
	shared.wantCharges(t, c.Subscription.ID, charged("2026-01-31T10:00:00Z", 792), charged("2026-02-28T10:00:00Z", 990))
}

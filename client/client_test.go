package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// scripted answers one request after the other, and keeps what was asked.
type scripted struct {
	answers []func(http.ResponseWriter)
	keys    []string
	asked   []string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
	s.asked = append(s.asked, r.URL.RequestURI())
	s.answers[min(len(s.asked), len(s.answers))-1](w)
}

func (s *scripted) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return New(server.URL, "okv_key")
}

func answer(status int, retryAfter, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func lose(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func TestACommandIsRepeatedUnderItsKeyUntilItsOutcomeIsKnown(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){
		answer(503, "0", `{"code":"unavailable"}`), lose, answer(202, "0", `{"payment":{"status":"pending"}}`),
		answer(200, "", `{"subscription":{"id":"sub_1","cancel_at_period_end":true}}`),
	}}
	result, err := s.client(t).Cancel(t.Context(), "sub_1", EmptyCommandBody{})
	if err != nil || !result.Subscription.CancelAtPeriodEnd {
		t.Fatalf("%+v, %v", result, err)
	}
	if len(s.keys) != 4 || len(s.keys[0]) < 16 || len(slices.Compact(s.keys)) != 1 {
		t.Errorf("the keys are %q", s.keys)
	}
}

func TestACallersKeyIsSentAndAnotherCommandHasAnother(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){answer(200, "", `{}`)}}
	c := s.client(t)
	for _, ctx := range []context.Context{WithIdempotencyKey(t.Context(), "order-2026-0001-x"), t.Context(), t.Context()} {
		if _, err := c.Resume(ctx, "sub_1", EmptyCommandBody{}); err != nil {
			t.Fatal(err)
		}
	}
	if s.keys[0] != "order-2026-0001-x" || s.keys[1] == s.keys[2] {
		t.Errorf("the keys are %q", s.keys)
	}
}

func TestAnOutcomeThatIsNotKnownIsNoFailure(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){answer(202, "0", `{"subscription":{"id":"sub_1"}}`)}}
	result, err := s.client(t).Renew(t.Context(), "sub_1", EmptyCommandBody{})
	if !errors.Is(err, ErrUnknown) || result.Subscription.ID != "sub_1" || len(s.asked) != 5 {
		t.Errorf("%v after %d tries", err, len(s.asked))
	}
}

func TestWhatTakesNoKeyIsNotRepeatedAfterAFault(t *testing.T) {
	for name, c := range map[string]struct {
		first func(http.ResponseWriter)
		tries int
	}{
		"a fault": {answer(500, "", `{"code":"internal"}`), 1}, "a lost answer": {lose, 1}, "too many": {answer(429, "0", `{"code":"too_many_requests"}`), 2},
	} {
		s := &scripted{answers: []func(http.ResponseWriter){c.first, answer(201, "", `{"id":"key_1"}`)}}
		_, err := s.client(t).CreateAPIKey(t.Context(), CreateAPIKeyParams{}, CreateAPIKeyRequest{Name: "reports"})
		if len(s.asked) != c.tries || (err == nil) != (c.tries > 1) || s.keys[0] != "" {
			t.Errorf("%s: %d tries, %v", name, len(s.asked), err)
		}
	}
}

func TestARefusalIsAProblemAndIsNotRepeated(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){answer(422, "", `{"status":422,"code":"invalid","errors":[{"field":"plan.Tier","detail":"is not known"}]}`)}}
	_, err := s.client(t).Checkout(t.Context(), CheckoutBody{})
	var p *Problem
	if !errors.As(err, &p) || p.Code != "invalid" || p.Errors[0].Field != "plan.Tier" || len(s.asked) != 1 {
		t.Errorf("%v after %d tries", err, len(s.asked))
	}
}

func TestAListGoesThroughItsPages(t *testing.T) {
	s := &scripted{answers: []func(http.ResponseWriter){
		answer(200, "", `{"data":[{"id":"inv_3"},{"id":"inv_2"}],"next_cursor":"inv_2"}`), answer(200, "", `{"data":[{"id":"inv_1"}],"next_cursor":null}`),
	}}
	var ids []string
	for invoice, err := range s.client(t).ListInvoicesAll(t.Context(), ListInvoicesParams{Limit: 2, Email: "ada+x@contoso.example"}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, invoice.ID)
	}
	if !slices.Equal(ids, []string{"inv_3", "inv_2", "inv_1"}) {
		t.Errorf("it lists %v", ids)
	}
	if want := []string{"/v1/invoices?email=ada%2Bx%40contoso.example&limit=2", "/v1/invoices?cursor=inv_2&email=ada%2Bx%40contoso.example&limit=2"}; !slices.Equal(s.asked, want) {
		t.Errorf("it asks for %v", s.asked)
	}
}

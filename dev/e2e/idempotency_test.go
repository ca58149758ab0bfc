package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.temporal.io/sdk/client"
)

func TestTheSameKeyGetsTheFirstAnswerAgainWhateverHasHappenedSince(t *testing.T) {
	t.Parallel()
	data, operator := t.TempDir(), newOperator()
	s := startOn(t, data, operator, 30)
	clock := s.clock(t, "2026-01-31T10:00:00Z")
	who := newCustomer()
	order := who.order(object{"test_clock": clock})
	declined := newCustomer().order(object{"payment": card("tok_declined")})
	type asked struct {
		what, path, key string
		body            any
		first           string
	}
	var all []*asked
	ask := func(what, path string, body any, status int) answer {
		t.Helper()
		q := &asked{what: what, path: path, key: newKey(), body: body}
		a := s.post(t, path, q.key, body).want(t, status)
		q.first = a.same(t)
		all = append(all, q)
		return a
	}
	var c checkout
	ask("the purchase", "/v1/checkout", order, http.StatusCreated).into(t, &c)
	s.know(c)
	id := c.Subscription.ID
	at := "/v1/subscriptions/" + id
	ask("the declined purchase", "/v1/checkout", declined, http.StatusPaymentRequired)
	ask("the upgrade", at+"/change", object{"plan": users("21-50")}, http.StatusOK)
	ask("the refused upgrade", at+"/change", object{"plan": users("21-50")}, http.StatusConflict)
	ask("the new card", at+"/payment-method", object{"token": secret("tok_visa")}, http.StatusOK)
	ask("the unknown card", at+"/payment-method", object{"token": secret("tok_Preiselbeere")}, http.StatusUnprocessableEntity)
	charges := 2
	again := func(since string) {
		t.Helper()
		for _, q := range all {
			if got := s.post(t, q.path, q.key, q.body).same(t); got != q.first {
				t.Errorf("%s again, %s:\n%s\nfirst:\n%s", q.what, since, got, q.first)
			}
		}
		if got := s.charges(t, id); len(got) != charges {
			t.Errorf("%s: charges %q", since, got)
		}
		s.audit(t, id)
	}
	again("at once")

	s.close(t)
	s = startOn(t, data, operator, 30)
	s.know(c)
	again("after a restart")

	runs := len(s.runs(t, id))
	for pairs := 0; len(s.runs(t, id)) < runs+2; pairs += 10 { // a run goes on while it is never idle
		if pairs == 200 {
			t.Fatalf("after %d commands there are %d runs, and %d before", 2*pairs, len(s.runs(t, id)), runs)
		}
		for range 10 {
			s.command(t, id, "cancel", nil).want(t, http.StatusOK)
			s.command(t, id, "resume", nil).want(t, http.StatusOK)
		}
	}
	again("after continue-as-new")
	resend := func(since string) { // as an API would that was slow to send it
		t.Helper()
		for _, d := range completed(t, s.runs(t, id)) {
			if d.request == "" {
				continue
			}
			action, _ := d.command["action"].(string)
			h, err := s.temporal.UpdateWorkflow(context.Background(), client.UpdateWorkflowOptions{
				WorkflowID: id, UpdateID: d.request, UpdateName: strings.ReplaceAll(action, "-", "_"), Args: []any{d.command},
				WaitForStage: client.WorkflowUpdateStageCompleted,
			})
			must(t, err)
			var outcome struct{ Code string }
			must(t, h.Get(context.Background(), &outcome))
			if outcome.Code != d.code {
				t.Errorf("the update of %s again, %s: %q", d, since, outcome.Code)
			}
		}
		again(since)
	}
	resend("sent to another run")

	ask("the cancellation", at+"/cancel", object{}, http.StatusOK)
	s.advance(t, clock, "2026-06-01T00:00:00Z")
	eventually(t, listed, "the workflow has ended", func() bool { return !s.running(t, id) })
	again("after the end")
	if s.running(t, id) {
		t.Error("a repeated key has started the workflow again")
	}

	ask("the revival", at+"/renew", object{}, http.StatusOK)
	charges++
	again("after the revival")
	resend("sent to the revived run")
	if sub := s.subscription(t, id); sub.Status != "active" || sub.CancelAtPeriodEnd {
		t.Errorf("%+v", sub)
	}
}

func TestTheSameKeyWithAnotherBodyIsAConflict(t *testing.T) {
	who, key := newCustomer(), newKey()
	o := who.order(nil)
	var c checkout
	shared.post(t, "/v1/checkout", key, o).want(t, http.StatusCreated).into(t, &c)
	shared.know(c)
	o["currency"] = "EUR"
	shared.post(t, "/v1/checkout", key, o).wantProblem(t, http.StatusConflict, "idempotency_conflict")
	at := "/v1/subscriptions/" + c.Subscription.ID
	key = newKey()
	shared.post(t, at+"/change", key, object{"plan": users("21-50")}).want(t, http.StatusOK)
	shared.post(t, at+"/change", key, object{"plan": users("51-100")}).wantProblem(t, http.StatusConflict, "idempotency_conflict")
	if sub := shared.subscription(t, c.Subscription.ID); sub.Plan.ID != "calendar-pro_users_21-50_monthly" {
		t.Errorf("plan %s", sub.Plan.ID)
	}
	// On another route, and of another caller, it is another key.
	shared.post(t, at+"/cancel", key, object{}).want(t, http.StatusOK)
	var other checkout
	shared.send(t, http.MethodPost, "/v1/checkout", newCustomer().order(nil), map[string]string{"Idempotency-Key": key}).
		want(t, http.StatusCreated).into(t, &other)
	shared.know(other)
	if other.Subscription.ID == c.Subscription.ID {
		t.Error("another caller has got this one's answer")
	}
}

func TestAKeyIsNeededAndHeldToItsShape(t *testing.T) {
	o := newCustomer().order(nil)
	shared.send(t, http.MethodPost, "/v1/checkout", o, nil).wantProblem(t, http.StatusBadRequest, "idempotency_key_required")
	for _, key := range []string{"fifteen-letters", "with a space in it", "ä-sixteen-letters"} {
		a := shared.send(t, http.MethodPost, "/v1/checkout", o, map[string]string{"Idempotency-Key": key})
		if a.status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", key, a.status, a.body)
		}
	}
}

func TestFortyEqualRequestsAtOnceChargeOnce(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) { fortyEqualRequests(t, shared) })
	t.Run("on MySQL", func(t *testing.T) { fortyEqualRequests(t, onMySQL(t)) })
}

func fortyEqualRequests(t *testing.T, s *shop) {
	who, key := newCustomer(), newKey()
	o := who.order(nil)
	var mu sync.Mutex
	answers, ids := map[string]int{}, map[string]bool{}
	var work sync.WaitGroup
	for range 40 {
		work.Go(func() {
			a, err := s.answered("/v1/checkout", key, o, nil)
			if err != nil {
				t.Error(err)
				return
			}
			var c checkout
			if err := json.Unmarshal(a.body, &c); err != nil {
				t.Error(err)
				return
			}
			s.know(c)
			mu.Lock()
			defer mu.Unlock()
			answers[a.same(t)]++
			ids[c.Subscription.ID] = true
		})
	}
	work.Wait()
	if len(answers) != 1 || len(ids) != 1 {
		t.Fatalf("%d different answers for %d subscriptions: %v", len(answers), len(ids), answers)
	}
	for id := range ids {
		if got := s.charges(t, id); len(got) != 1 {
			t.Errorf("charges %q", got)
		}
		s.audit(t, id)
	}
	s.awaitEmails(t, who.email, 1)

	// So it is with a command.
	clock := s.clock(t, "2026-04-01T00:00:00Z")
	id := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	s.advance(t, clock, "2026-04-16T00:00:00Z")
	key = newKey()
	for range 40 {
		work.Go(func() {
			a, err := s.answered("/v1/subscriptions/"+id+"/change", key, object{"plan": users("21-50")}, s.asOperator())
			if err != nil || a.status != http.StatusOK {
				t.Error(err, fmt.Sprintf("%d %s", a.status, a.body))
			}
		})
	}
	work.Wait()
	s.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
}

func TestTwoKeysAreTwoOrders(t *testing.T) {
	o := newCustomer().order(nil)
	first, second := shared.buy(t, o), shared.buy(t, o)
	if first.Subscription.ID == second.Subscription.ID || first.License.ID == second.License.ID {
		t.Error("they are one")
	}
	for _, c := range []checkout{first, second} {
		if got := shared.charges(t, c.Subscription.ID); len(got) != 1 {
			t.Errorf("charges %q", got)
		}
	}
}

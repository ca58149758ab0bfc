package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/enums/v1"
)

// answered sends a command again with the same key for as long as its outcome
// is not known.
func (s *shop) answered(path, key string, body any, header map[string]string) (answer, error) {
	h := map[string]string{"Idempotency-Key": key}
	maps.Copy(h, header)
	for deadline := time.Now().Add(2 * time.Minute); ; {
		a, err := s.try(http.MethodPost, path, body, h)
		switch {
		case err != nil:
		case a.status == http.StatusAccepted, a.status >= 500:
			err = fmt.Errorf("%d %s", a.status, a.body)
		case a.status == http.StatusConflict && a.code() == "idempotency_in_progress":
			err = errors.New(a.code())
		default:
			return a, nil
		}
		if time.Now().After(deadline) {
			return a, err
		}
		time.Sleep(100 * time.Millisecond) // the client's patience, not the test's
	}
}

func (a answer) code() string {
	var p problem
	if json.Unmarshal(a.body, &p) != nil {
		return ""
	}
	return p.Code
}

// The history is suggested to be ended after 30 events, which is every few
// commands: in the middle of commands that come side by side, by updates and
// signals, with renewals between them.
func TestAContinueAsNewInTheMiddleOfCommandsLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, 30)
	clock := s.clock(t, "2026-01-31T10:00:00Z")
	id := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	path := "/v1/subscriptions/" + id + "/"

	type given struct {
		action, key string
		body        object
		answer      answer
	}
	var mu sync.Mutex
	var all []given
	signals := 0
	tiers := []string{"1-20", "21-50", "51-100", "Single"}
	var work sync.WaitGroup
	// Three people press buttons, two send signals, and time goes by.
	for person := range 3 {
		work.Go(func() {
			for i := range 12 {
				g := given{key: newKey(), body: object{}}
				switch n := rand.IntN(8); {
				case n < 4:
					g.action, g.body = "change", object{"plan": users(tiers[(person+i)%len(tiers)])}
				case n < 6:
					g.action, g.body = "payment-method", object{"token": secret("tok_visa")}
				case n < 7:
					g.action = "cancel"
				default:
					g.action = "resume"
				}
				a, err := s.answered(path+g.action, g.key, g.body, s.asOperator())
				if err != nil {
					t.Errorf("%s: %v", g.action, err)
				}
				g.answer = a
				mu.Lock()
				all = append(all, g)
				mu.Unlock()
			}
		})
	}
	for person := range 2 {
		work.Go(func() {
			for i := range 12 {
				name, arg := "upgrade", object{"plan": "calendar-pro_users_21-50_monthly"}
				switch rand.IntN(4) {
				case 0:
					name, arg = "cancel", object{}
				case 1:
					name, arg = "resume", object{}
				case 2:
					arg = object{"plan": "calendar-pro_users_1-20_monthly"}
				}
				if err := s.temporal.SignalWorkflow(context.Background(), id, "", name, arg); err != nil {
					t.Errorf("signal %d of %d: %v", i, person, err)
				}
				mu.Lock()
				signals++
				mu.Unlock()
			}
		})
	}
	work.Go(func() {
		for day := 1; day <= 12; day++ {
			to := time.Date(2026, 1, 31+day, 10, 0, 0, 0, time.UTC).Format(time.RFC3339)
			s.advance(t, clock, to)
		}
	})
	work.Wait()
	if t.Failed() {
		return
	}
	// What is left of it is one subscription that goes on, through renewals.
	eventually(t, time.Minute, "all signals are handled", func() bool {
		n := 0
		for _, d := range completed(t, s.runs(t, id)) {
			if d.request == "" && (d.activity == "Change" || d.activity == "Cancel" || d.activity == "Resume") {
				n++
			}
		}
		return n >= signals
	})
	if s.subscription(t, id).CancelAtPeriodEnd {
		s.command(t, id, "resume", nil).want(t, http.StatusOK)
	}
	s.advance(t, clock, "2027-01-01T00:00:00Z") // the latest change was in January or February

	// Every request was carried out once, and was told so; every signal once.
	runs := s.runs(t, id)
	if len(runs) < 4 {
		t.Errorf("only %d runs", len(runs))
	}
	carried, bySignal, received := map[string]int{}, 0, 0
	accepted := map[string]int{} // by activity
	for _, d := range completed(t, runs) {
		switch {
		case d.request != "":
			carried[d.request]++
		case d.activity == "Change" || d.activity == "Cancel" || d.activity == "Resume":
			bySignal++
		default:
			continue
		}
		if d.code == "" {
			accepted[d.activity]++
		}
	}
	for i, h := range runs {
		received += count(h, enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
		last := h.Events[len(h.Events)-1].EventType
		if continued := last == enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW; continued != (i < len(runs)-1) {
			t.Errorf("run %d of %d ends with %v", i+1, len(runs), last)
		}
	}
	if received != signals || bySignal != signals {
		t.Errorf("of %d signals %d were received and %d handled", signals, received, bySignal)
	}
	for request, times := range carried {
		if times != 1 {
			t.Errorf("%s was carried out %d times", request, times)
		}
	}
	done := map[string]int{}
	for _, g := range all {
		switch g.answer.status {
		case http.StatusOK:
			done[g.action]++
		case http.StatusConflict:
			if c := g.answer.code(); c != "no_change" && c != "not_possible_now" {
				t.Errorf("%s: %s", g.action, g.answer.body)
			}
		default:
			t.Errorf("%s: %d %s", g.action, g.answer.status, g.answer.body)
		}
		again, err := s.answered(path+g.action, g.key, g.body, s.asOperator())
		must(t, err)
		if diff := cmp.Diff(g.answer.same(t), again.same(t)); diff != "" {
			t.Errorf("%s again:\n%s", g.action, diff)
		}
	}
	// What was done stands in the audit history once: by requests as the answers
	// said, and by signals.
	kinds := map[string]int{}
	for _, e := range s.events(t, id) {
		kinds[e.Kind]++
	}
	if got := kinds["renewal"]; got < 10 || got > 11 {
		t.Errorf("%d renewals in 2026", got)
	}
	for _, k := range []struct{ kind, activity, action string }{
		{"change", "Change", "change"}, {"cancel_scheduled", "Cancel", "cancel"},
		{"resumed", "Resume", "resume"}, {"payment_method", "StorePaymentMethod", "payment-method"},
	} {
		if kinds[k.kind] != accepted[k.activity] || kinds[k.kind] < done[k.action] {
			t.Errorf("%d × %s, with %d done by activities and %d answered so", kinds[k.kind], k.kind, accepted[k.activity], done[k.action])
		}
	}
	s.audit(t, id)
	if a := s.attributes(t, id); a["SubscriptionNumber"] != float64(s.subscription(t, id).Number) { // of the last run
		t.Errorf("the search attributes are %v", a)
	}
	fmt.Printf("%d runs, %d requests (%v done), %d signals, %d charges\n", len(runs), len(all), done, signals, len(s.ledger(t, id)))
}

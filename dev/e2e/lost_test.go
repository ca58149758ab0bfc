package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
)

// asked is a command with its key and what was answered.
type asked struct {
	path, key string
	body      object
	answer    answer
	err       error
}

// askAll sends commands side by side, each once.
func (p *processes) askAll(all []*asked) {
	var work sync.WaitGroup
	for _, q := range all {
		work.Go(func() {
			h := p.asOperator()
			h["Idempotency-Key"] = q.key
			q.answer, q.err = p.try(http.MethodPost, q.path, q.body, h)
		})
	}
	work.Wait()
}

// again sends the same command with the same key until its outcome is known.
func (p *processes) again(t *testing.T, q *asked) answer {
	t.Helper()
	a, err := p.answered(q.path, q.key, q.body, p.asOperator())
	must(t, err)
	return a
}

// begun waits until a run has begun, and so has had all that came with it.
func (p *processes) begun(t *testing.T, id string) {
	t.Helper()
	eventually(t, time.Minute, id+" has begun", func() bool {
		return count(p.history(t, id, ""), enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) > 0
	})
}

// An Update-with-Start times out without a worker, and happens all the same:
// the answer is that nobody knows yet, never that it failed.
func TestWhatIsAskedWhileTheWorkerIsDownIsDoneOnceWhenItIsBack(t *testing.T) {
	t.Parallel()
	p := startProcesses(t, "")
	worker := p.spawn(t)
	worker.begin(t)
	clock := p.clock(t, "2026-04-01T00:00:00Z")
	id := p.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	p.advance(t, clock, "2026-04-16T00:00:00Z")
	worker.die(t, 0)

	at := "/v1/subscriptions/" + id
	purchase := &asked{path: "/v1/checkout", key: newKey(), body: newCustomer().order(nil)}
	change := &asked{path: at + "/change", key: newKey(), body: object{"plan": users("21-50")}}
	newCard := &asked{path: at + "/payment-method", key: newKey(), body: object{"token": secret("tok_visa")}}
	// A client that goes away in the middle of its request: its connection is cut.
	gone := &asked{path: "/v1/checkout", key: newKey(), body: newCustomer().order(object{"payment": card("tok_timeout_charged")})}
	var left sync.WaitGroup
	left.Go(func() {
		ctx, cut := context.WithTimeout(t.Context(), 2*time.Second)
		defer cut()
		body, err := json.Marshal(gone.body)
		if err != nil {
			t.Error(err)
			return
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.http+gone.path, strings.NewReader(string(body)))
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+p.operator)
		r.Header.Set("Idempotency-Key", gone.key)
		if response, err := visitor.Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the client was answered before it went: %v %v", response, err)
		}
	})
	waiting := []*asked{purchase, change, newCard}
	p.askAll(waiting)
	left.Wait()
	for _, q := range waiting {
		if q.err != nil || q.answer.status != http.StatusAccepted || q.answer.header.Get("Retry-After") == "" {
			t.Fatalf("%s: %v %d %s, want 202", q.path, q.err, q.answer.status, q.answer.body)
		}
	}
	var pending checkout
	purchase.answer.into(t, &pending)
	if pending.Payment.Status != "pending" || pending.Subscription.Status != "incomplete" {
		t.Errorf("%+v", pending)
	}
	p.wantCharges(t, pending.Subscription.ID)
	p.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990))

	// Nobody asks again: what was asked is done when the worker is back, also for
	// the client that went.
	worker = p.spawn(t)
	worker.begin(t)
	p.settle(t)
	p.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
	for _, q := range []*asked{purchase, gone} {
		var c checkout
		for range 2 {
			p.again(t, q).want(t, http.StatusCreated).into(t, &c)
		}
		p.know(c)
		if got := p.charges(t, c.Subscription.ID); len(got) != 1 || c.Subscription.Status != "active" || c.Payment.Status != "succeeded" {
			t.Errorf("charges %q, %+v", got, c)
		}
		p.audit(t, c.Subscription.ID)
	}
	for _, q := range []*asked{change, newCard} {
		p.again(t, q).want(t, http.StatusOK)
	}
	p.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
	if got := p.column(t, "SELECT COUNT(*) FROM subscriptions")[0]; got != "3" {
		t.Errorf("%s subscriptions of three orders", got)
	}
	p.wantNoDifference(t)
	worker.die(t, 0)
}

// An update that no worker has seen is lost with the server that kept it, and a
// run without its purchase stays behind. Only the request row remembers.
func TestWhatTheServerLostIsDoneOnceWhenAskedAgainAndNeverTooLate(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "temporal.db")
	p := startProcesses(t, data)
	clock := p.clock(t, "2026-04-01T00:00:00Z")
	order := func() *asked {
		return &asked{path: "/v1/checkout", key: newKey(), body: newCustomer().order(object{"test_clock": clock})}
	}
	soon, late, never := order(), order(), order()
	p.askAll([]*asked{soon, late, never})
	id := map[*asked]string{}
	for _, q := range []*asked{soon, late, never} {
		var c checkout
		q.answer.want(t, http.StatusAccepted).into(t, &c)
		id[q] = c.Subscription.ID
	}
	frontend := p.server.Address()
	p.server.Stop()
	p.startTemporal(t, data, frontend)
	worker := p.spawn(t)
	worker.begin(t)
	for _, sub := range id {
		p.begun(t, sub)
		p.wantCharges(t, sub) // the update is lost
		if got := p.subscription(t, sub).Status; got != "incomplete" {
			t.Errorf("%s is %s", sub, got)
		}
	}

	// The same key in time.
	for range 2 {
		p.again(t, soon).want(t, http.StatusCreated)
		p.wantCharges(t, id[soon], charged("2026-04-01T00:00:00Z", 990))
	}
	// The same key after ten minutes, which have passed for this request.
	r, err := p.db.Exec(`UPDATE requests SET command = JSON_SET(command, '$.not_after', '2026-01-01T00:00:00Z') WHERE subscription = ?`, id[late])
	must(t, err)
	if n, err := r.RowsAffected(); n != 1 || err != nil {
		t.Fatalf("%d requests, %v", n, err)
	}
	for range 2 {
		p.again(t, late).wantProblem(t, http.StatusConflict, "request_expired")
		p.wantCharges(t, id[late])
	}
	// Never again: the order lapses, and its run ends by itself.
	p.advance(t, clock, "2026-04-02T00:00:00Z")
	eventually(t, listed, "the run without a purchase has ended", func() bool { return !p.running(t, id[never]) })
	for _, q := range []*asked{late, never} {
		if got := p.subscription(t, id[q]).Status; got != "incomplete_expired" {
			t.Errorf("%s is %s", id[q], got)
		}
		p.wantCharges(t, id[q])
	}
	// Its key comes even now: nothing that has ended is bought.
	a := p.again(t, never)
	if a.status != http.StatusConflict {
		t.Errorf("after the end: %d %s", a.status, a.body)
	}
	p.wantCharges(t, id[never])
	p.wantCharges(t, id[soon], charged("2026-04-01T00:00:00Z", 990))
	p.wantNoDifference(t)
	worker.die(t, 0)
}

// More updates than a workflow takes at a time, each another command: all of
// them get their outcome from it, each is done once.
func TestFortyCommandsAtOnceAllGetTheirOutcome(t *testing.T) {
	s := onMySQL(t)
	id := s.buy(t, newCustomer().order(nil)).Subscription.ID
	var work sync.WaitGroup
	for range 40 {
		work.Go(func() {
			a, err := s.answered("/v1/subscriptions/"+id+"/payment-method", newKey(), object{"token": secret("tok_visa")}, s.asOperator())
			if err != nil || a.status != http.StatusOK {
				t.Error(err, a.status, string(a.body))
			}
		})
	}
	work.Wait()
	stored := 0
	for _, e := range s.events(t, id) {
		if e.Kind == "payment_method" {
			stored++
		}
	}
	if stored != 40 {
		t.Errorf("%d cards were stored", stored)
	}
	if got := s.charges(t, id); len(got) != 1 {
		t.Errorf("charges %q", got)
	}
}

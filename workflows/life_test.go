package workflows_test

import (
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/mock"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// life is the life of one subscription in virtual time, which stands still
// while an activity runs: every instant is exact.
type life struct {
	*testing.T
	*activitiestest.Shop
	sub billing.SubscriptionID

	env      *testsuite.TestWorkflowEnvironment
	now      atomic.Int64 // virtual, where no run is there to tell
	began    time.Time
	later    map[time.Time][]func()                   // what the script does at instants that have not come
	setup    func(*testsuite.TestWorkflowEnvironment) // more of it, for the next run
	timers   []time.Duration                          // that the workflow started
	sums     []string                                 // summaries of timers and activities
	upserted []temporal.SearchAttributes
}

func newLife(t *testing.T, start string) *life {
	l := &life{T: t}
	l.now.Store(instant(start).Unix())
	l.Shop = activitiestest.New(t, func() time.Time {
		if l.env != nil {
			return l.env.Now()
		}
		return time.Unix(l.now.Load(), 0).UTC()
	})
	return l
}

// instant reads "2026-01-31 10:00:00".
func instant(s string) time.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return t
}

// run is one run of the workflow. The script says by at what happens when; a
// run that does not end by itself is ended there.
func (l *life) run(in workflows.Start, script func()) error {
	l.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	env := suite.NewTestWorkflowEnvironment()
	l.began = time.Unix(l.now.Load(), 0).UTC()
	env.SetStartTime(l.began)
	env.SetTestTimeout(20 * time.Second)
	env.SetWorkflowRunTimeout(12 * 365 * 24 * time.Hour) // one that should have ended fails soon
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&watcher{life: l}}})
	workflows.Register(env)
	l.Activities.Register(env)
	env.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		l.upserted = append(l.upserted, args.Get(0).(temporal.SearchAttributes))
	}).Return(nil).Maybe()
	// As the one who starts a run sets them, and as continue-as-new carries them.
	if err := env.SetTypedSearchAttributesOnStart(workflows.Attributes(l.State(l, l.sub))); err != nil {
		l.Fatal(err)
	}
	if l.setup != nil {
		l.setup(env)
		l.setup = nil
	}
	l.env = env
	script()
	env.ExecuteWorkflow(workflows.Subscription, in)
	l.now.Store(env.Now().Unix())
	l.env = nil
	return env.GetWorkflowError()
}

// lives runs a script from the beginning, until an instant at which the
// subscription must still run: in the first run, or in one that goes on after it.
func (l *life) lives(until string, script func()) {
	l.Helper()
	err := l.run(workflows.Start{ID: l.sub}, func() { script(); l.stop(until) })
	for workflow.IsContinueAsNewError(err) {
		err = l.run(l.carried(err), l.goOn)
	}
	if !temporal.IsCanceledError(err) {
		l.Fatalf("the run ended by itself: %v", err)
	}
}

// ends runs a script from the beginning; the run must end by itself.
func (l *life) ends(at string, script func()) {
	l.Helper()
	if err := l.run(workflows.Start{ID: l.sub}, script); err != nil {
		l.Fatalf("the run failed: %v", err)
	}
	if got := time.Unix(l.now.Load(), 0).UTC().Format(time.DateTime); got != at {
		l.Errorf("the run ended at %s, want %s", got, at)
	}
}

// at does something at a virtual instant.
func (l *life) at(when string, f func()) { l.schedule(instant(when), f) }

func (l *life) schedule(at time.Time, f func()) {
	if l.later == nil {
		l.later = map[time.Time][]func(){}
	}
	l.later[at] = append(l.later[at], f)
	l.env.RegisterDelayedCallback(func() {
		l.later[at] = l.later[at][1:]
		f()
	}, at.Sub(l.began))
}

// goOn does in the next run what the script has for later.
func (l *life) goOn() {
	later := l.later
	l.later = nil
	for at, all := range later {
		for _, f := range all {
			l.schedule(at, f)
		}
	}
}

func (l *life) stop(at string) { l.at(at, func() { l.env.CancelWorkflow() }) }

// answer is what became of an update.
type answer struct {
	rejected error
	done     bool
	outcome  billing.Outcome
	err      error
}

func (a *answer) Accept()          {}
func (a *answer) Reject(err error) { a.rejected = err }
func (a *answer) Complete(v any, err error) {
	a.done, a.err = true, err
	if o, ok := v.(billing.Outcome); ok {
		a.outcome = o
	}
}

// update sends a command as the API does: its row first.
func (l *life) update(c billing.Command, token string) *answer {
	return l.send(l.Ask(l, l.sub, c, token))
}

// send sends a command whose row is there.
func (l *life) send(c billing.Command) *answer {
	a := &answer{}
	l.env.UpdateWorkflow(c.Action.Update(), string(c.Request), a, c)
	return a
}

func (l *life) do(v billing.Action) *answer { return l.update(billing.Command{Action: v}, "") }

func (l *life) change(plan string) *answer {
	return l.update(billing.Command{Action: billing.ActionChange, Plan: plan}, "")
}

// order places an order and returns what to do at the run's beginning.
func (l *life) order(o activitiestest.Order) func() *answer {
	sub, c := l.Place(l, o)
	l.sub = sub
	return func() *answer {
		a := &answer{}
		l.env.RegisterDelayedCallback(func() { l.env.UpdateWorkflow("purchase", string(c.Request), a, c) }, 0)
		return a
	}
}

// wantDone fails unless an update was done.
func (l *life) wantDone(what string, a *answer) {
	l.Helper()
	switch {
	case a.rejected != nil:
		l.Errorf("%s: rejected: %v", what, a.rejected)
	case !a.done:
		l.Errorf("%s: was never answered", what)
	case a.err != nil:
		l.Errorf("%s: %v", what, a.err)
	case a.outcome.Code != "":
		l.Errorf("%s: refused: %s (%s)", what, a.outcome.Code, a.outcome.Detail)
	}
}

func (l *life) wantRefused(what string, a *answer, code billing.Code) {
	l.Helper()
	if a.rejected != nil || !a.done || a.err != nil || a.outcome.Code != code {
		l.Errorf("%s: got %+v, want the refusal %s", what, *a, code)
	}
}

// wantCharged compares what the gateway charged, and holds the books to it.
func (l *life) wantCharged(want ...activitiestest.Charge) {
	l.Helper()
	if want == nil {
		want = []activitiestest.Charge{}
	}
	if diff := cmp.Diff(want, l.Charged(l, l.sub)); diff != "" {
		l.Errorf("charges (-want +got):\n%s", diff)
	}
	l.Audit(l, l.sub)
}

func charge(at string, amount int64) activitiestest.Charge {
	return activitiestest.Charge{At: at, Amount: amount}
}

// wantState compares the subscription's row; where and why it ended.
func (l *life) wantStatus(status billing.Status, reason billing.CancelReason) billing.Subscription {
	l.Helper()
	s := l.State(l, l.sub)
	if s.Status != status || s.CancelReason != reason {
		l.Errorf("the subscription is %s (%s), want %s (%s)", s.Status, s.CancelReason, status, reason)
	}
	return s
}

// details is what an operator reads of the run.
func (l *life) details() string {
	v, err := l.env.QueryWorkflow("__temporal_workflow_metadata")
	if err != nil {
		l.Fatal(err)
	}
	var m sdkpb.WorkflowMetadata
	if err := v.Get(&m); err != nil {
		l.Fatal(err)
	}
	return m.CurrentDetails
}

// carried is the state that a run hands to the next.
func (l *life) carried(err error) workflows.Start {
	l.Helper()
	next := wantNextRun(l, err)
	var start workflows.Start
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &start); err != nil {
		l.Fatal(err)
	}
	return start
}

// watcher sees what a run starts.
type watcher struct {
	interceptor.WorkerInterceptorBase
	life *life
}

func (w *watcher) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	i := &inbound{life: w.life}
	i.Next = next
	return i
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	life *life
}

func (i *inbound) Init(out interceptor.WorkflowOutboundInterceptor) error {
	o := &outbound{life: i.life}
	o.Next = out
	return i.Next.Init(o)
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	life *life
}

func (o *outbound) NewTimer(ctx workflow.Context, d time.Duration) workflow.Future {
	o.life.timers = append(o.life.timers, d)
	return o.Next.NewTimer(ctx, d)
}

func (o *outbound) NewTimerWithOptions(ctx workflow.Context, d time.Duration, options workflow.TimerOptions) workflow.Future {
	o.life.timers = append(o.life.timers, d)
	o.life.sums = append(o.life.sums, options.Summary)
	return o.Next.NewTimerWithOptions(ctx, d, options)
}

func (o *outbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o.life.sums = append(o.life.sums, name+": "+workflow.GetActivityOptions(ctx).Summary)
	return o.Next.ExecuteActivity(ctx, name, args...)
}

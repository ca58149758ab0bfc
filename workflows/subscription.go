package workflows

import (
	"encoding/json"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
)

// do names the activities by method value; it is never called here.
var do *activities.Activities

// Subscription is the life of one subscription. It returns when nothing can
// become due any more; a later command starts a new run with the same id.
func Subscription(ctx workflow.Context, in Start) error {
	s, err := setup(ctx, in)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

type subscription struct {
	id     billing.SubscriptionID
	state  billing.Subscription
	loaded bool

	// Steps and commands are handled one at a time, in the order in which
	// they arrived. turn is the number of the one that is handled now or
	// next, arrived that of the last one.
	turn, arrived int
	// busy counts signals that were taken from their channel and not yet
	// handled. Signals still in a channel are seen by idle.
	busy    int
	signals []workflow.ReceiveChannel

	recentEvents []string // the latest lines of the history, for operators
	unsent       bool     // the outbox may hold something
	sending      bool
}

// setup registers every handler before anything blocks, so that no message of
// the first task is missed.
func setup(ctx workflow.Context, in Start) (*subscription, error) {
	s := &subscription{id: in.ID, turn: 1}
	if in.State != nil {
		s.state, s.loaded, s.recentEvents = *in.State, true, in.RecentEvents
	}
	for _, kind := range billing.Commands {
		handler := func(ctx workflow.Context, cmd billing.Command) (billing.Outcome, error) {
			return s.handle(ctx, kind, cmd)
		}
		err := workflow.SetUpdateHandlerWithOptions(ctx, kind.Update, handler,
			workflow.UpdateHandlerOptions{Validator: kind.Check, Description: kind.Description})
		if err != nil {
			return nil, err
		}
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateAdvance, s.advance,
		workflow.UpdateHandlerOptions{Description: "The test clock has moved."})
	if err != nil {
		return nil, err
	}
	for _, kind := range billing.Commands {
		if kind.Signal == "" {
			continue
		}
		channel := workflow.GetSignalChannelWithOptions(ctx, kind.Signal, workflow.SignalChannelOptions{Description: kind.Description})
		s.signals = append(s.signals, channel)
		workflow.GoNamed(ctx, "signal "+kind.Signal, func(ctx workflow.Context) { s.listen(ctx, channel, kind) })
	}
	workflow.GoNamed(ctx, "notify", s.notify)
	workflow.GoNamed(ctx, "refund", s.refund)
	return s, nil
}

func (s *subscription) run(ctx workflow.Context) error {
	if !s.loaded {
		if err := s.load(ctx); err != nil {
			return err
		}
		s.loaded = true
	}
	for {
		s.show(ctx)
		switch {
		case !s.leaving(ctx):
		case s.over():
			return nil
		default:
			return workflow.NewContinueAsNewError(ctx, Subscription, Start{ID: s.id, State: &s.state, RecentEvents: s.recentEvents})
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
		if err := s.inTurn(ctx, s.runDue); err != nil {
			return err
		}
	}
}

// wait sleeps on one timer until the next step is due, or until a command
// has changed what is due next.
func (s *subscription) wait(ctx workflow.Context) error {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	next := s.state.Next
	at, summary := next.At, inWords(s.state)
	if end := lastDay(ctx); !s.over() && !aged(ctx) && (at.IsZero() || end.Before(at)) {
		at, summary = end, "goes on as a new run, so that old code can go; then it "+summary
	}
	due := func() bool { return false } // on a test clock, advance does what is due
	if s.state.TestClock == "" && !at.IsZero() {
		timer := workflow.NewTimerWithOptions(ctx, at.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: summary})
		due = timer.IsReady
	}
	return workflow.Await(ctx, func() bool { return due() || s.state.Next != next || s.leaving(ctx) })
}

// over tells whether nothing is left to do. Refunds to a card are pursued
// even after the end.
func (s *subscription) over() bool {
	return s.state.Status.Ended() && s.state.Refunding == 0 && !s.state.PaymentPending()
}

// LongestRun is how long a run lasts at most, while it is idle at that moment:
// code that only older runs need can be removed after that.
const LongestRun = 400 * 24 * time.Hour

// lastDay is when this run should end.
func lastDay(ctx workflow.Context) time.Time {
	return workflow.GetInfo(ctx).WorkflowStartTime.Add(LongestRun)
}

func aged(ctx workflow.Context) bool { return !workflow.Now(ctx).Before(lastDay(ctx)) }

// leaving tells whether this run should end now, because the subscription is
// over, or the history long or old, and nothing would be lost by it. The
// next run asks again for a refund that the gateway has not answered yet.
func (s *subscription) leaving(ctx workflow.Context) bool {
	return (s.over() || workflow.GetInfo(ctx).GetContinueAsNewSuggested() || aged(ctx)) && s.idle(ctx)
}

// idle tells whether this run could end without losing anything.
func (s *subscription) idle(ctx workflow.Context) bool {
	for _, channel := range s.signals {
		if channel.Len() > 0 {
			return false
		}
	}
	return s.busy == 0 && !s.unsent && !s.sending && s.turn > s.arrived && workflow.AllHandlersFinished(ctx)
}

// inTurn runs f on the loaded state, when everything that arrived before has
// finished. (With the SDK's mutex, the latest update would go first.)
func (s *subscription) inTurn(ctx workflow.Context, f func(workflow.Context) error) error {
	s.arrived++
	mine := s.arrived
	if err := workflow.Await(ctx, func() bool { return s.loaded && s.turn == mine }); err != nil {
		return err
	}
	defer func() { s.turn++ }()
	return f(ctx)
}

// runDue does every step that is due, in order. It must be called in turn.
func (s *subscription) runDue(ctx workflow.Context) error {
	for {
		at := s.state.At(workflow.Now(ctx))
		next := s.state.Next
		if next.At.IsZero() || next.At.After(at) {
			return nil
		}
		_, err := s.execute(ctx, next.Kind.Activity(), activities.Task{At: at, Step: &next}, inWords(s.state))
		if err != nil && !isStale(err) {
			return err
		}
	}
}

// handle carries out a command, after every step that is due by now.
func (s *subscription) handle(ctx workflow.Context, kind billing.CommandKind, cmd billing.Command) (outcome billing.Outcome, err error) {
	cmd.Action = kind.Action
	err = s.inTurn(ctx, func(ctx workflow.Context) error {
		for {
			if err := s.runDue(ctx); err != nil {
				return err
			}
			at := s.state.At(workflow.Now(ctx))
			outcome, err = s.execute(ctx, kind.Activity, activities.Task{At: at, Command: &cmd}, asked(cmd))
			if !isStale(err) {
				return err
			}
		}
	})
	if err == nil && outcome.Code == "" && kind.Refunds() {
		// A refund that stays pending does not delay the answer further.
		err = s.awaitFor(ctx, 5*time.Second, "the gateway's answer to a refund", func() bool { return s.state.Refunding == 0 })
	}
	return outcome, err
}

// awaitFor waits until done is true, but no longer than patience.
func (s *subscription) awaitFor(ctx workflow.Context, patience time.Duration, what string, done func() bool) error {
	if done() {
		return nil
	}
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(ctx, patience, workflow.TimerOptions{Summary: "wait a moment for " + what})
	return workflow.Await(ctx, func() bool { return done() || timer.IsReady() })
}

// listen handles the signals of one name as commands.
func (s *subscription) listen(ctx workflow.Context, channel workflow.ReceiveChannel, kind billing.CommandKind) {
	for {
		// A signal stays in its channel, where idle sees it, until it is taken
		// and counted: Receive would take it out while this run may still end.
		if workflow.Await(ctx, func() bool { return channel.Len() > 0 }) != nil {
			return
		}
		// Decoded here, since the SDK would leave the readable half of a bad
		// payload behind for the next one.
		var payload json.RawMessage
		var cmd billing.Command
		if !channel.ReceiveAsync(&payload) {
			continue
		}
		if len(payload) == 0 { // sent without an argument
			payload = json.RawMessage("{}")
		}
		err := json.Unmarshal(payload, &cmd) //workflowcheck:ignore: a struct without maps
		if err != nil || kind.Check(cmd) != nil {
			workflow.GetLogger(ctx).Warn("a signal without its shape was ignored", "signal", channel.Name())
			continue
		}
		cmd.Request = "" // no one waits for the answer
		s.busy++
		outcome, err := s.handle(ctx, kind, cmd)
		s.busy--
		if err == nil && outcome.Code != "" {
			workflow.GetLogger(ctx).Info("a signal was refused", "signal", channel.Name(), "code", string(outcome.Code))
		}
	}
}

// advance follows the test clock and does everything that is due by then.
func (s *subscription) advance(ctx workflow.Context, a Advance) error {
	err := s.inTurn(ctx, func(ctx workflow.Context) error {
		if s.state.TestClock != "" && a.To.After(s.state.Now) {
			s.state.Now = a.To
		}
		return s.runDue(ctx)
	})
	if err != nil {
		return err
	}
	// After advancing a clock people look at the mails, so wait for them;
	// but not long, in case the mail server is down.
	return s.awaitFor(ctx, 10*time.Second, "the mails to be sent", func() bool { return !s.unsent && !s.sending })
}

// execute runs one activity on the current state and adopts the state that
// it returns. If the rows have moved on, it loads them and returns an error
// that isStale recognises.
func (s *subscription) execute(ctx workflow.Context, activity string, t activities.Task, summary string) (billing.Outcome, error) {
	t.Subscription, t.Revision = s.id, s.state.Revision
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		HeartbeatTimeout:    HeartbeatTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:             summary,
	})
	var r activities.Result
	if err := workflow.ExecuteActivity(ctx, activity, t).Get(ctx, &r); err != nil {
		if isStale(err) {
			err = errors.Join(s.load(ctx), err)
		}
		return billing.Outcome{}, err
	}
	s.state, s.recentEvents = r.Subscription, r.RecentEvents
	s.unsent = s.unsent || r.Mail
	s.show(ctx)
	if r.Again {
		return billing.Outcome{}, errAgain
	}
	return r.Outcome, nil
}

// errAgain says that the state has changed and the step or command must
// still be done on the new one.
var errAgain = temporal.NewNonRetryableApplicationError("a payment that waited has been ended", activities.ErrorStale, nil)

func isStale(err error) bool {
	var e *temporal.ApplicationError
	return errors.As(err, &e) && e.Type() == activities.ErrorStale
}

// load reads the state from the rows, retrying for as long as it takes.
func (s *subscription) load(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		HeartbeatTimeout:    HeartbeatTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:             "read the subscription from the database",
	})
	var fresh activities.Loaded // nothing of the old state may show through
	if err := workflow.ExecuteActivity(ctx, do.Load, s.id).Get(ctx, &fresh); err != nil {
		return err
	}
	s.state, s.recentEvents = fresh.Subscription, fresh.RecentEvents
	s.unsent = true // what an older run may have left
	return nil
}

// notify sends the outbox whenever it may hold something. It runs in parallel to
// the steps, so that a mail server that is down delays none of them. What it
// cannot deliver in ten minutes is left to the sweeper.
func (s *subscription) notify(ctx workflow.Context) {
	ctx = mailing(ctx)
	for {
		if workflow.Await(ctx, func() bool { return s.unsent }) != nil {
			return
		}
		s.unsent, s.sending = false, true
		if err := workflow.ExecuteActivity(ctx, do.Notify, s.id).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Warn("mails are left to the sweeper")
		}
		s.sending = false
	}
}

// refund asks the gateway for pending refunds, and records the answers in
// turn. It runs in parallel to the steps, so that a gateway that is down delays none
// of them, and never gives up.
func (s *subscription) refund(ctx workflow.Context) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		HeartbeatTimeout:    HeartbeatTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
		Summary:             "give money back",
	})
	for {
		if workflow.Await(ctx, func() bool { return s.loaded && s.state.Refunding > 0 }) != nil {
			return
		}
		var answered []billing.Refund
		err := workflow.ExecuteActivity(ctx, do.Refund, s.id).Get(ctx, &answered)
		if err != nil { // only the run's end stops it for good
			if workflow.Sleep(ctx, 10*time.Minute) != nil {
				return
			}
			continue
		}
		err = s.inTurn(ctx, func(ctx workflow.Context) error {
			if len(answered) == 0 { // the rows know of none: this state is an old one
				return s.load(ctx)
			}
			return s.record(ctx, answered)
		})
		if err != nil && !isStale(err) {
			workflow.GetLogger(ctx).Warn("what was given back is not recorded yet")
		}
	}
}

// record records the gateway's answers about refunds. It must be called in
// turn. If the rows have moved on, the next round asks the gateway again,
// which gives the same answer.
func (s *subscription) record(ctx workflow.Context, refunds []billing.Refund) error {
	_, err := s.execute(ctx, activities.RecordRefunds, activities.Task{At: s.state.At(workflow.Now(ctx)), Refunds: refunds}, "record what was given back")
	return err
}

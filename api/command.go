package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// patience is how long a caller waits for a command's outcome before it is
// told to ask again with the same key.
const patience = 20 * time.Second

// purchaseLife is how long a purchase may wait before it is refused.
const purchaseLife = 10 * time.Minute

// CommandInput is the part of a request that every command has. (Huma sees
// embedded structs only if their names are exported.)
type CommandInput struct {
	reason *string // why, in the caller's words; a body's
	Key    string  `header:"Idempotency-Key" doc:"16 to 255 visible ASCII characters. Repeating the same key and body returns the first answer again."`
}

var visible = regexp.MustCompile(`^[!-~]{16,255}$`)

// check validates the key.
func (in CommandInput) check() error {
	switch {
	case in.Key == "":
		return problem(http.StatusBadRequest, "idempotency_key_required", "an Idempotency-Key header is required")
	case !visible.MatchString(in.Key):
		return problem(http.StatusBadRequest, "idempotency_key_invalid", "an Idempotency-Key has 16 to 255 visible ASCII characters")
	}
	return nil
}

// request begins a request row.
func (s *server) request(ctx context.Context, in CommandInput, caller, route, subscription string, c billing.Command) (billing.Request, error) {
	if err := in.check(); err != nil {
		return billing.Request{}, err
	}
	r := newRequest(caller, route, in.Key, subscription, callerOf(ctx).actor(), c)
	r.BodyHash, _ = ctx.Value(bodyHash{}).(string)
	return r, nil
}

// newRequest is the row of a command that is carried out once per caller,
// route and key.
func newRequest(caller, route, key, subscription, actor string, c billing.Command) billing.Request {
	c.Request = newID("req")
	return billing.Request{ID: c.Request, Caller: caller, Route: route, Key: key, Subscription: subscription, Actor: actor, Command: c}
}

// begun is the request that a caller began with this key before. Errors:
// billing.ErrNotFound.
func (s *server) begun(ctx context.Context, in CommandInput, caller, route string) (billing.Request, error) {
	r, err := s.Store.RequestOf(ctx, caller, route, in.Key)
	r.BodyHash, _ = ctx.Value(bodyHash{}).(string) // of now: carryOut holds it to that of then
	return r, err
}

func otherBody() *Problem {
	return problem(http.StatusConflict, "idempotency_conflict", "this Idempotency-Key was used with another body before")
}

// carryOut sends a request to its workflow, or finds what became of it, and
// returns it with its outcome. The outcome is nil while it is not known.
// Status and Response hold an answer that was given before.
func (s *server) carryOut(ctx context.Context, r billing.Request, order *billing.Order, sub *billing.Subscription) (billing.Request, error) {
	hash := r.BodyHash
	r, fresh, err := s.Store.Begin(ctx, r, order, sub)
	if err != nil {
		return r, err
	}
	if r.BodyHash != hash {
		return r, otherBody()
	}
	if r.Outcome != nil || r.Status != 0 {
		return r, nil
	}
	o, err := s.Store.Overview(ctx, r.Subscription) // of a new one, with the number that Begin gave it
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = s.update(ctx, o.Subscription, workflows.Updates[r.Command.Verb], r.ID, r.Command)
	s.checks.forget(o.License)
	if err != nil && isAway(err) && fresh {
		s.Log.Warn("a command could not be sent yet", "request", r.ID, "error", err)
	}
	// Whatever the update said, the row is what counts.
	again, readErr := s.Store.Request(context.WithoutCancel(ctx), r.ID)
	if readErr != nil {
		return r, readErr
	}
	switch {
	case again.Outcome != nil || err == nil || isSlow(err):
		return again, nil
	case isWorkflows(err):
		s.Log.Error("a command's workflow failed", "request", r.ID, "error", err)
		return again, nil // nobody knows what has been done
	}
	return r, err
}

// update sends an update whose outcome is read from the rows.
func (s *server) update(ctx context.Context, sub billing.Subscription, name, id string, args ...any) error {
	return update(ctx, s.Temporal, sub, name, id, nil, args...)
}

// tell sends a command of the gateway's, which has no request row: it may be
// sent any number of times.
func (s *server) tell(ctx context.Context, sub billing.Subscription, c billing.Command) (outcome billing.Outcome, err error) {
	err = update(ctx, s.Temporal, sub, workflows.Updates[c.Verb], newID("req"), &outcome, c)
	return outcome, err
}

// update sends an update to the subscription's workflow, and starts a run
// where there is none: it will load the rows. The answer goes into out.
func update(ctx context.Context, t client.Client, sub billing.Subscription, name, id string, out any, args ...any) error {
	start := t.NewWithStartWorkflowOperation(workflows.Options(sub), workflows.Subscription, workflows.Start{ID: sub.ID})
	handle, err := t.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: id, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, out)
}

// isSlow tells whether the command may still happen, or has happened without
// us seeing it.
func isSlow(err error) bool {
	var timeout *client.WorkflowUpdateServiceTimeoutOrCanceledError
	var deadline *serviceerror.DeadlineExceeded
	var canceled *serviceerror.Canceled
	return errors.As(err, &timeout) || errors.As(err, &deadline) || errors.As(err, &canceled) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// isWorkflows tells whether the workflow received the command, and ended or
// failed without an answer.
func isWorkflows(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application)
}

// isAway tells whether Temporal or the database could not be reached.
func isAway(err error) bool {
	var unavailable *serviceerror.Unavailable
	var exhausted *serviceerror.ResourceExhausted
	return errors.As(err, &unavailable) || errors.As(err, &exhausted) || isUnreachable(err) || isSlow(err)
}

// remember stores the first answer to a request, so that it can be given
// again. An answer that could not be stored is made anew from the outcome.
func (s *server) remember(ctx context.Context, r billing.Request, status int, body any) {
	doc, err := json.Marshal(body)
	if err == nil {
		err = s.Store.Respond(context.WithoutCancel(ctx), r.ID, status, string(doc))
	}
	if err != nil {
		s.Log.Warn("an answer was not kept", "request", r.ID, "error", err)
	}
}

// refused is the problem of a request whose outcome is a refusal or a decline.
func refused(o billing.Outcome) *Problem {
	p := refusal(o.Code, o.Field, o.Detail)
	p.DeclineCode = o.Payment.DeclineCode
	return p
}

// commandOutput is the answer to a command on a subscription.
type commandOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       commandResult
}

type commandResult struct {
	Subscription Subscription `json:"subscription"`
	Invoice      *Invoice     `json:"invoice"`
	Payment      *Payment     `json:"payment"`
}

// command carries out a command on an existing subscription. The functions
// in with run after it has succeeded and before it is answered; they may run
// again.
func (s *server) command(ctx context.Context, in CommandInput, route, subscription string, c billing.Command, token string, with ...func() error) (*commandOutput, error) {
	if _, err := s.mine(ctx, subscription); err != nil {
		return nil, s.answer(err)
	}
	r, err := s.request(ctx, in, callerOf(ctx).name(), "POST "+route, subscription, c)
	if err != nil {
		return nil, s.answer(err)
	}
	r.Token = token
	if in.reason != nil {
		r.Reason = *in.reason
	}
	if r, err = s.carryOut(ctx, r, nil, nil); err != nil {
		return nil, s.answer(err)
	}
	if r.Status >= 400 {
		return nil, replayed(r)
	}
	out := &commandOutput{Status: http.StatusOK}
	if r.Status != 0 {
		out.Status = r.Status
		if err := json.Unmarshal([]byte(r.Response), &out.Body); err != nil {
			return nil, s.answer(err)
		}
		if err := s.withAction(ctx, &out.Body.Subscription, out.Body.Payment); err != nil {
			return nil, s.answer(err)
		}
		return out, nil
	}
	if r.Outcome != nil && r.Outcome.Code != "" {
		p := refused(*r.Outcome)
		s.remember(ctx, r, p.Status, p)
		return nil, p
	}
	if out.Body, err = s.result(ctx, r); err != nil {
		return nil, s.answer(err)
	}
	if r.Outcome == nil {
		out.Status, out.RetryAfter = http.StatusAccepted, "2"
		return out, nil
	}
	kept := out.Body
	kept.Subscription = kept.Subscription.withoutAction()
	if status := r.Outcome.Payment.Status; status == billing.PaymentRequiresAction || status == billing.PaymentProcessing {
		kept.Payment = &Payment{Status: kept.Payment.Status}
		with = nil // it has not succeeded yet
	}
	for _, f := range with {
		if err := f(); err != nil {
			return nil, s.answer(err)
		}
	}
	s.remember(ctx, r, out.Status, kept)
	return out, nil
}

// withAction adds the addresses that a stored answer is kept without, as
// long as the same payment waits.
func (s *server) withAction(ctx context.Context, sub *Subscription, payment *Payment) error {
	if sub.PendingPayment == nil {
		return nil
	}
	o, err := s.Store.Overview(ctx, sub.ID)
	if err != nil {
		return err
	}
	now := viewSubscription(o)
	if !sub.waitsLike(now) {
		return nil
	}
	sub.PendingPayment, sub.PendingChange = now.PendingPayment, now.PendingChange
	if payment != nil && payment.Status == string(billing.PaymentRequiresAction) {
		payment.ActionURL = now.PendingPayment.ActionURL
	}
	return nil
}

// replayed is a problem that was the first answer to a request.
func replayed(r billing.Request) *Problem {
	p := &Problem{}
	if err := json.Unmarshal([]byte(r.Response), p); err != nil {
		return problem(http.StatusInternalServerError, "internal", "an internal error occurred")
	}
	return p.patient()
}

// result reads what a command's answer shows.
func (s *server) result(ctx context.Context, r billing.Request) (commandResult, error) {
	o, err := s.Store.Overview(ctx, r.Subscription)
	if err != nil {
		return commandResult{}, err
	}
	out := commandResult{Subscription: viewSubscription(o)}
	if r.Outcome == nil {
		out.Payment = &Payment{Status: "pending"}
		return out, nil
	}
	if id := r.Outcome.Invoice; id != "" {
		inv, notes, err := s.Store.Invoice(ctx, id)
		if err != nil {
			return out, err
		}
		v := viewInvoice(inv, notes)
		if out.Invoice = &v; r.Command.Verb == billing.VerbRefund || r.Command.Verb == billing.VerbCancelNow {
			return out, nil // nothing was to be paid
		}
		out.Payment = &Payment{Status: paymentStatus(r.Outcome.Payment.Status), ActionURL: text(inv.ActionURL)}
		if inv.AmountDue().IsZero() || out.Payment.Status == "" {
			out.Payment.Status = "none"
		}
	}
	return out, nil
}

package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// OutcomeStore is what the answers to commands are read from. Errors:
// billing.ErrNotFound.
type OutcomeStore interface {
	Overview(ctx context.Context, subscription billing.SubscriptionID) (billing.Overview, error)
	Invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error)
	BeginCardForm(ctx context.Context, f billing.CardForm) (form billing.CardForm, account billing.AccountID, err error)
	SetCardForm(ctx context.Context, id, reference string) error
}

// outcomes has commands carried out, and answers with what became of them.
type outcomes struct {
	*server
	Store OutcomeStore
}

// CommandInput is the part of a request that every command has. (Huma sees
// embedded structs only if their names are exported.)
type CommandInput struct {
	reason    *string            // why, in the caller's words; a body's
	amendment *billing.Amendment // what the command changes of people and companies
	Key       string             `header:"Idempotency-Key" doc:"16 to 255 visible ASCII characters. Repeating the same key and body returns the first answer again."`
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

// row is the request of this key, without its command.
func (in CommandInput) row(ctx context.Context, caller, route string) billing.Request {
	return billing.Request{Caller: caller, Route: route, Key: in.Key, BodyHash: bodyOf(ctx), Actor: billing.ActorName(ctx)}
}

// request begins a request row.
func (s *outcomes) request(ctx context.Context, in CommandInput, caller, route string, subscription billing.SubscriptionID, c billing.Command) (billing.Request, error) {
	if err := in.check(); err != nil {
		return billing.Request{}, err
	}
	r := commands.NewRequest(caller, route, in.Key, subscription, billing.ActorName(ctx), c)
	r.BodyHash = bodyOf(ctx)
	return r, nil
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
func (s *outcomes) command(ctx context.Context, in CommandInput, route string, subscription billing.SubscriptionID, c billing.Command, token string, with ...func() error) (*commandOutput, error) {
	if _, err := s.mine(ctx, subscription); err != nil {
		return nil, s.answer(err)
	}
	r, err := s.request(ctx, in, callerOf(ctx).name(), "POST "+route, subscription, c)
	if err != nil {
		return nil, s.answer(err)
	}
	r.Token = token
	settled := func(*billing.Outcome) {}
	if token != "" {
		_, err := s.Commands.Find(ctx, r.Caller, r.Route, r.Key)
		if errors.Is(err, billing.ErrNotFound) { // a try of its own
			settled, err = s.mayDecline(ctx)
		}
		if err != nil {
			return nil, s.answer(err)
		}
	}
	if in.reason != nil {
		r.Reason = *in.reason
	}
	r.Amendment = in.amendment
	if r, err = s.Commands.Do(ctx, r); err != nil {
		return nil, s.answer(err)
	}
	settled(r.Outcome)
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
		s.Commands.Keep(ctx, r, p.Status, p)
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
	s.Commands.Keep(ctx, r, out.Status, kept)
	return out, nil
}

// withAction adds the addresses that a stored answer is kept without, as
// long as the same payment waits.
func (s *outcomes) withAction(ctx context.Context, sub *Subscription, payment *Payment) error {
	if sub.PendingPayment == nil {
		return nil
	}
	o, err := s.Store.Overview(ctx, billing.SubscriptionID(sub.ID))
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
func (s *outcomes) result(ctx context.Context, r billing.Request) (commandResult, error) {
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
		v := viewInvoice(reader(ctx), inv, notes)
		if out.Invoice = &v; r.Command.Action == billing.ActionRefund || r.Command.Action == billing.ActionCancelNow {
			return out, nil // nothing was to be paid
		}
		out.Payment = &Payment{Status: paymentStatus(r.Outcome.Payment.Status), ActionURL: text(inv.ActionURL)}
		if inv.AmountDue().IsZero() || out.Payment.Status == "" {
			out.Payment.Status = "none"
		}
	}
	return out, nil
}

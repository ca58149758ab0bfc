package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"

	"github.com/okviz/licensing/billing"
)

// ErrorStale is the type of the error that says: the rows have moved on from
// the workflow's state, and the workflow must load them again.
const ErrorStale = "stale"

func stale(t Task) error {
	return temporal.NewNonRetryableApplicationError("subscription "+string(t.Subscription)+" has moved on", ErrorStale, nil)
}

// Load reads a subscription for a run without a state. It raises the
// revision, so that older runs can write nothing more, and finishes a payment
// that such a run left in flight.
func (a *Activities) Load(ctx context.Context, subscription billing.SubscriptionID) (Loaded, error) {
	s, err := a.load(ctx, subscription)
	if err != nil {
		return Loaded{}, err
	}
	recent, err := a.recentEvents(ctx, subscription)
	return Loaded{s, recent}, err
}

func (a *Activities) load(ctx context.Context, subscription billing.SubscriptionID) (billing.Subscription, error) {
	s, err := a.Store.Fence(ctx, subscription)
	if errors.Is(err, billing.ErrNotFound) { // removed, since it came to nothing: it will not come back
		return s, temporal.NewNonRetryableApplicationError("subscription "+string(subscription)+" is not on file", "NotFound", nil)
	}
	if err != nil {
		return s, err
	}
	snapshot, err := a.Store.Snapshot(ctx, subscription)
	if err == nil && snapshot.Newer {
		err = billing.ErrNewerRelease
	}
	if err != nil || snapshot.InFlight == nil {
		return s, err
	}
	// The request that the payment was made for, if any, gets its answer
	// here.
	t := Task{Subscription: subscription, Revision: s.Revision, At: s.At(a.Now())}
	var request billing.RequestID
	if r, err := a.Store.Request(ctx, billing.RequestID(snapshot.InFlight.InFlight)); err == nil {
		request = r.ID
	} else if !errors.Is(err, billing.ErrNotFound) {
		return s, err
	}
	result, err := a.collect(ctx, t, snapshot, *snapshot.InFlight, request, true)
	return result.Subscription, err
}

// recentEvents are the latest lines of a subscription's history. They hold no personal
// data: an operator's name is left out.
func (a *Activities) recentEvents(ctx context.Context, subscription billing.SubscriptionID) ([]string, error) {
	events, err := a.Store.LatestEvents(ctx, subscription, 6)
	lines := make([]string, len(events))
	for i, e := range events {
		lines[i] = e.At.UTC().Format("2006-01-02 15:04") + " " + billing.KindOfActor(e.Actor) + ": " + e.Text
	}
	return lines, err
}

// Do does one Task, and reads back what the history says now.
func (a *Activities) Do(ctx context.Context, t Task) (Result, error) {
	result, err := a.step(ctx, t)
	if err != nil {
		return Result{}, err
	}
	result.RecentEvents, err = a.recentEvents(ctx, t.Subscription)
	return result, err
}

// step does one Task, from the point that an earlier try of it reached.
func (a *Activities) step(ctx context.Context, t Task) (Result, error) {
	answered, err := a.answered(ctx, t)
	if err != nil {
		return Result{}, err
	}
	snapshot, err := a.Store.Snapshot(ctx, t.Subscription)
	if err != nil {
		return Result{}, err
	}
	if snapshot.Newer {
		return Result{}, billing.ErrNewerRelease // until a newer worker takes it
	}
	if s := &snapshot.Subscription; s.TestClock != "" {
		if t.Command != nil && s.Status.Ended() && s.Now.After(t.At) {
			t.At = s.Now // an ended workflow does not hear that its clock has moved
		}
		s.Now = t.At // a step is as of its own instant
	}
	if r, posted := t.posted(snapshot.Subscription, answered); posted {
		return r, nil
	}
	if snapshot.Subscription.Revision != t.Revision {
		return Result{}, stale(t)
	}
	if inv := snapshot.InFlight; inv != nil {
		if inv.InFlight != t.cause() {
			return Result{}, stale(t) // Load finishes it
		}
		return a.collect(ctx, t, snapshot, *inv, t.request(), true)
	}
	if snapshot.PendingPayment == nil && t.Command != nil && t.Command.Action == billing.ActionSettle {
		return Result{Subscription: snapshot.Subscription}, nil
	}
	decision, first, err := a.decideAroundPending(ctx, t, &snapshot)
	switch {
	case err != nil:
		return Result{}, err
	case first:
		return a.settle(ctx, t, snapshot)
	}
	return a.apply(ctx, t, snapshot, decision)
}

// answered is the outcome that the Task's request has already; nil if it has
// none.
func (a *Activities) answered(ctx context.Context, t Task) (*billing.Outcome, error) {
	if t.request() == "" {
		return nil, nil
	}
	r, err := a.Store.Request(ctx, t.request())
	if errors.Is(err, billing.ErrNotFound) { // erased with its account, or lost in a restore: nobody waits for it
		return &billing.Outcome{Code: billing.CodeRequestExpired, Detail: "the request is not on file any more"}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", t.request(), err)
	}
	return r.Outcome, nil
}

// posted is the result of the Task if an earlier try of it has posted one and
// the answer was lost.
func (t Task) posted(s billing.Subscription, answered *billing.Outcome) (Result, bool) {
	r := Result{Subscription: s, Mail: true}
	switch {
	case answered != nil:
		r.Outcome = *answered
		return r, true
	case s.Revision != t.Revision+1:
		return r, false
	case s.Cause == ending+t.cause(): // only the payment that waited has been ended
		r.Again = true
		return r, true
	}
	return r, s.Cause == t.cause()
}

// apply does what was decided. A refusal may also come from the store, for
// what only the store can know.
func (a *Activities) apply(ctx context.Context, t Task, snapshot billing.Snapshot, d billing.Decision) (Result, error) {
	if d.Refusal != nil {
		return a.refuse(ctx, t, snapshot, d.Refusal)
	}
	if d.Changeset != nil {
		result, err := a.post(ctx, t, *d.Changeset, t.request())
		if refusal := asRefusal(err); refusal != nil {
			return a.refuse(ctx, t, snapshot, refusal)
		}
		return result, err
	}
	inv, reserve := snapshot.Reserve(*d.Bill, t.cause())
	if err := a.Store.Post(ctx, reserve); err != nil {
		if refusal := asRefusal(err); refusal != nil {
			return a.refuse(ctx, t, snapshot, refusal)
		}
		return Result{}, classify(t, err)
	}
	return a.collect(ctx, t, snapshot, inv, t.request(), false)
}

// refuse posts a refusal as the answer to the Task's command.
func (a *Activities) refuse(ctx context.Context, t Task, snapshot billing.Snapshot, refusal *billing.Error) (Result, error) {
	return a.post(ctx, t, *snapshot.Refused(*t.Command, refusal, t.At), t.request())
}

// request is the id of the request that the Task's command came with; empty for
// steps and signals.
func (t Task) request() billing.RequestID {
	if t.Command == nil {
		return ""
	}
	return t.Command.Request
}

// asRefusal is a changeset's refusal by the store, for what only the store can
// know: that a trial was claimed, or a coupon used up.
func asRefusal(err error) *billing.Error {
	var refusal *billing.Error
	errors.As(err, &refusal)
	return refusal
}

// decide stores the card that a command brings, and asks package billing.
func (a *Activities) decide(ctx context.Context, t Task, snapshot *billing.Snapshot) (billing.Decision, error) {
	if len(t.Refunds) > 0 {
		var err error
		if snapshot.Receipts, err = a.Store.Receipts(ctx, t.Subscription); err != nil {
			return billing.Decision{}, err
		}
		return billing.Decision{Changeset: snapshot.RefundsAnswered(t.Refunds, t.At)}, nil
	}
	if t.Step != nil {
		return snapshot.Due(*t.Step, t.At), nil
	}
	c := *t.Command
	if c.Action.Credits() {
		var err error
		if snapshot.Receipts, err = a.Store.Receipts(ctx, t.Subscription); err != nil {
			return billing.Decision{}, err
		}
	}
	if !c.NotAfter.IsZero() && a.Now().After(c.NotAfter) {
		return refused(billing.CodeRequestExpired, "", "the request came too late to be carried out"), nil
	}
	if c.Request != "" && (c.Action == billing.ActionPurchase || c.Action == billing.ActionPaymentMethod) {
		charges := c.Action == billing.ActionPaymentMethod || snapshot.Order.Pay == billing.PayNow && snapshot.Subscription.Collection == billing.ByCard
		if charges {
			if tooMany, err := a.tooManyDeclines(ctx, *snapshot, ""); err != nil || tooMany {
				return refused(billing.CodeTooManyAttempts, "", "too many cards were declined: try again later"), err
			}
		}
		card, err := a.attach(ctx, c.Request, snapshot.Order.BillingAccount)
		switch code := rejection(err); {
		case code == string(billing.CodeUnknownToken):
			return refused(billing.CodeUnknownToken, "token", "the gateway does not know this token"), nil
		case code != "":
			return billing.Decision{Changeset: snapshot.Unstored(c, code, t.At)}, nil
		case err != nil:
			return billing.Decision{}, err
		}
		if card.Ref != "" {
			if tooMany, err := a.tooManyDeclines(ctx, *snapshot, card.Fingerprint); err != nil || tooMany {
				return refused(billing.CodeTooManyAttempts, "", "this card was declined too often: try again later"), err
			}
			snapshot.Method, snapshot.MethodExp = card.Ref, card.Exp
		}
	}
	if c.Action.Amends() {
		r, err := a.Store.Request(ctx, c.Request)
		if err != nil {
			return billing.Decision{}, err
		}
		if r.Amendment == nil {
			return refused(billing.CodeRequestExpired, "", "what was to be amended is not on file any more"), nil
		}
		snapshot.Amendment = *r.Amendment
	}
	if c.Action == billing.ActionMarkPaid {
		if err := a.transferred(ctx, &c, snapshot); err != nil {
			return billing.Decision{}, err
		}
	}
	if c.Action == billing.ActionRefundFailed {
		var err error
		if snapshot.Returned, err = a.Store.Refund(ctx, t.Subscription, c.RefundID); err != nil && !errors.Is(err, billing.ErrNotFound) {
			return billing.Decision{}, err
		}
	}
	return snapshot.Decide(c, t.At), nil
}

// transferred reads what mark-paid needs: the reference, which is only in
// the request row, and what was received for the invoice before.
func (a *Activities) transferred(ctx context.Context, c *billing.Command, snapshot *billing.Snapshot) (err error) {
	if c.Request != "" {
		if c.Reference, _, err = a.Store.RequestCard(ctx, c.Request); err != nil {
			return err
		}
	}
	snapshot.Transferred, err = a.Store.Transferred(ctx, c.Invoice)
	if errors.Is(err, billing.ErrNotFound) {
		return nil // which billing refuses
	}
	return err
}

func refused(code billing.Code, field, detail string) billing.Decision {
	return billing.Decision{Refusal: &billing.Error{Code: code, Field: field, Detail: detail}}
}

// attach stores the card of the token that a request brought, once; no card
// where it brought none.
func (a *Activities) attach(ctx context.Context, request billing.RequestID, account billing.AccountID) (m billing.StoredMethod, err error) {
	token, method, err := a.Store.RequestCard(ctx, request)
	if err != nil || method == "" && token == "" {
		return m, err
	}
	if method != "" {
		return a.Store.Method(ctx, method)
	}
	customer, err := a.Gateway.EnsureCustomer(ctx, account)
	if err != nil {
		return m, fmt.Errorf("customer of %s: %w", account, gateways(err))
	}
	m, err = a.Gateway.AttachMethod(ctx, customer, token)
	if err != nil {
		return m, fmt.Errorf("attaching the card of %s: %w", request, gateways(err))
	}
	return m, a.Store.SaveMethod(ctx, request, account, a.Gateway.Name(), m)
}

// collect asks the gateway for a frozen invoice's money and posts what became
// of it. An outcome that is not known is never written down as one: the
// activity fails, and its next try asks the gateway again.
func (a *Activities) collect(ctx context.Context, t Task, snapshot billing.Snapshot, inv billing.Invoice, request billing.RequestID, resume bool) (Result, error) {
	if inv.AmountDue().Amount == 0 {
		return a.post(ctx, t, *snapshot.Paid(inv, t.At), request)
	}
	result, err := a.charge(ctx, t, &inv, resume)
	if code := rejection(err); code != "" {
		result, err = billing.ChargeRejected(code), nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("charging %s: %w", inv.ID, err)
	}
	if result.Status == billing.PaymentRequiresAction && !snapshot.MayWait(inv, t.At) {
		if result, err = a.Gateway.Abandon(ctx, inv.Charge); err != nil {
			return Result{}, fmt.Errorf("giving up %s: %w", inv.ID, gateways(err))
		}
	}
	switch result.Status {
	case billing.PaymentSucceeded:
		return a.post(ctx, t, *snapshot.Paid(inv, t.At), request)
	case billing.PaymentDeclined:
		if t.Command != nil && result.DeclineCode != billing.DeclineRejected {
			card, err := a.Store.Method(ctx, inv.Method)
			if err == nil {
				err = a.countDecline(ctx, snapshot, card.Fingerprint)
			}
			if err != nil {
				return Result{}, err
			}
		}
		return a.post(ctx, t, *snapshot.Declined(inv, result, t.At), request)
	case billing.PaymentRequiresAction, billing.PaymentProcessing:
		return a.post(ctx, t, *snapshot.Awaits(inv, result, t.At), request)
	default:
		return Result{}, fmt.Errorf("charging %s: the outcome is %s", inv.ID, result.Status)
	}
}

// charge charges an invoice in the three steps of package payments: prepare,
// store the reference, charge. An attempt that may have happened is looked
// up, and is only sent again with the same key.
func (a *Activities) charge(ctx context.Context, t Task, inv *billing.Invoice, resume bool) (_ billing.ChargeResult, err error) {
	unknown := resume // what became of the attempt
	defer func() {
		if err != nil && unknown {
			err = outcomeUnknown{err}
		}
	}()
	customer, err := a.Gateway.EnsureCustomer(ctx, inv.Account)
	if err != nil {
		return billing.ChargeResult{}, gateways(err)
	}
	r := billing.ChargeRequest{
		Invoice: inv.ID, Subscription: inv.Subscription, Customer: customer, Method: inv.Method,
		Amount: inv.AmountDue(), Attempt: inv.Attempt, OffSession: t.Command == nil, At: t.At,
		ReturnURL: a.PublicURL + billing.ReturnPath + string(inv.Purpose) + "/" + string(inv.Subscription) + "/" +
			a.Secret.ReturnSignature(string(inv.Purpose), string(inv.Subscription)),
	}
	ref, err := a.Gateway.Prepare(ctx, r)
	if err != nil {
		return billing.ChargeResult{}, gateways(err)
	}
	if ref != inv.Charge {
		if err := a.Store.SetCharge(ctx, inv.ID, a.Gateway.Name(), ref); err != nil {
			return billing.ChargeResult{}, err
		}
		inv.Gateway, inv.Charge = a.Gateway.Name(), ref
	}
	if resume {
		result, err := a.Gateway.Resolve(ctx, ref)
		if err != nil || result.Status != billing.PaymentNotAttempted {
			return result, gateways(err)
		}
		unknown = false
	}
	result, err := a.Gateway.Charge(ctx, ref, r)
	if err == nil && result.Status == billing.PaymentUnknown {
		unknown = true
		result, err = a.Gateway.Resolve(ctx, ref)
	}
	return result, gateways(err)
}

// post writes a changeset as the answer to a request.
func (a *Activities) post(ctx context.Context, t Task, p billing.Changeset, request billing.RequestID) (Result, error) {
	p.Request = request
	if p.Subscription.Revision != p.From {
		p.Subscription.Cause = t.cause()
	}
	if err := a.Store.Post(ctx, p); err != nil {
		return Result{}, classify(t, err)
	}
	return Result{Subscription: p.Subscription, Outcome: p.Outcome, Mail: len(p.Notices) > 0}, nil
}

func classify(t Task, err error) error {
	if errors.Is(err, billing.ErrStale) {
		return stale(t)
	}
	return fmt.Errorf("posting to %s: %w", t.Subscription, err)
}

// cause identifies the Task's changeset among all others. It is empty where
// Load finishes what an older run has left.
func (t Task) cause() string {
	switch {
	case t.Command != nil:
		return t.Command.Cause(t.Revision)
	case t.Step != nil:
		return t.Step.Cause()
	case len(t.Refunds) > 0:
		return "refund@" + string(t.Refunds[0].ID)
	}
	return ""
}

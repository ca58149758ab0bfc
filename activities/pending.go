package activities

import (
	"context"
	"fmt"

	"github.com/okviz/licensing/billing"
)

// ending is the prefix of the cause of a changeset that ends a waiting payment
// so that a Task can be done.
const ending = "ending:"

// looks tells whether the Task is itself about the waiting payment.
func (t Task) looks() bool {
	return t.Command != nil && t.Command.Action == billing.ActionSettle || t.Step != nil && t.Step.Kind == billing.StepSettle
}

// decideAroundPending decides a Task, or says that the waiting payment must be settled
// first. A step never bypasses a waiting payment; a command only where both
// can coexist.
func (a *Activities) decideAroundPending(ctx context.Context, t Task, snapshot *billing.Snapshot) (d billing.Decision, settle bool, err error) {
	if snapshot.PendingPayment != nil && len(t.Refunds) == 0 {
		if t.Step != nil || t.looks() {
			return d, true, nil
		}
		freed := snapshot.Freed()
		if d, err = a.decide(ctx, t, &freed); err != nil || d.Refusal != nil {
			return d, false, err
		}
		if snapshot.Disturbs(d) {
			return d, true, nil
		}
	}
	d, err = a.decide(ctx, t, snapshot)
	return d, false, err
}

// settle asks the gateway what became of the waiting payment, and posts it.
// Where the wait is to end, a payment that still waits for the customer is
// first given up.
func (a *Activities) settle(ctx context.Context, t Task, snapshot billing.Snapshot) (Result, error) {
	inv, looks := *snapshot.PendingPayment, t.looks()
	ask := a.Gateway.Abandon
	if t.Command != nil && looks { // the gateway may know more: no reason to give it up
		ask = a.Gateway.Resolve
	}
	became, err := ask(ctx, inv.Charge)
	if err != nil {
		return Result{}, fmt.Errorf("asking what became of %s: %w", inv.ID, gateways(err))
	}
	known := (became.Status == billing.PaymentRequiresAction) == snapshot.Subscription.PendingPayment.Action
	var p *billing.Changeset
	switch became.Status {
	case billing.PaymentSucceeded, billing.PaymentDeclined, billing.PaymentNotAttempted:
		card, err := a.Store.Method(ctx, inv.Method)
		if err != nil {
			return Result{}, err
		}
		snapshot.Method, snapshot.MethodExp = inv.Method, card.Exp
		if p = snapshot.Paid(inv, t.At); became.Status != billing.PaymentSucceeded {
			p = snapshot.Declined(inv, given(became), t.At)
		}
		if became.Status == billing.PaymentDeclined && became.DeclineCode != billing.DeclineAbandoned {
			if err := a.countDecline(ctx, snapshot, card.Fingerprint); err != nil {
				return Result{}, err
			}
		}
	case billing.PaymentRequiresAction, billing.PaymentProcessing:
		switch {
		case t.Command == nil || !known:
			p = snapshot.Awaits(inv, became, t.At)
		case looks:
			return Result{Subscription: snapshot.Subscription}, nil
		default:
			return a.refuse(ctx, t, snapshot, billing.Processing())
		}
	default:
		return Result{}, fmt.Errorf("asking what became of %s: the outcome is %s", inv.ID, became.Status)
	}
	if looks {
		return a.post(ctx, t, *p, "")
	}
	p.Subscription.Cause = ending + t.cause()
	if err := a.Store.Post(ctx, *p); err != nil {
		return Result{}, classify(t, err)
	}
	return Result{Subscription: p.Subscription, Mail: len(p.Notices) > 0, Again: true}, nil
}

// given turns an attempt that the gateway no longer knows into a decline.
func given(r billing.ChargeResult) billing.ChargeResult {
	if r.Status == billing.PaymentNotAttempted {
		return billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: billing.DeclineAbandoned, Advice: billing.AdviceNeedsCustomer}
	}
	return r
}

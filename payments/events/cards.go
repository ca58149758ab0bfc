package events

import (
	"context"
	"errors"
	"fmt"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/payments"
)

// CardGiven uses the card that was given in a form, once, however often it is
// asked to; nil as long as there is none. It is the gateway that is believed,
// not the one who says so.
func (r *Receiver) CardGiven(ctx context.Context, form billing.CardForm) (*billing.Outcome, error) {
	token, err := r.gateway.FormToken(ctx, form.Reference)
	if err != nil {
		return nil, err
	}
	if token == "" {
		return nil, nil
	}
	q := commands.NewRequest(cardCaller(form), cardRoute, form.ID, form.Subscription, billing.ActorCustomer, billing.Command{Action: billing.ActionPaymentMethod})
	q.Token = token
	q, err = r.commands.Do(ctx, q)
	return q.Outcome, err
}

// cardUpdated writes down what the gateway has of a card by now: events may be
// told in any order. To attach a card that the customer has reads it.
func (r *Receiver) cardUpdated(ctx context.Context, ref string) error {
	account, err := r.store.CardOwner(ctx, r.gateway.Name(), ref)
	if err != nil {
		return err
	}
	customer, err := r.gateway.EnsureCustomer(ctx, account)
	if err != nil {
		return err
	}
	m, err := r.gateway.AttachMethod(ctx, customer, ref)
	switch {
	case billing.GatewayCode(err) == payments.CodeUnknownToken: // it has been detached since
		return billing.ErrNotFound
	case err != nil:
		return err
	case m.Ref != ref:
		return fmt.Errorf("the gateway answers with the card %s instead of %s", m.Ref, ref)
	}
	return r.store.UpdateCard(ctx, m)
}

// CardUsed tells whether the card of a form has been used, or is about to be.
func (r *Receiver) CardUsed(ctx context.Context, form billing.CardForm) (bool, error) {
	_, err := r.commands.Find(ctx, cardCaller(form), cardRoute, form.ID)
	if errors.Is(err, billing.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// cardRoute is the route of the requests by which given cards are used: each
// form's key is its id.
const cardRoute = "card"

func cardCaller(form billing.CardForm) string { return "gateway:" + form.Gateway }

// detachCards has the gateway forget a card that was removed here: whatever
// crashes, and however long the gateway is away. It takes one at a time, so that
// a gateway that does not answer holds the events up for one call only.
func (r *Receiver) detachCards(ctx context.Context) {
	removed, err := r.store.ClaimRemovedCards(ctx, r.gateway.Name(), 1)
	if err != nil && ctx.Err() == nil {
		r.log.Warn("removed cards were not read", "error", err)
	}
	for _, ref := range removed {
		err := r.gateway.DetachMethod(ctx, ref)
		if err == nil {
			err = r.store.CardDetached(ctx, ref)
		}
		if err != nil && ctx.Err() == nil {
			r.log.Warn("a removed card is still with the gateway", "card", ref, "error", err)
		}
	}
}

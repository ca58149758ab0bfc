package events

import (
	"context"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// CardGiven uses the card that was given in a form, once, however often it is
// asked to; nil as long as there is none. It is the gateway that is believed,
// not whoever says so.
func (r *Receiver) CardGiven(ctx context.Context, form billing.CardForm) (*billing.Outcome, error) {
	token, err := r.gateway.FormToken(ctx, form.Reference)
	if err != nil {
		return nil, err
	}
	if token == "" {
		return nil, nil
	}
	q := commands.NewRequest("gateway:"+form.Gateway, "card", form.ID, form.Subscription, "customer", billing.Command{Action: billing.ActionPaymentMethod})
	q.Token = token
	q, err = r.commands.Do(ctx, q)
	return q.Outcome, err
}

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

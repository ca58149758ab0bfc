package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/okviz/licensing/billing"
)

// Refund asks the gateway for each pending refund of a subscription, and
// returns those with a final answer; RecordRefunds records them. The gateway
// identifies a refund by its id, so asking again refunds nothing twice. If
// no refund has a final answer, the activity fails and its next try asks
// again.
func (a *Activities) Refund(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Refund, error) {
	snapshot, err := a.Store.Snapshot(ctx, subscription)
	if err != nil {
		return nil, err
	}
	pending, err := a.Store.PendingRefunds(ctx, subscription)
	if err != nil {
		return nil, err
	}
	var answered []billing.Refund
	var unanswered error
	for _, r := range pending {
		r.Status, err = a.Gateway.Refund(ctx, billing.RefundRequest{
			CreditNote: r.ID, Invoice: r.Invoice, Charge: r.Charge, Amount: r.Amount, At: snapshot.Subscription.At(a.Now()),
		})
		switch {
		case billing.GatewayCode(err) != "": // nothing moved, and nothing ever will
			r.Status = billing.RefundFailed
		case err != nil:
			unanswered = errors.Join(unanswered, fmt.Errorf("refund %s: %w", r.ID, gateways(err)))
			continue
		case r.Status == billing.RefundPending:
			unanswered = errors.Join(unanswered, gateways(fmt.Errorf("refund %s is pending at the gateway", r.ID)))
			continue
		}
		answered = append(answered, r)
	}
	if len(answered) > 0 {
		return answered, nil
	}
	return nil, unanswered
}

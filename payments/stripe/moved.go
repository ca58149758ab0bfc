package stripe

import (
	"context"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/okviz/licensing/billing"
)

// Moved goes by the instants at which Stripe's intents and refunds were made.
func (g *Gateway) Moved(ctx context.Context, from, to time.Time) (billing.Moved, error) {
	var moved billing.Moved
	within := &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: to.Unix()}
	intents := &stripe.PaymentIntentListParams{CreatedRange: within}
	intents.Limit = stripe.Int64(100)
	for pi, err := range g.client.V1PaymentIntents.List(ctx, intents).All(ctx) {
		if err != nil {
			return billing.Moved{}, failed("listing the charges", err)
		}
		if pi.Status == stripe.PaymentIntentStatusSucceeded {
			moved.Charges = append(moved.Charges, billing.MovedCharge{
				Charge: billing.ChargeID(pi.ID), Invoice: billing.InvoiceID(pi.Metadata[keyInvoice]), Amount: money(pi.AmountReceived, pi.Currency), At: time.Unix(pi.Created, 0).UTC(),
			})
		}
	}
	refunds := &stripe.RefundListParams{CreatedRange: within}
	refunds.Limit = stripe.Int64(100)
	for r, err := range g.client.V1Refunds.List(ctx, refunds).All(ctx) {
		if err != nil {
			return billing.Moved{}, failed("listing the refunds", err)
		}
		given := billing.MovedRefund{
			Refund: billing.RefundID(r.Metadata[keyCreditNote]), Amount: money(r.Amount, r.Currency), Status: refundStatus(r), At: time.Unix(r.Created, 0).UTC(),
		}
		if r.PaymentIntent != nil {
			given.Charge = billing.ChargeID(r.PaymentIntent.ID)
		}
		moved.Refunds = append(moved.Refunds, given)
	}
	return moved, nil
}

func money(amount int64, currency stripe.Currency) billing.Money {
	return billing.Money{Amount: amount, Currency: strings.ToUpper(string(currency))}
}

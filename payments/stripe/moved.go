package stripe

import (
	"context"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/okviz/licensing/billing"
)

// Moved goes by the instants at which Stripe's charges and refunds were made: an
// intent may be much older than the charge that succeeded.
func (g *Gateway) Moved(ctx context.Context, from, to time.Time) (billing.Moved, error) {
	var moved billing.Moved
	within := &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: to.Unix()}
	charges := &stripe.ChargeListParams{CreatedRange: within, Expand: stripe.StringSlice([]string{"data.payment_intent"})}
	charges.Limit = stripe.Int64(100)
	for ch, err := range g.client.V1Charges.List(ctx, charges).All(ctx) {
		if err != nil {
			return billing.Moved{}, failed("listing the charges", err)
		}
		if ch.Status != stripe.ChargeStatusSucceeded || !ch.Captured {
			continue
		}
		c := billing.MovedCharge{Charge: billing.ChargeID(ch.ID)} // made without an intent, and not by us
		if ch.PaymentIntent != nil {
			c = charged(ch.PaymentIntent)
		}
		c.Method, c.Amount, c.At = ch.PaymentMethod, money(ch.AmountCaptured, ch.Currency), time.Unix(ch.Created, 0).UTC()
		moved.Charges = append(moved.Charges, c)
	}
	intents := &stripe.PaymentIntentListParams{CreatedRange: within}
	intents.Limit = stripe.Int64(100)
	for pi, err := range g.client.V1PaymentIntents.List(ctx, intents).All(ctx) {
		if err != nil {
			return billing.Moved{}, failed("listing what was prepared", err)
		}
		if c := charged(pi); pi.Status != stripe.PaymentIntentStatusSucceeded && c.Invoice != "" {
			moved.Prepared = append(moved.Prepared, c)
		}
	}
	refunds := &stripe.RefundListParams{CreatedRange: within}
	refunds.Limit = stripe.Int64(100)
	for r, err := range g.client.V1Refunds.List(ctx, refunds).All(ctx) {
		if err != nil {
			return billing.Moved{}, failed("listing the refunds", err)
		}
		given := billing.MovedRefund{
			Refund: billing.RefundID(r.Metadata[keyCreditNote]), Invoice: billing.InvoiceID(r.Metadata[keyInvoice]), Amount: money(r.Amount, r.Currency), Status: refundStatus(r), At: time.Unix(r.Created, 0).UTC(),
		}
		if r.PaymentIntent != nil {
			given.Charge = billing.ChargeID(r.PaymentIntent.ID)
		}
		moved.Refunds = append(moved.Refunds, given)
	}
	return moved, nil
}

// charged is the charge of an intent, as far as it tells itself.
func charged(pi *stripe.PaymentIntent) billing.MovedCharge {
	c := billing.MovedCharge{
		Charge: billing.ChargeID(pi.ID), Invoice: billing.InvoiceID(pi.Metadata[keyInvoice]), Subscription: billing.SubscriptionID(pi.Metadata[keySubscription]),
		Method: pi.Metadata[keyMethod], Amount: money(pi.AmountReceived, pi.Currency), At: time.Unix(pi.Created, 0).UTC(),
	}
	if pi.Customer != nil {
		c.Customer = pi.Customer.ID
	}
	return c
}

// Remember keeps the references of a charge and of its customer, an account of
// ours, where nothing is kept under their names: in a database that is older than
// they are. A later intent of the same invoice gets the name that Prepare looks
// for.
func (g *Gateway) Remember(ctx context.Context, account billing.AccountID, c billing.MovedCharge) error {
	if c.Customer != "" {
		if _, err := g.refs.Reference(ctx, string(account), func() (string, error) { return c.Customer, nil }); err != nil {
			return err
		}
	}
	if c.Invoice == "" { // a customer that has been charged for nothing here
		return nil
	}
	for n := 1; ; n++ {
		kept, err := g.refs.Reference(ctx, intentOf(c.Invoice, n), func() (string, error) { return string(c.Charge), nil })
		if err != nil || kept == string(c.Charge) {
			return err
		}
	}
}

func money(amount int64, currency stripe.Currency) billing.Money {
	return billing.Money{Amount: amount, Currency: strings.ToUpper(string(currency))}
}

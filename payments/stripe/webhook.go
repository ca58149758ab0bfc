package stripe

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// Events are what Stripe's endpoint is to send (docs/operators.md lists them
// too). What is sent besides them is kept and ignored.
var Events = map[stripe.EventType]billing.GatewayEventKind{
	stripe.EventTypePaymentIntentSucceeded:      billing.GatewayEventCharge,
	stripe.EventTypePaymentIntentPaymentFailed:  billing.GatewayEventCharge,
	stripe.EventTypePaymentIntentProcessing:     billing.GatewayEventCharge,
	stripe.EventTypePaymentIntentRequiresAction: billing.GatewayEventCharge,
	stripe.EventTypePaymentIntentCanceled:       billing.GatewayEventCharge,

	stripe.EventTypeChargeRefunded:      billing.GatewayEventRefund,
	stripe.EventTypeChargeRefundUpdated: billing.GatewayEventRefund,
	stripe.EventTypeRefundCreated:       billing.GatewayEventRefund,
	stripe.EventTypeRefundUpdated:       billing.GatewayEventRefund,
	stripe.EventTypeRefundFailed:        billing.GatewayEventRefund,

	stripe.EventTypeCheckoutSessionCompleted: billing.GatewayEventCard,
	stripe.EventTypeSetupIntentSucceeded:     billing.GatewayEventCard,

	// The card's issuer has given it a new number or end.
	stripe.EventTypePaymentMethodAutomaticallyUpdated: billing.GatewayEventCardUpdated,
	stripe.EventTypePaymentMethodUpdated:              billing.GatewayEventCardUpdated,

	// What they tell is read from the dispute's status.
	stripe.EventTypeChargeDisputeCreated:         billing.GatewayEventDisputeOpened,
	stripe.EventTypeChargeDisputeUpdated:         billing.GatewayEventDisputeOpened,
	stripe.EventTypeChargeDisputeFundsWithdrawn:  billing.GatewayEventDisputeOpened,
	stripe.EventTypeChargeDisputeFundsReinstated: billing.GatewayEventDisputeOpened,
	stripe.EventTypeChargeDisputeClosed:          billing.GatewayEventDisputeOpened,
}

// disputes are what a dispute's status tells. An inquiry (warning_…) takes no
// money back, and is none yet.
var disputes = map[stripe.DisputeStatus]billing.GatewayEventKind{
	stripe.DisputeStatusNeedsResponse: billing.GatewayEventDisputeOpened,
	stripe.DisputeStatusUnderReview:   billing.GatewayEventDisputeOpened,
	stripe.DisputeStatusWon:           billing.GatewayEventDisputeWon,
	stripe.DisputeStatusPrevented:     billing.GatewayEventDisputeWon,
	stripe.DisputeStatusLost:          billing.GatewayEventDisputeLost,
}

// ParseWebhook implements payments.Gateway. Every error of the SDK is the same
// to the sender: its words may repeat what was sent.
func (g *Gateway) ParseWebhook(header func(string) string, body []byte, now time.Time) (billing.GatewayEvent, error) {
	signature := header("Stripe-Signature")
	if g.webhookSecret == "" || webhook.ValidatePayloadIgnoringTolerance(body, signature, g.webhookSecret) != nil ||
		now.Sub(signedAt(signature)).Abs() > payments.WebhookTolerance {
		return billing.GatewayEvent{}, refuse(payments.CodeBadSignature, "")
	}
	e, err := webhook.ConstructEventWithOptions(body, signature, g.webhookSecret, webhook.ConstructEventOptions{IgnoreTolerance: true})
	if err != nil || e.ID == "" || e.Data == nil {
		return billing.GatewayEvent{}, refuse(payments.CodeInvalid, "the webhook is no event of the API version "+stripe.APIVersion)
	}
	if e.Livemode != g.live {
		return billing.GatewayEvent{}, refuse(payments.CodeWrongMode, "")
	}
	n := billing.GatewayEvent{ID: e.ID, Kind: Events[e.Type], Live: e.Livemode, Created: time.Unix(e.Created, 0).UTC()}
	if n.Kind == "" {
		n.Kind = billing.GatewayEventOther
		return n, nil
	}
	var o struct { // what the objects of all those events have
		ID            string
		Amount        int64
		Currency      string
		Status        stripe.DisputeStatus
		PaymentIntent string `json:"payment_intent"`
		Mode          stripe.CheckoutSessionMode
	}
	if err := json.Unmarshal(e.Data.Raw, &o); err != nil || o.ID == "" {
		return billing.GatewayEvent{}, refuse(payments.CodeInvalid, "the webhook's object cannot be read")
	}
	switch n.Kind {
	case billing.GatewayEventCharge, billing.GatewayEventCardUpdated:
		n.Reference = o.ID
	case billing.GatewayEventRefund:
		n.Reference = o.PaymentIntent
	case billing.GatewayEventCard:
		if n.Reference = o.ID; o.Mode != "" && o.Mode != stripe.CheckoutSessionModeSetup {
			n.Kind = billing.GatewayEventOther
		}
	case billing.GatewayEventDisputeOpened:
		if n.Kind = disputes[o.Status]; n.Kind == "" {
			n.Kind = billing.GatewayEventOther
		}
		n.Reference, n.Dispute = o.PaymentIntent, o.ID
		n.Amount = billing.Money{Amount: o.Amount, Currency: strings.ToUpper(o.Currency)}
	default: // nothing is read from it
	}
	return n, nil
}

// signedAt is when a webhook was signed: the SDK compares that with a clock of
// its own.
func signedAt(signature string) time.Time {
	for part := range strings.SplitSeq(signature, ",") {
		if at, ok := strings.CutPrefix(part, "t="); ok {
			seconds, err := strconv.ParseInt(at, 10, 64)
			if err != nil {
				return time.Time{}
			}
			return time.Unix(seconds, 0)
		}
	}
	return time.Time{}
}

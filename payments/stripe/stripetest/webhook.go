package stripetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	stripego "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/okviz/licensing/billing"
)

// Webhook is an event as Stripe tells it.
func Webhook(t *testing.T, n billing.GatewayEvent, at time.Time) (func(string) string, []byte) {
	t.Helper()
	kind, object := "invoice.created", map[string]any{"id": "in_1", "object": "invoice"}
	switch n.Kind {
	case billing.GatewayEventCharge:
		kind, object = "payment_intent.succeeded", map[string]any{"id": n.Reference, "object": "payment_intent", "amount": 990, "currency": "usd", "status": "succeeded"}
	case billing.GatewayEventRefund:
		kind, object = "refund.updated", map[string]any{"id": "re_1", "object": "refund", "payment_intent": n.Reference, "status": "succeeded"}
	case billing.GatewayEventCard:
		kind, object = "checkout.session.completed", map[string]any{"id": n.Reference, "object": "checkout.session", "mode": "setup"}
	case billing.GatewayEventDisputeOpened:
		kind, object = "charge.dispute.created", dispute(n, "needs_response")
	case billing.GatewayEventDisputeWon:
		kind, object = "charge.dispute.closed", dispute(n, "won")
	case billing.GatewayEventDisputeLost:
		kind, object = "charge.dispute.closed", dispute(n, "lost")
	default: // an event of no interest
	}
	return Event(t, n, kind, object, at)
}

func dispute(n billing.GatewayEvent, status string) map[string]any {
	return map[string]any{
		"id": n.Dispute, "object": "dispute", "payment_intent": n.Reference, "charge": "ch_1",
		"amount": n.Amount.Amount, "currency": strings.ToLower(n.Amount.Currency), "status": status,
	}
}

// Event is a webhook of any type about any object, with the id, mode and instant
// of the event.
func Event(t *testing.T, n billing.GatewayEvent, kind string, object map[string]any, at time.Time) (func(string) string, []byte) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"id": n.ID, "object": "event", "api_version": stripego.APIVersion, "created": n.Created.Unix(),
		"livemode": n.Live, "type": kind, "data": map[string]any{"object": object},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Signed(body, at), body
}

// Signed is the header of a body that Stripe signs at an instant.
func Signed(body []byte, at time.Time) func(string) string {
	p := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: WebhookSecret, Timestamp: at})
	return func(name string) string {
		if name != "Stripe-Signature" {
			return ""
		}
		return p.Header
	}
}

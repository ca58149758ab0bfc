package stripe_test

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/stripe"
	"github.com/okviz/licensing/payments/stripe/stripetest"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestEveryEventOfStripesIsReadByItsTypeAndObject(t *testing.T) {
	usd := billing.Money{Amount: 990, Currency: "USD"}
	intent := map[string]any{"id": "pi_1"}
	refund := map[string]any{"id": "re_1", "payment_intent": "pi_1"}
	disputed := func(status string) map[string]any {
		return map[string]any{"id": "dp_1", "payment_intent": "pi_1", "amount": 990, "currency": "usd", "status": status}
	}
	opened := billing.GatewayEvent{Kind: billing.GatewayEventDisputeOpened, Reference: "pi_1", Dispute: "dp_1", Amount: usd}
	won, lost, inquiry := opened, opened, opened
	won.Kind, lost.Kind, inquiry.Kind = billing.GatewayEventDisputeWon, billing.GatewayEventDisputeLost, billing.GatewayEventOther
	charge := billing.GatewayEvent{Kind: billing.GatewayEventCharge, Reference: "pi_1"}
	back := billing.GatewayEvent{Kind: billing.GatewayEventRefund, Reference: "pi_1"}
	for _, c := range []struct {
		kind   string
		object map[string]any
		want   billing.GatewayEvent
	}{
		{"payment_intent.succeeded", intent, charge},
		{"payment_intent.payment_failed", intent, charge},
		{"payment_intent.processing", intent, charge},
		{"payment_intent.requires_action", intent, charge},
		{"payment_intent.canceled", intent, charge},
		{"payment_intent.created", intent, billing.GatewayEvent{Kind: billing.GatewayEventOther}},
		{"charge.refunded", map[string]any{"id": "ch_1", "payment_intent": "pi_1", "status": "succeeded"}, back},
		{"charge.refund.updated", refund, back},
		{"refund.created", refund, back},
		{"refund.updated", refund, back},
		{"refund.failed", refund, back},
		{"setup_intent.succeeded", map[string]any{"id": "seti_1"}, billing.GatewayEvent{Kind: billing.GatewayEventCard, Reference: "seti_1"}},
		{"checkout.session.completed", map[string]any{"id": "cs_1", "mode": "setup", "payment_intent": nil}, billing.GatewayEvent{Kind: billing.GatewayEventCard, Reference: "cs_1"}},
		{"checkout.session.completed", map[string]any{"id": "cs_1", "mode": "payment"}, billing.GatewayEvent{Kind: billing.GatewayEventOther, Reference: "cs_1"}},
		{"payment_method.automatically_updated", map[string]any{"id": "pm_1", "card": map[string]any{"exp_year": 2031}}, billing.GatewayEvent{Kind: billing.GatewayEventCardUpdated, Reference: "pm_1"}},
		{"payment_method.updated", map[string]any{"id": "pm_1"}, billing.GatewayEvent{Kind: billing.GatewayEventCardUpdated, Reference: "pm_1"}},
		{"charge.dispute.created", disputed("needs_response"), opened},
		{"charge.dispute.created", disputed("warning_needs_response"), inquiry},
		{"charge.dispute.updated", disputed("under_review"), opened},
		{"charge.dispute.updated", disputed("won"), won}, // told late: what it says is where the dispute stands
		{"charge.dispute.funds_withdrawn", disputed("needs_response"), opened},
		{"charge.dispute.funds_reinstated", disputed("won"), won},
		{"charge.dispute.closed", disputed("won"), won},
		{"charge.dispute.closed", disputed("lost"), lost},
		{"charge.dispute.closed", disputed("prevented"), won},
		{"charge.dispute.closed", disputed("warning_closed"), inquiry},
	} {
		s := newShop(t)
		c.want.ID, c.want.Created = "evt_1", noon
		header, body := stripetest.Event(t, c.want, c.kind, c.object, noon)
		got, err := s.ParseWebhook(header, body, noon)
		if err != nil {
			t.Errorf("%s: %v", c.kind, err)
		}
		same(t, got, c.want)
	}
}

func TestASignedWebhookThatCannotBeReadIsRefused(t *testing.T) {
	s := newShop(t)
	for _, body := range []string{
		"", "{", "[]", `{"object":"event"}`, `{"object":"v2.core.event","id":"evt_1"}`,
		`{"id":"evt_1","object":"event","api_version":"2020-08-27","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}`,
	} {
		_, err := s.ParseWebhook(stripetest.Signed([]byte(body), noon), []byte(body), noon)
		refused(t, err, payments.CodeInvalid)
	}
	header, body := stripetest.Event(t, billing.GatewayEvent{ID: "evt_1", Created: noon}, "payment_intent.succeeded", map[string]any{"id": 7}, noon)
	_, err := s.ParseWebhook(header, body, noon)
	refused(t, err, payments.CodeInvalid)
}

func TestWithoutASecretEveryWebhookIsRefused(t *testing.T) {
	g, err := stripe.New(stripe.Config{Key: stripetest.Key, References: &stripetest.Memory{}})
	must(t, err)
	header, body := stripetest.Webhook(t, billing.GatewayEvent{ID: "evt_1", Kind: billing.GatewayEventCharge, Reference: "pi_1", Created: noon}, noon)
	_, err = g.ParseWebhook(header, body, noon)
	refused(t, err, payments.CodeBadSignature)
}

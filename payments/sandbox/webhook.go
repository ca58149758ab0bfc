package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// SignatureHeader carries the signature of a webhook: "t=1767225600,v1=6f3c…",
// the HMAC-SHA256 of the instant, a dot and the body.
const SignatureHeader = "Sandbox-Signature"

// EventType is what a webhook tells of, in the sandbox's own words.
type EventType string

const (
	EventSucceeded     EventType = "payment.succeeded"
	EventFailed        EventType = "payment.failed"
	EventWaits         EventType = "payment.requires_action"
	EventRefunded      EventType = "payment.refunded"
	EventRefundFailed  EventType = "refund.failed"
	EventCardCollected EventType = "card.collected" // Charge is the form
	EventDisputeOpened EventType = "dispute.opened"
	EventDisputeWon    EventType = "dispute.won"
	EventDisputeLost   EventType = "dispute.lost"
)

// kinds are the same things in the engine's words.
var kinds = map[EventType]billing.GatewayEventKind{
	EventSucceeded: billing.GatewayEventCharge, EventFailed: billing.GatewayEventCharge, EventWaits: billing.GatewayEventCharge,
	EventRefunded:      billing.GatewayEventRefund,
	EventRefundFailed:  billing.GatewayEventRefund,
	EventCardCollected: billing.GatewayEventCard,
	EventDisputeOpened: billing.GatewayEventDisputeOpened, EventDisputeWon: billing.GatewayEventDisputeWon, EventDisputeLost: billing.GatewayEventDisputeLost,
}

// Event is something that the engine is told by a webhook, at least once. It is
// kept with its payment, or its form, in the transaction of what it tells of.
type Event struct {
	ID      string        `json:"id"` // evt_…
	Type    EventType     `json:"type"`
	Charge  string        `json:"charge"` // pay_… or form_…
	Dispute string        `json:"dispute,omitempty"`
	Amount  billing.Money `json:"amount"`
	Live    bool          `json:"live"` // never
	Created time.Time     `json:"created"`
	Told    int           `json:"told,omitempty"` // how often the engine has taken it
}

// tell adds an event about the payment.
func (p *Payment) tell(kind EventType, dispute string, amount billing.Money, at time.Time) {
	p.Events = append(p.Events, Event{
		ID: newID("evt"), Type: kind, Charge: string(p.ID), Dispute: dispute, Amount: amount, Created: second(at),
	})
}

// Untold tells whether the engine does not know of something yet.
func (p *Payment) Untold() bool {
	for _, e := range p.Events {
		if e.Told == 0 {
			return true
		}
	}
	return false
}

// fill notes the token of the card that was given, and that the engine is to be
// told. The first card counts.
func (f *Form) fill(token string, at time.Time) {
	if f.Token == "" {
		f.Token = token
		f.Given = Event{ID: newID("evt"), Type: EventCardCollected, Charge: f.ID, Created: second(at)}
	}
}

// Untold tells whether the engine does not know of the card yet.
func (f Form) Untold() bool { return f.Given.ID != "" && f.Given.Told == 0 }

// Post sends a webhook's body to the engine with its signature, and returns nil
// once the engine has answered that it is stored.
type Post func(ctx context.Context, body []byte, signature string) error

// Deliver tells the engine what it does not know yet. now is real time. What
// could not be sent is sent by the next call.
func (g *Gateway) Deliver(ctx context.Context, post Post, now time.Time) error {
	const atOnce = 100
	waiting, err := g.ledger.Untold(ctx, atOnce)
	if err != nil {
		return fmt.Errorf("sandbox gateway: reading what is to be told: %w", err)
	}
	forms, err := g.ledger.UntoldForms(ctx, atOnce)
	if err != nil {
		return fmt.Errorf("sandbox gateway: reading what is to be told of cards: %w", err)
	}
	var failed error
	for _, f := range forms {
		failed = errors.Join(failed, g.send(ctx, f.Given, post, now))
	}
	for _, p := range waiting {
		for _, e := range p.Events {
			if e.Told == 0 {
				failed = errors.Join(failed, g.send(ctx, e, post, now))
			}
		}
	}
	return failed
}

// Redeliver sends an event again, or for the first time, whatever has been told
// since. CodeNotFound if the payment has no such event.
func (g *Gateway) Redeliver(ctx context.Context, charge billing.ChargeID, event string, post Post, now time.Time) error {
	p, err := g.ledger.Payment(ctx, charge)
	if err != nil {
		return asRefusal("reading "+string(charge), err)
	}
	for _, e := range p.Events {
		if e.ID == event {
			return g.send(ctx, e, post, now)
		}
	}
	return refuse(payments.CodeNotFound, "the event of "+charge)
}

// Events are all that there is to be told of a charge, the oldest first.
func (g *Gateway) Events(ctx context.Context, charge billing.ChargeID) ([]Event, error) {
	p, err := g.ledger.Payment(ctx, charge)
	if err != nil {
		return nil, asRefusal("reading "+string(charge), err)
	}
	return p.Events, nil
}

// Untold is signalled when there is something new to be told.
func (g *Gateway) Untold() <-chan struct{} { return g.untold }

func (g *Gateway) send(ctx context.Context, e Event, post Post, now time.Time) error {
	told := e
	told.Told = 0 // nobody's business
	body, err := json.Marshal(told)
	if err != nil {
		return err
	}
	if err := post(ctx, body, Sign(g.secret, body, now)); err != nil {
		return fmt.Errorf("sandbox gateway: telling of %s: %w", e.ID, err)
	}
	if e.Type == EventCardCollected {
		return g.ledger.UpdateForm(ctx, e.Charge, func(f *Form) error {
			f.Given.Told++
			return nil
		})
	}
	return g.ledger.Update(ctx, billing.ChargeID(e.Charge), "", func(p *Payment, _ *Method) error {
		for i := range p.Events {
			if p.Events[i].ID == e.ID {
				p.Events[i].Told++
			}
		}
		return nil
	})
}

// Sign is the signature of a webhook's body that is sent at an instant of real
// time.
func Sign(secret string, body []byte, at time.Time) string {
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac(secret, strconv.FormatInt(at.Unix(), 10), body)))
}

func mac(secret, at string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(at + "."))
	h.Write(body)
	return h.Sum(nil)
}

// ParseWebhook implements payments.Gateway.
func (g *Gateway) ParseWebhook(header func(string) string, body []byte, now time.Time) (billing.GatewayEvent, error) {
	at, signature, signed := strings.Cut(header(SignatureHeader), ",v1=")
	at = strings.TrimPrefix(at, "t=")
	sum, err := hex.DecodeString(signature)
	seconds, atErr := strconv.ParseInt(at, 10, 64)
	if !signed || err != nil || atErr != nil || !hmac.Equal(sum, mac(g.secret, at, body)) ||
		now.Sub(time.Unix(seconds, 0)).Abs() > payments.WebhookTolerance {
		return billing.GatewayEvent{}, refuse(payments.CodeBadSignature, "")
	}
	var e Event
	if err := json.Unmarshal(body, &e); err != nil || e.ID == "" {
		return billing.GatewayEvent{}, refuse(payments.CodeInvalid, "the webhook is no event")
	}
	if e.Live {
		return billing.GatewayEvent{}, refuse(payments.CodeWrongMode, "")
	}
	n := billing.GatewayEvent{ID: e.ID, Kind: kinds[e.Type], Reference: e.Charge, Dispute: e.Dispute, Created: e.Created}
	if n.Kind == "" {
		n.Kind = billing.GatewayEventOther
	}
	if n.Kind.Disputed() != "" {
		n.Amount = e.Amount
	}
	return n, nil
}

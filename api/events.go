package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// EventStore is what the feed of events needs of the database. Errors:
// billing.ErrNotFound.
type EventStore interface {
	Feed(ctx context.Context, which billing.FeedSelection, limit int) ([]billing.FeedEvent, error)
	FeedPlace(ctx context.Context, id string) (seq int64, err error)
	CreateWebhookEndpoint(ctx context.Context, e billing.WebhookEndpoint) (billing.WebhookEndpoint, error)
	WebhookEndpoint(ctx context.Context, account billing.AccountID, id string) (billing.WebhookEndpoint, error)
	WebhookEndpoints(ctx context.Context, account billing.AccountID) ([]billing.WebhookEndpoint, error)
	ChangeWebhookEndpoint(ctx context.Context, account billing.AccountID, id string, change func(e *billing.WebhookEndpoint)) (billing.WebhookEndpoint, error)
	DeleteWebhookEndpoint(ctx context.Context, account billing.AccountID, id string) error
	SendWebhook(ctx context.Context, e billing.WebhookEndpoint, event string) (billing.WebhookDelivery, error)
	ReplayWebhooks(ctx context.Context, e billing.WebhookEndpoint, from, to time.Time, limit int) (n int, err error)
	WebhookDeliveries(ctx context.Context, endpoint, before string, limit int) ([]billing.WebhookDelivery, error)
}

// feed tells programs what has happened.
type feed struct {
	*accounts
	Store EventStore
}

func (s *feed) routes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/events", "list-feed", "What has happened, the oldest first", "Events", account()), s.list)
	s.endpointRoutes(h)
}

// FeedEvent is one thing that has happened.
type FeedEvent struct {
	ID             string           `json:"id" doc:"Also the webhook-id of its deliveries." example:"evt_01JZ5Q0V8N6C7K9T1B2D3F4G5H"`
	Type           billing.FeedType `json:"type" example:"invoice.paid"`
	Timestamp      time.Time        `json:"timestamp" doc:"When it happened; on a test clock, by that clock."`
	SubscriptionID *string          `json:"subscription_id"`
	Data           any              `json:"data" doc:"The object that it is about, as it was then; docs/integrators.md says which one each type has. Names, addresses, sites and tenants are those of now."`
}

// The objects that only events have.
type (
	// EventCreditNote is a credit note with what it corrects.
	EventCreditNote struct {
		ID        string `json:"id" doc:"cn_…"`
		InvoiceID string `json:"invoice_id" doc:"The invoice that it corrects."`
		CreditNote
	}
	// EventRefund is money that went back to a card, or could not.
	EventRefund struct {
		ID           string               `json:"id" doc:"re_…"`
		InvoiceID    string               `json:"invoice_id" doc:"The invoice whose charge gave it back."`
		CreditNoteID string               `json:"credit_note_id" doc:"The credit note that it belongs to."`
		Amount       billing.Money        `json:"amount"`
		Status       billing.RefundStatus `json:"status" enum:"succeeded,failed" doc:"failed: the account's balance has the amount."`
	}
	// EventPayment is a payment that failed, or waits for the customer.
	EventPayment struct {
		Status      string        `json:"status" enum:"declined,requires_action"`
		Amount      billing.Money `json:"amount"`
		DeclineCode *string       `json:"decline_code" doc:"Why it was declined."`
		ExpiresAt   *time.Time    `json:"expires_at" doc:"When it is given up if the customer has not confirmed it."`
	}
	// EventDispute is a charge that the card's holder disputes.
	EventDispute struct {
		ID        string                `json:"id" doc:"The gateway's id."`
		InvoiceID string                `json:"invoice_id" doc:"The invoice that the charge had paid."`
		Amount    billing.Money         `json:"amount"`
		Status    billing.DisputeStatus `json:"status" enum:"opened,won,lost"`
	}
	// EventVersion is a version of a product that was published.
	EventVersion struct {
		Product string `json:"product"`
		billing.Version
	}
)

// object is what an event is about.
func (s *server) object(e billing.FeedEvent) any {
	switch {
	case e.State != nil:
		return viewSubscription(e.Overview).withoutAction()
	case e.License != nil:
		return s.viewLicense(e.Issued, e.Versions, e.At)
	case e.Invoice != nil:
		return viewInvoice(words.In(words.Default), *e.Invoice, nil)
	case e.CreditNote != nil:
		n := e.CreditNote
		return EventCreditNote{n.ID, string(n.Invoice), CreditNote{n.Number, n.Total(), n.Reason}}
	case e.Refund != nil:
		return EventRefund{string(e.Refund.ID), string(e.Refund.Invoice), e.Refund.CreditNote, e.Refund.Amount, e.Refund.Status}
	case e.Payment != nil:
		p := EventPayment{"declined", e.Payment.Amount, text(e.Payment.Code), instant(e.Payment.Until)}
		if e.Type == billing.FeedPaymentActionRequired {
			p.Status = "requires_action"
		}
		return p
	case e.Dispute != nil:
		return EventDispute{e.Dispute.ID, string(e.Dispute.Invoice), e.Dispute.Amount, e.Dispute.Status}
	case e.Version != nil:
		return EventVersion{e.Product, *e.Version}
	case e.Quoted.ID != "":
		return s.viewQuote(words.In(words.Default), e.Quoted, e.At)
	}
	return struct { // of a quote that has been erased
		ID string `json:"id"`
	}{e.Quote}
}

func (s *server) viewEvent(e billing.FeedEvent) FeedEvent {
	return FeedEvent{e.ID, e.Type, e.At.UTC(), text(string(e.Subscription)), s.object(e)}
}

// Payload makes the body of an event's webhook, by Standard Webhooks 1.0, of a
// configuration's Keys and Policy.
func Payload(c Config) func(e billing.FeedEvent) ([]byte, error) {
	s := &server{Config: c}
	return func(e billing.FeedEvent) ([]byte, error) {
		return json.Marshal(struct {
			Type      billing.FeedType `json:"type"`
			Timestamp time.Time        `json:"timestamp"`
			Data      any              `json:"data"`
		}{e.Type, e.At.UTC(), s.object(e)})
	}
}

// owner is the caller's account, or the one that an operator names; empty: the
// vendor.
func (s *feed) owner(ctx context.Context, in AccountInput) (billing.AccountID, error) {
	if callerOf(ctx).operator && in.Email == "" {
		return "", nil
	}
	a, err := s.accountOf(ctx, in)
	return a.ID, err
}

func (s *feed) list(ctx context.Context, in *struct {
	AccountInput
	After string `query:"after" maxLength:"64" doc:"Events after this one, by its id: the next_cursor of the previous page, or the last event that you have read."`
	Type  string `query:"type" maxLength:"64" doc:"One type, or all of a kind: invoice.*" example:"invoice.*"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}) (*struct{ Body List[FeedEvent] }, error) {
	var which billing.FeedSelection
	var err error
	if which.Account, err = s.owner(ctx, in.AccountInput); err != nil {
		return nil, s.answer(err)
	}
	if in.Type != "" {
		if which.Types = []billing.FeedPattern{billing.FeedPattern(in.Type)}; !which.Types[0].Known() {
			return nil, invalid("type", "is no type of event, such as invoice.paid or invoice.*")
		}
	}
	if in.After != "" {
		which.After, err = s.Store.FeedPlace(ctx, in.After)
		if errors.Is(err, billing.ErrNotFound) {
			return nil, invalid("after", "is not the id of an event, or of one that is no longer kept")
		}
		if err != nil {
			return nil, s.answer(err)
		}
	}
	events, err := s.Store.Feed(ctx, which, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body List[FeedEvent] }{listed(events, in.Limit, func(e billing.FeedEvent) string { return e.ID }, s.viewEvent)}, nil
}

package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

func (s *feed) endpointRoutes(h huma.API) {
	const all, at, tag = "/v1/webhook-endpoints", "/v1/webhook-endpoints/{id}", "Events"
	admin := by(billing.OperatorAdmin)
	huma.Register(h, route(http.MethodGet, all, "list-webhook-endpoints", "Where events are sent to", tag, account()), s.listEndpoints)
	huma.Register(h, route(http.MethodPost, all, "create-webhook-endpoint", "Have events sent to an address; the secret is shown once", tag, account(), status(http.StatusCreated), admin), s.createEndpoint)
	huma.Register(h, route(http.MethodGet, at, "get-webhook-endpoint", "One webhook endpoint", tag, account()), s.getEndpoint)
	huma.Register(h, route(http.MethodPatch, at, "change-webhook-endpoint", "Change, disable or enable a webhook endpoint", tag, account(), admin), s.changeEndpoint)
	huma.Register(h, route(http.MethodDelete, at, "delete-webhook-endpoint", "Delete a webhook endpoint with its deliveries", tag, account(), admin), s.deleteEndpoint)
	huma.Register(h, route(http.MethodPost, at+"/rotate-secret", "rotate-webhook-secret", "Replace the secret; both sign for a day", tag, account(), admin), s.rotateSecret)
	huma.Register(h, route(http.MethodPost, at+"/test", "test-webhook-endpoint", "Send a test event; its delivery says what came of it", tag, account(), status(http.StatusAccepted)), s.testEndpoint)
	huma.Register(h, route(http.MethodPost, at+"/replay", "replay-webhooks", "Send an event, or those of a span, once more", tag, account(), status(http.StatusAccepted)), s.replay)
	huma.Register(h, route(http.MethodGet, at+"/deliveries", "list-webhook-deliveries", "What was sent to an endpoint, and what it answered", tag, account()), s.listDeliveries)
}

// WebhookEndpoint is an address that events are sent to.
type WebhookEndpoint struct {
	ID             string                   `json:"id" doc:"whe_…"`
	URL            string                   `json:"url" doc:"The address that events are sent to by POST."`
	Types          []billing.FeedPattern    `json:"types" doc:"The types of events that are sent."`
	Description    string                   `json:"description" doc:"A note of yours."`
	Status         string                   `json:"status" enum:"enabled,disabled" doc:"Nothing is sent to a disabled endpoint."`
	DisabledReason *billing.WebhookDisabled `json:"disabled_reason" enum:"owner,gone,failing" doc:"owner: you have disabled it; gone: it answered 410; failing: it took no event for a week."`
	FailingSince   *time.Time               `json:"failing_since" doc:"When the first delivery failed since one succeeded."`
	CreatedAt      time.Time                `json:"created_at"`
	PublicKey      string                   `json:"public_key,omitempty" doc:"whpk_…: verifies the v1a signatures; shown with the secret."`
	Secret         string                   `json:"secret,omitempty" doc:"whsec_…: verifies the v1 signatures; only in the response that makes it."`
}

// WebhookDelivery is an event that was sent, or is to be, to an endpoint.
type WebhookDelivery struct {
	ID             string                `json:"id" doc:"whd_…"`
	Event          string                `json:"event" doc:"The event's id, which is the webhook-id."`
	Type           billing.FeedType      `json:"type" doc:"The event's type; endpoint.test for a test."`
	Status         billing.WebhookStatus `json:"status" enum:"pending,delivered,failed" doc:"failed: given up."`
	Attempts       int64                 `json:"attempts" doc:"How often it was sent."`
	CreatedAt      time.Time             `json:"created_at"`
	LastAttemptAt  *time.Time            `json:"last_attempt_at"`
	NextAttemptAt  *time.Time            `json:"next_attempt_at" doc:"null: it is not sent again."`
	ResponseStatus *int                  `json:"response_status" doc:"The latest answer's HTTP status; null: none came."`
	ResponseBody   string                `json:"response_body" doc:"The beginning of the latest answer, at most 1 KiB."`
	Error          *string               `json:"error" doc:"Why no answer came."`
	DurationMS     int64                 `json:"duration_ms" doc:"How long the latest try took, in milliseconds."`
}

func viewEndpoint(e billing.WebhookEndpoint) WebhookEndpoint {
	v := WebhookEndpoint{
		ID: e.ID, URL: e.URL, Types: e.Types, Description: e.Description, Status: "enabled", FailingSince: instant(e.FailingSince), CreatedAt: e.CreatedAt.UTC(),
	}
	if e.Disabled != "" {
		v.Status, v.DisabledReason = "disabled", &e.Disabled
	}
	return v
}

func viewDelivery(d billing.WebhookDelivery) WebhookDelivery {
	v := WebhookDelivery{
		ID: d.ID, Event: d.Event, Type: d.Type, Status: d.Status, Attempts: d.Tries, CreatedAt: d.CreatedAt.UTC(), LastAttemptAt: instant(d.TriedAt),
		NextAttemptAt: instant(d.NextAt), ResponseBody: d.Body, Error: text(d.Error), DurationMS: d.Took.Milliseconds(),
	}
	if d.Code != 0 {
		v.ResponseStatus = &d.Code
	}
	return v
}

// EndpointInput names an endpoint.
type EndpointInput struct {
	AccountInput
	ID string `path:"id" maxLength:"64"`
}

type endpointOutput struct{ Body WebhookEndpoint }

// endpoint reads the caller's endpoint.
func (s *feed) endpoint(ctx context.Context, in EndpointInput) (billing.WebhookEndpoint, error) {
	owner, err := s.owner(ctx, in.AccountInput)
	if err != nil {
		return billing.WebhookEndpoint{}, err
	}
	return s.Store.WebhookEndpoint(ctx, owner, in.ID)
}

func (s *feed) listEndpoints(ctx context.Context, in *AccountInput) (*struct{ Body List[WebhookEndpoint] }, error) {
	owner, err := s.owner(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	rows, err := s.Store.WebhookEndpoints(ctx, owner)
	if err != nil {
		return nil, s.answer(err)
	}
	list := List[WebhookEndpoint]{Data: []WebhookEndpoint{}}
	for _, e := range rows {
		list.Data = append(list.Data, viewEndpoint(e))
	}
	return &struct{ Body List[WebhookEndpoint] }{list}, nil
}

func (s *feed) createEndpoint(ctx context.Context, in *struct {
	AccountInput
	Body struct {
		URL         string                `json:"url" maxLength:"2048" doc:"An https address that can be reached from the internet." example:"https://crm.contoso.example/okviz"`
		Types       []billing.FeedPattern `json:"types,omitempty" maxItems:"64" doc:"Types of events, all of a kind (invoice.*) or all (*). Absent: all."`
		Description string                `json:"description,omitempty" maxLength:"200"`
	}
}) (*endpointOutput, error) {
	owner, err := s.owner(ctx, in.AccountInput)
	if err != nil {
		return nil, s.answer(err)
	}
	e := billing.WebhookEndpoint{ID: commands.NewID("whe"), Account: owner, Member: callerOf(ctx).memberOf(owner), URL: in.Body.URL, Types: in.Body.Types, Description: in.Body.Description}
	if len(e.Types) == 0 {
		e.Types = []billing.FeedPattern{"*"}
	}
	if err := s.acceptable(e); err != nil {
		return nil, err
	}
	return s.withSecret(&e, func() (billing.WebhookEndpoint, error) { return s.Store.CreateWebhookEndpoint(ctx, e) })
}

// withSecret makes an endpoint's next secret, has it stored, and shows it.
func (s *feed) withSecret(e *billing.WebhookEndpoint, store func() (billing.WebhookEndpoint, error)) (*endpointOutput, error) {
	secret, nonce := make([]byte, 32), make([]byte, 12)
	rand.Read(secret) // never fails
	rand.Read(nonce)
	e.Secret = s.Secret.Seal(billing.WebhookSeal, e.ID, nonce, secret)
	stored, err := store()
	if err != nil {
		return nil, s.answer(err)
	}
	v := viewEndpoint(stored)
	v.Secret, v.PublicKey = billing.WebhookSecret(secret), billing.WebhookPublicKey(secret)
	return &endpointOutput{v}, nil
}

// acceptable refuses an endpoint that nothing could be sent to. Whether its address
// is public is found out whenever it is dialled.
func (s *feed) acceptable(e billing.WebhookEndpoint) error {
	u, err := url.Parse(e.URL)
	secure := err == nil && (u.Scheme == "https" || s.PlainWebhooks && e.Account == "" && u.Scheme == "http")
	if !secure || u.Hostname() == "" || u.User != nil || u.Fragment != "" || !printable(e.URL) {
		return invalid("url", "is not an https address without user and fragment")
	}
	if !printable(e.Description) {
		return invalid("description", "has characters that cannot be printed")
	}
	for _, p := range e.Types {
		if !p.Known() {
			return invalid("types", "has what is no type of event, such as invoice.paid, invoice.* or *")
		}
	}
	return nil
}

func (s *feed) getEndpoint(ctx context.Context, in *EndpointInput) (*endpointOutput, error) {
	e, err := s.endpoint(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	return &endpointOutput{viewEndpoint(e)}, nil
}

func (s *feed) changeEndpoint(ctx context.Context, in *struct {
	EndpointInput
	Body struct {
		URL         *string               `json:"url,omitempty" maxLength:"2048" doc:"Absent: unchanged, as everything else."`
		Types       []billing.FeedPattern `json:"types,omitempty" minItems:"1" maxItems:"64"`
		Description *string               `json:"description,omitempty" maxLength:"200"`
		Status      string                `json:"status,omitempty" enum:"enabled,disabled" doc:"Once it is enabled again, it gets what happens from then on."`
	}
}) (*endpointOutput, error) {
	e, err := s.endpoint(ctx, in.EndpointInput)
	if err != nil {
		return nil, s.answer(err)
	}
	change := func(e *billing.WebhookEndpoint) {
		if in.Body.URL != nil {
			e.URL = *in.Body.URL
		}
		if in.Body.Types != nil {
			e.Types = in.Body.Types
		}
		if in.Body.Description != nil {
			e.Description = *in.Body.Description
		}
		switch {
		case in.Body.Status == "enabled":
			e.Disabled = ""
		case in.Body.Status == "disabled" && e.Disabled == "":
			e.Disabled = billing.WebhookByOwner
		}
	}
	change(&e)
	if err := s.acceptable(e); err != nil {
		return nil, err
	}
	if e, err = s.Store.ChangeWebhookEndpoint(ctx, e.Account, e.ID, change); err != nil {
		return nil, s.answer(err)
	}
	return &endpointOutput{viewEndpoint(e)}, nil
}

func (s *feed) deleteEndpoint(ctx context.Context, in *EndpointInput) (*struct{}, error) {
	owner, err := s.owner(ctx, in.AccountInput)
	if err == nil {
		err = s.Store.DeleteWebhookEndpoint(ctx, owner, in.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}

func (s *feed) rotateSecret(ctx context.Context, in *EndpointInput) (*endpointOutput, error) {
	e, err := s.endpoint(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	return s.withSecret(&e, func() (billing.WebhookEndpoint, error) {
		return s.Store.ChangeWebhookEndpoint(ctx, e.Account, e.ID, func(was *billing.WebhookEndpoint) {
			was.Former, was.FormerUntil, was.Secret = was.Secret, billing.Instant(s.Now().Add(billing.WebhookOverlap)), e.Secret
		})
	})
}

// enabled reads an endpoint that something may be sent to.
func (s *feed) enabled(ctx context.Context, in EndpointInput) (billing.WebhookEndpoint, error) {
	e, err := s.endpoint(ctx, in)
	if err == nil && e.Disabled != "" {
		err = problem(http.StatusConflict, string(billing.CodeNotPossibleNow), "this endpoint is disabled")
	}
	return e, err
}

func (s *feed) testEndpoint(ctx context.Context, in *EndpointInput) (*struct{ Body WebhookDelivery }, error) {
	e, err := s.enabled(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	d, err := s.Store.SendWebhook(ctx, e, "")
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body WebhookDelivery }{viewDelivery(d)}, nil
}

// Replay says how many events are sent once more.
type Replay struct {
	Deliveries int `json:"deliveries" doc:"How many events are sent once more."`
}

func (s *feed) replay(ctx context.Context, in *struct {
	EndpointInput
	Body struct {
		Event string     `json:"event,omitempty" maxLength:"64" doc:"One event, whatever its type; or else a span."`
		From  *time.Time `json:"from,omitempty" doc:"The first instant of a span of real time."`
		To    *time.Time `json:"to,omitempty" doc:"Its end, exclusive. At most 1000 events are sent again at once."`
	}
}) (*struct{ Body Replay }, error) {
	e, err := s.enabled(ctx, in.EndpointInput)
	if err != nil {
		return nil, s.answer(err)
	}
	n := 1
	switch b := in.Body; {
	case b.Event != "" && b.From == nil && b.To == nil:
		_, err = s.Store.SendWebhook(ctx, e, b.Event)
		if errors.Is(err, billing.ErrNotFound) {
			return nil, invalid("event", "is not the id of an event of yours, or of one that is no longer kept")
		}
	case b.Event == "" && b.From != nil && b.To != nil && b.From.Before(*b.To):
		n, err = s.Store.ReplayWebhooks(ctx, e, billing.Instant(*b.From), billing.Instant(*b.To), billing.WebhookReplay)
	default:
		return nil, invalid("event", "is needed, or from and a later to, and not both")
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Replay }{Replay{n}}, nil
}

func (s *feed) listDeliveries(ctx context.Context, in *struct {
	EndpointInput
	PageInput
}) (*struct{ Body List[WebhookDelivery] }, error) {
	if !in.isCursor("whd") {
		return nil, invalid("cursor", "is not a next_cursor of this list")
	}
	e, err := s.endpoint(ctx, in.EndpointInput)
	if err != nil {
		return nil, s.answer(err)
	}
	rows, err := s.Store.WebhookDeliveries(ctx, e.ID, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body List[WebhookDelivery] }{listed(rows, in.Limit, func(d billing.WebhookDelivery) string { return d.ID }, viewDelivery)}, nil
}

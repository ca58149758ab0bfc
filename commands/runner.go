// Package commands carries commands out. A command is first written as a request
// row and then sent to the subscription's workflow as an update with the row's
// id. The workflow stores the outcome on the row. So a command that is repeated,
// lost or late takes effect once, and its answer can be given again.
package commands

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/oklog/ulid/v2"
	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/workflows"
)

// Store is what commands need of the database. Errors: billing.ErrNotFound.
type Store interface {
	// Begin writes a request, and what it orders, or finds the row that its
	// caller, route and key have already: fresh says which. What was written of s,
	// such as its number, is in s then.
	Begin(ctx context.Context, r billing.Request, o *billing.Order, s *billing.Subscription) (request billing.Request, fresh bool, err error)
	// Confirm lets a purchase be carried out, until notAfter.
	Confirm(ctx context.Context, id billing.RequestID, notAfter time.Time) (billing.Request, error)
	Request(ctx context.Context, id billing.RequestID) (billing.Request, error)
	RequestOf(ctx context.Context, caller, route, key string) (billing.Request, error)
	Respond(ctx context.Context, id billing.RequestID, status int, body string) error
	Overview(ctx context.Context, subscription billing.SubscriptionID) (billing.Overview, error)
}

// Patience is how long a caller waits for a command's outcome before it is
// told to ask again with the same key.
const Patience = 20 * time.Second

// purchaseLife is how long a purchase may wait before it is refused.
const purchaseLife = 10 * time.Minute

// ErrOtherBody is a key that the caller has used for another request before.
var ErrOtherBody = errors.New("the key was used with another body before")

// Runner carries commands out.
type Runner struct {
	store    Store
	temporal client.Client
	changed  func(license licensing.LicenseID)
	log      *slog.Logger
	now      func() time.Time
}

// New makes a runner. changed is told of each licence that a command may have
// changed.
func New(store Store, temporal client.Client, changed func(license licensing.LicenseID), log *slog.Logger, now func() time.Time) *Runner {
	return &Runner{store, temporal, changed, log, now}
}

// NewID makes an id that cannot be guessed; it is no credential all the same.
func NewID(prefix string) string {
	return prefix + "_" + ulid.MustNew(ulid.Now(), rand.Reader).String()
}

// NewRequest is the row of a command that is carried out once per caller,
// route and key.
func NewRequest(caller, route, key string, subscription billing.SubscriptionID, actor string, c billing.Command) billing.Request {
	c.Request = billing.RequestID(NewID("req"))
	return billing.Request{ID: c.Request, Caller: caller, Route: route, Key: key, Subscription: subscription, Actor: actor, Command: c}
}

// Find reads the request that a caller began with this key before. Errors:
// billing.ErrNotFound.
func (r *Runner) Find(ctx context.Context, caller, route, key string) (billing.Request, error) {
	return r.store.RequestOf(ctx, caller, route, key)
}

// Record writes down a request that no workflow carries out, or finds the one
// that was begun with its key before. Errors: ErrOtherBody.
func (r *Runner) Record(ctx context.Context, q billing.Request) (billing.Request, error) {
	q.Outcome = &billing.Outcome{}
	was, _, err := r.store.Begin(ctx, q, nil, nil)
	return Same(was, q.BodyHash, err)
}

// Same holds the request that was begun with a key to the body of now. Errors:
// ErrOtherBody.
func Same(r billing.Request, hash string, err error) (billing.Request, error) {
	if err == nil && r.BodyHash != hash {
		err = ErrOtherBody
	}
	return r, err
}

// Do sends a request to its workflow, or finds what became of it, and returns it
// with its outcome, which is nil while it is not known. Status and Response hold
// an answer that was kept before. Errors: ErrOtherBody.
func (r *Runner) Do(ctx context.Context, q billing.Request) (billing.Request, error) {
	return r.do(ctx, q, nil, nil)
}

func (r *Runner) do(ctx context.Context, q billing.Request, order *billing.Order, sub *billing.Subscription) (billing.Request, error) {
	hash := q.BodyHash
	q, fresh, err := r.store.Begin(ctx, q, order, sub)
	if q, err = Same(q, hash, err); err != nil || q.Outcome != nil || q.Status != 0 {
		return q, err
	}
	start := workflows.Start{ID: q.Subscription}
	if fresh && sub != nil { // nobody else has ever acted on it: its run need not load it
		start.State = sub
	} else {
		o, err := r.store.Overview(ctx, q.Subscription)
		if err != nil {
			return q, err
		}
		sub = &o.Subscription
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if q.Unconfirmed() && !sub.Status.Ended() { // its workflow mails the link, and lets it lapse
		if err := r.Start(ctx, *sub); err != nil {
			r.log.Warn("an order's workflow could not be started yet", "request", q.ID, "error", err)
		}
		return q, nil
	}
	err = r.update(ctx, *sub, start, q.Command.Action.Update(), q.ID, nil, q.Command)
	r.changed(sub.License)
	if err != nil && IsAway(err) && fresh {
		r.log.Warn("a command could not be sent yet", "request", q.ID, "error", err)
	}
	// Whatever the update said, the row is what counts.
	again, readErr := r.store.Request(context.WithoutCancel(ctx), q.ID)
	if readErr != nil {
		return q, readErr
	}
	switch {
	case again.Outcome != nil || err == nil || isSlow(err):
		return again, nil
	case isWorkflows(err):
		r.log.Error("a command's workflow failed", "request", q.ID, "error", err)
		return again, nil // nobody knows what has been done
	}
	return q, err
}

// Purchase is an order with the subscription that it asks for, and the card's
// token.
type Purchase struct {
	Order        billing.Order
	Subscription billing.Subscription
	Token        string
}

// Buy has an order done, or finds what became of it. A key that has been used is
// answered before the order is looked at again: what could be ordered then may
// not be now. An order with a ConfirmBy waits for Confirm. key has the caller's name, route, key, body and actor.
func (r *Runner) Buy(ctx context.Context, key billing.Request, ordered func() (Purchase, error)) (billing.Request, error) {
	was, err := r.Find(ctx, key.Caller, key.Route, key.Key)
	if err == nil {
		was.BodyHash = key.BodyHash // of now: Do holds it to that of then
		return r.Do(ctx, was)
	}
	if !errors.Is(err, billing.ErrNotFound) {
		return was, err
	}
	p, err := ordered()
	if err != nil {
		return was, err
	}
	c := billing.Command{Action: billing.ActionPurchase}
	if p.Subscription.ConfirmBy.IsZero() {
		c.NotAfter = r.purchaseUntil()
	}
	q := NewRequest(key.Caller, key.Route, key.Key, p.Subscription.ID, key.Actor, c)
	q.BodyHash, q.Token = key.BodyHash, p.Token
	return r.do(ctx, q, &p.Order, &p.Subscription)
}

// Confirm has an order done whose address has been confirmed, or finds what became
// of it. Errors: billing.ErrNotFound.
func (r *Runner) Confirm(ctx context.Context, request billing.RequestID) (billing.Request, error) {
	q, err := r.store.Confirm(ctx, request, r.purchaseUntil())
	if err != nil {
		return q, err
	}
	return r.Do(ctx, q)
}

func (r *Runner) purchaseUntil() time.Time { return billing.Instant(r.now()).Add(purchaseLife) }

// Keep stores the first answer to a request, so that it can be given again:
// any number but 0, and a document. One that could not be stored is made anew
// from the outcome.
func (r *Runner) Keep(ctx context.Context, q billing.Request, status int, body any) {
	doc, err := json.Marshal(body)
	if err == nil {
		err = r.store.Respond(context.WithoutCancel(ctx), q.ID, status, string(doc))
	}
	if err != nil {
		r.log.Warn("an answer was not kept", "request", q.ID, "error", err)
	}
}

package backoffice

import (
	"context"
	"fmt"
	"time"

	"github.com/okviz/licensing/billing"
)

// Movements is the gateway's own list of what it has moved.
type Movements interface {
	Name() string
	Moved(ctx context.Context, from, to time.Time) (billing.Moved, error)
}

// MoneyStore is what a reconciliation of money needs of the database.
type MoneyStore interface {
	Books(ctx context.Context, gateway string, from, to time.Time, moved billing.Moved) (billing.Books, error)
	StoreGatewayEvent(ctx context.Context, gateway string, n billing.GatewayEvent) (fresh bool, err error)
	DeferGatewayEvent(ctx context.Context, gateway, event string) error
}

// ReconcileMoney compares what a gateway has charged and refunded in [from, to)
// with the books. A payment that is being made just now may be named: compare a
// time that is over. A refund that has failed since is kept as an event, in case its
// webhook was lost: a running API acts on it.
func ReconcileMoney(ctx context.Context, store MoneyStore, gateway Movements, from, to time.Time) ([]billing.Difference, error) {
	// The list first: what it tells of was begun in the books before.
	since, until := from.Add(-billing.ReconcileMargin), to.Add(billing.ReconcileMargin)
	moved, err := gateway.Moved(ctx, since, until)
	if err != nil {
		return nil, fmt.Errorf("the gateway's list: %w", err)
	}
	books, err := store.Books(ctx, gateway.Name(), from, to, moved.Within(from, to))
	if err != nil {
		return nil, fmt.Errorf("the books: %w", err)
	}
	for _, r := range billing.FailedSince(moved, books) {
		n := billing.GatewayEvent{ID: "reconciled/" + string(r.Refund), Kind: billing.GatewayEventRefund, Reference: string(r.Charge), Created: r.At}
		fresh, err := store.StoreGatewayEvent(ctx, gateway.Name(), n)
		if fresh { // nobody is at it: the sweeper may take it
			err = store.DeferGatewayEvent(ctx, gateway.Name(), n.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("event of %s: %w", r.Refund, err)
		}
	}
	return billing.Reconcile(moved, books, from, to), nil
}

// ReconcileMoney is the function of that name, for the office's own gateway.
func (o *Office) ReconcileMoney(ctx context.Context, from, to time.Time) ([]billing.Difference, error) {
	return ReconcileMoney(ctx, o.store, o.gateway, from, to)
}

// Package backoffice is what operators run, from HTTP or the command line: bank
// statements, price migrations, reconciliation, recovery and test clocks.
package backoffice

import (
	"context"
	"log/slog"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// Store is what the back office needs of the database. Errors:
// billing.ErrNotFound, ErrBusy.
type Store interface {
	MoneyStore
	MovingStore
	StatementStore
	PendingGatewayEvents(ctx context.Context) (int64, error)
	InvoiceByNumber(ctx context.Context, number string) (billing.Invoice, error)
	Products(ctx context.Context) ([]billing.Product, error)
	Live(ctx context.Context, after int64, limit int) ([]billing.Subscription, error)
	Lease(ctx context.Context, name, holder string, life time.Duration) (held bool, err error)
	Overview(ctx context.Context, subscription billing.SubscriptionID) (billing.Overview, error)
	Audit(ctx context.Context, action, subject string, before, after any) error

	CreateClock(ctx context.Context, now time.Time) (string, error)
	HoldClock(ctx context.Context, id string) (time.Time, error)
	SetClock(ctx context.Context, id string, now time.Time) error
	ReleaseClock(ctx context.Context, id string) error
	NextOnClock(ctx context.Context, clock string, to time.Time) (id billing.SubscriptionID, at time.Time, err error)
	OnClock(ctx context.Context, clock string) ([]billing.SubscriptionID, error)
}

// Gateway is the part of the payments' port that the back office uses.
type Gateway interface {
	AdoptedGateway
	EnsureCustomer(ctx context.Context, account billing.AccountID) (customer string, err error)
}

// Office does what operators ask for.
type Office struct {
	store    Store
	gateway  Gateway
	commands *commands.Runner
	log      *slog.Logger
	now      func() time.Time
}

// New opens an office.
func New(store Store, gateway Gateway, runner *commands.Runner, log *slog.Logger, now func() time.Time) *Office {
	return &Office{store, gateway, runner, log, now}
}

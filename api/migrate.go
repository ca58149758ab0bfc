package api

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// PriceStore is what a migration of prices needs of the database.
type PriceStore interface {
	Products(ctx context.Context) ([]billing.Product, error)
	Live(ctx context.Context) ([]billing.Subscription, error)
}

// PriceSelection narrows a migration down. Empty: all.
type PriceSelection struct {
	Product  string
	Plan     string // plan id
	Currency string
}

func (c PriceSelection) takes(s billing.Subscription) bool {
	return (c.Product == "" || c.Product == s.Product) && (c.Plan == "" || c.Plan == s.Plan.ID) &&
		(c.Currency == "" || c.Currency == s.Price.Currency)
}

// MigratePrices tells every live subscription whose price is not the newest of
// its plan and currency to use that one from the next period that is not paid
// for; its billing contact is told by mail. It answers with a line for each;
// a dry run does no more than that. Doing it again finds what is left. After
// an error, the lines tell of what was done before it.
func MigratePrices(ctx context.Context, store PriceStore, temporal client.Client, which PriceSelection, dryRun bool) ([]string, error) {
	moved := []string{}
	products, err := store.Products(ctx)
	if err != nil {
		return moved, err
	}
	sold := map[string]billing.Product{}
	for _, p := range products {
		sold[p.ID] = p
	}
	live, err := store.Live(ctx)
	if err != nil {
		return moved, err
	}
	for _, s := range live {
		price, newer := s.NewerPrice(sold[s.Product])
		if !newer || !which.takes(s) {
			continue
		}
		if !dryRun {
			var outcome billing.Outcome
			c := billing.Command{Verb: billing.VerbMigrate, Price: price}
			if err := update(ctx, temporal, s, workflows.UpdateMigrate, newID("mig"), &outcome, c); err != nil {
				return moved, fmt.Errorf("telling %s: %w", s.ID, err)
			}
			if outcome.Code != "" { // it has changed meanwhile
				continue
			}
		}
		moved = append(moved, fmt.Sprintf("~ subscription %d %s %s: %s → %s", s.Number, s.ID, s.Plan.ID, s.RenewalPrice(), price))
	}
	return moved, nil
}

// migrationTime is how long a request may take to migrate prices; okviz
// catalog migrate takes all the time that it needs.
const migrationTime = 50 * time.Second

func (s *server) migratePrices(ctx context.Context, in *struct {
	Product  string `query:"product" maxLength:"64"`
	Plan     string `query:"plan" maxLength:"200" doc:"A plan's id."`
	Currency string `query:"currency" maxLength:"3"`
	DryRun   bool   `query:"dry_run" default:"false"`
}) (*changesOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	out := &changesOutput{}
	var err error
	out.Body.Changes, err = MigratePrices(ctx, s.Store, s.Temporal, PriceSelection{in.Product, in.Plan, in.Currency}, in.DryRun)
	if err != nil {
		return nil, s.answer(err)
	}
	return out, nil
}

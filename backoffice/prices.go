package backoffice

import (
	"context"
	"fmt"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// migrationCaller is who moves subscriptions to new prices.
const migrationCaller = "migration"

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
func (o *Office) MigratePrices(ctx context.Context, which PriceSelection, dryRun bool) ([]string, error) {
	moved := []string{}
	products, err := o.store.Products(ctx)
	if err != nil {
		return moved, err
	}
	sold := map[string]billing.Product{}
	for _, p := range products {
		sold[p.ID] = p
	}
	err = o.eachLive(ctx, 0, func(page []billing.Subscription) error {
		for _, s := range page {
			price, newer := s.NewerPrice(sold[s.Product])
			if !newer || !which.takes(s) {
				continue
			}
			if !dryRun {
				r, err := o.commands.Do(ctx, commands.NewRequest(migrationCaller, "POST /v1/operator/catalog/migrate", commands.NewID("mig"), s.ID,
					billing.ActorName(ctx), billing.Command{Action: billing.ActionMigrate, Price: price}))
				if err != nil {
					return fmt.Errorf("telling %s: %w", s.ID, err)
				}
				if r.Outcome == nil {
					return fmt.Errorf("telling %s: its outcome is not known yet", s.ID)
				}
				if r.Outcome.Code != "" { // it has changed meanwhile
					continue
				}
			}
			moved = append(moved, fmt.Sprintf("~ subscription %d %s %s: %s → %s", s.Number, s.ID, s.Plan.ID, s.RenewalPrice(), price))
		}
		return nil
	})
	return moved, err
}

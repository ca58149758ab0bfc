package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// pageOfFigures is how many subscriptions reports read at once.
const pageOfFigures = 500

// eachPage reads subscriptions by number, a page at a time, as they were at one
// moment.
func (s *Store) eachPage(ctx context.Context, where string, do func(tx *gorm.DB, page []subscriptionRow, ids []billing.SubscriptionID) error) error {
	return s.snapshot(ctx, func(tx *gorm.DB) error {
		for after := int64(0); ; {
			var page []subscriptionRow
			if err := tx.Where(where).Where("number > ?", after).Order("number").Limit(pageOfFigures).Find(&page).Error; err != nil || len(page) == 0 {
				return err
			}
			ids := make([]billing.SubscriptionID, len(page))
			for i, r := range page {
				ids[i], after = r.ID, r.Number
			}
			if err := do(tx, page, ids); err != nil {
				return err
			}
		}
	})
}

// Lives reads what the books say of each subscription over time.
func (s *Store) Lives(ctx context.Context, take func(billing.Life)) error {
	return s.eachPage(ctx, "status <> 'incomplete_expired'", func(tx *gorm.DB, page []subscriptionRow, ids []billing.SubscriptionID) error {
		var invoices []invoiceRow
		if err := tx.Where("subscription IN ?", ids).Order("subscription, id").Find(&invoices).Error; err != nil {
			return err
		}
		billed := map[billing.SubscriptionID][]billing.Invoice{}
		for _, inv := range invoices {
			billed[inv.Subscription] = append(billed[inv.Subscription], inv.Detail)
		}
		var rows []eventRow
		err := tx.Select("subscription", "at", "kind").Where("subscription IN ?", ids).
			Where("kind IN ?", []billing.EventKind{billing.EventCanceled, billing.EventDisputeLost, billing.EventRevival, billing.EventTrialStarted}).
			Order("subscription, revision, position").Find(&rows).Error
		if err != nil {
			return err
		}
		events, trials := map[billing.SubscriptionID][]billing.Event{}, map[billing.SubscriptionID]time.Time{}
		for _, e := range rows {
			events[e.Subscription] = append(events[e.Subscription], billing.Event{At: e.At.UTC(), Kind: e.Kind})
			if e.Kind == billing.EventTrialStarted {
				trials[e.Subscription] = e.At.UTC()
			}
		}
		for _, r := range page {
			take(billing.Life{
				Subscription: r.ID, Product: r.Product, Currency: r.State.Price.Currency, Invoices: billed[r.ID], Ends: billing.Ends(events[r.ID]), Trial: trials[r.ID],
			})
		}
		return nil
	})
}

// Upcoming reads the payments of [from, to) that are expected, by subscription.
func (s *Store) Upcoming(ctx context.Context, from, to time.Time, take func([]billing.UpcomingRow)) error {
	products, err := s.Products(ctx)
	if err != nil {
		return err
	}
	sold := map[string]billing.Product{}
	for _, p := range products {
		sold[p.ID] = p
	}
	return s.eachPage(ctx, "status IN ('trialing', 'active', 'past_due')", func(tx *gorm.DB, page []subscriptionRow, ids []billing.SubscriptionID) error {
		var accounts []billing.AccountID
		for _, r := range page {
			accounts = append(accounts, r.BillingAccount)
		}
		var balances []balanceRow
		var standing []accountDiscountRow
		ordered, err := ordersOf(tx, ids)
		if err != nil {
			return err
		}
		if err := tx.Where("account IN ?", accounts).Find(&balances).Error; err != nil {
			return err
		}
		if err := tx.Where("account IN ?", accounts).Find(&standing).Error; err != nil {
			return err
		}
		held, percent := map[balanceRow]int64{}, map[billing.AccountID]int64{}
		for _, b := range balances {
			held[balanceRow{Account: b.Account, Currency: b.Currency}] = b.Amount
		}
		for _, d := range standing {
			percent[d.Account] = d.Percent
		}
		for _, r := range page {
			currency := r.State.Price.Currency
			b := billing.Snapshot{
				Policy: s.policy, NewID: NewID, Subscription: r.State, Order: ordered[r.ID], Product: sold[r.Product], Standing: percent[r.BillingAccount],
				Balance: billing.Money{Amount: held[balanceRow{Account: r.BillingAccount, Currency: currency}], Currency: currency},
			}
			take(b.Upcoming(from, to))
		}
		return nil
	})
}

// ordersOf reads the orders of some subscriptions.
func ordersOf[ID ~string](tx *gorm.DB, ids []ID) (map[billing.SubscriptionID]billing.Order, error) {
	var rows []orderRow
	err := tx.Where("subscription IN ?", ids).Find(&rows).Error
	orders := make(map[billing.SubscriptionID]billing.Order, len(rows))
	for _, o := range rows {
		orders[o.Subscription] = o.Detail
	}
	return orders, err
}

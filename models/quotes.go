package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type quoteRow struct {
	ID           string
	Number       string
	Account      billing.AccountID // the billing contact's
	Subscription *string           // the latest order that it became, lapsed or not
	TestClock    string
	Detail       billing.Quote `gorm:"serializer:json"`
	CreatedAt    time.Time
}

func (quoteRow) TableName() string { return "quotes" }

// BeginQuote writes a request row, the quote that it asks for and the mail that
// brings it, in one transaction. Where the caller has used the key before,
// nothing is written and the earlier request comes back with fresh = false.
func (s *Store) BeginQuote(ctx context.Context, r billing.Request, q billing.Quote) (request billing.Request, fresh bool, err error) {
	return s.begin(ctx, r, func(tx *gorm.DB) error {
		var err error
		if q.Order.BillingAccount, err = account(tx, q.Order.Billing.Email); err != nil {
			return err
		}
		if err := tx.Create(newMail(q.ID, 0, q.Notice(), q.CreatedAt)).Error; err != nil {
			return err
		}
		if q.Number, err = next(tx, "Q", q.CreatedAt); err != nil {
			return err
		}
		err = tx.Create(&quoteRow{
			ID: q.ID, Number: q.Number, Account: q.Order.BillingAccount, TestClock: q.Subscription.TestClock, Detail: q,
		}).Error
		if err != nil {
			return err
		}
		if err := findBy(tx, searched{q.ID, q.SearchWords()}, searched{string(q.Order.BillingAccount), billing.SearchWords(q.Order.Billing.Email)}); err != nil {
			return err
		}
		err = s.publish(tx, billing.FeedEvent{
			Type: billing.FeedQuoteCreated, At: q.CreatedAt, Account: q.Order.BillingAccount, FeedObject: billing.FeedObject{Quote: q.ID},
		})
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, "quote.create", q.ID, nil, map[string]any{"number": q.Number, "account": q.Order.BillingAccount})
	})
}

// Quote reads a quote. Errors: ErrNotFound.
func (s *Store) Quote(ctx context.Context, id string) (billing.Quote, error) {
	db := s.db.WithContext(ctx)
	row, err := one[quoteRow](db.Where("id = ?", id))
	if err != nil {
		return billing.Quote{}, err
	}
	return row.quote(db)
}

// Quotes lists the quotes of an account, or of all where it is empty, the newest
// first.
func (s *Store) Quotes(ctx context.Context, account billing.AccountID, before string, limit int) ([]billing.Quote, error) {
	db := s.db.WithContext(ctx)
	q := db.Order("id DESC").Limit(limit)
	if account != "" {
		q = q.Where("account = ?", account)
	}
	if before != "" {
		q = q.Where("id < ?", before)
	}
	var rows []quoteRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]billing.Quote, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = row.quote(db); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// quote adds to a quote what has become of it, and where its clock stands.
func (r quoteRow) quote(tx *gorm.DB) (billing.Quote, error) {
	q := r.Detail
	if r.TestClock != "" {
		clock, err := one[testClockRow](tx.Where("id = ?", r.TestClock))
		if err != nil {
			return q, fmt.Errorf("test clock of %s: %w", r.ID, err)
		}
		q.Now = clock.Now
	}
	if r.Subscription == nil {
		return q, nil
	}
	sub, err := one[subscriptionRow](tx.Select("status").Where("id = ?", *r.Subscription))
	if err != nil {
		return q, fmt.Errorf("subscription of %s: %w", r.ID, err)
	}
	if sub.Status != billing.IncompleteExpired {
		q.Accepted, q.Unpaid = billing.SubscriptionID(*r.Subscription), sub.Status == billing.Incomplete
	}
	return q, nil
}

// accept takes a quote for an order that is written in the same transaction.
// Its row is locked, so that of several orders one gets it.
func accept(tx *gorm.DB, quote string, subscription billing.SubscriptionID, at time.Time) error {
	row, err := one[quoteRow](locked(tx).Where("id = ?", quote))
	if err != nil {
		return fmt.Errorf("quote %s: %w", quote, err)
	}
	q, err := row.quote(tx)
	if err != nil {
		return err
	}
	if refusal := q.Refusal(at); refusal != nil {
		return refusal
	}
	return tx.Model(&quoteRow{}).Where("id = ?", quote).Update("subscription", subscription).Error
}

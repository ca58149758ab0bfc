package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Snapshot reads all that is on file about a subscription, as of one revision of
// it. Errors: ErrNotFound.
func (s *Store) Snapshot(ctx context.Context, id billing.SubscriptionID) (billing.Snapshot, error) {
	db := s.db.WithContext(ctx)
	for {
		b, err := s.Ordered(ctx, id)
		if err != nil {
			return b, err
		}
		var sold []paidLineRow
		if err := db.Where("subscription = ? AND credited < net", id).Order("id").Find(&sold).Error; err != nil {
			return b, err
		}
		for _, l := range sold {
			b.PaidLines = append(b.PaidLines, billing.PaidLine{Invoice: l.Invoice, Line: l.Line, Credited: l.Credited, CreditedTax: l.CreditedTax})
		}
		open, pending := b.Subscription.OpenInvoice, b.Subscription.PendingPayment.Invoice
		var invoices []struct {
			Revision int64 // of the subscription
			ID       *billing.InvoiceID
			InFlight bool
			written
			Detail billing.Invoice `gorm:"serializer:document"`
		}
		err = db.Table("subscriptions AS s").Select("s.revision, i.id, i.in_flight, i.detail").
			Joins("LEFT JOIN invoices AS i ON i.subscription = s.id AND (i.in_flight OR i.id IN ?)", []billing.InvoiceID{open, pending}).
			Where("s.id = ?", id).Find(&invoices).Error
		if err != nil {
			return b, err
		}
		if len(invoices) > 0 && invoices[0].Revision != b.Subscription.Revision { // what was read between is of two revisions
			continue
		}
		for _, w := range invoices {
			if w.ID == nil {
				continue
			}
			b.Newer = b.Newer || w.Newer
			if w.InFlight {
				b.InFlight = &w.Detail
			}
			if *w.ID == open {
				b.Open = &w.Detail
			}
			if *w.ID == pending {
				b.PendingPayment = &w.Detail
			}
		}
		return b, nil
	}
}

// Ordered reads a subscription with its order, product and account, without its
// invoices and what was paid. Errors: ErrNotFound.
func (s *Store) Ordered(ctx context.Context, id billing.SubscriptionID) (billing.Snapshot, error) {
	b := billing.Snapshot{Policy: s.policy, NewID: NewID}
	db := s.db.WithContext(ctx)
	var rows []struct { // one for each balance of the account
		written
		Product, Method string
		State           billing.Subscription `gorm:"serializer:document"`
		Detail          billing.Order        `gorm:"serializer:document"`
		Exp             string
		Percent         int64
		Currency        string
		Amount          int64
		Catalogue       int64
		Now             *time.Time
	}
	err := db.Table("subscriptions AS s").
		Select("s.product, s.method, s.state, o.detail, COALESCE(m.exp, '') AS exp, COALESCE(d.percent, 0) AS percent, "+
			"COALESCE(b.currency, '') AS currency, COALESCE(b.amount, 0) AS amount, COALESCE(v.value, 0) AS catalogue, c.now").
		Joins("JOIN orders AS o ON o.subscription = s.id").
		Joins("LEFT JOIN payment_methods AS m ON m.ref = s.method").
		Joins("LEFT JOIN account_discounts AS d ON d.account = s.billing_account").
		Joins("LEFT JOIN balances AS b ON b.account = s.billing_account").
		Joins("LEFT JOIN test_clocks AS c ON c.id = s.test_clock").
		Joins("LEFT JOIN counters AS v ON v.name = ?", catalogueCounter).
		Where("s.id = ?", id).Find(&rows).Error
	if err == nil && len(rows) == 0 {
		err = billing.ErrNotFound
	}
	if err != nil {
		return b, fmt.Errorf("subscription %s with its order: %w", id, err)
	}
	row := rows[0]
	b.Subscription, b.Method, b.Order, b.Newer, b.MethodExp, b.Standing = row.State, row.Method, row.Detail, row.Newer, row.Exp, row.Percent
	if clock := b.Subscription.TestClock; clock != "" { // the row's now is as old as its last changeset
		if row.Now == nil {
			return b, fmt.Errorf("test clock %s: %w", clock, billing.ErrNotFound)
		}
		b.Subscription.Now = *row.Now
	}
	b.Balance.Currency = b.Subscription.Price.Currency
	for _, r := range rows {
		if r.Currency == b.Balance.Currency {
			b.Balance.Amount = r.Amount
		}
	}
	b.Product, err = s.sold.product(db, row.Product, row.Catalogue)
	return b, err
}

// Fence reads a subscription for a run that carries no state, and raises its
// revision so that nothing decided by an older run can still be posted.
func (s *Store) Fence(ctx context.Context, id billing.SubscriptionID) (billing.Subscription, error) {
	var state billing.Subscription
	err := s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[subscriptionRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return fmt.Errorf("subscription %s: %w", id, err)
		}
		if err := row.tick(tx); err != nil {
			return err
		}
		row.Revision++
		row.State.Revision = row.Revision
		state = row.State
		return save(tx, id, &row)
	})
	return state, err
}

// tick sets the now of a subscription with a test clock to the clock's: the
// row's is as old as its last changeset.
func (r *subscriptionRow) tick(tx *gorm.DB) error {
	if r.TestClock == "" {
		return nil
	}
	clock, err := one[testClockRow](tx.Where("id = ?", r.TestClock))
	if err != nil {
		return fmt.Errorf("test clock %s: %w", r.TestClock, err)
	}
	r.State.Now = clock.Now
	return nil
}

func balance(tx *gorm.DB, account billing.AccountID, currency string) (billing.Money, error) {
	b, err := one[balanceRow](tx.Where("account = ? AND currency = ?", account, currency))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return billing.Money{Amount: b.Amount, Currency: currency}, err
}

// SetCharge stores the gateway's reference of an invoice's charge, before any
// money may move. Errors: ErrNotFound.
func (s *Store) SetCharge(ctx context.Context, invoice billing.InvoiceID, gateway string, charge billing.ChargeID) error {
	db := s.db.WithContext(ctx)
	set := db.Model(&invoiceRow{}).Where("id = ? AND status = ?", invoice, billing.InvoiceDraft).
		Updates(map[string]any{"charge": charge, "detail": gorm.Expr("JSON_SET(detail, '$.gateway', ?, '$.charge', ?)", gateway, charge)})
	if set.Error != nil || set.RowsAffected > 0 {
		return set.Error
	}
	row, err := one[invoiceRow](db.Where("id = ?", invoice))
	if err == nil && (row.Status != billing.InvoiceDraft || row.Charge != charge) { // MySQL counts only rows that change
		err = fmt.Errorf("invoice %s is %s and cannot be charged", invoice, row.Status)
	}
	return err
}

// Method is a stored card; the zero one where it is not known.
func (s *Store) Method(ctx context.Context, ref string) (billing.StoredMethod, error) {
	return storedMethod(s.db.WithContext(ctx), ref)
}

func storedMethod(tx *gorm.DB, ref string) (billing.StoredMethod, error) {
	if ref == "" {
		return billing.StoredMethod{}, nil
	}
	row, err := one[paymentMethodRow](tx.Where("ref = ?", ref))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return billing.StoredMethod{Ref: row.Ref, Brand: row.Brand, Last4: row.Last4, Exp: row.Exp, Fingerprint: row.Fingerprint}, err
}

// RequestCard reads the card that a request brings.
func (s *Store) RequestCard(ctx context.Context, request billing.RequestID) (token, method string, err error) {
	r, err := one[requestRow](s.db.WithContext(ctx).Select("token", "method").Where("id = ?", request))
	return r.Token, r.Method, err
}

// SaveMethod keeps a card that was attached for a request, and forgets the
// token.
func (s *Store) SaveMethod(ctx context.Context, request billing.RequestID, account billing.AccountID, gateway string, m billing.StoredMethod) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		err := tx.Create(&paymentMethodRow{Ref: m.Ref, Account: account, Gateway: gateway, Brand: m.Brand, Last4: m.Last4, Exp: m.Exp, Fingerprint: m.Fingerprint}).Error
		if err != nil && !errors.Is(err, gorm.ErrDuplicatedKey) {
			return err
		}
		return tx.Model(&requestRow{}).Where("id = ?", request).Updates(map[string]any{"method": m.Ref, "token": ""}).Error
	})
}

package models

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/sandbox"
)

// SandboxLedger keeps the sandbox gateway's books in tables of their own,
// which nothing else of the engine reads or writes.
type SandboxLedger struct{ store *Store }

var _ sandbox.Ledger = SandboxLedger{}

// SandboxLedger gives the sandbox gateway its books.
func (s *Store) SandboxLedger() SandboxLedger { return SandboxLedger{s} }

type sandboxCustomerRow struct {
	ID      string
	Account billing.AccountID
}

type sandboxMethodRow struct {
	ID     string
	Detail sandbox.Method `gorm:"serializer:json"`
}

type sandboxFormRow struct {
	ID      string
	FormKey string
	Untold  bool
	Detail  sandbox.Form `gorm:"serializer:json"`
}

type sandboxPaymentRow struct {
	ID           billing.ChargeID
	Invoice      billing.InvoiceID
	Subscription billing.SubscriptionID
	Untold       bool
	Detail       sandbox.Payment `gorm:"serializer:json"`
}

func (sandboxCustomerRow) TableName() string { return "sandbox_customers" }
func (sandboxMethodRow) TableName() string   { return "sandbox_methods" }
func (sandboxFormRow) TableName() string     { return "sandbox_forms" }
func (sandboxPaymentRow) TableName() string  { return "sandbox_payments" }

// found says the ledger's own ErrNotFound.
func found(err error) error {
	if errors.Is(err, billing.ErrNotFound) {
		return sandbox.ErrNotFound
	}
	return err
}

// Customer implements sandbox.Ledger.
func (l SandboxLedger) Customer(ctx context.Context, c sandbox.Customer) (sandbox.Customer, error) {
	db := l.store.db.WithContext(ctx)
	row, err := one[sandboxCustomerRow](db.Where("account = ?", c.Account))
	if errors.Is(err, billing.ErrNotFound) {
		if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&sandboxCustomerRow{c.ID, c.Account}).Error; err != nil {
			return c, err
		}
		row, err = one[sandboxCustomerRow](db.Where("account = ?", c.Account))
	}
	c.ID = row.ID
	return c, found(err)
}

// AddMethod implements sandbox.Ledger.
func (l SandboxLedger) AddMethod(ctx context.Context, m sandbox.Method) error {
	db := l.store.db.WithContext(ctx)
	if _, err := one[sandboxCustomerRow](db.Where("id = ?", m.Customer)); err != nil {
		return found(err)
	}
	return db.Create(&sandboxMethodRow{m.ID, m}).Error
}

// UpdateMethod implements sandbox.Ledger.
func (l SandboxLedger) UpdateMethod(ctx context.Context, id string, f func(*sandbox.Method) error) error {
	return l.store.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[sandboxMethodRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return found(err)
		}
		if err := f(&row.Detail); err != nil {
			return err
		}
		return save(tx, id, &row)
	})
}

// OpenForm implements sandbox.Ledger.
func (l SandboxLedger) OpenForm(ctx context.Context, f sandbox.Form) (sandbox.Form, error) {
	err := l.store.tx(ctx, func(tx *gorm.DB) error {
		row, err := lockedOrNew(tx, &sandboxFormRow{f.ID, f.Key, f.Untold(), f}, "form_key = ?", f.Key)
		f = row.Detail
		return err
	})
	return f, err
}

// Form implements sandbox.Ledger.
func (l SandboxLedger) Form(ctx context.Context, id string) (sandbox.Form, error) {
	row, err := one[sandboxFormRow](l.store.db.WithContext(ctx).Where("id = ?", id))
	return row.Detail, found(err)
}

// UpdateForm implements sandbox.Ledger.
func (l SandboxLedger) UpdateForm(ctx context.Context, id string, f func(*sandbox.Form) error) error {
	return l.store.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[sandboxFormRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return found(err)
		}
		if err := f(&row.Detail); err != nil {
			return err
		}
		row.Untold = row.Detail.Untold()
		return save(tx, id, &row)
	})
}

// Open implements sandbox.Ledger.
func (l SandboxLedger) Open(ctx context.Context, p sandbox.Payment) (sandbox.Payment, error) {
	db := l.store.db.WithContext(ctx)
	mine := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&sandboxPaymentRow{p.ID, p.Invoice, p.Subscription, p.Untold(), p})
	if mine.Error != nil || mine.RowsAffected == 1 {
		return p, mine.Error
	}
	row, err := one[sandboxPaymentRow](db.Where("invoice = ?", p.Invoice))
	return row.Detail, found(err)
}

// Payment implements sandbox.Ledger.
func (l SandboxLedger) Payment(ctx context.Context, id billing.ChargeID) (sandbox.Payment, error) {
	row, err := one[sandboxPaymentRow](l.store.db.WithContext(ctx).Where("id = ?", id))
	return row.Detail, found(err)
}

// Update implements sandbox.Ledger.
func (l SandboxLedger) Update(ctx context.Context, payment billing.ChargeID, method string, f func(*sandbox.Payment, *sandbox.Method) error) error {
	return l.store.tx(ctx, func(tx *gorm.DB) error {
		p, err := one[sandboxPaymentRow](locked(tx).Where("id = ?", payment))
		if err != nil {
			return found(err)
		}
		var m *sandbox.Method
		if method != "" {
			row, err := one[sandboxMethodRow](locked(tx).Where("id = ?", method))
			if err != nil {
				return found(err)
			}
			m = &row.Detail
		}
		var was sandbox.Method
		if m != nil {
			was = *m
		}
		if err := f(&p.Detail, m); err != nil {
			return err
		}
		if m != nil && *m != was {
			if err := save(tx, method, &sandboxMethodRow{method, *m}); err != nil {
				return err
			}
		}
		p.Untold = p.Detail.Untold()
		return save(tx, payment, &p)
	})
}

// Payments implements sandbox.Ledger.
func (l SandboxLedger) Payments(ctx context.Context, subscription billing.SubscriptionID) ([]sandbox.Payment, error) {
	var rows []sandboxPaymentRow
	q := l.store.db.WithContext(ctx)
	if subscription != "" {
		q = q.Where("subscription = ?", subscription)
	}
	err := q.Find(&rows).Error
	return paymentsOf(rows), err
}

// Untold implements sandbox.Ledger.
func (l SandboxLedger) Untold(ctx context.Context, limit int) ([]sandbox.Payment, error) {
	var rows []sandboxPaymentRow
	err := l.store.db.WithContext(ctx).Where("untold = ?", true).Order("id").Limit(limit).Find(&rows).Error
	return paymentsOf(rows), err
}

// UntoldForms implements sandbox.Ledger.
func (l SandboxLedger) UntoldForms(ctx context.Context, limit int) ([]sandbox.Form, error) {
	var rows []sandboxFormRow
	err := l.store.db.WithContext(ctx).Where("untold = ?", true).Order("id").Limit(limit).Find(&rows).Error
	list := make([]sandbox.Form, len(rows))
	for i, r := range rows {
		list[i] = r.Detail
	}
	return list, err
}

func paymentsOf(rows []sandboxPaymentRow) []sandbox.Payment {
	list := make([]sandbox.Payment, len(rows))
	for i, r := range rows {
		list[i] = r.Detail
	}
	return list
}

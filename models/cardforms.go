package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type cardFormRow struct {
	ID           string
	FormKey      string // what it was asked for by
	Subscription billing.SubscriptionID
	Gateway      string
	Reference    string // the gateway's; empty before the form is open
	Back         string
	CreatedAt    time.Time
}

func (cardFormRow) TableName() string { return "card_forms" }

// BeginCardForm keeps a form that is to be opened, or finds the one that was
// begun for the same key. It tells the billing account whose card it is to be.
func (s *Store) BeginCardForm(ctx context.Context, f billing.CardForm) (form billing.CardForm, account billing.AccountID, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		sub, err := one[subscriptionRow](tx.Select("billing_account").Where("id = ?", f.Subscription))
		if err != nil {
			return err
		}
		account = sub.BillingAccount
		fresh := cardFormRow{f.ID, f.Key, f.Subscription, f.Gateway, "", string(f.Back), s.db.NowFunc()}
		row, err := lockedOrNew(tx, &fresh, "form_key = ?", f.Key)
		form = row.form()
		return err
	})
	return form, account, err
}

// SetCardForm keeps the gateway's reference of a form.
func (s *Store) SetCardForm(ctx context.Context, id, reference string) error {
	return s.db.WithContext(ctx).Model(&cardFormRow{}).Where("id = ?", id).Update("reference", reference).Error
}

// CardForm reads a form by its id. Errors: ErrNotFound.
func (s *Store) CardForm(ctx context.Context, id string) (billing.CardForm, error) {
	row, err := one[cardFormRow](s.db.WithContext(ctx).Where("id = ?", id))
	if err != nil {
		return billing.CardForm{}, fmt.Errorf("form %s: %w", id, err)
	}
	return row.form(), nil
}

// CardFormOf reads a form by what the gateway calls it. Errors: ErrNotFound.
func (s *Store) CardFormOf(ctx context.Context, gateway, reference string) (billing.CardForm, error) {
	row, err := one[cardFormRow](s.db.WithContext(ctx).Where("gateway = ? AND reference = ?", gateway, reference))
	return row.form(), err
}

func (r cardFormRow) form() billing.CardForm {
	return billing.CardForm{
		ID: r.ID, Key: r.FormKey, Subscription: r.Subscription, Gateway: r.Gateway, Reference: r.Reference, Back: billing.FormBack(r.Back),
	}
}

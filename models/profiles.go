package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type profileRow struct {
	Account   string          `gorm:"primaryKey"`
	Detail    billing.Profile `gorm:"serializer:json"`
	UpdatedAt time.Time
}

func (profileRow) TableName() string { return "profiles" }

// Profile is what an account's owner has had written down; nothing, where that
// has not been done yet.
func (s *Store) Profile(ctx context.Context, account string) (billing.Profile, error) {
	row, err := one[profileRow](s.db.WithContext(ctx).Where("account = ?", account))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return row.Detail, err
}

// PutProfile writes an account's profile down in place of the earlier one.
func (s *Store) PutProfile(ctx context.Context, account string, p billing.Profile) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		return tx.Save(&profileRow{Account: account, Detail: p}).Error
	})
}

// ended are the statuses in which a subscription is not charged by itself.
var ended = []billing.Status{billing.Canceled, billing.IncompleteExpired}

// StoredCards lists the cards that an account has stored and not removed, the
// newest first, with the subscriptions that are charged to each.
func (s *Store) StoredCards(ctx context.Context, account string) ([]billing.StoredCard, error) {
	db := s.db.WithContext(ctx)
	var cards []paymentMethodRow
	if err := db.Where("account = ? AND removed_at IS NULL", account).Order("created_at DESC, ref DESC").Find(&cards).Error; err != nil {
		return nil, err
	}
	var subs []subscriptionRow
	err := db.Select("id", "number", "method").Where("billing_account = ? AND method <> '' AND status NOT IN ?", account, ended).Order("number").Find(&subs).Error
	if err != nil {
		return nil, err
	}
	list := make([]billing.StoredCard, len(cards))
	for i, c := range cards {
		list[i] = billing.StoredCard{StoredMethod: billing.StoredMethod{Ref: c.Ref, Brand: c.Brand, Last4: c.Last4, Exp: c.Exp}, CreatedAt: c.CreatedAt}
		for _, sub := range subs {
			if sub.Method == c.Ref {
				list[i].Pays = append(list[i].Pays, billing.Subscription{ID: sub.ID, Number: sub.Number})
			}
		}
	}
	return list, nil
}

// RemoveCard forgets a card of an account, and that ended subscriptions were
// charged to it. Errors: ErrNotFound, and a *billing.Error method_in_use while a
// subscription is charged to it. The row stays: what is being revived this very
// moment may still name it.
func (s *Store) RemoveCard(ctx context.Context, account, ref string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		var subs []subscriptionRow
		if err := locked(tx).Where("billing_account = ? AND method = ?", account, ref).Order("number").Find(&subs).Error; err != nil {
			return err
		}
		card, err := one[paymentMethodRow](locked(tx).Where("ref = ? AND account = ? AND removed_at IS NULL", ref, account))
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if !sub.Status.Ended() || sub.State.Waiting.Invoice != "" { // which may revive it
				return &billing.Error{Code: billing.CodeMethodInUse, Detail: "a subscription is charged to this card: give it another one first"}
			}
			if err := tx.Model(&subscriptionRow{}).Where("id = ?", sub.ID).Update("method", "").Error; err != nil {
				return err
			}
		}
		return tx.Model(&paymentMethodRow{}).Where("ref = ?", card.Ref).Update("removed_at", tx.NowFunc()).Error
	})
}

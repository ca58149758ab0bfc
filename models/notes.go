package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type noteRow struct {
	ID           string
	Subscription billing.SubscriptionID
	At           time.Time
	Actor        string
	Text         string
}

func (noteRow) TableName() string { return "notes" }

func (r noteRow) note() billing.Note {
	return billing.Note{ID: r.ID, Subscription: r.Subscription, At: r.At.UTC(), Actor: r.Actor, Text: r.Text}
}

// AddNote keeps what the context's operator says about a subscription. Errors:
// ErrNotFound.
func (s *Store) AddNote(ctx context.Context, subscription billing.SubscriptionID, text string) (billing.Note, error) {
	row := noteRow{NewID("not"), subscription, s.db.NowFunc(), billing.ActorName(ctx), text}
	err := s.tx(ctx, func(tx *gorm.DB) error {
		if _, err := one[subscriptionRow](tx.Select("id").Where("id = ?", subscription)); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "subscription.note", string(subscription), nil, map[string]any{"note": row.ID})
	})
	return row.note(), err
}

// noteReason has operators read why a customer cancels.
func noteReason(tx *gorm.DB, r billing.Request, at time.Time) error {
	if r.Command.Action != billing.ActionCancel || r.Reason == "" || r.Actor != billing.ActorCustomer {
		return nil
	}
	return tx.Create(&noteRow{NewID("not"), r.Subscription, at, r.Actor, "Cancelled: " + r.Reason}).Error
}

// Notes lists what operators have said about a subscription, the newest first.
func (s *Store) Notes(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Note, error) {
	var rows []noteRow
	err := s.db.WithContext(ctx).Where("subscription = ?", subscription).Order("id DESC").Find(&rows).Error
	notes := make([]billing.Note, len(rows))
	for i, r := range rows {
		notes[i] = r.note()
	}
	return notes, err
}

package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Remove removes at most limit rows of a kind that were over before an instant,
// and tells how many they were. Nothing is removed that is still waited for, and
// no row of a transfer or of a card form: a statement, or who comes back again
// from the form, must find it.
func (s *Store) Remove(ctx context.Context, kind billing.Retained, before time.Time, limit int) (int, error) {
	removed := 0
	err := s.tx(ctx, func(tx *gorm.DB) error {
		removed = 0
		ids := func(row any, id, where string, args ...any) (list []string, err error) {
			return list, tx.Model(row).Where(where, args...).Order(id).Limit(limit).Pluck(id, &list).Error
		}
		forget := func(row any, id string, list []string, err error) error {
			removed += len(list)
			if err != nil || len(list) == 0 {
				return err
			}
			return tx.Where(id+" IN ?", list).Delete(row).Error
		}
		switch kind {
		case billing.RetainRequests:
			list, err := ids(&requestRow{}, "id", "created_at < ? AND outcome IS NOT NULL AND route NOT LIKE '%/mark-paid' AND route <> 'card'", before)
			return forget(&requestRow{}, "id", list, err)
		case billing.RetainMails:
			list, err := ids(&outboxRow{}, "id", "done_at < ?", before)
			return forget(&outboxRow{}, "id", list, err)
		case billing.RetainLogins:
			list, err := ids(&loginRow{}, "id", "expires_at < ?", before)
			if err := forget(&loginRow{}, "id", list, err); err != nil {
				return err
			}
			list, err = ids(&sessionRow{}, "id", "expires_at < ?", before)
			if err := forget(&sessionRow{}, "id", list, err); err != nil {
				return err
			}
			list, err = ids(&memberRow{}, "id", "joined_at IS NULL AND expires_at < ?", before)
			if err := forget(&memberRow{}, "joined_at IS NULL AND id", list, err); err != nil {
				return err
			}
			list, err = ids(&emailChangeRow{}, "id", "expires_at < ?", before)
			if err := forget(&emailChangeRow{}, "id", list, err); err != nil {
				return err
			}
			list, err = ids(&operatorSessionRow{}, "id", "expires_at < ?", before)
			return forget(&operatorSessionRow{}, "id", list, err)
		case billing.RetainGatewayEvents:
			list, err := ids(&gatewayEventRow{}, "event", "next_at IS NULL AND created_at < ?", before)
			return forget(&gatewayEventRow{}, "next_at IS NULL AND event", list, err)
		case billing.RetainEvents:
			list, err := ids(&feedRow{}, "id", "created_at < ?", before)
			return forget(&feedRow{}, "id", list, err)
		case billing.RetainDeliveries:
			list, err := ids(&webhookDeliveryRow{}, "id", "next_at IS NULL AND created_at < ?", before)
			return forget(&webhookDeliveryRow{}, "id", list, err)
		case billing.RetainAttempts:
			list, err := ids(&attemptRow{}, "subject", "expires_at <= ?", before)
			return forget(&attemptRow{}, "subject", list, err)
		case billing.RetainInvoices:
			return removeBuyers(tx, before, limit, &removed)
		case billing.RetainOrders:
			return s.removeOrders(tx, before, limit, &removed)
		}
		return fmt.Errorf("%s are not a kind that is removed", kind)
	})
	return removed, err
}

// removeOrders removes orders that came to nothing, with all that hangs on
// them. An order that has a numbered document stays, and so does one of a quote.
func (s *Store) removeOrders(tx *gorm.DB, before time.Time, limit int, removed *int) error {
	var subs []billing.SubscriptionID
	err := tx.Model(&subscriptionRow{}).Where("status = ? AND next_at IS NULL AND updated_at < ?", billing.IncompleteExpired, before).
		Where("id NOT IN (?)", tx.Model(&invoiceRow{}).Select("subscription").Where("number IS NOT NULL")).
		Where("id NOT IN (?)", tx.Model(&quoteRow{}).Select("subscription").Where("subscription IS NOT NULL")).
		Order("id").Limit(limit).Pluck("id", &subs).Error
	if err != nil || len(subs) == 0 {
		return err
	}
	// Locked, and without those that a run has begun to load meanwhile.
	err = locked(tx).Model(&subscriptionRow{}).Where("id IN ? AND updated_at < ?", subs, before).Pluck("id", &subs).Error
	if err != nil || len(subs) == 0 {
		return err
	}
	*removed = len(subs)
	for _, row := range []any{&orderRow{}, &requestRow{}, &outboxRow{}, &eventRow{}, &feedRow{}, &invoiceRow{}, &cardFormRow{}, &licenseRow{}, &noteRow{}} {
		if err := tx.Where("subscription IN ?", subs).Delete(row).Error; err != nil {
			return err
		}
	}
	if err := tx.Where("object IN ?", subs).Delete(&searchWordRow{}).Error; err != nil {
		return err
	}
	return tx.Where("id IN ?", subs).Delete(&subscriptionRow{}).Error
}

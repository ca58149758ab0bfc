package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// claimLife is how long a claim holds, in real time.
const claimLife = 2 * time.Minute

// ClaimNotices takes waiting notices of a subscription (of all, where it is
// empty: what is older than a claim's life) so that no other process sends them
// meanwhile; what was tried least comes first. A claim lapses after two
// minutes of real time.
//
// Each notice is claimed by a statement of its own, so that claimers never
// wait for each other, nor for one that holds several.
func (s *Store) ClaimNotices(ctx context.Context, subscription billing.SubscriptionID, limit int) ([]billing.Envelope, error) {
	db, now := s.db.WithContext(ctx), s.db.NowFunc()
	const pending = "done_at IS NULL AND (claimed_until IS NULL OR claimed_until <= ?)"
	q := db.Where(pending, now)
	if subscription != "" {
		q = q.Where("subscription = ?", subscription)
	} else {
		q = q.Where("created_at <= ?", now.Add(-claimLife))
	}
	var rows []outboxRow
	if err := q.Order("attempts, id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	var claimed []billing.Envelope
	for _, r := range rows {
		mine := db.Model(&outboxRow{}).Where("id = ?", r.ID).Where(pending, now).
			Updates(map[string]any{"claimed_until": now.Add(claimLife), "attempts": gorm.Expr("attempts + 1")})
		if mine.Error != nil {
			return claimed, mine.Error
		}
		if mine.RowsAffected == 1 {
			claimed = append(claimed, billing.Envelope{ID: r.ID, Subscription: r.Subscription, At: r.At, Notice: r.Notice})
		}
	}
	return claimed, nil
}

// NoticeDone says that a notice was sent, or that it never can be.
func (s *Store) NoticeDone(ctx context.Context, id string, failed bool) error {
	return s.db.WithContext(ctx).Model(&outboxRow{}).Where("id = ? AND done_at IS NULL", id).
		Updates(map[string]any{"done_at": s.db.NowFunc(), "failed": failed}).Error
}

// ReleaseNotice gives a claim back, so that the next try need not wait.
func (s *Store) ReleaseNotice(ctx context.Context, id string) error {
	return s.db.WithContext(ctx).Model(&outboxRow{}).Where("id = ? AND done_at IS NULL", id).
		Updates(map[string]any{"claimed_until": nil}).Error
}

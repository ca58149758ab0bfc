package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// busyFor is how long an advance may go without a sign of life.
const busyFor = time.Minute

// CreateClock makes a test clock that stands at an instant.
func (s *Store) CreateClock(ctx context.Context, now time.Time) (string, error) {
	row := testClockRow{ID: NewID("clk"), Now: billing.Instant(now)}
	return row.ID, s.db.WithContext(ctx).Create(&row).Error
}

// Clock reads where a test clock stands. Errors: ErrNotFound.
func (s *Store) Clock(ctx context.Context, id string) (time.Time, error) {
	row, err := one[testClockRow](s.db.WithContext(ctx).Where("id = ?", id))
	return row.Now, err
}

// nowOf is a test clock's instant; real time if there is none.
func (s *Store) nowOf(tx *gorm.DB, clock string) (time.Time, error) {
	if clock == "" {
		return s.db.NowFunc(), nil
	}
	row, err := one[testClockRow](tx.Where("id = ?", clock))
	return row.Now, err
}

// HoldClock begins an advance: no other may begin until ReleaseClock, or until
// the holder has given no sign of life for a minute. Errors: ErrNotFound,
// ErrBusy.
func (s *Store) HoldClock(ctx context.Context, id string) (now time.Time, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[testClockRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return err
		}
		if row.BusyUntil != nil && row.BusyUntil.After(s.db.NowFunc()) {
			return billing.ErrBusy
		}
		now = row.Now
		return tx.Model(&testClockRow{}).Where("id = ?", id).Update("busy_until", s.db.NowFunc().Add(busyFor)).Error
	})
	return now, err
}

// SetClock moves a held clock, which is a sign of life.
func (s *Store) SetClock(ctx context.Context, id string, now time.Time) error {
	return s.db.WithContext(ctx).Model(&testClockRow{}).Where("id = ?", id).
		Updates(map[string]any{"now": billing.Instant(now), "busy_until": s.db.NowFunc().Add(busyFor)}).Error
}

// ReleaseClock ends an advance.
func (s *Store) ReleaseClock(ctx context.Context, id string) error {
	return s.db.WithContext(ctx).Model(&testClockRow{}).Where("id = ?", id).Update("busy_until", nil).Error
}

// NextOnClock finds the subscription of a clock whose next step is due first,
// by number where several are; an empty id where nothing is due up to the
// instant.
func (s *Store) NextOnClock(ctx context.Context, clock string, to time.Time) (id billing.SubscriptionID, at time.Time, err error) {
	row, err := one[subscriptionRow](s.db.WithContext(ctx).Select("id", "next_at").
		Where("test_clock = ? AND next_at <= ?", clock, billing.Instant(to)).Order("next_at, number").Limit(1))
	if errors.Is(err, billing.ErrNotFound) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("clock %s: %w", clock, err)
	}
	return row.ID, *row.NextAt, nil
}

// OnClock lists the subscriptions of a clock that still live, by number.
func (s *Store) OnClock(ctx context.Context, clock string) ([]billing.SubscriptionID, error) {
	var ids []billing.SubscriptionID
	err := s.db.WithContext(ctx).Model(&subscriptionRow{}).
		Where("test_clock = ? AND next_at IS NOT NULL", clock).Order("number").Pluck("id", &ids).Error
	return ids, err
}

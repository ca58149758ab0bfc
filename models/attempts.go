package models

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// attemptRow holds when something was done that is limited. All processes that
// share the database count together.
type attemptRow struct {
	Subject   string
	Instants  []int64 `gorm:"serializer:json"` // Unix seconds, rising
	ExpiresAt time.Time
}

func (attemptRow) TableName() string { return "attempts" }

// Take counts one more attempt against each allowance, or none of them and says
// how long the caller must wait. What expired is forgotten.
func (s *Store) Take(ctx context.Context, now time.Time, of ...billing.Allowance) (wait time.Duration, err error) {
	of = slices.Clone(of)
	slices.SortFunc(of, func(a, b billing.Allowance) int { return cmp.Compare(a.Subject, b.Subject) }) // all lock in one order
	err = s.tx(ctx, func(tx *gorm.DB) error {
		wait = 0
		rows := make([]attemptRow, len(of))
		for i, a := range of {
			row, err := lockedOrNew(tx, &attemptRow{Subject: a.Subject, Instants: []int64{}, ExpiresAt: now}, "subject = ?", a.Subject)
			if err != nil {
				return err
			}
			row.Instants = slices.DeleteFunc(row.Instants, func(at int64) bool { return !time.Unix(at, 0).Add(a.Window).After(now) })
			if n := len(row.Instants); n >= a.Limit {
				wait = max(wait, time.Unix(row.Instants[n-a.Limit], 0).Add(a.Window).Sub(now))
			}
			row.Instants, row.ExpiresAt = append(row.Instants, now.Unix()), now.Add(a.Window)
			rows[i] = row
		}
		if wait > 0 {
			return nil
		}
		for _, row := range rows {
			if err := tx.Model(&attemptRow{}).Where("subject = ?", row.Subject).Select("*").Updates(&row).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return wait, err
}

// GiveBack takes an attempt of that instant off again.
func (s *Store) GiveBack(ctx context.Context, at time.Time, subjects ...string) error {
	slices.Sort(subjects)
	return s.tx(ctx, func(tx *gorm.DB) error {
		for _, subject := range subjects {
			row, err := lockedOrNew(tx, &attemptRow{Subject: subject, Instants: []int64{}, ExpiresAt: at}, "subject = ?", subject)
			if err != nil {
				return err
			}
			if i := slices.Index(row.Instants, at.Unix()); i >= 0 {
				row.Instants = slices.Delete(row.Instants, i, i+1)
			}
			if err := tx.Model(&attemptRow{}).Where("subject = ?", subject).Select("*").Updates(&row).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// ForgetAttempts deletes what no longer counts.
func (s *Store) ForgetAttempts(ctx context.Context, now time.Time) error {
	return s.db.WithContext(ctx).Where("expires_at <= ?", now).Delete(&attemptRow{}).Error
}

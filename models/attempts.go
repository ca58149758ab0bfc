package models

import (
	"context"
	"errors"
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
	subjects := make([]string, len(of))
	for i, a := range of {
		subjects[i] = a.Subject
	}
	for {
		err = s.tx(ctx, func(tx *gorm.DB) error {
			wait = 0
			var known []attemptRow // all lock in one order
			if err := locked(tx).Where("subject IN ?", subjects).Order("subject").Find(&known).Error; err != nil {
				return err
			}
			all := make(map[string]*attemptRow, len(of))
			for i := range known {
				all[known[i].Subject] = &known[i]
			}
			var fresh []*attemptRow
			for _, a := range of {
				row := all[a.Subject]
				if row == nil {
					row = &attemptRow{Subject: a.Subject}
					all[a.Subject], fresh = row, append(fresh, row)
				}
				row.drop(a.Window, now)
				wait = max(wait, row.wait(a, now))
				row.Instants, row.ExpiresAt = append(row.Instants, now.Unix()), now.Add(a.Window)
			}
			if wait > 0 {
				return nil
			}
			if len(fresh) > 0 {
				if err := tx.Create(&fresh).Error; err != nil {
					return err
				}
			}
			for _, row := range known {
				if err := tx.Model(&attemptRow{}).Where("subject = ?", row.Subject).Select("*").Updates(&row).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, gorm.ErrDuplicatedKey) { // else it is no longer fresh
			return wait, err
		}
	}
}

// Wait is how long a caller must wait for one more attempt; none is counted.
func (s *Store) Wait(ctx context.Context, now time.Time, of ...billing.Allowance) (wait time.Duration, err error) {
	for _, a := range of {
		row, err := one[attemptRow](s.db.WithContext(ctx).Where("subject = ?", a.Subject))
		if err != nil && !errors.Is(err, billing.ErrNotFound) {
			return 0, err
		}
		row.drop(a.Window, now)
		wait = max(wait, row.wait(a, now))
	}
	return wait, nil
}

func (r *attemptRow) drop(window time.Duration, now time.Time) {
	r.Instants = slices.DeleteFunc(r.Instants, func(at int64) bool { return !time.Unix(at, 0).Add(window).After(now) })
}

func (r *attemptRow) wait(a billing.Allowance, now time.Time) time.Duration {
	n := len(r.Instants)
	if n < a.Limit {
		return 0
	}
	return time.Unix(r.Instants[n-a.Limit], 0).Add(a.Window).Sub(now)
}

// GiveBack takes an attempt of that instant off again.
func (s *Store) GiveBack(ctx context.Context, at time.Time, subject string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[attemptRow](locked(tx).Where("subject = ?", subject))
		if errors.Is(err, billing.ErrNotFound) { // it counts no longer
			return nil
		}
		if err != nil {
			return err
		}
		if i := slices.Index(row.Instants, at.Unix()); i >= 0 {
			row.Instants = slices.Delete(row.Instants, i, i+1)
		}
		return tx.Model(&attemptRow{}).Where("subject = ?", subject).Select("*").Updates(&row).Error
	})
}

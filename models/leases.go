package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// leaseRow says who does something that one process does at a time.
type leaseRow struct {
	Name      string
	Holder    string
	HeldUntil *time.Time
}

func (leaseRow) TableName() string { return "leases" }

// Lease takes what one process does at a time, or goes on with it, for a while
// of real time; false while another one holds it.
func (s *Store) Lease(ctx context.Context, name, holder string, life time.Duration) (held bool, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row, err := lockedOrNew(tx, &leaseRow{Name: name}, "name = ?", name)
		if err != nil {
			return err
		}
		now := s.db.NowFunc()
		if held = row.Holder == holder || row.HeldUntil == nil || !row.HeldUntil.After(now); !held {
			return nil
		}
		return tx.Model(&leaseRow{}).Where("name = ?", name).Updates(map[string]any{"holder": holder, "held_until": now.Add(life)}).Error
	})
	return held && err == nil, err
}

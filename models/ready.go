package models

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Ping tells whether the database answers and has the tables of this release.
// A newer release's are as good. Errors: billing.ErrNotMigrated.
func (s *Store) Ping(ctx context.Context) error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	if err := wordless(pool.PingContext(ctx)); err != nil {
		return err
	}
	needed, err := s.migrations()
	if err != nil {
		return err
	}
	var applied []int64
	err = s.db.WithContext(ctx).Table("goose_db_version").Where("is_applied").Pluck("version_id", &applied).Error
	var e *databaseError
	switch {
	case errors.As(err, &e) && e.noTable():
		return billing.ErrNotMigrated
	case err != nil:
		return err
	}
	for _, m := range needed.ListSources() {
		if !slices.Contains(applied, m.Version) {
			return billing.ErrNotMigrated
		}
	}
	return nil
}

// probeRow takes so much room that a full disk shows, and is gone again with
// its transaction's end.
type probeRow struct {
	ID     string
	Filler []byte
}

func (probeRow) TableName() string { return "probes" }

// Writable tells whether the database takes what is written, by trying it.
// Errors: billing.ErrNotWritable.
func (s *Store) Writable(ctx context.Context) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row := probeRow{NewID("prb"), make([]byte, 16<<10)}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return tx.Where("id = ?", row.ID).Delete(&probeRow{}).Error
	})
}

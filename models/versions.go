package models

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// PutVersion publishes a package, or replaces the one of the same version, and
// offers it again where it was withdrawn. With a product's first version goes a
// notice to every licensee who is still without a file. Errors: ErrNotFound,
// and the *billing.Error of a visual that is another one.
func (s *Store) PutVersion(ctx context.Context, product string, v billing.Version, pkg []byte) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		if _, err := one[productRow](locked(tx).Where("id = ?", product)); err != nil {
			return err
		}
		versions, err := versionsOf(tx, product)
		if err != nil {
			return err
		}
		if err := v.Build.Check(v.Version, versions); err != nil {
			return err
		}
		var foreign int64
		err = tx.Model(&versionRow{}).Where("guid = ? AND guid <> '' AND product <> ? AND withdrawn_at IS NULL", v.Build.GUID, product).Count(&foreign).Error
		if err != nil {
			return err
		}
		if foreign > 0 {
			return billing.WrongGUID("is another product's")
		}
		row := versionRow{
			Product: product, Version: v.Version, Changelog: v.Changelog, ReleasedAt: s.db.NowFunc(), Package: pkg,
			GUID: v.Build.GUID, Kids: append([]string{}, v.Build.Kids...),
		}
		for _, was := range versions { // a replaced package is known by its later release
			if was.Version == v.Version && !row.ReleasedAt.After(was.ReleasedAt) {
				row.ReleasedAt = was.ReleasedAt.Add(time.Second)
			}
		}
		var before any
		for _, was := range versions {
			if was.Version == v.Version {
				before = map[string]any{"released_at": was.ReleasedAt, "guid": was.Build.GUID, "kids": was.Build.Kids}
			}
		}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		if len(versions) == 0 {
			if err := s.announce(tx, product); err != nil {
				return err
			}
		}
		v.ReleasedAt = row.ReleasedAt
		err = s.publish(tx, billing.FeedEvent{
			Type: billing.FeedVersionPublished, At: row.ReleasedAt, FeedObject: billing.FeedObject{Product: product, Version: &v},
		})
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, "version.put", product+"/"+v.Version, before,
			map[string]any{"released_at": row.ReleasedAt, "guid": row.GUID, "kids": row.Kids, "sha256": fmt.Sprintf("%x", sha256.Sum256(pkg))})
	})
}

// announce writes to the licensees of a product that was sold without a
// version.
func (s *Store) announce(tx *gorm.DB, product string) error {
	var licenses []licenseRow
	clocks := map[string]testClockRow{}
	running := []billing.Status{billing.Trialing, billing.Active, billing.PastDue}
	return tx.Where("product = ? AND status IN ? AND NOT suspended AND NOT revoked", product, running).
		FindInBatches(&licenses, 500, func(batch *gorm.DB, _ int) error {
			rows := make([]outboxRow, len(licenses))
			for i, l := range licenses {
				at := s.db.NowFunc()
				if l.TestClock != "" {
					clock, known := clocks[l.TestClock]
					if !known {
						var err error
						if clock, err = one[testClockRow](tx.Where("id = ?", l.TestClock)); err != nil {
							return err
						}
						clocks[l.TestClock] = clock
					}
					at = clock.Now
				}
				// No run of a workflow is about to send it: the next sweep may.
				written := s.db.NowFunc().Add(-claimLife)
				n := billing.Notice{Kind: billing.NoticeVersionReady, To: billing.RoleLicensee, WithFile: true, Plan: l.Plan}
				rows[i] = *newMail(string(l.Subscription), l.Revision, n, at)
				rows[i].CreatedAt = written
			}
			return tx.Create(&rows).Error
		}).Error
}

// WithdrawVersion offers a version no longer: what is newest is then the one
// before it. Errors: ErrNotFound.
func (s *Store) WithdrawVersion(ctx context.Context, product, version string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		where := tx.Where("product = ? AND version = ?", product, version)
		if _, err := one[versionRow](tx.Select("version").Where(where)); err != nil {
			return err
		}
		r := tx.Model(&versionRow{}).Where(where).Where("withdrawn_at IS NULL").Update("withdrawn_at", s.db.NowFunc())
		if r.Error != nil || r.RowsAffected == 0 {
			return r.Error
		}
		return s.audit(ctx, tx, "version.withdraw", product+"/"+version, map[string]any{"withdrawn": false}, map[string]any{"withdrawn": true})
	})
}

// Versions lists the versions that a product offers, the newest first, without
// their packages.
func (s *Store) Versions(ctx context.Context, product string) ([]billing.Version, error) {
	versions, err := s.AllVersions(ctx, product)
	return slices.DeleteFunc(versions, func(v billing.Version) bool { return v.Withdrawn() }), err
}

// AllVersions lists a product's versions, withdrawn ones among them, the newest
// first, without their packages.
func (s *Store) AllVersions(ctx context.Context, product string) ([]billing.Version, error) {
	return versionsOf(s.db.WithContext(ctx), product)
}

func versionsOf(tx *gorm.DB, product string) ([]billing.Version, error) {
	var rows []versionRow
	err := tx.Select("product", "version", "changelog", "released_at", "guid", "kids", "withdrawn_at").
		Where("product = ?", product).Find(&rows).Error
	versions := make([]billing.Version, len(rows))
	for i, r := range rows {
		versions[i] = billing.Version{
			Version: r.Version, Changelog: r.Changelog, ReleasedAt: r.ReleasedAt,
			Build: billing.Build{GUID: r.GUID, Kids: r.Kids}, WithdrawnAt: r.WithdrawnAt,
		}
	}
	slices.SortFunc(versions, func(a, b billing.Version) int { return b.Compare(a) })
	return versions, err
}

// Package reads a version's package. Errors: ErrNotFound.
func (s *Store) Package(ctx context.Context, product, version string) ([]byte, error) {
	r, err := one[versionRow](s.db.WithContext(ctx).Where("product = ? AND version = ?", product, version))
	return r.Package, err
}

package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

type licenseUsageRow struct {
	License   licensing.LicenseID
	Week      licensing.Week
	Sketch    []byte
	Questions int64
	WithoutID int64
}

func (licenseUsageRow) TableName() string { return "license_usage" }

// CountUsers adds to those who have used a licence in the week of seen.At; who
// is counted already is not counted again. Once more people than the licence
// covers have been counted in two windows in a row, its billing contact is told,
// once in a window; the subscription that the mail is of is returned.
func (s *Store) CountUsers(ctx context.Context, license licensing.LicenseID, seen licensing.Seen) (told billing.SubscriptionID, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		told = ""
		l, err := one[licenseRow](locked(tx).Where("id = ?", license)) // it stands for the weeks' rows too
		if err != nil {
			return err
		}
		before, err := l.usage(tx, seen.At)
		if err != nil {
			return err
		}
		if err := countWeek(tx, license, seen); err != nil {
			return err
		}
		usage, err := l.usage(tx, seen.At)
		if err != nil {
			return err
		}
		was := l
		if !l.above(before) {
			l.OverSince = nil
		}
		if l.OverSince == nil && l.above(usage) {
			l.OverSince = &seen.At
		}
		recently := l.OverToldAt != nil && seen.At.Before(l.OverToldAt.AddDate(0, 0, licensing.WindowDays))
		if l.counted(usage).OverLimit && !recently {
			if err := s.outgrown(tx, l, usage.Estimate, seen.At); err != nil {
				return err
			}
			l.OverToldAt, told = &seen.At, l.Subscription
		}
		if l.OverSince == was.OverSince && l.OverToldAt == was.OverToldAt {
			return nil
		}
		return save(tx, l.ID, &l)
	})
	if err != nil {
		told = ""
	}
	return told, err
}

// countWeek writes down who was seen in a week, and forgets the weeks that no
// window reaches any more. The caller has locked the licence.
func countWeek(tx *gorm.DB, license licensing.LicenseID, seen licensing.Seen) error {
	week := licensing.WeekOf(seen.At)
	row, err := one[licenseUsageRow](tx.Where("license = ? AND week = ?", license, week))
	fresh := errors.Is(err, billing.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	known, err := licensing.ReadSketch(row.Sketch)
	if err != nil {
		return err
	}
	known.Add(seen.Users...)
	if row.Sketch, err = known.Bytes(); err != nil {
		return err
	}
	row.License, row.Week = license, week
	row.Questions += seen.Questions
	row.WithoutID += seen.WithoutID
	if !fresh {
		return tx.Model(&row).Where("license = ? AND week = ?", license, week).Select("*").Updates(&row).Error
	}
	if err := tx.Where("license = ? AND week <= ?", license, week-licensing.UsageWeeks).Delete(&licenseUsageRow{}).Error; err != nil {
		return err
	}
	return tx.Create(&row).Error
}

// outgrown tells the billing contact and the history that more people use a
// licence than it covers.
func (s *Store) outgrown(tx *gorm.DB, l licenseRow, users int64, at time.Time) error {
	if err := s.note(tx, l, billing.EventOverLimit, "engine"); err != nil {
		return err
	}
	n := billing.Notice{Kind: billing.NoticeOverLimit, To: billing.RoleBilling, Plan: l.Plan, Users: users, Covers: l.Covers}
	// One revision may outlast a window: the week tells these mails apart.
	return tx.Create(&outboxRow{
		ID: NewID("ntc"), Subscription: string(l.Subscription), Revision: int64(licensing.WeekOf(at)), Kind: n.Kind, Recipient: n.To, Notice: n, At: at,
	}).Error
}

// SetBlocking turns blocking on or off for a licence that far more people use
// than it covers. It is not turned on where too many questions name no user.
// Errors: ErrNotFound, and a *billing.Error not_possible_now.
func (s *Store) SetBlocking(ctx context.Context, id licensing.LicenseID, on bool, actor string) error {
	l, err := s.License(ctx, id)
	if err != nil {
		return err
	}
	if on && l.Usage.Doubtful() {
		return &billing.Error{Code: billing.CodeNotPossibleNow, Field: "on", Detail: "more than a quarter of the questions name no user, so the count is too uncertain to block by"}
	}
	return s.amend(ctx, id, actor, func(row *licenseRow) (kind billing.EventKind, err error) {
		if row.BlockOverLimit == on {
			return "", nil
		}
		if row.BlockOverLimit = on; on {
			return billing.EventBlockingOn, nil
		}
		return billing.EventBlockingOff, nil
	})
}

// usage is who has used a licence for users as of an instant, in at most eight
// weeks of at most 17 KiB.
func (r licenseRow) usage(tx *gorm.DB, at time.Time) (licensing.Usage, error) {
	now := licensing.WeekOf(at)
	var rows []licenseUsageRow
	if err := tx.Where("license = ? AND week > ? AND week <= ?", r.ID, now-licensing.UsageWeeks, now).Find(&rows).Error; err != nil {
		return licensing.Usage{}, err
	}
	weeks := make([]licensing.WeekUsage, len(rows))
	for i, row := range rows {
		sketch, err := licensing.ReadSketch(row.Sketch)
		if err != nil {
			return licensing.Usage{}, err
		}
		weeks[i] = licensing.WeekUsage{Week: row.Week, Sketch: sketch, Questions: row.Questions, WithoutID: row.WithoutID}
	}
	return licensing.UsageIn(weeks, now)
}

// counted is what the rules make of a licence's usage (licensing.WithUsage).
func (r licenseRow) counted(u licensing.Usage) licensing.License {
	return licensing.License{Type: r.Plan.Type, Covers: r.Covers}.WithUsage(u, r.BlockOverLimit)
}

// above tells whether more people than covered were counted in the running
// window or the one before it.
func (r licenseRow) above(u licensing.Usage) bool {
	return r.Plan.Type == licensing.Users && r.Covers > 0 && max(u.Estimate, u.Before) > r.Covers
}

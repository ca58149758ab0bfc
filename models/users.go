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
		// Another process may have counted in a later week already.
		week := max(licensing.WeekOf(seen.At), l.Tally.Week)
		if l.Tally.Usage, err = l.usageIn(tx, week); err != nil {
			return err
		}
		l.Tally.Week = week
		if err := countWeek(tx, license, seen); err != nil {
			return err
		}
		usage, err := mergedUsage(tx, license, week)
		if err != nil {
			return err
		}
		var tell bool
		if l.Tally, tell = l.Tally.After(licensing.License{Type: l.Plan.Type, Covers: l.Covers}, usage, seen.At); tell {
			if err := s.outgrown(tx, l, usage.Estimate, seen.At); err != nil {
				return err
			}
			told = l.Subscription
		}
		if err := save(tx, l.ID, &l); err != nil || !tell {
			return err
		}
		return s.publishLicense(tx, l, billing.FeedLicenseOverLimit)
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
	if err := s.note(tx, l, billing.EventOverLimit, billing.ActorEngine); err != nil {
		return err
	}
	n := billing.Notice{Kind: billing.NoticeOverLimit, To: billing.RoleBilling, Plan: l.Plan, Users: users, Covers: l.Covers}
	// One revision may outlast a window: the week tells these mails apart.
	return tx.Create(newMail(string(l.Subscription), int64(licensing.WeekOf(at)), n, at)).Error
}

// SetBlocking turns blocking on or off for a licence that far more people use
// than it covers. It is not turned on where too many questions name no user.
// Errors: ErrNotFound, and a *billing.Error not_possible_now.
func (s *Store) SetBlocking(ctx context.Context, id licensing.LicenseID, on bool) error {
	l, err := s.License(ctx, id)
	if err != nil {
		return err
	}
	if on && l.Usage.Doubtful() {
		return &billing.Error{Code: billing.CodeNotPossibleNow, Field: "on", Detail: "more than a quarter of the questions name no user, so the count is too uncertain to block by"}
	}
	return s.amend(ctx, id, func(row *licenseRow) (kind billing.EventKind, err error) {
		if row.BlockOverLimit == on {
			return "", nil
		}
		if row.BlockOverLimit = on; on {
			return billing.EventBlockingOn, nil
		}
		return billing.EventBlockingOff, nil
	})
}

// usageIn is who has used a licence for users as of a week: what was kept when
// somebody was last counted, or in another week the sum of the weeks.
func (r licenseRow) usageIn(tx *gorm.DB, week licensing.Week) (licensing.Usage, error) {
	if r.Tally.Week == week {
		return r.Tally.Usage, nil
	}
	return mergedUsage(tx, r.ID, week)
}

// mergedUsage sums up at most eight weeks of at most 17 KiB each.
func mergedUsage(tx *gorm.DB, license licensing.LicenseID, now licensing.Week) (licensing.Usage, error) {
	var rows []licenseUsageRow
	if err := tx.Where("license = ? AND week > ? AND week <= ?", license, now-licensing.UsageWeeks, now).Find(&rows).Error; err != nil {
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

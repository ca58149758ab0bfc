package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

type licenseUsersRow struct {
	License   licensing.LicenseID
	PeriodEnd time.Time
	Sketch    []byte
	Users     int64
	Told      bool // that they are more than the tier covers
}

func (licenseUsersRow) TableName() string { return "license_users" }

// CountUsers adds to those who have used a licence in the period that ends
// then; who is counted already is not counted again. Users of a period that
// is over are left out. When they become more than the licence covers, its
// billing contact is told, once a period; the subscription that the mail is of
// is returned.
func (s *Store) CountUsers(ctx context.Context, license licensing.LicenseID, periodEnd time.Time, users []licensing.User) (told billing.SubscriptionID, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		told = ""
		l, err := one[licenseRow](locked(tx).Where("id = ?", license)) // it stands for the count's row too
		if err != nil || !l.PeriodEnd.Equal(periodEnd) {
			return err
		}
		row, err := one[licenseUsersRow](tx.Where("license = ?", license))
		fresh := errors.Is(err, billing.ErrNotFound)
		if err != nil && !fresh {
			return err
		}
		if !row.PeriodEnd.Equal(periodEnd) {
			row = licenseUsersRow{License: license, PeriodEnd: periodEnd}
		}
		known, err := licensing.ReadSketch(row.Sketch)
		if err != nil {
			return err
		}
		known.Add(users...)
		if row.Sketch, err = known.Bytes(); err != nil {
			return err
		}
		row.Users = known.Count()
		if !row.Told && l.counted(row.Users).OverLimit {
			if err := s.outgrown(tx, l, row.Users); err != nil {
				return err
			}
			row.Told, told = true, l.Subscription
		}
		if fresh {
			return tx.Create(&row).Error
		}
		return tx.Model(&row).Where("license = ?", license).Select("*").Updates(&row).Error
	})
	if err != nil {
		told = ""
	}
	return told, err
}

// outgrown tells the billing contact and the history that more people use a
// licence than it covers.
func (s *Store) outgrown(tx *gorm.DB, l licenseRow, users int64) error {
	if err := s.note(tx, l, billing.EventOverLimit, "engine"); err != nil {
		return err
	}
	at, err := s.nowOf(tx, l.TestClock)
	if err != nil {
		return err
	}
	sub, err := one[subscriptionRow](tx.Select("revision").Where("id = ?", l.Subscription))
	if err != nil {
		return err
	}
	n := billing.Notice{Kind: billing.NoticeOverLimit, To: billing.RoleBilling, Until: l.PeriodEnd, Plan: l.Plan, Users: users, Covers: l.Covers}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&outboxRow{
		ID: NewID("ntc"), Subscription: string(l.Subscription), Revision: sub.Revision, Kind: n.Kind, Recipient: n.To, Notice: n, At: at,
	}).Error
}

// SetBlocking turns blocking on or off for a licence that far more people use
// than it covers. Errors: ErrNotFound.
func (s *Store) SetBlocking(ctx context.Context, id licensing.LicenseID, on bool, actor string) error {
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

// Use tells how many people have used a licence in its running period, and
// whether it is blocked where they are far too many. Errors: ErrNotFound.
func (s *Store) Use(ctx context.Context, id string) (licensing.Use, error) {
	db := s.db.WithContext(ctx)
	row, err := one[licenseRow](db.Where("id = ?", id))
	if err != nil {
		return licensing.Use{}, err
	}
	users, err := row.users(db)
	return licensing.Use{Users: users, Covers: row.Covers, PeriodEnd: row.PeriodEnd, BlockOverLimit: row.BlockOverLimit}, err
}

// people is how many have used a licence in its running period.
func (r licenseRow) users(tx *gorm.DB) (int64, error) {
	row, err := one[licenseUsersRow](tx.Select("users").Where("license = ? AND period_end = ?", r.ID, r.PeriodEnd))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return row.Users, err
}

// counted is what the rules make of a number of people (licensing.CountUsers).
func (r licenseRow) counted(users int64) licensing.License {
	return licensing.License{Type: r.Plan.Type, Covers: r.Covers}.CountUsers(users, r.BlockOverLimit)
}

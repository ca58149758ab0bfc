package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

type couponRow struct {
	Code      string
	Detail    billing.Coupon `gorm:"serializer:json"`
	Redeemed  int64
	CreatedAt time.Time
}

type redemptionRow struct {
	Coupon       string
	Subscription billing.SubscriptionID
}

type accountDiscountRow struct {
	Account billing.AccountID
	Percent int64
}

func (couponRow) TableName() string          { return "coupons" }
func (redemptionRow) TableName() string      { return "redemptions" }
func (accountDiscountRow) TableName() string { return "account_discounts" }

// PutCoupon makes a coupon or replaces its terms. Orders that have redeemed it
// keep theirs.
func (s *Store) PutCoupon(ctx context.Context, c billing.Coupon) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		was, err := one[couponRow](locked(tx).Where("code = ?", c.Code))
		if err != nil && !errors.Is(err, billing.ErrNotFound) {
			return err
		}
		if _, err := lockedOrNew(tx, &couponRow{Code: c.Code, Detail: c}, "code = ?", c.Code); err != nil {
			return err
		}
		if err := tx.Model(&couponRow{}).Where("code = ?", c.Code).Updates(couponRow{Detail: c}).Error; err != nil {
			return err
		}
		if was.Code == "" {
			return s.audit(ctx, tx, "coupon.put", c.Code, nil, c)
		}
		return s.audit(ctx, tx, "coupon.put", c.Code, was.Detail, c)
	})
}

// Coupon reads a coupon, and how many orders have redeemed it. Errors:
// ErrNotFound.
func (s *Store) Coupon(ctx context.Context, code string) (c billing.Coupon, redeemed int64, err error) {
	row, err := one[couponRow](s.db.WithContext(ctx).Where("code = ?", code))
	return row.Detail, row.Redeemed, err
}

// Coupons lists coupons by code, from behind the code after.
func (s *Store) Coupons(ctx context.Context, after string, limit int) (list []billing.Coupon, redeemed []int64, err error) {
	var rows []couponRow
	err = s.db.WithContext(ctx).Where("code > ?", after).Order("code").Limit(limit).Find(&rows).Error
	for _, r := range rows {
		list, redeemed = append(list, r.Detail), append(redeemed, r.Redeemed)
	}
	return list, redeemed, err
}

// redeem counts an order for its coupon, once. It is refused where as many
// orders have redeemed it as may: coupon_used_up.
func redeem(tx *gorm.DB, coupon string, subscription billing.SubscriptionID) error {
	row, err := one[couponRow](locked(tx).Where("code = ?", coupon))
	if err != nil {
		return err
	}
	mine := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&redemptionRow{coupon, subscription})
	if mine.Error != nil || mine.RowsAffected == 0 {
		return mine.Error
	}
	if row.Detail.Limit > 0 && row.Redeemed >= row.Detail.Limit {
		return &billing.Error{Code: billing.CodeCouponUsedUp, Field: "coupon", Detail: "this coupon has reached its limit"}
	}
	return tx.Model(&couponRow{}).Where("code = ?", coupon).Update("redeemed", row.Redeemed+1).Error
}

// unredeem gives a coupon back of an order that was never paid.
func unredeem(tx *gorm.DB, coupon string, subscription billing.SubscriptionID) error {
	row, err := one[couponRow](locked(tx).Where("code = ?", coupon))
	if err != nil {
		return err
	}
	mine := tx.Where("coupon = ? AND subscription = ?", coupon, subscription).Delete(&redemptionRow{})
	if mine.Error != nil || mine.RowsAffected == 0 {
		return mine.Error
	}
	return tx.Model(&couponRow{}).Where("code = ?", coupon).Update("redeemed", row.Redeemed-1).Error
}

// SetStanding gives an address's account a standing discount in percent; 0
// takes it away.
func (s *Store) SetStanding(ctx context.Context, email string, percent int64) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		id, err := account(tx, email)
		if err != nil {
			return err
		}
		was, err := standing(tx, id)
		if err != nil {
			return err
		}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&accountDiscountRow{id, percent}).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "account.discount", string(id), map[string]any{"percent": was}, map[string]any{"percent": percent})
	})
}

// Standing is an account's standing discount in percent.
func (s *Store) Standing(ctx context.Context, account billing.AccountID) (int64, error) {
	return standing(s.db.WithContext(ctx), account)
}

func standing(tx *gorm.DB, account billing.AccountID) (int64, error) {
	row, err := one[accountDiscountRow](tx.Where("account = ?", account))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return row.Percent, err
}

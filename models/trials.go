package models

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// claimTrial takes an organisation's one trial of a product, or from a trial that
// nobody has used, where somebody of the organisation asks. Errors: a
// *billing.Error trial_already_used.
func claimTrial(tx *gorm.DB, row trialClaimRow) error {
	r := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	if r.Error == nil && r.RowsAffected == 0 && row.Used {
		r = tx.Model(&trialClaimRow{}).Where("product = ? AND claim = ? AND NOT used", row.Product, row.Claim).
			Updates(map[string]any{"subscription": row.Subscription, "used": true})
	}
	if r.Error == nil && r.RowsAffected == 0 {
		return &billing.Error{Code: billing.CodeTrialAlreadyUsed, Field: "pay", Detail: "this organisation has already had a trial of this product"}
	}
	return r.Error
}

// UnusedTrial tells whether an organisation has a trial of a product that nobody
// of it has used.
func (s *Store) UnusedTrial(ctx context.Context, product, organisation string) (bool, error) {
	row, err := one[trialClaimRow](s.db.WithContext(ctx).Where("product = ? AND claim = ?", product, organisation))
	if errors.Is(err, billing.ErrNotFound) {
		return false, nil
	}
	return err == nil && !row.Used, err
}

// UseTrial notes that the trial of a licence was used; where the organisation is
// named, only if the trial is its own. Of other licences it notes nothing.
func (s *Store) UseTrial(ctx context.Context, license licensing.LicenseID, organisation string) error {
	db := s.db.WithContext(ctx)
	of := db.Model(&licenseRow{}).Select("subscription").Where("id = ?", license)
	q := db.Model(&trialClaimRow{}).Where("subscription = (?) AND NOT used", of)
	if organisation != "" {
		q = q.Where("claim = ?", organisation)
	}
	return q.Update("used", true).Error
}

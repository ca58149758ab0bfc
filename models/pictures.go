package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// Picture is a picture of a product and its content type. Errors: ErrNotFound.
func (s *Store) Picture(ctx context.Context, product, name string) (contentType string, data []byte, err error) {
	r, err := one[pictureRow](s.db.WithContext(ctx).Where("product = ? AND name = ?", product, name))
	return r.ContentType, r.Data, err
}

// PutPicture stores a picture of a product, or replaces it. Errors: ErrNotFound.
func (s *Store) PutPicture(ctx context.Context, product, name, contentType string, data []byte) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		if _, err := one[productRow](locked(tx).Where("id = ?", product)); err != nil {
			return err
		}
		row := pictureRow{product, name, contentType, data}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		return s.audit(ctx, tx, "picture.put", product, nil, map[string]any{"name": name, "sha256": hex.EncodeToString(sum[:])})
	})
}

// DeletePicture removes one. Errors: ErrNotFound.
func (s *Store) DeletePicture(ctx context.Context, product, name string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		r := tx.Where("product = ? AND name = ?", product, name).Delete(&pictureRow{})
		if r.Error != nil || r.RowsAffected == 0 {
			return orNotFound(r.Error)
		}
		return s.audit(ctx, tx, "picture.delete", product, map[string]any{"name": name}, nil)
	})
}

func orNotFound(err error) error {
	if err == nil {
		return billing.ErrNotFound
	}
	return err
}

package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

type vendorDocumentRow struct {
	Name      string `gorm:"primaryKey"`
	Title     string
	Size      int
	Content   []byte
	UpdatedAt time.Time
}

func (vendorDocumentRow) TableName() string { return "vendor_documents" }

func (r vendorDocumentRow) document() billing.VendorDocument {
	return billing.VendorDocument{Name: r.Name, Title: r.Title, Size: r.Size, UpdatedAt: r.UpdatedAt.UTC()}
}

// VendorDocuments lists the vendor's own documents by title, without their
// content.
func (s *Store) VendorDocuments(ctx context.Context) ([]billing.VendorDocument, error) {
	var rows []vendorDocumentRow
	err := s.db.WithContext(ctx).Omit("content").Order("title, name").Find(&rows).Error
	list := make([]billing.VendorDocument, len(rows))
	for i, r := range rows {
		list[i] = r.document()
	}
	return list, err
}

// VendorDocument reads one of them. Errors: ErrNotFound.
func (s *Store) VendorDocument(ctx context.Context, name string) (d billing.VendorDocument, content []byte, err error) {
	row, err := one[vendorDocumentRow](s.db.WithContext(ctx).Where("name = ?", name))
	return row.document(), row.Content, err
}

// PutVendorDocument keeps a document in place of the earlier one of its name.
func (s *Store) PutVendorDocument(ctx context.Context, d billing.VendorDocument, content []byte) (billing.VendorDocument, error) {
	row := vendorDocumentRow{Name: d.Name, Title: d.Title, Size: len(content), Content: content, UpdatedAt: s.db.NowFunc()}
	err := s.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "vendor_document.put", d.Name, nil, map[string]any{"title": d.Title, "size": row.Size})
	})
	return row.document(), err
}

// RemoveVendorDocument removes a document. Errors: ErrNotFound.
func (s *Store) RemoveVendorDocument(ctx context.Context, name string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		r := tx.Where("name = ?", name).Delete(&vendorDocumentRow{})
		if r.Error != nil || r.RowsAffected == 0 {
			return orNotFound(r.Error)
		}
		return s.audit(ctx, tx, "vendor_document.remove", name, nil, nil)
	})
}

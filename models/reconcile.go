package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Books reads what is on file about the money that a gateway has moved: invoices
// that were paid and refunds that were begun in [from, to), and those that the
// gateway names. It reads nothing else, however much there is.
func (s *Store) Books(ctx context.Context, gateway string, from, to time.Time, moved billing.Moved) (billing.Books, error) {
	books := billing.Books{Invoices: map[billing.InvoiceID]billing.Invoice{}, Refunds: map[billing.RefundID]billing.BookedRefund{}}
	var invoices []billing.InvoiceID
	var refunds []billing.RefundID
	for _, c := range moved.Charges {
		invoices = append(invoices, c.Invoice)
	}
	for _, r := range moved.Refunds {
		refunds, invoices = append(refunds, r.Refund), append(invoices, r.Invoice)
	}
	err := s.snapshot(ctx, func(tx *gorm.DB) error {
		var paid []billing.InvoiceID
		if err := tx.Model(&invoiceRow{}).Where("paid_at >= ? AND paid_at < ?", from, to).Pluck("id", &paid).Error; err != nil {
			return err
		}
		err := each(tx, append(invoices, paid...), func(row invoiceRow) {
			if row.Detail.Gateway == gateway {
				books.Invoices[row.ID] = row.Detail
			}
		})
		if err != nil {
			return err
		}
		var begun []billing.RefundID
		if err := tx.Model(&refundRow{}).Where("created_at >= ? AND created_at < ?", from, to).Pluck("id", &begun).Error; err != nil {
			return err
		}
		return each(tx, append(refunds, begun...), func(row refundRow) {
			if row.Gateway == gateway {
				books.Refunds[row.ID] = billing.BookedRefund{Refund: row.refund(), Subscription: row.Subscription, At: row.CreatedAt}
			}
		})
	})
	return books, err
}

// each reads the rows of some ids, a few hundred at once.
func each[T any, ID ~string](tx *gorm.DB, ids []ID, f func(T)) error {
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), 500) {
		var rows []T
		if err := tx.Where("id IN ?", some).Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			f(row)
		}
	}
	return nil
}

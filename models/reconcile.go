package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Books reads what is on file about the money that a gateway has moved: paid
// invoices and refunds of [from, to), by the instant at which they were written
// first, and those that the gateway names.
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
	within := "created_at >= ? AND created_at < ?"
	err := s.snapshot(ctx, func(tx *gorm.DB) error {
		err := each(tx.Where("status = ?", billing.InvoicePaid).Where(within, from, to), tx, invoices, func(row invoiceRow) {
			if row.Detail.Gateway == gateway {
				books.Invoices[row.ID] = row.Detail
			}
		})
		if err != nil {
			return err
		}
		return each(tx.Where(within, from, to), tx, refunds, func(row refundRow) {
			if row.Gateway == gateway {
				books.Refunds[row.ID] = billing.BookedRefund{Refund: row.refund(), Subscription: row.Subscription, At: row.CreatedAt}
			}
		})
	})
	return books, err
}

// each reads the rows of a query and those of some ids, a few hundred at once.
func each[T any, ID ~string](q, tx *gorm.DB, ids []ID, f func(T)) error {
	var rows []T
	take := func(*gorm.DB, int) error {
		for _, row := range rows {
			f(row)
		}
		return nil
	}
	const atOnce = 500
	if err := q.FindInBatches(&rows, atOnce, take).Error; err != nil {
		return err
	}
	for some := range slices.Chunk(ids, atOnce) {
		if err := tx.Where("id IN ?", some).Find(&rows).Error; err != nil {
			return err
		}
		if err := take(nil, 0); err != nil {
			return err
		}
	}
	return nil
}

package models

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Ledger reads all that has moved an account's money.
func (s *Store) Ledger(ctx context.Context, account billing.AccountID) (b billing.Ledger, err error) {
	var invoices []invoiceRow
	var notes []creditNoteRow
	var refunds []refundRow
	var entries []balanceEntryRow
	err = s.snapshot(ctx, func(tx *gorm.DB) error {
		of := tx.Model(&invoiceRow{}).Select("id").Where("account = ? AND number IS NOT NULL", account)
		return inOrder(
			func() *gorm.DB {
				return tx.Where("account = ? AND number IS NOT NULL", account).Order("id").Find(&invoices)
			},
			func() *gorm.DB { return tx.Where("account = ?", account).Order("id").Find(&notes) },
			func() *gorm.DB { return tx.Where("invoice IN (?)", of).Order("id").Find(&refunds) },
			func() *gorm.DB { return tx.Where("account = ?", account).Order("created_at, entry_key").Find(&entries) },
		)
	})
	if err != nil {
		return b, err
	}
	for _, r := range invoices {
		b.Invoices = append(b.Invoices, r.Detail)
	}
	for _, r := range notes {
		b.Notes = append(b.Notes, r.Detail)
	}
	for _, r := range refunds {
		b.Refunds = append(b.Refunds, billing.PostedRefund{Refund: r.refund(), At: r.CreatedAt})
	}
	for _, r := range entries {
		b.Entries = append(b.Entries, r.posted())
	}
	return b, nil
}

// NumberedDocument finds an invoice, or the credit note, that has a number. Errors:
// ErrNotFound.
func (s *Store) NumberedDocument(ctx context.Context, number string) (inv billing.Invoice, note billing.CreditNote, err error) {
	db := s.db.WithContext(ctx)
	found := db.Where("number = ?", number)
	noted, err := one[creditNoteRow](db.Where("number = ?", number))
	switch {
	case err == nil:
		note, found = noted.Detail, db.Where("id = ?", noted.Invoice)
	case !errors.Is(err, billing.ErrNotFound):
		return inv, note, err
	}
	row, err := one[invoiceRow](found)
	return row.Detail, note, err
}

func (r balanceEntryRow) posted() billing.PostedEntry {
	return billing.PostedEntry{
		BalanceEntry: billing.BalanceEntry{
			Key: r.EntryKey, Account: r.Account, Currency: r.Currency, Amount: r.Amount, Cause: r.Cause, Document: r.Document,
		}, At: r.CreatedAt,
	}
}

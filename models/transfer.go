package models

import (
	"context"

	"github.com/okviz/licensing/billing"
)

// Transferred reads an invoice and what has come for it by transfer. Errors:
// ErrNotFound.
func (s *Store) Transferred(ctx context.Context, invoice billing.InvoiceID) (billing.Transferred, error) {
	db := s.db.WithContext(ctx)
	row, err := one[invoiceRow](db.Where("id = ?", invoice))
	if err != nil {
		return billing.Transferred{}, err
	}
	t := billing.Transferred{Invoice: row.Detail}
	var entries []balanceEntryRow
	err = db.Where("entry_key LIKE ? ESCAPE '!'", likeLiteral(billing.TransferKeys(invoice))+"%").Order("entry_key").Find(&entries).Error
	for _, e := range entries {
		t.Keys, t.Amounts = append(t.Keys, e.EntryKey), append(t.Amounts, e.Amount)
		t.Received += e.Amount
	}
	return t, err
}

// InvoiceByNumber reads an invoice. Errors: ErrNotFound.
func (s *Store) InvoiceByNumber(ctx context.Context, number string) (billing.Invoice, error) {
	row, err := one[invoiceRow](s.db.WithContext(ctx).Where("number = ?", number))
	return row.Detail, err
}

// likeLiteral takes the meaning from LIKE's wildcards.
func likeLiteral(s string) string {
	var out []rune
	for _, r := range s {
		if r == '%' || r == '_' || r == '!' {
			out = append(out, '!')
		}
		out = append(out, r)
	}
	return string(out)
}

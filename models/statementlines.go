package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

type statementLineRow struct {
	ID        string
	LineKey   string
	ValueDate time.Time
	Amount    int64
	Currency  string
	Text      string
	Why       string
	Invoice   billing.InvoiceID // empty: it is in nobody's hands
	Settled   billing.Settled
	SettledAt *time.Time
	CreatedAt time.Time
}

func (statementLineRow) TableName() string { return "statement_lines" }

func (r statementLineRow) line() billing.KeptLine {
	return billing.KeptLine{
		ID: r.ID, Key: r.LineKey, Date: r.ValueDate.UTC(), Amount: billing.Money{Amount: r.Amount, Currency: r.Currency},
		Text: r.Text, Why: r.Why, Invoice: r.Invoice, Settled: r.Settled,
	}
}

// KeepLine keeps a line of a bank's statement that a person must settle, once, and
// gives back what is kept of it.
func (s *Store) KeepLine(ctx context.Context, l billing.KeptLine) (billing.KeptLine, error) {
	row := statementLineRow{
		ID: NewID("stl"), LineKey: l.Key, ValueDate: l.Date, Amount: l.Amount.Amount, Currency: l.Amount.Currency, Text: l.Text, Why: l.Why,
	}
	db := s.db.WithContext(ctx)
	if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return billing.KeptLine{}, err
	}
	row, err := one[statementLineRow](db.Where("line_key = ?", l.Key))
	return row.line(), err
}

// KeptLine reads a line by its id, or by its key. Errors: ErrNotFound.
func (s *Store) KeptLine(ctx context.Context, id string) (billing.KeptLine, error) {
	row, err := one[statementLineRow](s.db.WithContext(ctx).Where("id = ? OR line_key = ?", id, id))
	return row.line(), err
}

// KeptLines are those that are not settled, the oldest first, from behind an id.
func (s *Store) KeptLines(ctx context.Context, after string, limit int) ([]billing.KeptLine, error) {
	var rows []statementLineRow
	err := s.db.WithContext(ctx).Where("settled = '' AND id > ?", after).Order("id").Limit(limit).Find(&rows).Error
	lines := make([]billing.KeptLine, len(rows))
	for i, r := range rows {
		lines[i] = r.line()
	}
	return lines, err
}

// TakeLine gives a line that is not settled to one invoice. Errors: ErrNotFound,
// ErrConflict where it is settled, or another invoice's.
func (s *Store) TakeLine(ctx context.Context, id string, invoice billing.InvoiceID) (line billing.KeptLine, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[statementLineRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return err
		}
		if row.Settled != "" || row.Invoice != "" && row.Invoice != invoice {
			return billing.ErrConflict
		}
		row.Invoice = invoice
		line = row.line()
		return tx.Model(&statementLineRow{}).Where("id = ?", id).Update("invoice", invoice).Error
	})
	return line, err
}

// ReturnLine takes a line that is not settled from an invoice. One that the invoice
// does not have stays as it is.
func (s *Store) ReturnLine(ctx context.Context, id string, from billing.InvoiceID) error {
	return s.db.WithContext(ctx).Model(&statementLineRow{}).Where("id = ? AND invoice = ? AND settled = ''", id, from).Update("invoice", "").Error
}

// SettleLine notes how a line was settled, by its id or its key, and forgets the bank's
// words. One that is not kept, or settled already, stays as it is: settled tells.
func (s *Store) SettleLine(ctx context.Context, id string, as billing.Settled, reason string) (settled bool, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[statementLineRow](locked(tx).Where("id = ? OR line_key = ?", id, id))
		if errors.Is(err, billing.ErrNotFound) {
			return nil
		}
		if settled = err == nil && row.Settled == "" && (as != billing.SettledDismissed || row.Invoice == ""); !settled {
			return err
		}
		now := s.db.NowFunc()
		set := map[string]any{"settled": as, "settled_at": now, "text": ""}
		if err := tx.Model(&statementLineRow{}).Where("id = ?", row.ID).Updates(set).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "statement_line."+string(as), row.ID, nil, map[string]any{"invoice": row.Invoice, "reason": reason})
	})
	return settled, err
}

package models

import (
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

func TestVendorDocumentsAreReplacedListedAndRemoved(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := billing.As(t.Context(), billing.Actor{Name: "ops", From: "here"})
		for _, title := range []string{"W-9 of 2025", "W-9 of 2026"} {
			_, err := s.PutVendorDocument(ctx, billing.VendorDocument{Name: "w-9", Title: title}, []byte("%PDF-"+title))
			must(t, err)
		}
		_, err := s.PutVendorDocument(ctx, billing.VendorDocument{Name: "bank", Title: "Letter of our bank"}, []byte("%PDF-bank"))
		must(t, err)
		list, err := s.VendorDocuments(t.Context())
		must(t, err)
		if len(list) != 2 || list[0].Name != "bank" || list[1].Title != "W-9 of 2026" || list[1].Size != len("%PDF-W-9 of 2026") {
			t.Errorf("listed: %+v", list)
		}
		if _, content, err := s.VendorDocument(t.Context(), "w-9"); err != nil || string(content) != "%PDF-W-9 of 2026" {
			t.Errorf("read: %q, %v", content, err)
		}
		must(t, s.RemoveVendorDocument(ctx, "w-9"))
		if err := s.RemoveVendorDocument(ctx, "w-9"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("removed twice: %v", err)
		}
		if _, _, err := s.VendorDocument(t.Context(), "w-9"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("a removed one: %v", err)
		}
		rows, err := s.AuditLog(t.Context(), billing.AuditSelection{}, 10)
		must(t, err)
		if len(rows) != 4 {
			t.Errorf("the audit log has %+v", rows)
		}
	})
}

// Money comes while the first of the ledger's tables has been read.
func TestALedgerIsReadAsOfOneMoment(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		s.charged("ada@contoso.example")
		account, err := s.AccountOf(t.Context(), "ada@contoso.example")
		must(t, err)
		came := false
		must(t, s.db.Callback().Query().After("gorm:query").Register("come", func(tx *gorm.DB) {
			if came || tx.Statement.Table != "invoices" {
				return
			}
			came = true
			must(t, s.tx(t.Context(), func(tx *gorm.DB) error {
				return s.move(tx, []billing.BalanceEntry{{Key: "moved/c1/EUR", Account: account.ID, Currency: "EUR", Amount: 500, Cause: billing.CauseMovedIn}})
			}))
		}))
		b, err := s.Ledger(t.Context(), account.ID)
		must(t, err)
		if !came || len(b.Invoices) != 1 || len(b.Entries) != 0 {
			t.Errorf("come: %t; read: %d invoices, entries %+v", came, len(b.Invoices), b.Entries)
		}
		if b, err = s.Ledger(t.Context(), account.ID); err != nil || len(b.Entries) != 1 || b.Statement("EUR", opening, opening.AddDate(100, 0, 0)).Closing.Amount != -500 {
			t.Errorf("the next one: %+v, %v", b.Entries, err)
		}
	})
}

package models

import (
	"errors"
	"testing"

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

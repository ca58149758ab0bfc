package models

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

func TestAnAPIKeyIsKnownByItsHashOnly(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		const key = "ok_0123456789abcdefghijklmnopqrstuv"
		ids := map[string]bool{}
		for _, id := range together(10, func(int) string {
			id, err := s.PutAPIKey(t.Context(), key, "operator", "cus_1")
			if err != nil {
				t.Error(err)
			}
			return id
		}) {
			ids[id] = true
		}
		if len(ids) != 1 {
			t.Errorf("one key, ids %v", ids)
		}
		id, scope, account, err := s.APIKey(t.Context(), key)
		must(t, err)
		if !ids[id] || scope != "operator" || account != "cus_1" {
			t.Errorf("%s, scope %s, account %s", id, scope, account)
		}
		row, err := one[apiKeyRow](s.db)
		must(t, err)
		if strings.Contains(row.Hash, "0123456789abc") || len(row.Hash) != 64 {
			t.Errorf("hash %s", row.Hash)
		}
		for _, wrong := range []string{"", strings.ToUpper(key), key[:20], row.Hash} {
			if _, _, _, err := s.APIKey(t.Context(), wrong); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		must(t, s.db.Model(&apiKeyRow{}).Where("id = ?", id).Update("revoked_at", time.Now()).Error)
		if _, _, _, err := s.APIKey(t.Context(), key); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("revoked: %v", err)
		}
	})
}

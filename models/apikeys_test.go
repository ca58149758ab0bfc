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
			id, err := s.PutAPIKey(t.Context(), key, billing.APIKey{Access: "read", Account: "cus_1"})
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
		k, err := s.APIKey(t.Context(), key)
		must(t, err)
		id := k.ID
		if !ids[id] || k.Access != "read" || k.Account != "cus_1" {
			t.Errorf("%+v", k)
		}
		row, err := one[apiKeyRow](s.db)
		must(t, err)
		if strings.Contains(row.Hash, "0123456789abc") || len(row.Hash) != 64 {
			t.Errorf("hash %s", row.Hash)
		}
		for _, wrong := range []string{"", strings.ToUpper(key), key[:20], row.Hash} {
			if _, err := s.APIKey(t.Context(), wrong); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		must(t, s.db.Model(&apiKeyRow{}).Where("id = ?", id).Update("revoked_at", time.Now()).Error)
		if _, err := s.APIKey(t.Context(), key); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("revoked: %v", err)
		}
	})
}

func TestAnOperatorsKeyEndsWithItsExpiryAndItsOperator(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
		s.db.NowFunc = func() time.Time { return now }
		if _, err := s.PutAPIKey(ctx, "key-of-nobody", billing.APIKey{Operator: "anna", Access: "read"}); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("a key of an operator who is not there: %v", err)
		}
		for _, name := range []string{"", "customer", "engine", "operator", "a b", "<b>", strings.Repeat("a", 65)} {
			if _, err := s.AddOperator(ctx, name); err == nil {
				t.Errorf("an operator is called %q", name)
			}
		}
		for _, name := range []string{"anna", "bob"} {
			_, err := s.AddOperator(ctx, name)
			must(t, err)
		}
		if _, err := s.AddOperator(ctx, "anna"); err == nil {
			t.Error("two operators are called anna")
		}
		until := now.Add(24 * time.Hour)
		for key, k := range map[string]billing.APIKey{
			"annas": {Operator: "anna", Access: "read", ExpiresAt: &until}, "bobs": {Operator: "bob", Access: "support"},
		} {
			_, err := s.PutAPIKey(ctx, key, k)
			must(t, err)
			got, err := s.APIKey(ctx, key)
			must(t, err)
			if got.Operator != k.Operator || got.Access != k.Access || got.LastUsedAt != nil {
				t.Errorf("%s: %+v", key, got)
			}
		}
		now = now.Add(time.Hour)
		_, err := s.APIKey(ctx, "annas")
		must(t, err)
		keys, err := s.APIKeys(ctx, "", "")
		must(t, err)
		for _, k := range keys {
			want := now // annas was used just now, bobs an hour ago
			if k.Operator == "bob" {
				want = now.Add(-time.Hour)
			}
			if k.LastUsedAt == nil || !k.LastUsedAt.Equal(want) {
				t.Errorf("%s's key was last used at %v", k.Operator, k.LastUsedAt)
			}
		}
		must(t, s.SuspendOperator(ctx, "bob"))
		if _, err := s.APIKey(ctx, "bobs"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("a suspended operator's key: %v", err)
		}
		if _, err := s.PutAPIKey(ctx, "bobs-next", billing.APIKey{Operator: "bob", Access: "read"}); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("a new key of a suspended operator: %v", err)
		}
		now = until
		if _, err := s.APIKey(ctx, "annas"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("a key that has expired: %v", err)
		}
	})
}

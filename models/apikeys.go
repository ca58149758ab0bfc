package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// PutAPIKey stores the hash of an API key. The same key again changes nothing.
func (s *Store) PutAPIKey(ctx context.Context, key, scope string, account billing.AccountID) (id string, err error) {
	if row, err := s.apiKey(ctx, key); err == nil {
		return row.ID, nil
	} else if !errors.Is(err, billing.ErrNotFound) {
		return "", err
	}
	row := apiKeyRow{ID: NewID("key"), Hash: hashKey(key), Scope: scope, Account: account}
	err = s.db.WithContext(ctx).Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) { // another process wrote it meanwhile
		row, err = s.apiKey(ctx, key)
	}
	return row.ID, err
}

// APIKey finds who a key belongs to. Errors: ErrNotFound.
func (s *Store) APIKey(ctx context.Context, key string) (id, scope string, account billing.AccountID, err error) {
	row, err := s.apiKey(ctx, key)
	return row.ID, row.Scope, row.Account, err
}

func (s *Store) apiKey(ctx context.Context, key string) (apiKeyRow, error) {
	return one[apiKeyRow](s.db.WithContext(ctx).Where("hash = ? AND revoked_at IS NULL", hashKey(key)))
}

// hashKey needs no salt and no stretching: keys are long and random.
func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

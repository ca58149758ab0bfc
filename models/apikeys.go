package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type operatorRow struct {
	ID          string
	Name        string
	CreatedAt   time.Time
	SuspendedAt *time.Time
}

func (operatorRow) TableName() string { return "operators" }

// AddOperator makes an operator of a name. Errors: gorm.ErrDuplicatedKey, and a
// *billing.Error of a name that none may have.
func (s *Store) AddOperator(ctx context.Context, name string) (billing.Operator, error) {
	if !billing.ValidOperatorName(name) {
		return billing.Operator{}, &billing.Error{Code: billing.CodeInvalid, Field: "name", Detail: "has 1 to 64 letters, digits or . _ @ + - and is not customer, engine or operator"}
	}
	row := operatorRow{ID: NewID("opr"), Name: name, CreatedAt: s.db.NowFunc()}
	err := s.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "operator.add", row.ID, nil, map[string]any{"name": name})
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		err = &billing.Error{Code: billing.CodeInvalid, Field: "name", Detail: "is another operator's"}
	}
	return row.operator(), err
}

func (r operatorRow) operator() billing.Operator {
	return billing.Operator{ID: r.ID, Name: r.Name, CreatedAt: r.CreatedAt, SuspendedAt: r.SuspendedAt}
}

// Operators lists all operators by name.
func (s *Store) Operators(ctx context.Context) ([]billing.Operator, error) {
	var rows []operatorRow
	err := s.db.WithContext(ctx).Order("name").Find(&rows).Error
	list := make([]billing.Operator, len(rows))
	for i, r := range rows {
		list[i] = r.operator()
	}
	return list, err
}

// SuspendOperator has none of an operator's keys and sessions work any more. Errors:
// ErrNotFound.
func (s *Store) SuspendOperator(ctx context.Context, name string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[operatorRow](locked(tx).Where("name = ?", name))
		if err != nil || row.SuspendedAt != nil {
			return err
		}
		if err := tx.Model(&operatorRow{}).Where("id = ?", row.ID).Update("suspended_at", s.db.NowFunc()).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "operator.suspend", row.ID, map[string]any{"name": name, "suspended": false}, map[string]any{"name": name, "suspended": true})
	})
}

// PutAPIKey stores the hash of an API key and what it allows. The same key
// again changes nothing. Errors: ErrNotFound where there is no such operator,
// or it is suspended.
func (s *Store) PutAPIKey(ctx context.Context, key string, k billing.APIKey) (id string, err error) {
	row := apiKeyRow{
		ID: NewID("key"), Hash: hashKey(key), Account: k.Account, Operator: k.Operator, Member: k.Member, Access: k.Access, Name: k.Name, ExpiresAt: k.ExpiresAt,
	}
	err = s.tx(ctx, func(tx *gorm.DB) error {
		if was, err := one[apiKeyRow](tx.Where("hash = ?", row.Hash)); !errors.Is(err, billing.ErrNotFound) {
			row = was
			return err
		}
		if err := active(locked(tx), k.Operator); err != nil {
			return err
		}
		if k.Member != "" {
			if _, err := joined(locked(tx), k.Account, k.Member); err != nil {
				return err
			}
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if row.Account != "" {
			if err := s.tell(tx, row.ID, billing.NoticeAPIKeyMade); err != nil {
				return err
			}
		}
		return s.audit(ctx, tx, "api_key.create", row.ID, nil, row.terms())
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) { // another process wrote it meanwhile
		row, err = one[apiKeyRow](s.db.WithContext(ctx).Where("hash = ?", row.Hash))
	}
	return row.ID, err
}

// keyWorks holds of keys that have not ended at an instant.
const keyWorks = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"

// APIKey finds what a key allows, and notes that it was used. Errors:
// ErrNotFound, also of a key that has ended, of a suspended operator's, and of
// one whose maker is no member any more.
func (s *Store) APIKey(ctx context.Context, key string) (billing.APIKey, error) {
	db, now := s.db.WithContext(ctx), s.db.NowFunc()
	row, err := one[apiKeyRow](db.Where("hash = ?", hashKey(key)).Where(keyWorks, now))
	if err == nil {
		err = active(db, row.Operator)
	}
	k := row.apiKey()
	if k.Role = billing.MemberOwner; err == nil && k.Member != "" {
		var member memberRow
		member, err = joined(db, row.Account, row.Member)
		k.Role = member.Role
	}
	if err != nil {
		return billing.APIKey{}, err
	}
	if row.LastUsedAt == nil || now.Sub(*row.LastUsedAt) >= time.Minute {
		// A key works even where its use cannot be noted just now.
		_ = db.Model(&apiKeyRow{}).Where("id = ?", row.ID).Update("last_used_at", now).Error
	}
	return k, nil
}

func (r apiKeyRow) apiKey() billing.APIKey {
	return billing.APIKey{
		ID: r.ID, Account: r.Account, Operator: r.Operator, Member: r.Member, Access: r.Access, Name: r.Name,
		CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt,
	}
}

// APIKeys lists an account's keys, or where that is empty the operators', the
// newest first: where member is not empty, those that it has made. Keys that were
// revoked are not among them.
func (s *Store) APIKeys(ctx context.Context, account, member billing.AccountID) ([]billing.APIKey, error) {
	var rows []apiKeyRow
	err := madeBy(s.db.WithContext(ctx), member).Where("account = ? AND revoked_at IS NULL", account).Order("id DESC").Find(&rows).Error
	list := make([]billing.APIKey, len(rows))
	for i, r := range rows {
		list[i] = r.apiKey()
	}
	return list, err
}

func madeBy(tx *gorm.DB, member billing.AccountID) *gorm.DB {
	if member == "" {
		return tx
	}
	return tx.Where("member = ?", member)
}

// RevokeAPIKey ends a key of an account, or where that is empty of an operator;
// where member is not empty, one that it has made. Errors: ErrNotFound.
func (s *Store) RevokeAPIKey(ctx context.Context, account, member billing.AccountID, id string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[apiKeyRow](madeBy(locked(tx), member).Where("id = ? AND account = ? AND revoked_at IS NULL", id, account))
		if err != nil {
			return err
		}
		if err := tx.Model(&apiKeyRow{}).Where("id = ?", row.ID).Update("revoked_at", s.db.NowFunc()).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "api_key.revoke", row.ID, row.terms(), nil)
	})
}

// terms are what the audit log says of a key.
func (r apiKeyRow) terms() any {
	return map[string]any{"account": r.Account, "operator": r.Operator, "access": r.Access, "expires_at": r.ExpiresAt}
}

// hashKey needs no salt and no stretching: keys are long and random.
func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// How long a mailed sign-in link and a session are valid.
const (
	loginLife   = 15 * time.Minute
	sessionLife = 30 * 24 * time.Hour
)

type loginRow struct {
	ID        string
	Hash      string
	Account   billing.AccountID
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}

type sessionRow struct {
	ID        string
	Hash      string
	Account   billing.AccountID
	CreatedAt time.Time
	ExpiresAt time.Time
}

func (loginRow) TableName() string   { return "logins" }
func (sessionRow) TableName() string { return "sessions" }

// Account reads an account. Errors: ErrNotFound.
func (s *Store) Account(ctx context.Context, id billing.AccountID) (billing.Account, error) {
	row, err := one[accountRow](s.db.WithContext(ctx).Where("id = ?", id))
	return billing.Account{ID: row.ID, Email: row.Email}, err
}

// AccountOf finds an address's account. Errors: ErrNotFound.
func (s *Store) AccountOf(ctx context.Context, email string) (billing.Account, error) {
	row, err := one[accountRow](s.db.WithContext(ctx).Where("email = ?", normalEmail(email)))
	return billing.Account{ID: row.ID, Email: row.Email}, err
}

// BeginLogin keeps a link's token and has it mailed to the account. Without an
// account the same is written, and nothing is mailed.
func (s *Store) BeginLogin(ctx context.Context, id, token string, account billing.AccountID) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		now := s.db.NowFunc()
		if err := tx.Create(&loginRow{ID: id, Hash: hashKey(token), Account: account, ExpiresAt: now.Add(loginLife)}).Error; err != nil {
			return err
		}
		n := billing.Notice{Kind: billing.NoticeLogin, To: billing.RoleBilling, Until: now.Add(loginLife)}
		row := outboxRow{ID: NewID("ntc"), Subscription: id, Kind: n.Kind, Recipient: n.To, Notice: n, At: now}
		if account == "" {
			row.DoneAt, row.Failed = &now, true
		}
		return tx.Create(&row).Error
	})
}

// LoginAccount is the account that a link is mailed to, and the one of the tokens
// that the link has: the first, unless it was begun with another secret. Errors:
// ErrNotFound.
func (s *Store) LoginAccount(ctx context.Context, id string, tokens []string) (account billing.Account, token string, err error) {
	login, err := one[loginRow](s.db.WithContext(ctx).Where("id = ?", id))
	if err != nil {
		return account, "", err
	}
	i := max(0, slices.IndexFunc(tokens, func(token string) bool { return hashKey(token) == login.Hash }))
	account, err = s.Account(ctx, login.Account)
	return account, tokens[i], err
}

// ConfirmLogin makes a session of a mailed link's token, once, and ends the
// account's older links. Errors: ErrNotFound.
func (s *Store) ConfirmLogin(ctx context.Context, token, session string) (account billing.Account, expires time.Time, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		now := s.db.NowFunc()
		login, err := one[loginRow](locked(tx).Where("hash = ?", hashKey(token)))
		if err != nil {
			return err
		}
		if login.UsedAt != nil || !now.Before(login.ExpiresAt) {
			return billing.ErrNotFound
		}
		older := tx.Model(&loginRow{}).Where("account = ? AND used_at IS NULL AND id <= ?", login.Account, login.ID)
		if err := older.Update("used_at", now).Error; err != nil {
			return err
		}
		row, err := one[accountRow](tx.Where("id = ?", login.Account))
		if err != nil {
			return err
		}
		account, expires = billing.Account{ID: row.ID, Email: row.Email}, now.Add(sessionLife)
		return tx.Create(&sessionRow{ID: NewID("ses"), Hash: hashKey(session), Account: row.ID, ExpiresAt: expires}).Error
	})
	return account, expires, err
}

// Session finds whose session a cookie is. Errors: ErrNotFound.
func (s *Store) Session(ctx context.Context, token string) (id string, account billing.Account, err error) {
	row, err := one[sessionRow](s.db.WithContext(ctx).Where("hash = ? AND expires_at > ?", hashKey(token), s.db.NowFunc()))
	if err != nil {
		return "", account, err
	}
	account, err = s.Account(ctx, row.Account)
	return row.ID, account, err
}

// Sessions lists an account's sessions, the newest first.
func (s *Store) Sessions(ctx context.Context, account billing.AccountID) ([]billing.Session, error) {
	var rows []sessionRow
	err := s.db.WithContext(ctx).Where("account = ? AND expires_at > ?", account, s.db.NowFunc()).Order("id DESC").Find(&rows).Error
	list := make([]billing.Session, len(rows))
	for i, r := range rows {
		list[i] = billing.Session{ID: r.ID, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt}
	}
	return list, err
}

// EndSessions ends one session of an account, or all of them where id is
// empty.
func (s *Store) EndSessions(ctx context.Context, account billing.AccountID, id string) error {
	q := s.db.WithContext(ctx).Where("account = ?", account)
	if id != "" {
		q = q.Where("id = ?", id)
	}
	return q.Delete(&sessionRow{}).Error
}

// APIKeys lists an account's keys, the newest first.
func (s *Store) APIKeys(ctx context.Context, account billing.AccountID) ([]billing.APIKey, error) {
	var rows []apiKeyRow
	err := s.db.WithContext(ctx).Where("account = ? AND revoked_at IS NULL", account).Order("id DESC").Find(&rows).Error
	list := make([]billing.APIKey, len(rows))
	for i, r := range rows {
		list[i] = billing.APIKey{ID: r.ID, Scope: r.Scope, CreatedAt: r.CreatedAt}
	}
	return list, err
}

// RevokeAPIKey ends an account's key. Errors: ErrNotFound.
func (s *Store) RevokeAPIKey(ctx context.Context, account billing.AccountID, id string) error {
	r := s.db.WithContext(ctx).Model(&apiKeyRow{}).Where("id = ? AND account = ? AND revoked_at IS NULL", id, account).
		Update("revoked_at", s.db.NowFunc())
	if r.Error == nil && r.RowsAffected == 0 {
		return billing.ErrNotFound
	}
	return r.Error
}

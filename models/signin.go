package models

import (
	"context"
	"slices"
	"strings"
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
	ReturnURL string // the page that a portal session came from; empty: none
	UsedAt    *time.Time
}

type sessionRow struct {
	ID        string
	Hash      string
	Account   billing.AccountID // who has signed in
	ActsFor   billing.AccountID // the account that they look at; empty: their own
	CreatedAt time.Time
	ExpiresAt time.Time
}

type browserRow struct {
	ID        string
	Account   billing.AccountID
	Hash      string
	CreatedAt time.Time
}

func (browserRow) TableName() string { return "browsers" }
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

// OpenAccount finds an address's account, or opens it.
func (s *Store) OpenAccount(ctx context.Context, email string) (a billing.Account, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		id, err := account(tx, email)
		a = billing.Account{ID: id, Email: normalEmail(email)}
		return err
	})
	return a, err
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
		row := newMail(id, 0, n, now)
		if account == "" {
			row.DoneAt, row.Failed = &now, true
		}
		return tx.Create(row).Error
	})
}

// BeginPortalSession keeps the token of a link that an operator hands on to the account's
// owner: nothing is mailed. It says until when the link is good.
func (s *Store) BeginPortalSession(ctx context.Context, id, token string, account billing.AccountID, returnURL string) (expires time.Time, err error) {
	expires = s.db.NowFunc().Add(loginLife)
	return expires, s.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&loginRow{ID: id, Hash: hashKey(token), Account: account, ExpiresAt: expires, ReturnURL: returnURL}).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "account.portal_session", string(account), nil, map[string]any{"login": id})
	})
}

// NoticeAccount is the account that a login, an API key, a webhook endpoint or a
// browser is of. For
// a login it also picks the token that the mailed link has: the first, unless
// the login was begun with another secret. Errors: ErrNotFound.
func (s *Store) NoticeAccount(ctx context.Context, id string, tokens []string) (account billing.Account, token string, err error) {
	db := s.db.WithContext(ctx)
	var owner billing.AccountID
	switch {
	case strings.HasPrefix(id, "key_"):
		row, e := one[apiKeyRow](db.Where("id = ?", id))
		owner, err = row.Account, e
	case strings.HasPrefix(id, "brw_"):
		row, e := one[browserRow](db.Where("id = ?", id))
		owner, err = row.Account, e
	case strings.HasPrefix(id, "whe_"):
		row, e := one[webhookEndpointRow](db.Where("id = ?", id))
		owner, err = row.Account, e
	default:
		row, e := one[loginRow](db.Where("id = ?", id))
		owner, err = row.Account, e
		token = tokens[max(0, slices.IndexFunc(tokens, func(token string) bool { return hashKey(token) == row.Hash }))]
	}
	if err != nil {
		return account, "", err
	}
	if account, err = s.Account(ctx, owner); err == nil {
		account.Language, err = s.languageOf(ctx, owner)
	}
	return account, token, err
}

// languageOf is the language that an account has chosen, or else that of its
// newest order.
func (s *Store) languageOf(ctx context.Context, account billing.AccountID) (string, error) {
	p, err := s.Profile(ctx, account)
	if err != nil || p.Language != "" {
		return p.Language, err
	}
	for _, contact := range bothContacts {
		o, _, err := theirOrder(s.db.WithContext(ctx).Where(contact+" = ?", account))
		if err != nil || o.Language != "" {
			return o.Language, err
		}
	}
	return "", nil
}

// tell writes a mail to an account about something of its, by id.
func (s *Store) tell(tx *gorm.DB, id string, kind billing.NoticeKind) error {
	return tx.Create(newMail(id, 0, billing.Notice{Kind: kind, To: billing.RoleBilling}, s.db.NowFunc())).Error
}

// NoteBrowser notes the browser that an account has signed in with, by its
// cookie. Of one that is not the account's first and was not known yet, a mail
// tells, and id is what it is about; otherwise id is empty.
func (s *Store) NoteBrowser(ctx context.Context, account billing.AccountID, cookie string) (id string, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		id = ""
		if _, err := one[accountRow](locked(tx).Where("id = ?", account)); err != nil {
			return err
		}
		var known []browserRow
		if err := tx.Where("account = ?", account).Find(&known).Error; err != nil {
			return err
		}
		row := browserRow{ID: NewID("brw"), Account: account, Hash: hashKey(cookie)}
		for _, b := range known {
			if b.Hash == row.Hash {
				return nil
			}
		}
		if err := tx.Create(&row).Error; err != nil || len(known) == 0 {
			return err
		}
		id = row.ID
		return s.tell(tx, id, billing.NoticeNewBrowser)
	})
	return id, err
}

// ConfirmLogin makes a session of a link's token, once, and ends the account's older
// links. returnURL is the page that a portal session came from. Errors: ErrNotFound.
func (s *Store) ConfirmLogin(ctx context.Context, token, session string) (account billing.Account, expires time.Time, returnURL string, err error) {
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
		account, expires, returnURL = billing.Account{ID: row.ID, Email: row.Email}, now.Add(sessionLife), login.ReturnURL
		return tx.Create(&sessionRow{ID: NewID("ses"), Hash: hashKey(session), Account: row.ID, ExpiresAt: expires}).Error
	})
	return account, expires, returnURL, err
}

// Session finds whose session a cookie is. Errors: ErrNotFound, also once who has
// signed in is no member of the account any more that they look at.
func (s *Store) Session(ctx context.Context, token string) (in billing.SignedIn, err error) {
	db := s.db.WithContext(ctx)
	row, err := one[sessionRow](db.Where("hash = ? AND expires_at > ?", hashKey(token), s.db.NowFunc()))
	if err != nil {
		return in, err
	}
	if in.Person, err = s.Account(ctx, row.Account); err != nil {
		return in, err
	}
	in.Session, in.Account, in.Role = row.ID, in.Person, billing.MemberOwner
	if row.ActsFor == "" {
		return in, nil
	}
	member, err := joined(db, row.ActsFor, row.Account)
	if err != nil {
		return billing.SignedIn{}, err
	}
	in.Role = member.Role
	in.Account, err = s.Account(ctx, row.ActsFor)
	return in, err
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
	return s.tx(ctx, func(tx *gorm.DB) error {
		q := tx.Where("account = ?", account)
		if id != "" {
			q = q.Where("id = ?", id)
		}
		if err := q.Delete(&sessionRow{}).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "account.sessions_end", string(account), nil, nil)
	})
}

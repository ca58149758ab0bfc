package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// operatorSessionLife is how long a console stays signed in: a working day.
const operatorSessionLife = 8 * time.Hour

type operatorSessionRow struct {
	ID        string
	Hash      string
	Operator  string
	Role      billing.OperatorRole
	APIKey    string
	CreatedAt time.Time
	ExpiresAt time.Time
}

func (operatorSessionRow) TableName() string { return "operator_sessions" }

func (r operatorSessionRow) session() billing.OperatorSession {
	return billing.OperatorSession{ID: r.ID, Operator: r.Operator, Role: r.Role, Key: r.APIKey, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt}
}

// BeginOperatorSession signs an operator in with a token. Whom the identity
// provider names for the first time becomes an operator. Errors: ErrNotFound
// where the operator is suspended, and a *billing.Error of a name that none may
// have.
func (s *Store) BeginOperatorSession(ctx context.Context, token string, of billing.OperatorSession) (billing.OperatorSession, error) {
	row := operatorSessionRow{
		ID: NewID("ops"), Hash: hashKey(token), Operator: of.Operator, Role: of.Role, APIKey: of.Key, ExpiresAt: s.db.NowFunc().Add(operatorSessionLife),
	}
	if row.APIKey == "" {
		_, err := one[operatorRow](s.db.WithContext(ctx).Where("name = ?", row.Operator))
		if errors.Is(err, billing.ErrNotFound) {
			if _, err = s.AddOperator(ctx, row.Operator); err != nil {
				if _, made := one[operatorRow](s.db.WithContext(ctx).Where("name = ?", row.Operator)); made == nil {
					err = nil // by another sign-in, meanwhile
				}
			}
		}
		if err != nil {
			return of, err
		}
	}
	err := s.tx(ctx, func(tx *gorm.DB) error {
		if err := active(tx, row.Operator); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "operator.sign_in", row.ID, nil, row.terms())
	})
	return row.session(), err
}

// active tells whether an operator works for the vendor. Errors: ErrNotFound.
func active(tx *gorm.DB, operator string) error {
	if operator == "" {
		return nil
	}
	_, err := one[operatorRow](tx.Where("name = ? AND suspended_at IS NULL", operator))
	return err
}

// OperatorSession finds whose session a token is. Errors: ErrNotFound, also
// once it has ended, its key has, or its operator is suspended.
func (s *Store) OperatorSession(ctx context.Context, token string) (billing.OperatorSession, error) {
	db, now := s.db.WithContext(ctx), s.db.NowFunc()
	row, err := one[operatorSessionRow](db.Where("hash = ? AND expires_at > ?", hashKey(token), now))
	if err == nil {
		err = active(db, row.Operator)
	}
	if err == nil && row.APIKey != "" {
		_, err = one[apiKeyRow](db.Where("id = ?", row.APIKey).Where(keyWorks, now))
	}
	return row.session(), err
}

// OperatorSessions lists the sessions that have not ended, the newest first: an
// operator's, or of one without a name their key's, or where that is nil everybody's.
func (s *Store) OperatorSessions(ctx context.Context, of *billing.OperatorSession) ([]billing.OperatorSession, error) {
	var rows []operatorSessionRow
	err := ofOperator(s.db.WithContext(ctx), of).Where("expires_at > ?", s.db.NowFunc()).Order("id DESC").Find(&rows).Error
	list := make([]billing.OperatorSession, len(rows))
	for i, r := range rows {
		list[i] = r.session()
	}
	return list, err
}

func ofOperator(tx *gorm.DB, of *billing.OperatorSession) *gorm.DB {
	switch {
	case of == nil:
		return tx
	case of.Operator == "": // keys of no named operator have nothing in common
		return tx.Where("operator = '' AND api_key = ?", of.Key)
	}
	return tx.Where("operator = ?", of.Operator)
}

// EndOperatorSession ends a session, where of is not nil one of that
// operator's or key's. Errors: ErrNotFound.
func (s *Store) EndOperatorSession(ctx context.Context, of *billing.OperatorSession, id string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[operatorSessionRow](ofOperator(locked(tx), of).Where("id = ?", id))
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", id).Delete(&operatorSessionRow{}).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "operator.sign_out", id, row.terms(), nil)
	})
}

// terms are what the audit log says of a session.
func (r operatorSessionRow) terms() any {
	return map[string]any{"operator": r.Operator, "role": r.Role, "api_key": r.APIKey}
}

package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// How long an invitation is good, and how many people an account has at most.
const (
	invitationLife = 7 * 24 * time.Hour
	membersAtMost  = 100
)

type memberRow struct {
	ID        string
	Account   billing.AccountID
	Person    billing.AccountID // empty: has not accepted yet
	Email     string
	Role      billing.MemberRole
	CreatedAt time.Time
	ExpiresAt time.Time
	JoinedAt  *time.Time
}

func (memberRow) TableName() string { return "members" }

func (r memberRow) member() billing.Member {
	return billing.Member{
		ID: r.ID, Account: r.Account, Person: r.Person, Email: r.Email, Role: r.Role,
		InvitedAt: r.CreatedAt.UTC(), ExpiresAt: r.ExpiresAt.UTC(), JoinedAt: r.JoinedAt,
	}
}

// terms are what the audit log says of a member: ids, no address.
func (r memberRow) terms() any {
	return map[string]any{"account": r.Account, "person": r.Person, "role": r.Role}
}

// Members lists who may use an account, its own address first, with the
// invitations that are still good.
func (s *Store) Members(ctx context.Context, account billing.AccountID) ([]billing.Member, error) {
	db := s.db.WithContext(ctx)
	own, err := one[accountRow](db.Where("id = ?", account))
	if err != nil {
		return nil, err
	}
	at := own.CreatedAt.UTC()
	list := []billing.Member{{ID: string(own.ID), Account: own.ID, Person: own.ID, Email: own.Email, Role: billing.MemberOwner, InvitedAt: at, ExpiresAt: at, JoinedAt: &at}}
	var rows []memberRow
	err = db.Where("account = ? AND (joined_at IS NOT NULL OR expires_at > ?)", account, s.db.NowFunc()).Order("id").Find(&rows).Error
	for _, r := range rows {
		list = append(list, r.member())
	}
	return list, err
}

// Member reads a member. Errors: ErrNotFound.
func (s *Store) Member(ctx context.Context, id string) (billing.Member, error) {
	row, err := one[memberRow](s.db.WithContext(ctx).Where("id = ?", id))
	return row.member(), err
}

// Invite has an address invited to an account. Inviting it again mails another link
// and ends the earlier one; of who has accepted it only changes the role, and mails
// nothing: then the member has joined. Errors: ErrNotFound, and a *billing.Error of
// the account's own address or of too many members.
func (s *Store) Invite(ctx context.Context, account billing.AccountID, email string, role billing.MemberRole) (m billing.Member, err error) {
	email = normalEmail(email)
	err = s.tx(ctx, func(tx *gorm.DB) error {
		own, err := one[accountRow](locked(tx).Where("id = ?", account)) // one change of its members at a time
		if err != nil {
			return err
		}
		if own.Email == email {
			return &billing.Error{Code: billing.CodeInvalid, Field: "email", Detail: "is the account's own address, which is its owner"}
		}
		row, err := one[memberRow](locked(tx).Where("account = ? AND email = ?", account, email))
		if err != nil && !errors.Is(err, billing.ErrNotFound) {
			return err
		}
		was := row.terms()
		if row.JoinedAt != nil {
			if row.Role == billing.MemberOwner && role != billing.MemberOwner {
				if err := disown(tx, row); err != nil {
					return err
				}
			}
			row.Role = role
			m = row.member()
			if err := tx.Model(&memberRow{}).Where("id = ?", row.ID).Update("role", role).Error; err != nil {
				return err
			}
			return s.audit(ctx, tx, "member.role", row.ID, was, row.terms())
		}
		now := s.db.NowFunc()
		// Invitations that are over make room.
		if err := tx.Where("account = ? AND joined_at IS NULL AND (email = ? OR expires_at <= ?)", account, email, now).Delete(&memberRow{}).Error; err != nil {
			return err
		}
		var n int64
		if err := tx.Model(&memberRow{}).Where("account = ?", account).Count(&n).Error; err != nil {
			return err
		}
		if n >= membersAtMost {
			return &billing.Error{Code: billing.CodeInvalid, Field: "email", Detail: "is one too many: an account has at most 100 members"}
		}
		row = memberRow{ID: NewID("mem"), Account: account, Email: email, Role: role, CreatedAt: now, ExpiresAt: now.Add(invitationLife)}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		m = row.member()
		if err := tx.Create(newMail(row.ID, 0, billing.Notice{Kind: billing.NoticeInvited, To: billing.RoleBilling, Until: row.ExpiresAt}, now)).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "member.invite", row.ID, nil, row.terms())
	})
	return m, err
}

// AcceptInvitation makes a member of whoever was invited, once; an account is
// opened for an address that has none. A mail tells the inviting account. Errors:
// ErrNotFound.
func (s *Store) AcceptInvitation(ctx context.Context, id string) (m billing.Member, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[memberRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return err
		}
		now := s.db.NowFunc()
		if row.JoinedAt != nil || !now.Before(row.ExpiresAt) {
			return billing.ErrNotFound
		}
		if row.Person, err = account(tx, row.Email); err != nil {
			return err
		}
		if row.Person == row.Account { // whose address it has become
			return billing.ErrNotFound
		}
		row.JoinedAt = &now
		m = row.member()
		if err := save(tx, row.ID, &row); err != nil {
			return err
		}
		return tx.Create(newMail(row.ID, 1, billing.Notice{Kind: billing.NoticeJoined, To: billing.RoleBilling}, now)).Error
	})
	return m, err
}

// RemoveMember ends what a member may do: its sessions that look at the account and
// the keys that it made for it end with it, and of an owner the webhook endpoints and
// all invitations that wait. Errors: ErrNotFound, and a *billing.Error
// not_possible_now of the account's own address.
func (s *Store) RemoveMember(ctx context.Context, account billing.AccountID, id string) error {
	if id == string(account) {
		return &billing.Error{Code: billing.CodeNotPossibleNow, Detail: "the account's own address is its owner: change the address in place of removing it"}
	}
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[memberRow](locked(tx).Where("id = ? AND account = ?", id, account))
		if err != nil {
			return err
		}
		if err := s.dismiss(tx, row); err != nil {
			return err
		}
		return s.audit(ctx, tx, "member.remove", id, row.terms(), nil)
	})
}

// disown ends what an owner besides the account's own address may have left behind:
// endpoints that events are sent to, and invitations that are not accepted yet.
func disown(tx *gorm.DB, row memberRow) error {
	var endpoints []webhookEndpointRow
	if err := locked(tx).Where("account = ? AND member = ? AND disabled = ''", row.Account, row.Person).Order("id").Find(&endpoints).Error; err != nil {
		return err
	}
	for _, e := range endpoints {
		if err := disable(tx, &e, billing.WebhookByOwner); err != nil {
			return err
		}
		if err := save(tx, e.ID, &e); err != nil {
			return err
		}
	}
	return tx.Where("account = ? AND joined_at IS NULL", row.Account).Delete(&memberRow{}).Error
}

// dismiss removes a member, whose row the caller has locked.
func (s *Store) dismiss(tx *gorm.DB, row memberRow) error {
	if row.Role == billing.MemberOwner && row.JoinedAt != nil {
		if err := disown(tx, row); err != nil {
			return err
		}
	}
	return inOrder(
		func() *gorm.DB { return tx.Where("id = ?", row.ID).Delete(&memberRow{}) },
		func() *gorm.DB {
			return tx.Where("account = ? AND acts_for = ?", row.Person, row.Account).Delete(&sessionRow{})
		},
		func() *gorm.DB {
			return tx.Model(&apiKeyRow{}).Where("account = ? AND member = ? AND member <> '' AND revoked_at IS NULL", row.Account, row.Person).Update("revoked_at", s.db.NowFunc())
		},
	)
}

// joined finds the member that somebody is of an account of others. Errors:
// ErrNotFound.
func joined(tx *gorm.DB, account, person billing.AccountID) (memberRow, error) {
	return one[memberRow](tx.Where("account = ? AND person = ? AND joined_at IS NOT NULL", account, person))
}

// Memberships lists the accounts that somebody may use, their own first.
func (s *Store) Memberships(ctx context.Context, person billing.AccountID) ([]billing.Membership, error) {
	var list []billing.Membership
	err := s.snapshot(ctx, func(tx *gorm.DB) error {
		var rows []memberRow
		if err := tx.Where("person = ? AND joined_at IS NOT NULL", person).Order("id").Find(&rows).Error; err != nil {
			return err
		}
		list = nil
		for _, r := range append([]memberRow{{Account: person, Role: billing.MemberOwner}}, rows...) {
			a, err := one[accountRow](tx.Where("id = ?", r.Account))
			if err != nil {
				return err
			}
			m := billing.Membership{Account: billing.Account{ID: a.ID, Email: a.Email}, Role: r.Role}
			p, err := one[profileRow](tx.Where("account = ?", r.Account))
			if err != nil && !errors.Is(err, billing.ErrNotFound) {
				return err
			}
			m.Company = p.Detail.Billing.Company
			list = append(list, m)
		}
		return nil
	})
	return list, err
}

// ActFor has a session look at another account that its person may use. Errors:
// ErrNotFound.
func (s *Store) ActFor(ctx context.Context, session string, account billing.AccountID) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[sessionRow](locked(tx).Where("id = ?", session))
		if err != nil {
			return err
		}
		acts := account
		if account == row.Account {
			acts = ""
		} else if _, err := joined(locked(tx), account, row.Account); err != nil {
			return err
		}
		return tx.Model(&sessionRow{}).Where("id = ?", session).Update("acts_for", acts).Error
	})
}

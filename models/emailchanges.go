package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// emailChangeLife is how long both addresses have to confirm a change.
const emailChangeLife = 24 * time.Hour

type emailChangeRow struct {
	ID                string
	Account           billing.AccountID
	Former            string
	Email             string
	CreatedAt         time.Time
	ExpiresAt         time.Time
	FormerConfirmedAt *time.Time
	EmailConfirmedAt  *time.Time
	DoneAt            *time.Time
	Vouched           bool // an operator has begun it, who vouches for the owner
}

func (emailChangeRow) TableName() string { return "email_changes" }

func (r emailChangeRow) change() billing.EmailChange {
	return billing.EmailChange{ID: r.ID, Account: r.Account, Former: r.Former, Email: r.Email, ExpiresAt: r.ExpiresAt.UTC(), Done: r.DoneAt != nil}
}

// EmailChange reads a change of an address. Errors: ErrNotFound.
func (s *Store) EmailChange(ctx context.Context, id string) (billing.EmailChange, error) {
	row, err := one[emailChangeRow](s.db.WithContext(ctx).Where("id = ?", id))
	return row.change(), err
}

// OpenEmailChange is the change of an account's address that waits to be confirmed.
// Errors: ErrNotFound.
func (s *Store) OpenEmailChange(ctx context.Context, account billing.AccountID) (billing.EmailChange, error) {
	row, err := one[emailChangeRow](s.db.WithContext(ctx).Where("account = ? AND done_at IS NULL AND expires_at > ?", account, s.db.NowFunc()))
	return row.change(), err
}

// BeginEmailChange has an account's address and another asked whether the account
// is to have the other one; an earlier change that waits is dropped. Vouched: an
// operator knows that the owner wants it, and only the other address is asked. Whether
// that has an account makes no difference here. Errors: ErrNotFound, and a
// *billing.Error where it is the address already.
func (s *Store) BeginEmailChange(ctx context.Context, account billing.AccountID, email string, vouched bool) (c billing.EmailChange, err error) {
	email = normalEmail(email)
	err = s.tx(ctx, func(tx *gorm.DB) error {
		a, err := one[accountRow](locked(tx).Where("id = ?", account))
		if err != nil {
			return err
		}
		if a.Email == email {
			return &billing.Error{Code: billing.CodeInvalid, Field: "email", Detail: "is the account's address already"}
		}
		now := s.db.NowFunc()
		waits, err := one[emailChangeRow](tx.Where("account = ? AND done_at IS NULL AND expires_at > ?", account, now))
		if err != nil && !errors.Is(err, billing.ErrNotFound) {
			return err
		}
		if waits.Vouched && !vouched { // who used the account before may not stop it
			return &billing.Error{Code: billing.CodeNotPossibleNow, Detail: "an operator is changing this address already"}
		}
		if err := tx.Where("account = ? AND done_at IS NULL", account).Delete(&emailChangeRow{}).Error; err != nil {
			return err
		}
		row := emailChangeRow{ID: NewID("emc"), Account: account, Former: a.Email, Email: email, CreatedAt: now, ExpiresAt: now.Add(emailChangeLife), Vouched: vouched}
		kinds := []billing.NoticeKind{billing.NoticeEmailFrom, billing.NoticeEmailTo}
		if vouched {
			row.FormerConfirmedAt, kinds = &now, kinds[1:]
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		for _, kind := range kinds {
			if err := tx.Create(newMail(row.ID, 0, billing.Notice{Kind: kind, To: billing.RoleBilling, Until: row.ExpiresAt}, now)).Error; err != nil {
				return err
			}
		}
		c = row.change()
		return s.audit(ctx, tx, "account.email", string(account), nil, map[string]any{"change": row.ID})
	})
	return c, err
}

// ConfirmEmailChange says that one of the two addresses wants a change, and makes it
// once both do. Errors: ErrNotFound where it is over, and a *billing.Error
// address_taken where the other address has an account of its own: who reads that
// address's mails may know, and nobody else does.
func (s *Store) ConfirmEmailChange(ctx context.Context, id string, side billing.AddressSide) (c billing.EmailChange, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[emailChangeRow](tx.Where("id = ?", id))
		if err != nil {
			return err
		}
		a, err := one[accountRow](locked(tx).Where("id = ?", row.Account)) // before the change, as whoever begins one
		if err != nil {
			return err
		}
		if row, err = one[emailChangeRow](locked(tx).Where("id = ?", id)); err != nil {
			return err
		}
		now := s.db.NowFunc()
		if row.DoneAt != nil || !now.Before(row.ExpiresAt) || a.Email != row.Former {
			return billing.ErrNotFound
		}
		if side == billing.FormerAddress {
			row.FormerConfirmedAt = &now
		} else {
			row.EmailConfirmedAt = &now
		}
		var taken int64
		if err := tx.Model(&accountRow{}).Where("email = ?", row.Email).Count(&taken).Error; err != nil {
			return err
		}
		switch {
		case taken > 0 && side == billing.NewAddress:
			return &billing.Error{Code: billing.CodeAddressTaken, Detail: "this address has an account of its own, which stays: no other account can have the address"}
		case taken == 0 && row.FormerConfirmedAt != nil && row.EmailConfirmedAt != nil:
			row.DoneAt = &now
			if err := s.readdress(ctx, tx, a, row.Email); err != nil {
				return err
			}
			if row.Vouched { // whoever used the former address may have left
				if err := tx.Where("account = ?", a.ID).Delete(&sessionRow{}).Error; err != nil {
					return err
				}
			}
			if err := tx.Create(newMail(row.ID, 1, billing.Notice{Kind: billing.NoticeEmailChanged, To: billing.RoleBilling}, now)).Error; err != nil {
				return err
			}
		}
		c = row.change()
		return tx.Model(&emailChangeRow{}).Where("id = ?", id).Select("*").Updates(row).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) { // it was opened this very moment: the link is still good
		err = &billing.Error{Code: billing.CodeNotPossibleNow, Detail: "this could not be confirmed just now: try again"}
	}
	return c, err
}

// readdress gives an account, whose row the caller has locked, another address:
// in all that mails are addressed by. What documents print has no address. Links
// that were mailed to the former one no longer sign in; sessions stay.
func (s *Store) readdress(ctx context.Context, tx *gorm.DB, a accountRow, email string) error {
	var subs []subscriptionRow
	if err := locked(tx).Where("billing_account = ? OR licensee_account = ?", a.ID, a.ID).Order("id").Find(&subs).Error; err != nil {
		return err
	}
	for _, sub := range subs {
		if err := s.readdressOrder(ctx, tx, sub, a, email); err != nil {
			return err
		}
	}
	move := func(c *billing.Contact) {
		if normalEmail(c.Email) == a.Email {
			c.Email = email
		}
	}
	var quotes []quoteRow
	if err := locked(tx).Where("account = ? AND subscription IS NULL", a.ID).Find(&quotes).Error; err != nil {
		return err
	}
	for _, q := range quotes {
		move(&q.Detail.Order.Billing.Contact)
		move(&q.Detail.Order.Licensee)
		if err := save(tx, q.ID, &q); err != nil {
			return err
		}
		if err := findOnlyBy(tx, q.ID, q.Detail.SearchWords()); err != nil {
			return err
		}
	}
	var profiles []profileRow
	if err := tx.Where("account = ?", a.ID).Find(&profiles).Error; err != nil {
		return err
	}
	for _, p := range profiles {
		move(&p.Detail.Licensee)
		if err := tx.Save(&p).Error; err != nil {
			return err
		}
	}
	if err := findOnlyBy(tx, string(a.ID), billing.SearchWords(email)); err != nil {
		return err
	}
	var memberships []billing.AccountID
	if err := tx.Model(&memberRow{}).Where("person = ?", a.ID).Pluck("account", &memberships).Error; err != nil {
		return err
	}
	return inOrder(
		func() *gorm.DB { // who is a member already needs no invitation, and neither does the owner
			return tx.Where("joined_at IS NULL AND email = ? AND account IN ?", email, append(memberships, a.ID)).Delete(&memberRow{})
		},
		func() *gorm.DB { return tx.Model(&memberRow{}).Where("person = ?", a.ID).Update("email", email) },
		func() *gorm.DB {
			return tx.Model(&loginRow{}).Where("account = ? AND used_at IS NULL", a.ID).Update("used_at", s.db.NowFunc())
		},
		func() *gorm.DB { return tx.Model(&accountRow{}).Where("id = ?", a.ID).Update("email", email) },
	)
}

// readdressOrder has the mails of a subscription that an account pays for or uses go
// to another address. A licence that is typed in keeps its licensee's line, without
// which it would stop working: a hand-over changes that.
func (s *Store) readdressOrder(ctx context.Context, tx *gorm.DB, sub subscriptionRow, a accountRow, email string) error {
	order, err := one[orderRow](locked(tx).Where("subscription = ?", sub.ID))
	if err != nil {
		return err
	}
	if order.Newer {
		return billing.ErrNewerRelease
	}
	o := &order.Detail
	contacts := []*billing.Contact{&o.Billing.Contact}
	for i := range o.Replaced {
		contacts = append(contacts, &o.Replaced[i].Contact)
	}
	if sub.LicenseeAccount == a.ID {
		contacts = append(contacts, &o.Licensee)
	}
	for _, c := range contacts {
		if normalEmail(c.Email) == a.Email {
			c.Email = email
		}
	}
	if sub.LicenseeAccount == a.ID {
		typed := tx.Model(&productRow{}).Select("id").Where("activation = ?", licensing.ActivationLicensee)
		if err := tx.Model(&licenseRow{}).Where("subscription = ? AND product NOT IN (?)", sub.ID, typed).Update("licensee", o.Licensee.String()).Error; err != nil {
			return err
		}
	}
	if err := tx.Model(&orderRow{}).Where("subscription = ?", sub.ID).Select("Detail").Updates(order).Error; err != nil {
		return err
	}
	if err := findOnlyBy(tx, string(sub.ID), o.SearchWords()); err != nil {
		return err
	}
	if err := sub.tick(tx); err != nil {
		return err
	}
	was := sub
	sub.Revision++ // a command that has read the order before is stale
	sub.State.Revision = sub.Revision
	if err := save(tx, sub.ID, &sub); err != nil {
		return err
	}
	e := billing.NewEvent(sub.State.At(s.db.NowFunc()), billing.EventAmended, billing.EventDetails{})
	if err := tx.Create(newEvent(sub.ID, sub.Revision, 0, billing.ActorName(ctx), e)).Error; err != nil {
		return err
	}
	return s.publishChangeset(tx, was, licenseRow{}, billing.Changeset{From: was.Revision, Subscription: sub.State, Order: o, Events: []billing.Event{e}})
}

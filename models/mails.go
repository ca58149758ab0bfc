package models

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

func (r outboxRow) mail() billing.Mail {
	m := billing.Mail{ID: r.ID, Subject: r.Subscription, Kind: r.Kind, To: r.Recipient, At: r.At.UTC(), Status: billing.MailWaiting, ResentAs: r.ResentAs}
	if r.DoneAt != nil {
		at := r.DoneAt.UTC()
		m.DoneAt, m.Status = &at, billing.MailSent
	}
	if r.Failed {
		m.Status = billing.MailGivenUp
	}
	return m
}

// Mails lists mails, the newest first, from below the id before: of a subscription
// or quote, of an address that has them, or all that were given up and not sent
// again.
func (s *Store) Mails(ctx context.Context, which billing.MailSelection, limit int) ([]billing.Mail, error) {
	db := s.db.WithContext(ctx)
	page := func() *gorm.DB {
		q := db.Select("outbox.*").Order("outbox.id DESC").Limit(limit)
		if which.Before != "" {
			q = q.Where("outbox.id < ?", which.Before)
		}
		if which.Subject != "" {
			q = q.Where("outbox.subscription = ?", which.Subject)
		}
		if which.GivenUp {
			q = q.Where("outbox.failed AND outbox.resent_as IS NULL")
		}
		return q
	}
	queries := []*gorm.DB{page()}
	if which.Email != "" {
		a, err := s.AccountOf(ctx, which.Email)
		if errors.Is(err, billing.ErrNotFound) {
			return []billing.Mail{}, nil
		}
		if err != nil {
			return nil, err
		}
		of := func(contact string, to billing.Role) *gorm.DB {
			return page().Joins("JOIN subscriptions ON subscriptions.id = outbox.subscription").Where("subscriptions."+contact+" = ? AND outbox.recipient = ?", a.ID, to)
		}
		queries = []*gorm.DB{
			of("billing_account", billing.RoleBilling), of("licensee_account", billing.RoleLicensee),
			page().Joins("JOIN quotes ON quotes.id = outbox.subscription").Where("quotes.account = ?", a.ID),
		}
	}
	var rows []outboxRow
	for _, q := range queries {
		var some []outboxRow
		if err := q.Find(&some).Error; err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	slices.SortFunc(rows, func(a, b outboxRow) int { return cmp.Compare(b.ID, a.ID) })
	mails := []billing.Mail{}
	for _, r := range rows[:min(limit, len(rows))] {
		mails = append(mails, r.mail())
	}
	return mails, nil
}

// ResendMail has a mail of a subscription or a quote sent once more, as it would be
// made now, and returns the new one. Errors: ErrNotFound, and a *billing.Error
// not_possible_now: it has not been sent yet, it was sent again already, or it
// brings a link that is no longer good.
func (s *Store) ResendMail(ctx context.Context, id string) (billing.Mail, error) {
	var again outboxRow
	err := s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[outboxRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return err
		}
		if refusal := row.mail().MayResend(); refusal != nil {
			return refusal
		}
		var least int64 // it has no revision of its own, which is a part of the key
		err = tx.Model(&outboxRow{}).Select("COALESCE(MIN(revision), 0)").Where("subscription = ? AND revision < 0", row.Subscription).Scan(&least).Error
		if err != nil {
			return err
		}
		again = outboxRow{ID: NewID("ntc"), Subscription: row.Subscription, Revision: least - 1, Kind: row.Kind, Recipient: row.Recipient, Notice: row.Notice, At: row.At}
		if err := tx.Create(&again).Error; err != nil {
			return err
		}
		if err := tx.Model(&outboxRow{}).Where("id = ?", id).Update("resent_as", again.ID).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "mail.resend", id, nil, map[string]any{"mail": again.ID, "of": row.Subscription, "kind": row.Kind, "to": row.Recipient})
	})
	return again.mail(), err
}

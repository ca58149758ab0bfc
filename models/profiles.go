package models

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type profileRow struct {
	Account   billing.AccountID `gorm:"primaryKey"`
	Detail    billing.Profile   `gorm:"serializer:json"`
	UpdatedAt time.Time
}

func (profileRow) TableName() string { return "profiles" }

// Profile is what an account's owner has had written down, or else what the
// newest order says that is theirs: one that was paid, or placed by who had signed
// in. Anybody may type another's address into an order, and what a guest has paid for
// does not say who gets later licences.
func (s *Store) Profile(ctx context.Context, account billing.AccountID) (billing.Profile, error) {
	db := s.db.WithContext(ctx)
	row, err := one[profileRow](db.Where("account = ?", account))
	if !errors.Is(err, billing.ErrNotFound) {
		return row.Detail, err
	}
	o, guest, err := theirOrder(db.Where("billing_account = ?", account))
	p := o.Profile()
	if guest {
		p.Licensee = billing.Contact{}
	}
	return p, err
}

// theirOrder is the newest order of some subscriptions that was paid, or placed by who
// had signed in; guest: it was not.
func theirOrder(of *gorm.DB) (o billing.Order, guest bool, err error) {
	var subs []subscriptionRow
	if err := of.Session(&gorm.Session{}).Order("number DESC").Limit(20).Find(&subs).Error; err != nil {
		return o, false, err
	}
	for _, sub := range subs {
		if sub.State.Guest && sub.State.LastPaymentAt.IsZero() {
			continue
		}
		row, err := one[orderRow](of.Session(&gorm.Session{NewDB: true}).Where("subscription = ?", sub.ID))
		return row.Detail, sub.State.Guest, err
	}
	return o, false, nil
}

// PutProfile writes an account's profile down in place of the earlier one.
func (s *Store) PutProfile(ctx context.Context, account billing.AccountID, p billing.Profile) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Save(&profileRow{Account: account, Detail: p}).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "account.details", string(account), nil, nil) // which are personal
	})
}

// ended are the statuses in which a subscription is not charged by itself.
var ended = []billing.Status{billing.Canceled, billing.IncompleteExpired}

// StoredCards lists the cards that an account has stored and not removed, the
// newest first, with the subscriptions that are charged to each. One that was given
// for an order which was never paid is not among them.
func (s *Store) StoredCards(ctx context.Context, account billing.AccountID) ([]billing.StoredCard, error) {
	db := s.db.WithContext(ctx)
	var cards []paymentMethodRow
	if err := db.Where("account = ? AND removed_at IS NULL", account).Order("created_at DESC, ref DESC").Find(&cards).Error; err != nil {
		return nil, err
	}
	var subs []subscriptionRow
	err := db.Select("id", "number", "method", "status").Where("billing_account = ? AND method <> ''", account).Order("number").Find(&subs).Error
	if err != nil {
		return nil, err
	}
	list := []billing.StoredCard{}
	for _, c := range cards {
		card := billing.StoredCard{StoredMethod: billing.StoredMethod{Ref: c.Ref, Brand: c.Brand, Last4: c.Last4, Exp: c.Exp}, CreatedAt: c.CreatedAt}
		unpaid, others := false, false
		for _, sub := range subs {
			switch {
			case sub.Method != c.Ref:
			case slices.Contains(unpaidOrders, sub.Status):
				unpaid = true
			default:
				others = true
				if !slices.Contains(ended, sub.Status) {
					card.Pays = append(card.Pays, billing.Subscription{ID: sub.ID, Number: sub.Number})
				}
			}
		}
		if others || !unpaid {
			list = append(list, card)
		}
	}
	return list, nil
}

var unpaidOrders = []billing.Status{billing.Incomplete, billing.IncompleteExpired}

// forgetUnused removes the card of an order that lapses, unless another
// subscription is charged to it.
func forgetUnused(tx *gorm.DB, row subscriptionRow) error {
	var others int64
	err := tx.Model(&subscriptionRow{}).Where("billing_account = ? AND method = ? AND id <> ?", row.BillingAccount, row.Method, row.ID).Count(&others).Error
	if err != nil || others > 0 {
		return err
	}
	now := tx.NowFunc()
	return tx.Model(&paymentMethodRow{}).Where("ref = ? AND removed_at IS NULL", row.Method).Updates(map[string]any{"removed_at": now, "detach_at": now}).Error
}

// RemoveCard forgets a card of an account, and that ended subscriptions were
// charged to it; the gateway is to forget it too (ClaimRemovedCards). Errors:
// ErrNotFound, and a *billing.Error method_in_use while a subscription is charged
// to it. The row stays: what is being revived this very moment may still name it.
func (s *Store) RemoveCard(ctx context.Context, account billing.AccountID, ref string) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		var subs []subscriptionRow
		if err := locked(tx).Where("billing_account = ? AND method = ?", account, ref).Order("number").Find(&subs).Error; err != nil {
			return err
		}
		card, err := one[paymentMethodRow](locked(tx).Where("ref = ? AND account = ? AND removed_at IS NULL", ref, account))
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if !sub.Status.Ended() || sub.State.PaymentPending() { // which may revive it
				return &billing.Error{Code: billing.CodeMethodInUse, Detail: "a subscription is charged to this card: change its card first"}
			}
			if err := tx.Model(&subscriptionRow{}).Where("id = ?", sub.ID).Update("method", "").Error; err != nil {
				return err
			}
		}
		now := tx.NowFunc()
		if err := tx.Model(&paymentMethodRow{}).Where("ref = ?", card.Ref).Updates(map[string]any{"removed_at": now, "detach_at": now}).Error; err != nil {
			return err
		}
		return s.audit(ctx, tx, "payment_method.remove", ref, map[string]any{"account": account}, nil)
	})
}

// detachClaim is how long detaching a claimed card may take, in real time. If
// the gateway does not answer, it is asked again after that.
const detachClaim = time.Minute

// ClaimRemovedCards takes cards that were removed here and that the gateway still
// has, so that no other process detaches them meanwhile. A card that was removed while
// a payment with it was under way stays for as long as something may be charged
// to it.
func (s *Store) ClaimRemovedCards(ctx context.Context, gateway string, limit int) ([]string, error) {
	db, now := s.db.WithContext(ctx), s.db.NowFunc()
	var cards []paymentMethodRow
	if err := db.Where("detach_at <= ? AND gateway = ?", now, gateway).Order("detach_at").Limit(limit).Find(&cards).Error; err != nil {
		return nil, err
	}
	var claimed []string
	for _, c := range cards {
		mine := db.Model(&paymentMethodRow{}).Where("ref = ? AND detach_at <= ?", c.Ref, now).Update("detach_at", now.Add(detachClaim))
		if mine.Error != nil {
			return claimed, mine.Error
		}
		if mine.RowsAffected == 0 {
			continue
		}
		if used, err := s.charges(ctx, c.Account, c.Ref); err != nil {
			return claimed, err
		} else if !used {
			claimed = append(claimed, c.Ref)
		}
	}
	return claimed, nil
}

// charges tells whether anything of an account is charged to a card, or may be
// any moment.
func (s *Store) charges(ctx context.Context, account billing.AccountID, ref string) (used bool, err error) {
	err = s.snapshot(ctx, func(tx *gorm.DB) error {
		var subs []subscriptionRow
		if err := tx.Where("billing_account = ?", account).Find(&subs).Error; err != nil {
			return err
		}
		ids := make([]billing.SubscriptionID, len(subs))
		waiting := []billing.InvoiceID{}
		for i, sub := range subs {
			ids[i] = sub.ID
			used = used || sub.Method == ref
			if id := sub.State.PendingPayment.Invoice; id != "" {
				waiting = append(waiting, id)
			}
		}
		var drafts []invoiceRow
		if err := tx.Where("subscription IN ? AND (in_flight OR id IN ?)", ids, waiting).Find(&drafts).Error; err != nil {
			return err
		}
		for _, d := range drafts {
			used = used || d.Detail.Method == ref
		}
		return nil
	})
	return used, err
}

// CardOwner is whose a card is. Errors: ErrNotFound, also where it was removed.
func (s *Store) CardOwner(ctx context.Context, gateway, ref string) (billing.AccountID, error) {
	row, err := one[paymentMethodRow](s.db.WithContext(ctx).Where("ref = ? AND gateway = ? AND removed_at IS NULL", ref, gateway))
	return row.Account, err
}

// UpdateCard writes down what a person recognises a card by, and its end.
func (s *Store) UpdateCard(ctx context.Context, m billing.StoredMethod) error {
	return s.db.WithContext(ctx).Model(&paymentMethodRow{}).Where("ref = ? AND removed_at IS NULL", m.Ref).
		Updates(map[string]any{"brand": m.Brand, "last4": m.Last4, "exp": m.Exp, "fingerprint": m.Fingerprint}).Error
}

// CardDetached says that the gateway has forgotten a card.
func (s *Store) CardDetached(ctx context.Context, ref string) error {
	return s.db.WithContext(ctx).Model(&paymentMethodRow{}).Where("ref = ?", ref).Update("detach_at", nil).Error
}

package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

type movedInRow struct {
	Kind      string
	Ref       string
	Object    string
	Hash      string
	CreatedAt time.Time
}

func (movedInRow) TableName() string { return "moved_in" }

// moveOnce keeps what a thing of another system becomes here, or says what it
// became before.
func moveOnce(tx *gorm.DB, kind, ref, hash, object string) (was movedInRow, before bool, err error) {
	fresh := movedInRow{Kind: kind, Ref: ref, Hash: hash, Object: object}
	r := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&fresh)
	if r.Error != nil || r.RowsAffected > 0 {
		return fresh, false, r.Error
	}
	was, err = one[movedInRow](tx.Where("kind = ? AND ref = ?", kind, ref))
	return was, true, err
}

// MoveAccount writes a customer of another system, once: its account, its billing
// details where the account has none, its standing discount and balances. before: its id
// was there, and nothing was written; differs: then with other words.
func (s *Store) MoveAccount(ctx context.Context, a billing.MovedAccount) (id billing.AccountID, before, differs bool, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		was, err := one[movedInRow](tx.Where("kind = ? AND ref = ?", billing.MovedCustomer, a.Ref))
		before = err == nil // and of one that was erased, no account is opened again
		if errors.Is(err, billing.ErrNotFound) {
			if id, err = account(tx, a.Email); err == nil {
				was, before, err = moveOnce(tx, billing.MovedCustomer, a.Ref, a.Hash, string(id))
			}
		}
		if err != nil || before {
			id, differs = billing.AccountID(was.Object), was.Hash != a.Hash
			return err
		}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&profileRow{Account: id, Detail: a.Profile}).Error; err != nil {
			return err
		}
		if a.Standing > 0 {
			if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&accountDiscountRow{id, a.Standing}).Error; err != nil {
				return err
			}
		}
		var entries []billing.BalanceEntry
		for _, b := range a.Balances {
			entries = append(entries, billing.BalanceEntry{
				Key: "moved/" + a.Ref + "/" + b.Currency, Account: id, Currency: b.Currency, Amount: b.Amount, Cause: billing.CauseMovedIn,
			})
		}
		return s.move(tx, entries)
	})
	return id, before, differs, err
}

// Moved tells whether something of another system was moved in before, and whether it
// was something else then.
func (s *Store) Moved(ctx context.Context, kind, ref, hash string) (before, differs bool, err error) {
	was, err := one[movedInRow](s.db.WithContext(ctx).Where("kind = ? AND ref = ?", kind, ref))
	if errors.Is(err, billing.ErrNotFound) {
		return false, false, nil
	}
	return err == nil, err == nil && was.Hash != hash, err
}

// MovedSubscriptions are the subscriptions that were moved in, by their ids in the other
// system.
func (s *Store) MovedSubscriptions(ctx context.Context) (map[string]bool, error) {
	var refs []string
	err := s.db.WithContext(ctx).Model(&movedInRow{}).Where("kind = ?", billing.MovedSubscription).Pluck("ref", &refs).Error
	moved := make(map[string]bool, len(refs))
	for _, ref := range refs {
		moved[ref] = true
	}
	return moved, err
}

// MoveIn writes a subscription of another system with its order, licence and
// invoices, all of it or nothing, and once. method is the stored card's reference,
// now the real time. Errors: ErrConflict where its licence or an invoice's id is
// taken, and a *billing.Error coupon_used_up, or request_expired where the account has
// been erased.
func (s *Store) MoveIn(ctx context.Context, m billing.MovedIn, method string, now time.Time) (as billing.MovedAs, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		was, before, err := moveOnce(tx, billing.MovedSubscription, m.Ref, m.Hash, string(m.Subscription.ID))
		if err != nil {
			return err
		}
		if before {
			as = billing.MovedAs{Before: true, Differs: was.Hash != m.Hash}
			return nil
		}
		placed, m := m.Subscription, m // the transaction may be tried again
		if m.Order, err = addressed(tx, m.Order); err != nil {
			return err
		}
		if err := s.createOrder(tx, "", m.Order, &placed); err != nil {
			return err
		}
		card, err := storedMethod(tx, method)
		if err != nil {
			return err
		}
		b := billing.Snapshot{
			Subscription: placed, Order: m.Order, Product: m.Product, Balance: billing.Money{Currency: placed.Price.Currency},
			Method: card.Ref, MethodExp: card.Exp, Policy: s.policy, NewID: NewID,
		}
		if m.Trial { // another trial of the organisation may have had it there
			claim := trialClaimRow{placed.Product, billing.Organisation(m.Order.Licensee.Email), placed.ID, true}
			if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&claim).Error; err != nil {
				return err
			}
		}
		p := b.MoveIn(m, placed.At(now))
		if err := s.post(tx, *p, billing.ActorName(ctx)); err != nil {
			return err
		}
		as = billing.MovedAs{Subscription: p.Subscription}
		return nil
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		err = billing.ErrConflict
	}
	return as, err
}

// addressed is an order of the account that it names, which may have changed its address
// since it was moved in: by the former one, another account would be opened.
func addressed(tx *gorm.DB, o billing.Order) (billing.Order, error) {
	a, err := one[accountRow](locked(tx).Where("id = ? AND email <> ?", o.BillingAccount, erasedAddress(o.BillingAccount)))
	if errors.Is(err, billing.ErrNotFound) {
		return o, &billing.Error{Code: billing.CodeRequestExpired, Detail: "the account has been erased meanwhile"}
	}
	if err != nil || normalEmail(o.Billing.Email) == a.Email {
		return o, err
	}
	if normalEmail(o.Licensee.Email) == normalEmail(o.Billing.Email) {
		o.Licensee.Email = a.Email
	}
	o.Billing.Email = a.Email
	return o, nil
}

// keepFormer keeps a paid invoice of another system; what paid for the running
// period can be credited.
func keepFormer(tx *gorm.DB, inv billing.Invoice, running bool) error {
	row := invoiceRow{}
	row.set(inv)
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	if err := findBy(tx, searched{string(inv.ID), inv.SearchWords()}); err != nil {
		return err
	}
	if !running {
		return nil
	}
	return sell(tx, inv)
}

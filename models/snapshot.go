package models

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Snapshot reads all that is on file about a subscription, at one moment. Errors:
// ErrNotFound.
func (s *Store) Snapshot(ctx context.Context, id billing.SubscriptionID) (billing.Snapshot, error) {
	b := billing.Snapshot{Policy: s.policy, NewID: NewID}
	err := s.snapshot(ctx, func(tx *gorm.DB) error {
		sub, err := one[subscriptionRow](tx.Where("id = ?", id))
		if err != nil {
			return fmt.Errorf("subscription %s: %w", id, err)
		}
		if err := sub.tick(tx); err != nil {
			return err
		}
		b.Subscription, b.Method = sub.State, sub.Method
		order, err := one[orderRow](tx.Where("subscription = ?", id))
		if err != nil {
			return fmt.Errorf("order of %s: %w", id, err)
		}
		b.Order, b.Newer = order.Detail, sub.Newer || order.Newer
		if b.Product, err = product(tx, sub.Product); err != nil {
			return err
		}
		var sold []paidLineRow
		if err := tx.Where("subscription = ? AND credited < net", id).Order("id").Find(&sold).Error; err != nil {
			return err
		}
		for _, l := range sold {
			b.PaidLines = append(b.PaidLines, billing.PaidLine{Invoice: l.Invoice, Line: l.Line, Credited: l.Credited, CreditedTax: l.CreditedTax})
		}
		var pending []invoiceRow
		if err := tx.Where("subscription = ? AND (in_flight OR id IN ?)", id, []billing.InvoiceID{sub.State.OpenInvoice, sub.State.PendingPayment.Invoice}).Find(&pending).Error; err != nil {
			return err
		}
		for _, w := range pending {
			b.Newer = b.Newer || w.Newer
			if w.InFlight {
				b.InFlight = &w.Detail
			}
			if w.ID == sub.State.OpenInvoice {
				b.Open = &w.Detail
			}
			if w.ID == sub.State.PendingPayment.Invoice {
				b.PendingPayment = &w.Detail
			}
		}
		card, err := storedMethod(tx, sub.Method)
		if err != nil {
			return err
		}
		b.MethodExp = card.Exp
		if b.Standing, err = standing(tx, sub.BillingAccount); err != nil {
			return err
		}
		b.Balance, err = balance(tx, sub.BillingAccount, sub.State.Price.Currency)
		return err
	})
	return b, err
}

// Fence reads a subscription for a run that carries no state, and raises its
// revision so that nothing decided by an older run can still be posted.
func (s *Store) Fence(ctx context.Context, id billing.SubscriptionID) (billing.Subscription, error) {
	var state billing.Subscription
	err := s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[subscriptionRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return fmt.Errorf("subscription %s: %w", id, err)
		}
		if err := row.tick(tx); err != nil {
			return err
		}
		row.Revision++
		row.State.Revision = row.Revision
		state = row.State
		return save(tx, id, &row)
	})
	return state, err
}

// tick sets the now of a subscription with a test clock to the clock's: the
// row's is as old as its last changeset.
func (r *subscriptionRow) tick(tx *gorm.DB) error {
	if r.TestClock == "" {
		return nil
	}
	clock, err := one[testClockRow](tx.Where("id = ?", r.TestClock))
	if err != nil {
		return fmt.Errorf("test clock %s: %w", r.TestClock, err)
	}
	r.State.Now = clock.Now
	return nil
}

func balance(tx *gorm.DB, account billing.AccountID, currency string) (billing.Money, error) {
	b, err := one[balanceRow](tx.Where("account = ? AND currency = ?", account, currency))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return billing.Money{Amount: b.Amount, Currency: currency}, err
}

// SetCharge stores the gateway's reference of an invoice's charge, before any
// money may move.
func (s *Store) SetCharge(ctx context.Context, invoice billing.InvoiceID, gateway string, charge billing.ChargeID) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[invoiceRow](locked(tx).Where("id = ?", invoice))
		if err != nil {
			return err
		}
		if row.Status != billing.InvoiceDraft {
			return fmt.Errorf("invoice %s is %s and cannot be charged", invoice, row.Status)
		}
		row.Detail.Gateway, row.Detail.Charge, row.Charge = gateway, charge, charge
		return save(tx, invoice, &row)
	})
}

// Method is a stored card; the zero one where it is not known.
func (s *Store) Method(ctx context.Context, ref string) (billing.StoredMethod, error) {
	return storedMethod(s.db.WithContext(ctx), ref)
}

func storedMethod(tx *gorm.DB, ref string) (billing.StoredMethod, error) {
	if ref == "" {
		return billing.StoredMethod{}, nil
	}
	row, err := one[paymentMethodRow](tx.Where("ref = ?", ref))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return billing.StoredMethod{Ref: row.Ref, Brand: row.Brand, Last4: row.Last4, Exp: row.Exp, Fingerprint: row.Fingerprint}, err
}

// RequestCard reads the card that a request brings.
func (s *Store) RequestCard(ctx context.Context, request billing.RequestID) (token, method string, err error) {
	r, err := one[requestRow](s.db.WithContext(ctx).Select("token", "method").Where("id = ?", request))
	return r.Token, r.Method, err
}

// SaveMethod keeps a card that was attached for a request, and forgets the
// token.
func (s *Store) SaveMethod(ctx context.Context, request billing.RequestID, account billing.AccountID, gateway string, m billing.StoredMethod) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		err := tx.Create(&paymentMethodRow{Ref: m.Ref, Account: account, Gateway: gateway, Brand: m.Brand, Last4: m.Last4, Exp: m.Exp, Fingerprint: m.Fingerprint}).Error
		if err != nil && !errors.Is(err, gorm.ErrDuplicatedKey) {
			return err
		}
		return tx.Model(&requestRow{}).Where("id = ?", request).Updates(map[string]any{"method": m.Ref, "token": ""}).Error
	})
}

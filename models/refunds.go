package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// refundRow is money on its way back to a card, or back there.
type refundRow struct {
	ID           billing.RefundID
	CreditNote   string
	Invoice      billing.InvoiceID
	Subscription billing.SubscriptionID
	Gateway      string
	Charge       billing.ChargeID
	Currency     string
	Amount       int64
	Status       billing.RefundStatus
	CreatedAt    time.Time
}

// moneyBackRow counts how often an account has had its money back for a
// product.
type moneyBackRow struct {
	Account billing.AccountID
	Product string
	Used    int64
}

func (refundRow) TableName() string    { return "refunds" }
func (moneyBackRow) TableName() string { return "money_backs" }

func (r refundRow) refund() billing.Refund {
	return billing.Refund{
		ID: r.ID, CreditNote: r.CreditNote, Invoice: r.Invoice, Gateway: r.Gateway, Charge: r.Charge,
		Amount: billing.Money{Amount: r.Amount, Currency: r.Currency}, Status: r.Status,
	}
}

// claimMoneyBack counts one more money-back, or refuses it. The row is locked
// until the changeset is written, so that two subscriptions of one account take
// turns. Errors: a *billing.Error money_back_used_up.
func (s *Store) claimMoneyBack(tx *gorm.DB, account billing.AccountID, product string) error {
	row, err := lockedOrNew(tx, &moneyBackRow{Account: account, Product: product}, "account = ? AND product = ?", account, product)
	if err != nil {
		return err
	}
	if row.Used >= s.policy.MoneyBacks {
		return &billing.Error{Code: billing.CodeMoneyBackUsedUp, Detail: "this account has used money-back for this product too often"}
	}
	return tx.Model(&moneyBackRow{}).Where("account = ? AND product = ?", account, product).Update("used", row.Used+1).Error
}

// before is what a refund was before it came to be what it is: one that had
// succeeded may fail later.
var before = map[billing.RefundStatus][]billing.RefundStatus{
	billing.RefundSucceeded: {billing.RefundPending},
	billing.RefundFailed:    {billing.RefundPending, billing.RefundSucceeded},
}

// refund writes refunds that begin, at the subscription's time, as the gateway
// is told; and what became of those that were begun.
func refund(tx *gorm.DB, of billing.Subscription, refunds []billing.Refund) error {
	for _, r := range refunds {
		if r.Status == billing.RefundPending {
			err := tx.Create(&refundRow{
				ID: r.ID, CreditNote: r.CreditNote, Invoice: r.Invoice, Subscription: of.ID, Gateway: r.Gateway, Charge: r.Charge,
				Currency: r.Amount.Currency, Amount: r.Amount.Amount, Status: r.Status, CreatedAt: of.At(tx.NowFunc()),
			}).Error
			if err != nil {
				return err
			}
			continue
		}
		done := tx.Model(&refundRow{}).Where("id = ? AND status IN ?", r.ID, before[r.Status]).Update("status", r.Status)
		if done.Error != nil {
			return done.Error
		}
		if done.RowsAffected == 0 {
			return fmt.Errorf("refund %s cannot become %s", r.ID, r.Status)
		}
	}
	return nil
}

// PendingRefunds are a subscription's refunds that the gateway has not
// confirmed, the oldest first.
func (s *Store) PendingRefunds(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Refund, error) {
	return s.refunds(s.db.WithContext(ctx).Where("subscription = ? AND status = ?", subscription, billing.RefundPending))
}

// Refunds are those of an invoice of a subscription, the oldest first, with
// any outcome.
func (s *Store) Refunds(ctx context.Context, subscription billing.SubscriptionID, invoice billing.InvoiceID) ([]billing.Refund, error) {
	return s.refunds(s.db.WithContext(ctx).Where("subscription = ? AND invoice = ?", subscription, invoice))
}

func (s *Store) refunds(which *gorm.DB) ([]billing.Refund, error) {
	var rows []refundRow
	err := which.Order("created_at, id").Find(&rows).Error
	list := make([]billing.Refund, len(rows))
	for i, r := range rows {
		list[i] = r.refund()
	}
	return list, err
}

// Refund reads a refund of a subscription. Errors: ErrNotFound.
func (s *Store) Refund(ctx context.Context, subscription billing.SubscriptionID, id billing.RefundID) (billing.Refund, error) {
	row, err := one[refundRow](s.db.WithContext(ctx).Where("id = ? AND subscription = ?", id, subscription))
	return row.refund(), err
}

// Receipts are a subscription's paid invoices with what was given back of
// them, the oldest first.
func (s *Store) Receipts(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Receipt, error) {
	var list []billing.Receipt
	err := s.snapshot(ctx, func(tx *gorm.DB) error {
		var invoices []invoiceRow
		if err := tx.Where("subscription = ? AND status = ?", subscription, billing.InvoicePaid).Find(&invoices).Error; err != nil {
			return err
		}
		slices.SortFunc(invoices, oldestFirst)
		var notes []creditNoteRow
		theirs := tx.Model(&invoiceRow{}).Select("id").Where("subscription = ?", subscription)
		if err := tx.Where("invoice IN (?)", theirs).Find(&notes).Error; err != nil {
			return err
		}
		var refunds []refundRow
		if err := tx.Where("subscription = ?", subscription).Find(&refunds).Error; err != nil {
			return err
		}
		noted, refunded := map[billing.InvoiceID]int64{}, map[billing.InvoiceID]int64{}
		for _, n := range notes {
			noted[n.Invoice] += n.Detail.Total().Amount
		}
		for _, r := range refunds {
			refunded[r.Invoice] += r.Amount
		}
		list = make([]billing.Receipt, len(invoices))
		for i, inv := range invoices {
			list[i] = billing.Receipt{Invoice: inv.Detail, Noted: noted[inv.ID], Refunded: refunded[inv.ID]}
		}
		return nil
	})
	return list, err
}

// oldestFirst is the order of paid invoices: those of another system, which have no
// number of ours, by their issue, and then ours by number.
func oldestFirst(a, b invoiceRow) int {
	switch {
	case a.Number == nil && b.Number == nil:
		return cmp.Or(a.Detail.IssuedAt.Compare(b.Detail.IssuedAt), cmp.Compare(a.ID, b.ID))
	case a.Number == nil:
		return -1
	case b.Number == nil:
		return 1
	}
	return byNumber(*a.Number, *b.Number)
}

// byNumber is the order of two numbers of a series: a year's millionth is one
// digit longer than those before it.
func byNumber(a, b string) int {
	year := len("INV-2026-")
	return cmp.Or(cmp.Compare(a[:year], b[:year]), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// CreditNote reads a credit note. Errors: ErrNotFound.
func (s *Store) CreditNote(ctx context.Context, id string) (billing.CreditNote, error) {
	row, err := one[creditNoteRow](s.db.WithContext(ctx).Where("id = ?", id))
	return row.Detail, err
}

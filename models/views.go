package models

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Overview reads a subscription with what its pages show. Errors: ErrNotFound.
func (s *Store) Overview(ctx context.Context, id billing.SubscriptionID) (billing.Overview, error) {
	db := s.db.WithContext(ctx)
	row, err := one[subscriptionRow](db.Where("id = ?", id))
	if err != nil {
		return billing.Overview{}, err
	}
	return overview(db, row)
}

// Live lists the subscriptions for which something is due some day, or whose
// money is on its way back, by number: some with a higher one than after.
func (s *Store) Live(ctx context.Context, after int64, limit int) ([]billing.Subscription, error) {
	var rows []subscriptionRow
	refunding := s.db.Model(&refundRow{}).Select("subscription").Where("status = ?", billing.RefundPending)
	err := s.db.WithContext(ctx).Select("id", "state").Where("number > ? AND (next_at IS NOT NULL OR id IN (?))", after, refunding).
		Order("number").Limit(limit).Find(&rows).Error
	list := make([]billing.Subscription, len(rows))
	for i, r := range rows {
		list[i] = r.State
	}
	return list, err
}

// Overviews lists subscriptions, the newest number first.
func (s *Store) Overviews(ctx context.Context, search billing.Search, limit int) ([]billing.Overview, error) {
	db := s.db.WithContext(ctx)
	of := map[string]string{}
	contacts := bothContacts
	if search.Email != "" {
		of["email"] = search.Email
	}
	if search.Payer != "" {
		of["email"], contacts = search.Payer, bothContacts[:1]
	}
	if search.Domain != "" {
		of["domain"] = search.Domain
	}
	rows, err := ofContacts(func() *gorm.DB {
		q := db.Select("subscriptions.*").Order("subscriptions.number DESC").Limit(limit)
		if search.Before > 0 {
			q = q.Where("subscriptions.number < ?", search.Before)
		}
		if search.Number > 0 {
			q = q.Where("subscriptions.number = ?", search.Number)
		}
		return q
	}, of, contacts, limit, func(a, b subscriptionRow) int { return cmp.Compare(b.Number, a.Number) })
	if err != nil {
		return nil, err
	}
	list := make([]billing.Overview, len(rows))
	for i, row := range rows {
		if list[i], err = overview(db, row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// bothContacts are the columns of a subscription's contacts.
var bothContacts = []string{"billing_account", "licensee_account"}

// ofContacts reads a page of rows of subscriptions, or of all where nothing is asked
// of their contacts: each contact's rows by its own index, since no database uses two
// for an OR, and the two put together in order.
func ofContacts[T any](page func() *gorm.DB, of map[string]string, contacts []string, limit int, order func(a, b T) int) ([]T, error) {
	if len(of) == 0 {
		contacts = []string{""}
	}
	var list []T
	for _, contact := range contacts {
		q := page()
		if contact != "" {
			q = q.Joins("JOIN accounts ON accounts.id = subscriptions." + contact)
		}
		for column, value := range of {
			q = q.Where("accounts."+column+" = ?", normalEmail(value))
		}
		var rows []T
		if err := q.Find(&rows).Error; err != nil {
			return nil, err
		}
		list = append(list, rows...)
	}
	slices.SortFunc(list, order)
	list = slices.CompactFunc(list, func(a, b T) bool { return order(a, b) == 0 })
	return list[:min(limit, len(list))], nil
}

func overview(tx *gorm.DB, row subscriptionRow) (billing.Overview, error) {
	if err := row.tick(tx); err != nil {
		return billing.Overview{}, err
	}
	o := billing.Overview{Subscription: row.State, Read: tx.NowFunc()}
	var accounts []struct {
		ID     billing.AccountID
		Email  string
		Detail []byte // the order's
	}
	err := tx.Model(&accountRow{}).Select("accounts.id, accounts.email, orders.detail").Joins("JOIN orders ON orders.subscription = ?", row.ID).
		Where("accounts.id IN ?", []billing.AccountID{row.BillingAccount, row.LicenseeAccount}).Find(&accounts).Error
	if err != nil {
		return o, err
	}
	for _, a := range accounts {
		if a.ID == row.BillingAccount {
			o.BillingAccount = a.Email
		}
		if a.ID == row.LicenseeAccount {
			o.LicenseeAccount = a.Email
		}
	}
	if len(accounts) > 0 { // each brings the same order
		var ordered struct { // the names of billing.Order
			Billing  struct{ PurchaseOrder, CostCenter string }
			Language string
			Reason   string
		}
		if err := json.Unmarshal(accounts[0].Detail, &ordered); err != nil {
			return o, fmt.Errorf("order of %s: %w", row.ID, err)
		}
		o.PurchaseOrder, o.CostCenter, o.Language, o.CompReason = ordered.Billing.PurchaseOrder, ordered.Billing.CostCenter, ordered.Language, ordered.Reason
	}
	if pending := row.State.PendingPayment.Invoice; pending != "" {
		inv, err := one[invoiceRow](tx.Where("id = ?", pending))
		if err != nil {
			return o, fmt.Errorf("invoice %s: %w", pending, err)
		}
		o.ActionURL = inv.Detail.ActionURL
	}
	if row.Method != "" {
		m, err := one[paymentMethodRow](tx.Where("ref = ?", row.Method))
		switch {
		case err == nil:
			o.Card = &billing.StoredMethod{Ref: m.Ref, Brand: m.Brand, Last4: m.Last4, Exp: m.Exp}
		case !errors.Is(err, billing.ErrNotFound): // a restored database may not know the card of an adopted charge
			return o, fmt.Errorf("payment method of %s: %w", row.ID, err)
		}
	}
	return o, nil
}

// LatestEvents is the end of a subscription's audit history, the oldest first.
func (s *Store) LatestEvents(ctx context.Context, subscription billing.SubscriptionID, limit int) ([]billing.Event, error) {
	var rows []eventRow
	err := s.db.WithContext(ctx).Where("subscription = ?", subscription).Order("revision DESC, position DESC").Limit(limit).Find(&rows).Error
	slices.Reverse(rows)
	return events(rows), err
}

// Events is a subscription's audit history, the oldest first.
func (s *Store) Events(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Event, error) {
	var rows []eventRow
	err := s.db.WithContext(ctx).Where("subscription = ?", subscription).Order("revision, position").Find(&rows).Error
	return events(rows), err
}

func events(rows []eventRow) []billing.Event {
	events := make([]billing.Event, len(rows))
	for i, r := range rows {
		events[i] = billing.Event{At: r.At, Kind: r.Kind, Actor: r.Actor, Text: r.Words, Details: r.Details}
	}
	return events
}

// Invoice reads an invoice with the credit notes that correct it. Errors:
// ErrNotFound.
func (s *Store) Invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error) {
	db := s.db.WithContext(ctx)
	row, err := one[invoiceRow](db.Where("id = ?", id))
	if err != nil {
		return billing.Invoice{}, nil, err
	}
	notes, err := creditNotes(db, id)
	return row.Detail, notes, err
}

// Invoices lists the invoices of an account and of a subscription (of all,
// where these are empty), the newest first, from below the id before. A draft is
// none yet.
func (s *Store) Invoices(ctx context.Context, account billing.AccountID, subscription billing.SubscriptionID, before string, limit int) ([]billing.Invoice, error) {
	q := s.db.WithContext(ctx).Where("status <> ?", billing.InvoiceDraft).Order("id DESC").Limit(limit)
	if account != "" {
		q = q.Where("account = ?", account)
	}
	if subscription != "" {
		q = q.Where("subscription = ?", subscription)
	}
	if before != "" {
		q = q.Where("id < ?", before)
	}
	var rows []invoiceRow
	err := q.Find(&rows).Error
	list := make([]billing.Invoice, len(rows))
	for i, r := range rows {
		list[i] = r.Detail
	}
	return list, err
}

// FirstInvoice is the first bill of a subscription that was not given up, with
// the credit notes that correct it. Errors: ErrNotFound.
func (s *Store) FirstInvoice(ctx context.Context, subscription billing.SubscriptionID) (billing.Invoice, []billing.CreditNote, error) {
	db := s.db.WithContext(ctx)
	row, err := one[invoiceRow](db.Where("subscription = ? AND status IN ?", subscription, []billing.InvoiceStatus{billing.InvoiceOpen, billing.InvoicePaid}).Order("id"))
	if err != nil {
		return billing.Invoice{}, nil, err
	}
	notes, err := creditNotes(db, row.ID)
	return row.Detail, notes, err
}

// CreditNotes lists the notes of an invoice.
func (s *Store) CreditNotes(ctx context.Context, invoice billing.InvoiceID) ([]billing.CreditNote, error) {
	return creditNotes(s.db.WithContext(ctx), invoice)
}

func creditNotes(tx *gorm.DB, invoice billing.InvoiceID) ([]billing.CreditNote, error) {
	var rows []creditNoteRow
	err := tx.Where("invoice = ?", invoice).Order("number").Find(&rows).Error
	notes := make([]billing.CreditNote, len(rows))
	for i, r := range rows {
		notes[i] = r.Detail
	}
	return notes, err
}

// BalanceIn is what an account holds in a currency.
func (s *Store) BalanceIn(ctx context.Context, account billing.AccountID, currency string) (billing.Money, error) {
	return balance(s.db.WithContext(ctx), account, currency)
}

// Balance is what an account holds in each currency.
func (s *Store) Balance(ctx context.Context, account billing.AccountID) ([]billing.Money, error) {
	var rows []balanceRow
	err := s.db.WithContext(ctx).Where("account = ?", account).Order("currency").Find(&rows).Error
	list := make([]billing.Money, len(rows))
	for i, r := range rows {
		list[i] = billing.Money{Amount: r.Amount, Currency: r.Currency}
	}
	return list, err
}

// Entries are what moved an account's balance last, the newest first.
func (s *Store) Entries(ctx context.Context, account billing.AccountID, limit int) ([]billing.PostedEntry, error) {
	var rows []balanceEntryRow
	err := s.db.WithContext(ctx).Where("account = ?", account).Order("created_at DESC, entry_key DESC").Limit(limit).Find(&rows).Error
	list := make([]billing.PostedEntry, len(rows))
	for i, r := range rows {
		list[i] = r.posted()
	}
	return list, err
}

// Late counts the subscriptions whose next step was due before an instant, but
// for those on test clocks.
func (s *Store) Late(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	err := s.db.WithContext(ctx).Model(&subscriptionRow{}).Where("test_clock = '' AND next_at < ?", billing.Instant(before)).Count(&n).Error
	return n, err
}

// WaitingMails counts the mails that were to be sent before an instant, and were
// neither sent nor given up.
func (s *Store) WaitingMails(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	err := s.db.WithContext(ctx).Model(&outboxRow{}).Where("done_at IS NULL AND created_at < ?", billing.Instant(before)).Count(&n).Error
	return n, err
}

package models

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// Post writes a changeset, all of it or nothing. It is the only way in which a
// subscription, an invoice, a credit note or a balance changes. Errors:
// ErrStale, ErrConflict, and a *billing.Error trial_already_used,
// coupon_used_up or money_back_used_up.
func (s *Store) Post(ctx context.Context, p billing.Changeset) error {
	return s.tx(ctx, func(tx *gorm.DB) error { return s.post(tx, p, billing.ActorEngine) })
}

// post is Post within a transaction; actor is whose doing it is where no request is.
func (s *Store) post(tx *gorm.DB, p billing.Changeset, actor string) error {
	row, err := one[subscriptionRow](locked(tx).Where("id = ?", p.Subscription.ID))
	if err != nil {
		return fmt.Errorf("subscription %s: %w", p.Subscription.ID, err)
	}
	if row.Revision != p.From {
		return billing.ErrStale
	}
	by := requestRow{Actor: actor}
	if p.Request != "" {
		if by, err = one[requestRow](tx.Select("actor", "origin", "command").Where("id = ?", p.Request)); err != nil {
			return err
		}
	}
	var license licenseRow
	advance := func(tx *gorm.DB, row subscriptionRow, p billing.Changeset) (err error) {
		license, err = s.advance(tx, row, p, by.Actor)
		return err
	}
	for _, write := range []func(*gorm.DB, subscriptionRow, billing.Changeset) error{
		admit, s.claim, s.moveMoney, advance, answer,
	} {
		if err := write(tx, row, p); err != nil {
			return err
		}
	}
	// Late, so that the number series are locked for the shortest time.
	filed, err := file(tx, p)
	if err != nil {
		return err
	}
	if err := s.publishChangeset(tx, row, license, filed); err != nil {
		return err
	}
	return s.auditCommand(tx, row, p, by)
}

// admit refuses a second payment in flight: another try of the same step may
// have sent one off meanwhile, or one still waits for its outcome.
func admit(tx *gorm.DB, row subscriptionRow, p billing.Changeset) error {
	if p.Invoice == nil || p.Invoice.InFlight == "" {
		return nil
	}
	if p.Subscription.PaymentPending() {
		return billing.ErrConflict
	}
	_, err := one[invoiceRow](tx.Select("id").Where("subscription = ? AND in_flight", row.ID).Limit(1))
	switch {
	case errors.Is(err, billing.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return billing.ErrConflict
}

// claim takes what subscriptions share and a changeset needs: the organisation's
// one trial, a use of a coupon, one of the account's money-backs.
func (s *Store) claim(tx *gorm.DB, row subscriptionRow, p billing.Changeset) error {
	if p.TrialClaim != "" {
		if err := claimTrial(tx, trialClaimRow{row.Product, p.TrialClaim, row.ID, p.TrialUsed}); err != nil {
			return err
		}
	}
	if p.Redeem != "" {
		if err := redeem(tx, p.Redeem, row.ID); err != nil {
			return err
		}
	}
	if p.Unredeem != "" {
		if err := unredeem(tx, p.Unredeem, row.ID); err != nil {
			return err
		}
	}
	if p.MoneyBackClaim {
		return s.claimMoneyBack(tx, row.BillingAccount, row.Product)
	}
	return nil
}

// moveMoney writes refunds, draws on sold lines, moves balances, and voids what
// is no longer to be paid.
func (s *Store) moveMoney(tx *gorm.DB, row subscriptionRow, p billing.Changeset) error {
	if err := refund(tx, p.Subscription, p.Refunds); err != nil {
		return err
	}
	if err := allocateCredits(tx, p.CreditAllocations); err != nil {
		return err
	}
	if err := s.move(tx, p.Entries); err != nil {
		return err
	}
	if p.Void == "" {
		return nil
	}
	return void(tx, p.Void)
}

// advance writes the subscription's new state, its licence, history and mails.
// A changeset that only reserves a bill has none of these. It gives the licence back.
func (s *Store) advance(tx *gorm.DB, row subscriptionRow, p billing.Changeset, actor string) (license licenseRow, err error) {
	if p.Subscription.Revision == p.From {
		return license, nil
	}
	was, state := row.State, p.Subscription
	row.Revision, row.Status, row.State, row.NextAt = state.Revision, state.Status, state, optional(state.Next.At)
	if p.Method != "" || p.ForgetMethod {
		row.Method = p.Method
	}
	if p.Order != nil {
		if err := amend(tx, &row, *p.Order); err != nil {
			return license, err
		}
	}
	if err := save(tx, row.ID, &row); err != nil {
		return license, err
	}
	if state.License != "" {
		if license, err = s.entitle(tx, was, state); err != nil {
			return license, err
		}
	}
	events := make([]*eventRow, len(p.Events))
	for i, e := range p.Events {
		events[i] = newEvent(row.ID, state.Revision, int64(i), actor, e)
	}
	mails := make([]*outboxRow, len(p.Notices))
	for i, n := range p.Notices {
		mails[i] = newMail(string(row.ID), state.Revision, n, p.At())
	}
	if err := create(tx, events); err != nil {
		return license, err
	}
	return license, create(tx, mails)
}

// create inserts rows, if there are any, with one statement.
func create[T any](tx *gorm.DB, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	return tx.Create(&rows).Error
}

// answer stores the outcome of the request that the changeset belongs to.
func answer(tx *gorm.DB, _ subscriptionRow, p billing.Changeset) error {
	if p.Request == "" {
		return nil
	}
	return tx.Model(&requestRow{}).Where("id = ? AND outcome IS NULL", p.Request).
		Select("Outcome", "Amendment").Updates(requestRow{Outcome: &p.Outcome}).Error
}

// amend writes an amended order, and what else names its people.
func amend(tx *gorm.DB, row *subscriptionRow, to billing.Order) error {
	order, err := one[orderRow](locked(tx).Where("subscription = ?", row.ID))
	if err != nil {
		return err
	}
	if order.Newer {
		return billing.ErrNewerRelease
	}
	for _, id := range []billing.AccountID{min(to.BillingAccount, to.LicenseeAccount), max(to.BillingAccount, to.LicenseeAccount)} { // everybody locks in one order
		if id == "" || id == row.BillingAccount || id == row.LicenseeAccount {
			continue
		}
		_, err := one[accountRow](locked(tx).Where("id = ? AND email <> ?", id, erasedAddress(id)))
		if errors.Is(err, billing.ErrNotFound) {
			return &billing.Error{Code: billing.CodeRequestExpired, Detail: "the account has been erased meanwhile"}
		}
		if err != nil {
			return err
		}
	}
	row.BillingAccount, row.LicenseeAccount = to.BillingAccount, to.LicenseeAccount
	if was := order.Detail.Licensee; was != to.Licensee {
		set := map[string]any{"licensee": to.Licensee.String()}
		if normalEmail(was.Email) != normalEmail(to.Licensee.Email) { // what the former one knows opens nothing
			set["activation_key"] = rand.Text()
		}
		if billing.Organisation(was.Email) != billing.Organisation(to.Licensee.Email) {
			set["tenant"] = ""
		}
		if err := tx.Model(&licenseRow{}).Where("id = ?", to.License).Updates(set).Error; err != nil {
			return err
		}
	}
	order.Detail = to
	if err := findOnlyBy(tx, string(row.ID), to.SearchWords()); err != nil {
		return err
	}
	return tx.Model(&orderRow{}).Where("subscription = ?", row.ID).Select("Detail").Updates(order).Error
}

// entitle writes what a subscription's state grants to its licence, which is
// created when it is first granted something.
func (s *Store) entitle(tx *gorm.DB, was, state billing.Subscription) (row licenseRow, err error) {
	fresh := was.License == ""
	if !fresh {
		row, err = one[licenseRow](locked(tx).Where("id = ?", state.License))
		fresh = errors.Is(err, billing.ErrNotFound)
	}
	if fresh {
		o, err := one[orderRow](tx.Where("subscription = ?", state.ID))
		if err != nil {
			return row, err
		}
		row = licenseRow{
			ID: state.License, Subscription: state.ID, Product: state.Product, TestClock: state.TestClock,
			Licensee: o.Detail.Licensee.String(), Sites: append([]string{}, o.Detail.Sites...), ActivationKey: rand.Text(),
		}
	} else if err != nil {
		return row, err
	}
	covers, err := s.sold.covers(tx, state.Product, state.Plan.ID)
	if err != nil {
		return row, err
	}
	e := state.Entitlement(s.policy)
	row.Revision, row.Status, row.CancelAtEnd, row.ValidUntil = state.Revision, e.Status, e.CancelAtPeriodEnd, e.ValidUntil
	row.Suspended, row.Revoked = e.Suspended, e.Revoked
	row.Trial = state.Status == billing.Trialing
	row.MoneyBackUntil = nil
	if until := state.MoneyBack.Until; !until.IsZero() {
		row.MoneyBackUntil = &until
	}
	row.PeriodEnd, row.Plan, row.Covers, row.Quantity = state.Period.End, state.Plan, covers, state.Quantity
	if fresh {
		err = tx.Create(&row).Error
	} else {
		err = save(tx, row.ID, &row)
	}
	return row, err
}

// file writes the documents, credit notes and the invoice, and gives the changeset
// back with their numbers.
func file(tx *gorm.DB, p billing.Changeset) (billing.Changeset, error) {
	p.CreditNotes = slices.Clone(p.CreditNotes)
	for i := range p.CreditNotes {
		if err := fileCreditNote(tx, &p.CreditNotes[i]); err != nil {
			return p, err
		}
	}
	for _, inv := range p.Former {
		if err := keepFormer(tx, inv, inv.ID == p.Subscription.PaidBy); err != nil {
			return p, err
		}
	}
	if p.Invoice == nil {
		return p, nil
	}
	inv := *p.Invoice
	p.Invoice = &inv
	return p, fileInvoice(tx, &inv)
}

func fileCreditNote(tx *gorm.DB, n *billing.CreditNote) error {
	number, err := next(tx, "CN", n.IssuedAt)
	if err != nil {
		return err
	}
	n.Number = number
	inv, err := one[invoiceRow](tx.Select("account").Where("id = ?", n.Invoice))
	if err != nil {
		return err
	}
	return tx.Create(&creditNoteRow{n.ID, n.Number, n.Invoice, inv.Account, *n, n.IssuedAt}).Error
}

// fileInvoice writes an invoice. A draft may be rewritten. An invoice gets its
// number here when it is paid, or mailed to be paid; from then on it never
// changes, except that a mailed one is paid.
func fileInvoice(tx *gorm.DB, inv *billing.Invoice) error {
	if inv.Status == billing.InvoiceDraft && inv.Attempt == 1 { // most likely new
		row := invoiceRow{}
		row.set(*inv)
		if err := tx.Create(&row).Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
			return err
		}
	}
	row, err := one[invoiceRow](locked(tx).Where("id = ?", inv.ID))
	fresh := errors.Is(err, billing.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	mailed := !fresh && row.Status == billing.InvoiceOpen && inv.OnlyPays(row.Detail)
	if !fresh && row.Status != billing.InvoiceDraft && !mailed {
		return fmt.Errorf("invoice %s is %s and cannot be written again", inv.ID, row.Status)
	}
	if !mailed && (inv.Status == billing.InvoicePaid || inv.Status == billing.InvoiceOpen) {
		if inv.Number, err = next(tx, "INV", inv.IssuedAt); err != nil {
			return err
		}
		if err := findBy(tx, searched{string(inv.ID), inv.SearchWords()}); err != nil {
			return err
		}
	}
	if inv.Status == billing.InvoicePaid {
		if err := sell(tx, *inv); err != nil {
			return err
		}
	}
	row.set(*inv)
	if fresh {
		return tx.Create(&row).Error
	}
	return save(tx, row.ID, &row)
}

func (r *invoiceRow) set(inv billing.Invoice) {
	r.ID, r.InvoiceKey, r.Subscription, r.Account = inv.ID, inv.Key, inv.Subscription, inv.Account
	r.Status, r.InFlight, r.Charge, r.PaidAt, r.Detail, r.Number = inv.Status, inv.InFlight != "", inv.Charge, optional(inv.PaidAt), inv, nil
	if inv.Number != "" {
		r.Number = &inv.Number
	}
}

// sell keeps the service lines of a paid invoice, each with its remainder, on
// which credits and refunds draw.
func sell(tx *gorm.DB, inv billing.Invoice) error {
	waived, waivedTax := inv.Waived()
	for _, l := range inv.Lines {
		if l.Kind != billing.LineService {
			continue
		}
		if err := tx.Create(&paidLineRow{l.ID, inv.ID, inv.Subscription, l.Net(), waived, waivedTax, l}).Error; err != nil {
			return err
		}
	}
	return nil
}

// void marks an unpaid invoice as void. A mailed one keeps everything else: a
// credit note corrects it.
func void(tx *gorm.DB, id billing.InvoiceID) error {
	row, err := one[invoiceRow](locked(tx).Where("id = ?", id))
	if err != nil {
		return err
	}
	if row.Status != billing.InvoiceDraft && row.Status != billing.InvoiceOpen {
		return fmt.Errorf("invoice %s is %s and cannot become void", id, row.Status)
	}
	row.Status, row.Detail.Status = billing.InvoiceVoid, billing.InvoiceVoid
	return save(tx, id, &row)
}

// allocateCredits takes from the remainders of sold lines, never more than is left.
func allocateCredits(tx *gorm.DB, allocations []billing.CreditAllocation) error {
	for _, d := range allocations {
		if d.Net == 0 && d.Tax == 0 { // MySQL counts only rows that change
			continue
		}
		r := tx.Model(&paidLineRow{}).Where("id = ? AND credited + ? <= net", d.Line, d.Net).
			Updates(map[string]any{"credited": gorm.Expr("credited + ?", d.Net), "credited_tax": gorm.Expr("credited_tax + ?", d.Tax)})
		if r.Error != nil {
			return r.Error
		}
		if r.RowsAffected == 0 {
			return billing.ErrConflict
		}
	}
	return nil
}

// move appends to the balance ledger. An entry whose key is already there is
// skipped: it has happened before. A balance never falls below zero.
func (s *Store) move(tx *gorm.DB, entries []billing.BalanceEntry) error {
	for _, e := range entries {
		b, err := lockedOrNew(tx, &balanceRow{Account: e.Account, Currency: e.Currency},
			"account = ? AND currency = ?", e.Account, e.Currency)
		if err != nil {
			return err
		}
		r := tx.Clauses(clause.OnConflict{DoNothing: true}).
			Create(&balanceEntryRow{e.Key, e.Account, e.Currency, e.Amount, e.Cause, e.Document, s.db.NowFunc()})
		if r.Error != nil {
			return r.Error
		}
		if r.RowsAffected == 0 {
			continue
		}
		if b.Amount+e.Amount < 0 {
			return billing.ErrConflict
		}
		if err := tx.Model(&balanceRow{}).Where("account = ? AND currency = ?", e.Account, e.Currency).
			Update("amount", b.Amount+e.Amount).Error; err != nil {
			return err
		}
	}
	return nil
}

// next takes the next number of a series of documents: one series per year,
// without gaps, because the number is taken in the transaction that uses it.
func next(tx *gorm.DB, series string, at time.Time) (string, error) {
	name := fmt.Sprintf("%s-%d", series, at.Year())
	n, err := count(tx, name)
	return fmt.Sprintf("%s-%06d", name, n), err
}

func count(tx *gorm.DB, name string) (n int64, err error) { return countBy(tx, name, 1) }

// countBy adds to a counter, which the transaction holds until its end, and says what
// it comes to.
func countBy(tx *gorm.DB, name string, by int64) (n int64, err error) {
	if n, err = countUp(tx, name, by); err != nil || n > 0 {
		return n, err
	}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&counterRow{Name: name}).Error; err != nil {
		return 0, err
	}
	return countUp(tx, name, by)
}

// countUp is 0 where there is no such counter yet.
func countUp(tx *gorm.DB, name string, by int64) (n int64, err error) {
	if tx.Name() == "sqlite" {
		err = tx.Raw("UPDATE counters SET value = value + ? WHERE name = ? RETURNING value", by, name).Scan(&n).Error
		return n, err
	}
	done, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, "UPDATE counters SET value = LAST_INSERT_ID(value + ?) WHERE name = ?", by, name)
	if err != nil {
		return 0, wordless(err)
	}
	if rows, err := done.RowsAffected(); err != nil || rows == 0 {
		return 0, err
	}
	return done.LastInsertId() // what the statement has set
}

// lockedOrNew locks a row, and creates it at its first use.
func lockedOrNew[T any](tx *gorm.DB, fresh *T, key string, args ...any) (T, error) {
	row, err := one[T](locked(tx).Where(key, args...))
	if !errors.Is(err, billing.ErrNotFound) {
		return row, err
	}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(fresh).Error; err != nil {
		return row, err
	}
	return one[T](locked(tx).Where(key, args...))
}

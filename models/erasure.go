package models

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// erasedAddress is what an erased account has in place of its address.
func erasedAddress(id billing.AccountID) string {
	return normalEmail("erased-" + string(id) + "@invalid")
}

// Erase removes an address, with its account and all that tells of the person,
// from every table, in one transaction. What issued documents print of the
// buyer stays (see removeBuyers), and so do rows of ids and figures. Doing it
// again erases what has come since. Errors: a *billing.Error
// subscriptions_running or money_open.
func (s *Store) Erase(ctx context.Context, email string) (done billing.Erasure, err error) {
	email = normalEmail(email)
	err = s.tx(ctx, func(tx *gorm.DB) error {
		done = billing.Erasure{}
		a, err := one[accountRow](locked(tx).Where("email = ?", email))
		switch {
		case err == nil:
			done.Account = a.ID
			if done.Documents, err = eraseAccount(tx, a.ID); err != nil {
				return err
			}
		case !errors.Is(err, billing.ErrNotFound):
			return err
		}
		if err := forgetLicensee(tx, email); err != nil {
			return err
		}
		return s.audit(ctx, tx, "privacy.erase", string(a.ID), nil, done)
	})
	return done, err
}

// Scrub empties SQLite's log into the file, where what was deleted is
// overwritten (secure_delete). MySQL reuses the bytes in its own time.
func (s *Store) Scrub(ctx context.Context) error {
	if s.db.Name() != "sqlite" {
		return nil
	}
	var busy int64
	if err := s.db.WithContext(ctx).Raw("PRAGMA wal_checkpoint(TRUNCATE)").Row().Scan(&busy, new(int64), new(int64)); err != nil {
		return wordless(err)
	}
	if busy != 0 {
		return errors.New("somebody reads the database: its log still has what was erased")
	}
	return nil
}

// eraseAccount erases an account, whose row the caller has locked, and counts
// the documents that keep it as their buyer.
func eraseAccount(tx *gorm.DB, id billing.AccountID) (documents int64, err error) {
	var subs []subscriptionRow
	if err := locked(tx).Where("billing_account = ? OR licensee_account = ?", id, id).Order("id").Find(&subs).Error; err != nil {
		return 0, err
	}
	for _, sub := range subs {
		if err := sub.erasable(tx, id); err != nil {
			return 0, err
		}
	}
	for _, sub := range subs {
		n, err := eraseOrder(tx, sub, id)
		if err != nil {
			return 0, err
		}
		documents += n
	}
	return documents, eraseOwn(tx, id)
}

// erasable refuses while a subscription needs the account.
func (r subscriptionRow) erasable(tx *gorm.DB, id billing.AccountID) error {
	if r.BillingAccount != id {
		return r.State.InUse()
	}
	var charging int64
	if err := tx.Model(&invoiceRow{}).Where("subscription = ? AND in_flight", r.ID).Count(&charging).Error; err != nil {
		return err
	}
	var asked int64 // a command that is under way; what is older was never sent
	if err := tx.Model(&requestRow{}).Where("subscription = ? AND outcome IS NULL AND response_status = 0 AND created_at > ?", r.ID, tx.NowFunc().Add(-time.Hour)).Count(&asked).Error; err != nil {
		return err
	}
	return r.State.Unsettled(charging+asked > 0)
}

// moneyRequests are those that must be found again: a bank's statement names a
// transfer, and a refund that is asked for twice is given once.
const moneyRequests = "(route LIKE '%/mark-paid' OR route LIKE '%/refund' OR route LIKE '%/cancel-now')"

// eraseOrder erases an account from a subscription that it pays for, uses, or
// both, and counts the documents that keep it.
func eraseOrder(tx *gorm.DB, sub subscriptionRow, id billing.AccountID) (documents int64, err error) {
	row, err := one[orderRow](locked(tx).Where("subscription = ?", sub.ID))
	if err != nil {
		return 0, err
	}
	of := func(row any) *gorm.DB { return tx.Model(row).Where("subscription = ?", sub.ID) }
	if sub.LicenseeAccount == id && sub.BillingAccount != id && sub.State.Status == billing.Incomplete { // it would be licensed to nobody
		row.Detail.Licensee, row.Detail.LicenseeAccount, row.Detail.Sites = row.Detail.Billing.Contact, sub.BillingAccount, nil
		sub.LicenseeAccount = sub.BillingAccount
	} else if sub.LicenseeAccount == id {
		row.Detail.Licensee, row.Detail.Sites = billing.Contact{Email: erasedAddress(id)}, nil
		license := licenseRow{Licensee: erasedAddress(id), Sites: []string{}, ActivationKey: rand.Text()}
		err := inOrder(
			func() *gorm.DB {
				return of(&licenseRow{}).Select("Licensee", "Sites", "Tenant", "ActivationKey").Updates(license)
			},
			func() *gorm.DB { return tx.Where("license = ?", row.License).Delete(&licenseUsageRow{}) },
			func() *gorm.DB {
				return tx.Where("subscription = ? AND claim LIKE '%@%'", sub.ID).Delete(&trialClaimRow{})
			},
			func() *gorm.DB {
				return tx.Where("subscription = ? AND recipient = ?", sub.ID, billing.RoleLicensee).Delete(&outboxRow{})
			},
		)
		if err != nil {
			return 0, err
		}
	}
	if sub.BillingAccount == id {
		var last time.Time
		if documents, last, err = issued(tx, sub.ID); err != nil {
			return 0, err
		}
		row.Detail.EraseBilling(erasedAddress(id), documents > 0)
		row.KeptSince = optional(last)
		err := inOrder(
			func() *gorm.DB { return tx.Where("subscription = ?", sub.ID).Not(moneyRequests).Delete(&requestRow{}) },
			func() *gorm.DB { return tx.Where("subscription = ?", sub.ID).Delete(&cardFormRow{}) },
			func() *gorm.DB {
				return tx.Where("subscription = ? AND recipient = ?", sub.ID, billing.RoleBilling).Delete(&outboxRow{})
			},
		)
		if err != nil {
			return 0, err
		}
		sub.Method = ""
	}
	sub.Revision++ // as Fence does: what a command has read before, such as a whole order, is stale
	sub.State.Revision = sub.Revision
	if err := save(tx, sub.ID, &sub); err != nil {
		return 0, err
	}
	found := row.Detail // by who is left, and not by what documents print
	if found.Billing.Email == erasedAddress(sub.BillingAccount) {
		found.Billing = billing.BillingDetails{}
	}
	if err := findOnlyBy(tx, string(sub.ID), found.SearchWords()); err != nil {
		return 0, err
	}
	return documents, inOrder(
		func() *gorm.DB { return of(&orderRow{}).Select("Detail", "KeptSince").Updates(row) },
		func() *gorm.DB { return of(&noteRow{}).Delete(&noteRow{}) }, // they may tell of anybody
		func() *gorm.DB { return silence(of(&requestRow{})) },
		func() *gorm.DB { return forgetMoved(tx, string(sub.ID)) },
	)
}

// forgetMoved takes the hash of what another system said. Its id stays, so that nothing
// is moved in again.
func forgetMoved(tx *gorm.DB, object string) *gorm.DB {
	return tx.Model(&movedInRow{}).Where("object = ?", object).Update("hash", "")
}

// inOrder runs statements up to the first that fails.
func inOrder(statements ...func() *gorm.DB) error {
	for _, run := range statements {
		if err := run().Error; err != nil {
			return err
		}
	}
	return nil
}

// silence takes from requests what was said in them. Who repeats one is answered
// from its outcome.
func silence(requests *gorm.DB) *gorm.DB {
	return requests.Updates(map[string]any{"token": "", "reason": "", "amendment": nil, "response": "", "response_status": 0})
}

// issued counts a subscription's documents that have a number, and says when
// the last of them was issued.
func issued(tx *gorm.DB, sub billing.SubscriptionID) (documents int64, last time.Time, err error) {
	var invoices []invoiceRow
	if err := tx.Where("subscription = ?", sub).Find(&invoices).Error; err != nil {
		return 0, last, err
	}
	later := func(at time.Time) {
		documents++
		if at.After(last) {
			last = at
		}
	}
	for _, inv := range invoices {
		if inv.Number != nil { // another system's has none, but its credit notes do
			later(inv.Detail.IssuedAt)
		}
		notes, err := creditNotes(tx, inv.ID)
		if err != nil {
			return 0, last, err
		}
		for _, n := range notes {
			later(n.IssuedAt)
		}
	}
	return documents, last, nil
}

// eraseOwn erases what an account has apart from its subscriptions.
func eraseOwn(tx *gorm.DB, id billing.AccountID) error {
	if err := forgetMoved(tx, string(id)).Error; err != nil {
		return err
	}
	var about []string // what mails and requests may be of
	for _, row := range []any{&quoteRow{}, &apiKeyRow{}, &loginRow{}, &browserRow{}} {
		var ids []string
		if err := tx.Model(row).Where("account = ?", id).Pluck("id", &ids).Error; err != nil {
			return err
		}
		about = append(about, ids...)
		if err := tx.Where("account = ?", id).Delete(row).Error; err != nil {
			return err
		}
	}
	for _, row := range []any{&sessionRow{}, &profileRow{}, &accountDiscountRow{}, &moneyBackRow{}} {
		if err := tx.Where("account = ?", id).Delete(row).Error; err != nil {
			return err
		}
	}
	for row, where := range map[any]string{&memberRow{}: "account = ? OR person = ?", &emailChangeRow{}: "account = ? OR account = ?"} {
		var ids []string
		if err := tx.Model(row).Where(where, id, id).Pluck("id", &ids).Error; err != nil {
			return err
		}
		about = append(about, ids...)
		if err := tx.Where(where, id, id).Delete(row).Error; err != nil {
			return err
		}
	}
	if err := unfind(tx, append(about, string(id))...); err != nil {
		return err
	}
	if err := forgetEndpoints(tx, "account = ?", id); err != nil {
		return err
	}
	now := tx.NowFunc()
	cards := func() *gorm.DB { return tx.Model(&paymentMethodRow{}).Where("account = ?", id) }
	return inOrder(
		func() *gorm.DB { return tx.Where("acts_for = ?", id).Delete(&sessionRow{}) },
		func() *gorm.DB { return tx.Where("member = ?", id).Delete(&apiKeyRow{}) },
		func() *gorm.DB { return tx.Where("subscription IN ?", about).Delete(&outboxRow{}) },
		func() *gorm.DB {
			return tx.Where("subscription IN ? OR caller = ? AND outcome IS NOT NULL", about, "account:"+string(id)).Delete(&requestRow{})
		},
		func() *gorm.DB { // ClaimRemovedCards has the gateway forget them
			return cards().Where("removed_at IS NULL").Updates(map[string]any{"removed_at": now, "detach_at": now})
		},
		func() *gorm.DB {
			return cards().Updates(map[string]any{"brand": "", "last4": "", "exp": "", "fingerprint": ""})
		},
		func() *gorm.DB { return tx.Model(&accountRow{}).Where("id = ?", id).Update("email", erasedAddress(id)) },
	)
}

// forgetLicensee takes an address out of what others have written down: whom
// they have invited, whom they usually order for, and whom they have had a quote for.
// They themselves take the place.
func forgetLicensee(tx *gorm.DB, email string) error {
	err := inOrder(
		func() *gorm.DB { return tx.Where("email = ? AND person = ''", email).Delete(&memberRow{}) },
		func() *gorm.DB { return tx.Where("email = ? OR former = ?", email, email).Delete(&emailChangeRow{}) },
	)
	if err != nil {
		return err
	}
	var profiles []profileRow
	if err := naming(tx, email).Find(&profiles).Error; err != nil {
		return err
	}
	for _, p := range profiles {
		if normalEmail(p.Detail.Licensee.Email) != email {
			continue
		}
		p.Detail.Licensee = billing.Contact{}
		if err := tx.Save(&p).Error; err != nil {
			return err
		}
	}
	var quotes []quoteRow
	if err := naming(tx, email).Find(&quotes).Error; err != nil {
		return err
	}
	for _, q := range quotes {
		if normalEmail(q.Detail.Order.Licensee.Email) != email {
			continue
		}
		q.Detail.Order.Licensee = q.Detail.Order.Billing.Contact
		if err := save(tx, q.ID, &q); err != nil {
			return err
		}
		if err := findOnlyBy(tx, q.ID, q.Detail.SearchWords()); err != nil {
			return err
		}
		if err := silence(tx.Model(&requestRow{}).Where("subscription = ?", q.ID)).Error; err != nil {
			return err
		}
	}
	return nil
}

// naming selects rows whose detail has an address somewhere.
func naming(tx *gorm.DB, email string) *gorm.DB {
	var escaped bytes.Buffer // as JSON is written by Go; a database that reads JSON writes it plainly
	json.HTMLEscape(&escaped, []byte(email))
	like := func(text string) string { return "%" + likeLiteral(strings.ToLower(text)) + "%" }
	return tx.Where("LOWER(detail) LIKE ? ESCAPE '!' OR LOWER(detail) LIKE ? ESCAPE '!'", like(email), like(escaped.String()))
}

// removeBuyers removes from orders of erased accounts what their documents
// printed, once the last document is older than an instant.
func removeBuyers(tx *gorm.DB, before time.Time, limit int, removed *int) error {
	corrected := tx.Table("credit_notes").Select("invoices.subscription").Joins("JOIN invoices ON invoices.id = credit_notes.invoice").
		Where("credit_notes.created_at >= ?", before) // a note may be younger than the erasure
	var rows []orderRow
	err := tx.Where("kept_since < ? AND subscription NOT IN (?)", before, corrected).Order("subscription").Limit(limit).Find(&rows).Error
	for _, row := range rows {
		if err != nil {
			return err
		}
		row.Detail.EraseBilling(row.Detail.Billing.Email, false)
		row.KeptSince = nil
		err = tx.Model(&orderRow{}).Where("subscription = ?", row.Subscription).Select("Detail", "KeptSince").Updates(row).Error
	}
	*removed = len(rows)
	return err
}

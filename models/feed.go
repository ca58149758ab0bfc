package models

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

type feedRow struct {
	Seq          int64
	ID           string
	Type         billing.FeedType
	At           time.Time // on the subscription's clock
	Subscription billing.SubscriptionID
	Account      billing.AccountID
	Licensee     billing.AccountID
	Object       billing.FeedObject `gorm:"serializer:json"`
	CreatedAt    time.Time          // real time
}

func (feedRow) TableName() string { return "feed" }

// feedCounter numbers the events. A transaction holds it from when it takes its
// numbers until it commits, so that numbers become visible in their order: who has
// read up to one never misses a smaller one.
const feedCounter = "feed"

// publish adds events to the feed. It is a transaction's last write but for the audit
// log's, since other writers wait for it.
func (s *Store) publish(tx *gorm.DB, events ...billing.FeedEvent) error {
	if len(events) == 0 {
		return nil
	}
	last, err := countBy(tx, feedCounter, int64(len(events)))
	if err != nil {
		return err
	}
	rows := make([]feedRow, len(events))
	for i, e := range events {
		if e.At.IsZero() {
			e.At = s.db.NowFunc()
		}
		rows[i] = feedRow{
			Seq: last - int64(len(events)-1-i), ID: NewID("evt"), Type: e.Type, At: e.At,
			Subscription: e.Subscription, Account: e.Account, Licensee: e.Licensee, Object: e.FeedObject,
		}
	}
	return tx.Create(&rows).Error
}

// publishChangeset adds what a changeset tells. row is as it was before, license as it
// is now.
func (s *Store) publishChangeset(tx *gorm.DB, row subscriptionRow, license licenseRow, p billing.Changeset) error {
	events := p.Feed(row.State, s.policy)
	if p.Void != "" {
		inv, err := one[invoiceRow](tx.Where("id = ?", p.Void))
		if err != nil {
			return err
		}
		if inv.Number != nil { // a draft was never told of
			at := p.Subscription.At(s.db.NowFunc())
			events = append(events, billing.FeedEvent{Type: billing.FeedInvoiceVoided, At: at, FeedObject: billing.FeedObject{Invoice: &inv.Detail}})
		}
	}
	for i := range events {
		e := &events[i]
		e.Subscription, e.Account, e.Licensee = row.ID, row.BillingAccount, row.LicenseeAccount
		account, err := payer(tx, *e)
		if err != nil {
			return err
		}
		e.Account = cmp.Or(account, e.Account)
		switch {
		case e.License != nil:
			if e.FeedObject = license.told(); p.Order != nil {
				e.Account, e.Licensee = p.Order.BillingAccount, p.Order.LicenseeAccount
			}
		case e.State != nil:
			if e.Method = p.Method; !p.ForgetMethod {
				e.Method = cmp.Or(p.Method, row.Method)
			}
		case e.Invoice != nil:
			inv := *e.Invoice // without the gateway's side
			inv.Gateway, inv.Charge, inv.Method, inv.InFlight, inv.ActionURL = "", "", "", "", ""
			e.Invoice = &inv
		}
	}
	return s.publish(tx, events...)
}

// payer is the account of the invoice that an event is about: another may pay by
// now. Of other events it is none.
func payer(tx *gorm.DB, e billing.FeedEvent) (billing.AccountID, error) {
	var of billing.InvoiceID
	switch {
	case e.Invoice != nil:
		return e.Invoice.Account, nil
	case e.CreditNote != nil:
		of = e.CreditNote.Invoice
	case e.Refund != nil:
		of = e.Refund.Invoice
	case e.Dispute != nil:
		of = e.Dispute.Invoice
	default:
		return "", nil
	}
	row, err := one[invoiceRow](tx.Select("account").Where("id = ?", of))
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return row.Account, err
}

// publishLicense tells of what happens to a licence apart from its subscription.
func (s *Store) publishLicense(tx *gorm.DB, l licenseRow, t billing.FeedType) error {
	sub, err := one[subscriptionRow](tx.Select("billing_account", "licensee_account").Where("id = ?", l.Subscription))
	if err != nil {
		return err
	}
	at, err := s.nowOf(tx, l.TestClock)
	if err != nil {
		return err
	}
	return s.publish(tx, billing.FeedEvent{
		Type: t, At: at, Subscription: l.Subscription, Account: sub.BillingAccount, Licensee: sub.LicenseeAccount, FeedObject: l.told(),
	})
}

// told is a licence as the feed keeps it: without who uses it, and where.
func (r licenseRow) told() billing.FeedObject {
	l := r.granted().WithUsage(r.Tally.Usage, r.BlockOverLimit)
	return billing.FeedObject{License: &l, Tally: r.Tally}
}

// Feed lists events, the oldest first. Errors: ErrNotFound, where after is no event's
// id, or that of one that has been removed.
func (s *Store) Feed(ctx context.Context, which billing.FeedSelection, limit int) ([]billing.FeedEvent, error) {
	db := s.db.WithContext(ctx)
	rows, err := feedRows(db, which, limit)
	if err != nil {
		return nil, err
	}
	list := make([]billing.FeedEvent, len(rows))
	for i, r := range rows {
		if list[i], err = s.told(db, r); err != nil {
			return nil, fmt.Errorf("event %s: %w", r.ID, err)
		}
	}
	return list, nil
}

// feedRows reads the rows of a selection: an account's as the billing contact, and as
// the licensee those of licences.
func feedRows(db *gorm.DB, which billing.FeedSelection, limit int) ([]feedRow, error) {
	db = db.Session(&gorm.Session{}) // two queries may begin with its conditions
	page := func() *gorm.DB {
		q := db.Where("seq > ?", which.After).Order("seq").Limit(limit)
		if slices.Contains(which.Types, "*") || len(which.Types) == 0 {
			return q
		}
		taken := db.Session(&gorm.Session{NewDB: true})
		for _, p := range which.Types {
			if all, is := strings.CutSuffix(string(p), "*"); is {
				taken = taken.Or("type LIKE ?", all+"%")
			} else {
				taken = taken.Or("type = ?", p)
			}
		}
		return q.Where(taken)
	}
	var rows []feedRow
	if which.Account == "" {
		err := page().Find(&rows).Error
		return rows, err
	}
	err := page().Where("account = ?", which.Account).Find(&rows).Error
	if err != nil {
		return nil, err
	}
	var licensed []feedRow
	err = page().Where("licensee = ? AND account <> ? AND type LIKE 'license.%'", which.Account, which.Account).Find(&licensed).Error
	rows = append(rows, licensed...)
	slices.SortFunc(rows, func(a, b feedRow) int { return cmp.Compare(a.Seq, b.Seq) })
	return rows[:min(limit, len(rows))], err
}

// FeedPlace is the place of an event. Errors: ErrNotFound.
func (s *Store) FeedPlace(ctx context.Context, id string) (seq int64, err error) {
	row, err := one[feedRow](s.db.WithContext(ctx).Select("seq").Where("id = ?", id))
	return row.Seq, err
}

// told adds to an event what is not kept with it. What has been erased or removed
// meanwhile is left empty.
func (s *Store) told(db *gorm.DB, r feedRow) (billing.FeedEvent, error) {
	e := billing.FeedEvent{
		ID: r.ID, Seq: r.Seq, Type: r.Type, At: r.At, Subscription: r.Subscription, Account: r.Account, Licensee: r.Licensee, FeedObject: r.Object,
	}
	former := false // whether it is told to somebody whom another has followed
	if r.Subscription != "" {
		sub, err := one[subscriptionRow](db.Select("billing_account", "licensee_account").Where("id = ?", r.Subscription))
		if err != nil && !errors.Is(err, billing.ErrNotFound) {
			return e, err
		}
		former = sub.BillingAccount != r.Account || sub.LicenseeAccount != r.Licensee
	}
	var err error
	switch o := e.FeedObject; {
	case o.State != nil:
		e.Overview, err = overview(db, subscriptionRow{ID: r.Subscription, BillingAccount: r.Account, LicenseeAccount: r.Licensee, Method: o.Method, State: withoutPage(*o.State)})
		if e.Overview.Subscription, e.Overview.Read = *o.State, r.CreatedAt; former {
			e.Overview.PurchaseOrder, e.Overview.CostCenter, e.Overview.Language = "", "", ""
		}
	case o.License != nil:
		var row issuedRow
		if row, err = one[issuedRow](withIssued(db).Where("licenses.id = ?", o.License.ID)); err == nil {
			e.Issued, err = s.issued(db, row)
		}
		now, l := e.Issued, *o.License
		if former {
			now.Licensee, now.Sites, now.Tenant = "", []string{}, ""
		}
		l.Activation, l.Licensee, l.Sites, l.Tenant = now.Activation, now.Licensee, now.Sites, now.Tenant
		e.Issued.License, e.Issued.Usage, e.Issued.OverSince, e.Issued.ActivationKey = l, o.Tally.Usage, o.Tally.OverSince, ""
		if err == nil {
			e.Versions, err = versionsOf(db, l.Product)
			e.Versions = slices.DeleteFunc(e.Versions, func(v billing.Version) bool { return v.Withdrawn() || v.ReleasedAt.After(r.CreatedAt) })
		}
	case o.Quote != "":
		var row quoteRow
		if row, err = one[quoteRow](db.Where("id = ?", o.Quote)); err == nil {
			e.Quoted, err = row.quote(db)
			e.Quoted.Accepted = r.Subscription
		}
	}
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return e, err
}

// withoutPage is a state whose overview looks for no bank's page: that is a secret of
// the invoice.
func withoutPage(s billing.Subscription) billing.Subscription {
	s.PendingPayment, s.TestClock = billing.PendingPayment{}, ""
	return s
}

package models

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

type searchWordRow struct {
	Word   string
	Object string // cus_…, sub_…, inv_… or quo_…
}

func (searchWordRow) TableName() string { return "search_words" }

// searched is an object with the words that it is found by.
type searched struct {
	object string
	words  []string
}

// findBy has new objects found by words.
func findBy(tx *gorm.DB, objects ...searched) error {
	var rows []searchWordRow
	for _, o := range objects {
		for _, w := range o.words {
			rows = append(rows, searchWordRow{w, o.object})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}

// findOnlyBy has an object found by words in place of those of before. Whoever
// changes what an object is found by calls it in the same transaction.
func findOnlyBy(tx *gorm.DB, object string, words []string) error {
	if err := unfind(tx, object); err != nil {
		return err
	}
	return findBy(tx, searched{object, words})
}

// unfind has objects found by no words.
func unfind(tx *gorm.DB, objects ...string) error {
	return tx.Where("object IN ?", objects).Delete(&searchWordRow{}).Error
}

var (
	idBeginning = regexp.MustCompile(`^(cus|sub|lic|inv|quo)_[0-9A-Z]*$`)
	digits      = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
	lastFour    = regexp.MustCompile(`^[0-9]{4}$`)
)

// Search finds what an operator looks for: the beginning of an id; a
// subscription's number; the last four digits of a card in use; or the beginnings
// of words that an object is all found by. more: there is more than limit.
func (s *Store) Search(ctx context.Context, query string, limit int) (found []billing.Found, more bool, err error) {
	db := s.db.WithContext(ctx)
	objects, err := search(db, query, limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(objects) > limit; more {
		objects = objects[:limit]
	}
	found, err = describe(db, objects)
	return found, more, err
}

// search lists ids, each once.
func search(db *gorm.DB, query string, limit int) ([]string, error) {
	if idBeginning.MatchString(query) {
		return byID(db, query, limit)
	}
	var objects []string
	add := func(q *gorm.DB, column string) error {
		var ids []string
		err := q.Limit(limit).Pluck(column, &ids).Error
		objects = append(objects, ids...)
		return err
	}
	if digits.MatchString(query) {
		number, err := strconv.ParseInt(query, 10, 64)
		if err != nil {
			return nil, err
		}
		if err := add(db.Model(&subscriptionRow{}).Where("number = ?", number), "id"); err != nil {
			return nil, err
		}
	}
	if lastFour.MatchString(query) {
		if err := add(db.Model(&paymentMethodRow{}).Where("last4 = ? AND removed_at IS NULL", query).Distinct("account"), "account"); err != nil {
			return nil, err
		}
	}
	if terms := billing.SearchTerms(query); len(terms) > 0 {
		q := between(db.Table("search_words AS w"), "w.word", terms[0]).Distinct("w.object")
		for _, t := range terms[1:] {
			q = q.Where("EXISTS (?)", between(db.Table("search_words AS x").Select("1").Where("x.object = w.object"), "x.word", t))
		}
		if err := add(q, "w.object"); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	objects = slices.DeleteFunc(objects, func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
	return objects[:min(limit, len(objects))], nil
}

// byID lists the ids that begin like one.
func byID(db *gorm.DB, beginning string, limit int) (ids []string, err error) {
	row := map[string]any{"cus": &accountRow{}, "sub": &subscriptionRow{}, "lic": &licenseRow{}, "inv": &invoiceRow{}, "quo": &quoteRow{}}[beginning[:3]]
	err = between(db.Model(row), "id", beginning).Order("id").Limit(limit).Pluck("id", &ids).Error
	return ids, err
}

// between selects what begins like a text. No database uses an index for LIKE in
// all collations.
func between(q *gorm.DB, column, beginning string) *gorm.DB {
	return q.Where(column+" >= ? AND "+column+" < ?", beginning, beginning+"\U0010FFFF")
}

// describe says in a line what each object is: the kinds in order, the newest of
// each first.
func describe(db *gorm.DB, objects []string) ([]billing.Found, error) {
	found := []billing.Found{}
	for _, kind := range []struct {
		prefix   string
		describe func(db *gorm.DB, ids []string) ([]billing.Found, error)
	}{
		{"cus_", describeAccounts}, {"sub_", describeSubscriptions}, {"lic_", describeLicenses}, {"inv_", describeInvoices}, {"quo_", describeQuotes},
	} {
		var ids []string
		for _, id := range objects {
			if strings.HasPrefix(id, kind.prefix) {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		list, err := kind.describe(db.Where("id IN ?", ids).Order("id DESC"), ids)
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	return found, nil
}

func describeAccounts(q *gorm.DB, _ []string) ([]billing.Found, error) {
	var rows []accountRow
	err := q.Find(&rows).Error
	found := make([]billing.Found, len(rows))
	for i, r := range rows {
		found[i] = billing.Found{Kind: billing.FoundCustomer, ID: string(r.ID), Text: r.Email, Account: r.Email}
	}
	return found, err
}

func describeSubscriptions(q *gorm.DB, ids []string) ([]billing.Found, error) {
	var rows []subscriptionRow
	if err := q.Select("id", "number", "status", "state").Find(&rows).Error; err != nil {
		return nil, err
	}
	of, err := ordersOf(q.Session(&gorm.Session{NewDB: true}), ids)
	if err != nil {
		return nil, err
	}
	found := make([]billing.Found, len(rows))
	for i, r := range rows {
		o := of[r.ID]
		found[i] = billing.Found{
			Kind: billing.FoundSubscription, ID: string(r.ID), Status: string(r.Status), Account: normalEmail(o.Billing.Email), Subscription: r.ID,
			Text: fmt.Sprintf("%d, %s, %s", r.Number, r.State.Plan.ID, o.Who()),
		}
	}
	return found, nil
}

func describeLicenses(q *gorm.DB, _ []string) ([]billing.Found, error) {
	var rows []licenseRow
	err := q.Select("id", "subscription", "licensee", "plan").Find(&rows).Error
	found := make([]billing.Found, len(rows))
	for i, r := range rows {
		found[i] = billing.Found{Kind: billing.FoundLicense, ID: string(r.ID), Subscription: r.Subscription, Text: r.Plan.ID + ", " + r.Licensee}
	}
	return found, err
}

func describeInvoices(q *gorm.DB, _ []string) ([]billing.Found, error) {
	db := q.Session(&gorm.Session{NewDB: true})
	var rows []invoiceRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	emails, err := emailsOf(db, rows)
	found := make([]billing.Found, len(rows))
	for i, r := range rows {
		inv := r.Detail
		name := inv.Number
		if name == "" {
			name = string(inv.ID)
		}
		found[i] = billing.Found{
			Kind: billing.FoundInvoice, ID: string(r.ID), Status: string(r.Status), Account: emails[r.Account], Subscription: r.Subscription,
			Text: fmt.Sprintf("%s, %s, %s", name, inv.Total(), emails[r.Account]),
		}
	}
	return found, err
}

func describeQuotes(q *gorm.DB, _ []string) ([]billing.Found, error) {
	var rows []quoteRow
	err := q.Find(&rows).Error
	found := make([]billing.Found, len(rows))
	for i, r := range rows {
		d := r.Detail
		found[i] = billing.Found{
			Kind: billing.FoundQuote, ID: r.ID, Account: normalEmail(d.Order.Billing.Email), Text: fmt.Sprintf("%s, %s, %s", d.Number, d.Bill.Total(), d.Order.Who()),
		}
		if r.Subscription != nil {
			found[i].Subscription = billing.SubscriptionID(*r.Subscription)
		}
	}
	return found, err
}

// emailsOf reads the addresses of the accounts of invoices.
func emailsOf(db *gorm.DB, invoices []invoiceRow) (map[billing.AccountID]string, error) {
	var ids []billing.AccountID
	for _, r := range invoices {
		ids = append(ids, r.Account)
	}
	var accounts []accountRow
	err := db.Select("id", "email").Where("id IN ?", ids).Find(&accounts).Error
	emails := map[billing.AccountID]string{}
	for _, a := range accounts {
		emails[a.ID] = a.Email
	}
	return emails, err
}

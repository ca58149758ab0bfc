package models

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/okviz/licensing/billing"
)

// PersonalData reads what is held about an address in every table, as it was at
// one moment. Credentials, hashes and names of operators are left out, and of a
// subscription that somebody else pays for all but the licence.
func (s *Store) PersonalData(ctx context.Context, email string) (billing.PersonalData, error) {
	data := billing.PersonalData{Email: normalEmail(email), Tables: map[string][]map[string]any{}}
	err := s.snapshot(ctx, func(tx *gorm.DB) error {
		r := reading{tx, data.Tables, nil}
		a, err := one[accountRow](tx.Where("email = ?", data.Email))
		switch {
		case err == nil:
			data.Account = a.ID
			r.account(a.ID)
		case !errors.Is(err, billing.ErrNotFound):
			return err
		}
		r.others(data.Account, data.Email)
		return r.err
	})
	if err != nil {
		return data, err
	}
	return data, s.Audit(ctx, "privacy.export", string(data.Account), nil, nil)
}

// reading collects rows. It stops at the first error.
type reading struct {
	tx     *gorm.DB
	tables map[string][]map[string]any
	err    error
}

// rowsOf adds the rows of a query, without some columns, and returns them.
func rowsOf[T any](r *reading, q *gorm.DB, without ...string) (rows []T) {
	if r.err != nil {
		return nil
	}
	table, err := schema.Parse(new(T), &sync.Map{}, r.tx.NamingStrategy)
	if err == nil {
		err = q.Find(&rows).Error
	}
	if r.err = err; err != nil {
		return nil
	}
	for _, row := range rows {
		columns := map[string]any{}
		for _, f := range table.Fields {
			if !slices.Contains(without, f.DBName) {
				columns[f.DBName] = reflect.ValueOf(row).FieldByName(f.Name).Interface()
			}
		}
		r.tables[table.Table] = append(r.tables[table.Table], columns)
	}
	return rows
}

// account reads what is of an account.
func (r *reading) account(id billing.AccountID) {
	of := func(where string, args ...any) *gorm.DB { return r.tx.Where(where, args...) }
	mine := func() *gorm.DB { return of("account = ?", id) }
	rowsOf[accountRow](r, of("id = ?", id))
	paid, about := r.paid(id)
	r.used(id)
	rowsOf[profileRow](r, mine())
	for _, q := range rowsOf[quoteRow](r, mine()) {
		about = append(about, q.ID)
	}
	for _, k := range rowsOf[apiKeyRow](r, mine(), "hash") {
		about = append(about, k.ID)
	}
	for _, l := range rowsOf[loginRow](r, mine(), "hash") {
		about = append(about, l.ID)
	}
	for _, b := range rowsOf[browserRow](r, mine(), "hash") {
		about = append(about, b.ID)
	}
	for _, m := range rowsOf[memberRow](r, of("account = ? OR person = ?", id, id).Order("id")) {
		about = append(about, m.ID)
	}
	for _, c := range rowsOf[emailChangeRow](r, mine().Order("id")) {
		about = append(about, c.ID)
	}
	var endpoints []string
	for _, e := range rowsOf[webhookEndpointRow](r, mine(), "secret", "former") {
		about, endpoints = append(about, e.ID), append(endpoints, e.ID)
	}
	rowsOf[webhookDeliveryRow](r, of("endpoint IN ?", endpoints).Order("id"))
	rowsOf[sessionRow](r, mine(), "hash")
	for _, m := range rowsOf[paymentMethodRow](r, mine(), "fingerprint") {
		about = append(about, m.Ref)
	}
	rowsOf[balanceRow](r, mine())
	rowsOf[balanceEntryRow](r, mine())
	rowsOf[accountDiscountRow](r, mine())
	rowsOf[moneyBackRow](r, mine())
	rowsOf[sandboxCustomerRow](r, mine())
	rowsOf[gatewayReferenceRow](r, of("object = ?", id))
	rowsOf[requestRow](r, of("subscription IN ? OR caller = ?", append(slices.Clone(paid), about...), "account:"+string(id)), "token", "body_hash", "response", "origin", "actor")
	rowsOf[outboxRow](r, of("subscription IN ? AND recipient = ? OR subscription IN ?", paid, billing.RoleBilling, about))
	r.audited(append(append(about, paid...), string(id)))
}

// paid reads the subscriptions that an account pays for, and says which they
// are, and the ids of what belongs to them.
func (r *reading) paid(id billing.AccountID) (paid, about []string) {
	for _, sub := range rowsOf[subscriptionRow](r, r.tx.Where("billing_account = ?", id).Order("number")) {
		paid = append(paid, string(sub.ID))
	}
	of := func() *gorm.DB { return r.tx.Where("subscription IN ?", paid) }
	for _, o := range rowsOf[orderRow](r, of()) {
		about = append(about, string(o.License))
	}
	rowsOf[licenseRow](r, of(), "activation_key")
	rowsOf[eventRow](r, of().Order("at"), "actor")
	rowsOf[feedRow](r, of().Order("seq"))
	var charges []string
	for _, inv := range rowsOf[invoiceRow](r, of().Order("id")) {
		about, charges = append(about, string(inv.ID)), append(charges, string(inv.Charge))
	}
	for _, row := range r.tables["invoices"] {
		detail, _ := row["detail"].(billing.Invoice)
		detail.ActionURL = "" // it may be a credential
		row["detail"] = detail
	}
	rowsOf[creditNoteRow](r, r.tx.Where("invoice IN ?", about).Order("id"))
	rowsOf[paidLineRow](r, of())
	rowsOf[refundRow](r, of())
	rowsOf[noteRow](r, of().Order("id"), "actor")
	rowsOf[redemptionRow](r, of())
	rowsOf[cardFormRow](r, of())
	rowsOf[sandboxPaymentRow](r, of())
	rowsOf[gatewayReferenceRow](r, r.tx.Where("object IN ?", about))
	rowsOf[gatewayEventRow](r, r.tx.Where("reference IN ? AND reference <> ''", charges))
	return paid, about
}

// used reads the licences that an account uses, and of the orders of those that
// somebody else pays for what names it.
func (r *reading) used(id billing.AccountID) {
	var subs []subscriptionRow
	if r.err == nil {
		r.err = r.tx.Where("licensee_account = ?", id).Order("number").Find(&subs).Error
	}
	for _, sub := range subs {
		rowsOf[licenseUsageRow](r, r.tx.Where("license = ?", sub.State.License), "sketch")
		rowsOf[trialClaimRow](r, r.tx.Where("subscription = ?", sub.ID))
		rowsOf[outboxRow](r, r.tx.Where("subscription = ? AND recipient = ?", sub.ID, billing.RoleLicensee))
		if sub.BillingAccount == id || r.err != nil {
			continue
		}
		rowsOf[licenseRow](r, r.tx.Where("subscription = ?", sub.ID), "activation_key")
		r.tables["subscriptions"] = append(r.tables["subscriptions"], map[string]any{
			"id": sub.ID, "number": sub.Number, "product": sub.Product, "status": sub.Status, "licensee_account": id, "created_at": sub.CreatedAt,
		})
		var order orderRow
		order, r.err = one[orderRow](r.tx.Where("subscription = ?", sub.ID))
		r.tables["orders"] = append(r.tables["orders"], map[string]any{
			"subscription": sub.ID, "licensee": order.Detail.Licensee, "sites": order.Detail.Sites, "created_at": order.CreatedAt,
		})
	}
}

// others reads where other accounts have written an address down as their
// licensee's.
func (r *reading) others(id billing.AccountID, email string) {
	var profiles []profileRow
	var quotes []quoteRow
	if r.err == nil {
		r.err = naming(r.tx, email).Find(&profiles).Error
	}
	if r.err == nil {
		r.err = naming(r.tx, email).Find(&quotes).Error
	}
	rowsOf[memberRow](r, r.tx.Where("email = ? AND person = '' AND account <> ?", email, id))
	rowsOf[emailChangeRow](r, r.tx.Where("(email = ? OR former = ?) AND account <> ?", email, email, id))
	add := func(table string, by billing.AccountID, at map[string]any, c billing.Contact) {
		if by != id && normalEmail(c.Email) == email {
			at["licensee"] = c
			r.tables[table] = append(r.tables[table], at)
		}
	}
	for _, p := range profiles {
		add("profiles", p.Account, map[string]any{"updated_at": p.UpdatedAt}, p.Detail.Licensee)
	}
	for _, q := range quotes {
		add("quotes", q.Account, map[string]any{"number": q.Number, "created_at": q.CreatedAt}, q.Detail.Order.Licensee)
	}
}

// audited reads what operators have changed of some objects, without who and
// from where.
func (r *reading) audited(subjects []string) {
	rowsOf[auditRow](r, r.tx.Where("subject IN ?", subjects).Order("id"), "actor", "origin", "hash")
	for _, row := range r.tables["audit_log"] {
		for _, column := range []string{"state_before", "state_after"} {
			text, _ := row[column].(string)
			row[column] = json.RawMessage(text)
		}
	}
}

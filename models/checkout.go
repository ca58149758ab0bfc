package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// normalEmail is how an address names an account.
func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Begin writes a request row, and for a purchase the order and the
// subscription that it asks for, in one transaction; sub is then as its row has
// it. Where the caller has used
// the key on this route before, nothing is written and the earlier request
// comes back with fresh = false. Errors: of an order by a quote, a
// *billing.Error quote_expired or quote_accepted.
func (s *Store) Begin(ctx context.Context, r billing.Request, order *billing.Order, sub *billing.Subscription) (request billing.Request, fresh bool, err error) {
	return s.begin(ctx, r, func(tx *gorm.DB) error {
		if r.Outcome != nil { // no changeset will tell the audit log
			return s.audit(ctx, tx, "subscription."+string(r.Command.Action), string(r.Subscription), nil, map[string]any{"request": r.ID})
		}
		if order == nil {
			return noteReason(tx, r, s.db.NowFunc())
		}
		placed := *sub // the transaction may be tried again
		err := s.createOrder(tx, r.ID, *order, &placed)
		if err == nil {
			*sub = placed
		}
		return err
	})
}

// begin writes a request row and what it asks for.
func (s *Store) begin(ctx context.Context, r billing.Request, asked func(tx *gorm.DB) error) (request billing.Request, fresh bool, err error) {
	var row requestRow
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row = requestRow{
			ID: r.ID, Caller: r.Caller, Route: r.Route, IdempotencyKey: r.Key, BodyHash: r.BodyHash,
			Subscription: r.Subscription, Actor: r.Actor, Origin: billing.ActorOf(ctx).From, Command: r.Command, Token: r.Token, Reason: r.Reason, Amendment: r.Amendment, Outcome: r.Outcome,
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return asked(tx)
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		was, err := s.RequestOf(ctx, r.Caller, r.Route, r.Key)
		if errors.Is(err, billing.ErrNotFound) { // it was another key that is taken
			err = gorm.ErrDuplicatedKey
		}
		return was, false, err
	}
	return row.request(), true, err
}

// createOrder writes an order and its subscription, and sets what they get here.
func (s *Store) createOrder(tx *gorm.DB, request billing.RequestID, o billing.Order, sub *billing.Subscription) error {
	payer := o.Billing.Email
	if o.Pay == billing.PayNothing {
		payer = o.Licensee.Email // nobody pays
	}
	of, err := accounts(tx, payer, o.Licensee.Email)
	if err != nil {
		return err
	}
	if o.LicenseeAccount = of[1]; o.Pay != billing.PayNothing {
		o.BillingAccount = of[0]
	}
	if sub.TestClock != "" {
		clock, err := one[testClockRow](locked(tx).Where("id = ?", sub.TestClock))
		if err != nil {
			return fmt.Errorf("test clock: %w", err)
		}
		sub.CreatedAt, sub.Now = clock.Now, clock.Now
	}
	if o.Quote != "" {
		if err := accept(tx, o.Quote, sub.ID, sub.CreatedAt); err != nil {
			return err
		}
	}
	if err := tx.Create(&orderRow{Subscription: sub.ID, License: o.License, Detail: o}).Error; err != nil {
		return err
	}
	err = findBy(tx, searched{string(sub.ID), o.SearchWords()},
		searched{string(of[0]), billing.SearchWords(payer)}, searched{string(of[1]), billing.SearchWords(o.Licensee.Email)})
	if err != nil {
		return err
	}
	if sub.Number, err = count(tx, subscriptionSeries); err != nil {
		return err
	}
	sub.Next = billing.Step{Kind: billing.StepExpireOrder, At: sub.CreatedAt.Add(s.policy.OrderExpiry)}
	if sub.AwaitsConfirmation() {
		sub.Next.At = sub.ConfirmBy
		n := billing.Notice{Kind: billing.NoticeConfirmOrder, To: o.Confirms(), Request: request, Until: sub.ConfirmBy, Plan: sub.Plan}
		err := tx.Create(newMail(string(sub.ID), 0, n, sub.CreatedAt)).Error
		if err != nil {
			return err
		}
	}
	err = tx.Create(&subscriptionRow{
		ID: sub.ID, Number: sub.Number, Status: sub.Status, Product: sub.Product,
		BillingAccount: o.BillingAccount, LicenseeAccount: o.LicenseeAccount,
		NextAt: optional(sub.Next.At), TestClock: sub.TestClock, State: *sub,
	}).Error
	if err != nil {
		return err
	}
	created := billing.FeedEvent{
		Type: billing.FeedSubscriptionCreated, At: sub.CreatedAt, Subscription: sub.ID, Account: o.BillingAccount, Licensee: o.LicenseeAccount,
		FeedObject: billing.FeedObject{State: sub},
	}
	if o.Quote == "" {
		return s.publish(tx, created)
	}
	accepted := created
	accepted.Type, accepted.FeedObject = billing.FeedQuoteAccepted, billing.FeedObject{Quote: o.Quote}
	return s.publish(tx, accepted, created)
}

// accounts finds the accounts of addresses, or opens them. Another transaction
// may be opening one as well: the first one counts. They are locked, so that none
// is erased meanwhile.
func accounts(tx *gorm.DB, emails ...string) ([]billing.AccountID, error) {
	for i, email := range emails {
		emails[i] = normalEmail(email)
	}
	var rows []accountRow
	for _, email := range slices.Compact(slices.Sorted(slices.Values(emails))) { // everybody locks in one order
		rows = append(rows, accountRow{ID: billing.AccountID(NewID("cus")), Email: email})
	}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
		return nil, err
	}
	if err := locked(tx).Where("email IN ?", emails).Find(&rows).Error; err != nil {
		return nil, err
	}
	ids := make([]billing.AccountID, len(emails))
	for _, a := range rows {
		for i, email := range emails {
			if a.Email == email {
				ids[i] = a.ID
			}
		}
	}
	return ids, nil
}

func account(tx *gorm.DB, email string) (billing.AccountID, error) {
	of, err := accounts(tx, email)
	if err != nil {
		return "", err
	}
	return of[0], nil
}

// RequestOf finds the request that a caller made with a key. Errors:
// ErrNotFound, ErrNewerRelease.
func (s *Store) RequestOf(ctx context.Context, caller, route, key string) (billing.Request, error) {
	r, err := one[requestRow](s.db.WithContext(ctx).Where("caller = ? AND route = ? AND idempotency_key = ?", caller, route, key))
	return r.open(err)
}

// Confirm lets an order go on whose address has been confirmed: its purchase may
// be carried out until an instant. Whatever it came to already stays. Errors:
// ErrNotFound.
func (s *Store) Confirm(ctx context.Context, id billing.RequestID, notAfter time.Time) (request billing.Request, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[requestRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return err
		}
		if row.Outcome == nil {
			row.Command.NotAfter = notAfter
			err = save(tx, id, &row)
		}
		request = row.request()
		return err
	})
	return request, err
}

// Request reads a request with its outcome. Errors: ErrNotFound, ErrNewerRelease.
func (s *Store) Request(ctx context.Context, id billing.RequestID) (billing.Request, error) {
	r, err := one[requestRow](s.db.WithContext(ctx).Where("id = ?", id))
	return r.open(err)
}

// OpenRequests are the requests of a subscription that have no outcome, in the
// order in which they were made.
func (s *Store) OpenRequests(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Request, error) {
	var rows []requestRow
	err := s.db.WithContext(ctx).Where("subscription = ? AND outcome IS NULL", subscription).Order("id").Find(&rows).Error
	list := make([]billing.Request, len(rows))
	for i, r := range rows {
		if list[i], err = r.open(err); err != nil {
			return nil, err
		}
	}
	return list, err
}

// open is the request, unless it is still to be carried out and asks for what
// only a newer release knows.
func (r requestRow) open(err error) (billing.Request, error) {
	if err == nil && r.Outcome == nil {
		err = r.mine()
	}
	return r.request(), err
}

func (r requestRow) request() billing.Request {
	return billing.Request{
		ID: r.ID, Caller: r.Caller, Route: r.Route, Key: r.IdempotencyKey, BodyHash: r.BodyHash,
		Subscription: r.Subscription, Actor: r.Actor, Command: r.Command, Token: r.Token, Reason: r.Reason, Amendment: r.Amendment, CreatedAt: r.CreatedAt,
		Outcome: r.Outcome, Status: r.ResponseStatus, Response: r.Response,
	}
}

// Respond keeps the first HTTP answer that was given to a request.
func (s *Store) Respond(ctx context.Context, id billing.RequestID, status int, body string) error {
	return s.db.WithContext(ctx).Model(&requestRow{}).Where("id = ? AND response_status = 0", id).
		Updates(map[string]any{"response_status": status, "response": body}).Error
}

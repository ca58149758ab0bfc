package models

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// normalEmail is how an address names an account.
func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Begin writes a request row, and for a purchase the order and the
// subscription that it asks for, in one transaction. Where the caller has used
// the key on this route before, nothing is written and the earlier request
// comes back with fresh = false. Errors: of an order by a quote, a
// *billing.Error quote_expired or quote_accepted.
func (s *Store) Begin(ctx context.Context, r billing.Request, order *billing.Order, sub *billing.Subscription) (request billing.Request, fresh bool, err error) {
	return s.begin(ctx, r, func(tx *gorm.DB) error {
		if r.Outcome != nil { // no changeset will tell the audit log
			return s.audit(ctx, tx, "subscription."+string(r.Command.Action), string(r.Subscription), nil, map[string]any{"request": r.ID})
		}
		if order == nil {
			return nil
		}
		return s.createOrder(tx, r.ID, *order, *sub)
	})
}

// begin writes a request row and what it asks for.
func (s *Store) begin(ctx context.Context, r billing.Request, asked func(tx *gorm.DB) error) (request billing.Request, fresh bool, err error) {
	var row requestRow
	err = s.tx(ctx, func(tx *gorm.DB) error {
		row = requestRow{
			ID: r.ID, Caller: r.Caller, Route: r.Route, IdempotencyKey: r.Key, BodyHash: r.BodyHash,
			Subscription: r.Subscription, Actor: r.Actor, Origin: billing.ActorOf(ctx).From, Command: r.Command, Token: r.Token, Reason: r.Reason, Outcome: r.Outcome,
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

func (s *Store) createOrder(tx *gorm.DB, request billing.RequestID, o billing.Order, sub billing.Subscription) error {
	var err error
	if o.BillingAccount, err = account(tx, o.Billing.Email); err != nil {
		return err
	}
	if o.LicenseeAccount, err = account(tx, o.Licensee.Email); err != nil {
		return err
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
	if sub.Number, err = count(tx, subscriptionSeries); err != nil {
		return err
	}
	sub.Next = billing.Step{Kind: billing.StepExpireOrder, At: sub.CreatedAt.Add(s.policy.OrderExpiry)}
	if sub.AwaitsConfirmation() {
		sub.Next.At = sub.ConfirmBy
		n := billing.Notice{Kind: billing.NoticeConfirmOrder, To: o.Confirms(), Request: request, Until: sub.ConfirmBy, Plan: sub.Plan}
		err := tx.Create(&outboxRow{ID: NewID("ntc"), Subscription: string(sub.ID), Kind: n.Kind, Recipient: n.To, Notice: n, At: sub.CreatedAt}).Error
		if err != nil {
			return err
		}
	}
	err = tx.Create(&subscriptionRow{
		ID: sub.ID, Number: sub.Number, Status: sub.Status, Product: sub.Product,
		BillingAccount: o.BillingAccount, LicenseeAccount: o.LicenseeAccount,
		NextAt: optional(sub.Next.At), TestClock: sub.TestClock, State: sub,
	}).Error
	if err != nil {
		return err
	}
	created := billing.FeedEvent{
		Type: billing.FeedSubscriptionCreated, At: sub.CreatedAt, Subscription: sub.ID, Account: o.BillingAccount, Licensee: o.LicenseeAccount,
		FeedObject: billing.FeedObject{State: &sub},
	}
	if o.Quote == "" {
		return s.publish(tx, created)
	}
	accepted := created
	accepted.Type, accepted.FeedObject = billing.FeedQuoteAccepted, billing.FeedObject{Quote: o.Quote}
	return s.publish(tx, accepted, created)
}

// account finds the account of an address, or opens it. Another transaction
// may be opening it as well: the first one counts. It is locked, so that it is
// not erased meanwhile.
func account(tx *gorm.DB, email string) (billing.AccountID, error) {
	email = normalEmail(email)
	a, err := one[accountRow](locked(tx).Where("email = ?", email))
	if !errors.Is(err, billing.ErrNotFound) {
		return a.ID, err
	}
	a = accountRow{ID: billing.AccountID(NewID("cus")), Email: email}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&a).Error; err != nil {
		return "", err
	}
	a, err = one[accountRow](locked(tx).Where("email = ?", email))
	return a.ID, err
}

// RequestOf finds the request that a caller made with a key. Errors:
// ErrNotFound.
func (s *Store) RequestOf(ctx context.Context, caller, route, key string) (billing.Request, error) {
	r, err := one[requestRow](s.db.WithContext(ctx).Where("caller = ? AND route = ? AND idempotency_key = ?", caller, route, key))
	return r.request(), err
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

// Request reads a request with its outcome. Errors: ErrNotFound.
func (s *Store) Request(ctx context.Context, id billing.RequestID) (billing.Request, error) {
	r, err := one[requestRow](s.db.WithContext(ctx).Where("id = ?", id))
	return r.request(), err
}

// OpenRequests are the requests of a subscription that have no outcome, in the
// order in which they were made.
func (s *Store) OpenRequests(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Request, error) {
	var rows []requestRow
	err := s.db.WithContext(ctx).Where("subscription = ? AND outcome IS NULL", subscription).Order("id").Find(&rows).Error
	list := make([]billing.Request, len(rows))
	for i, r := range rows {
		list[i] = r.request()
	}
	return list, err
}

func (r requestRow) request() billing.Request {
	return billing.Request{
		ID: r.ID, Caller: r.Caller, Route: r.Route, Key: r.IdempotencyKey, BodyHash: r.BodyHash,
		Subscription: r.Subscription, Actor: r.Actor, Command: r.Command, Token: r.Token, Reason: r.Reason, CreatedAt: r.CreatedAt,
		Outcome: r.Outcome, Status: r.ResponseStatus, Response: r.Response,
	}
}

// Respond keeps the first HTTP answer that was given to a request.
func (s *Store) Respond(ctx context.Context, id billing.RequestID, status int, body string) error {
	return s.db.WithContext(ctx).Model(&requestRow{}).Where("id = ? AND response_status = 0", id).
		Updates(map[string]any{"response_status": status, "response": body}).Error
}

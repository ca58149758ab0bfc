package backoffice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/okviz/licensing/backoffice/moving"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// MovingStore is what moving in needs of the database. Errors: billing.ErrNotFound,
// ErrConflict.
type MovingStore interface {
	Policy() billing.Policy
	Coupons(ctx context.Context, after string, limit int) (list []billing.Coupon, redeemed []int64, err error)
	Clock(ctx context.Context, id string) (time.Time, error)
	MovedSubscriptions(ctx context.Context) (refs map[string]bool, err error)
	Moved(ctx context.Context, kind, ref, hash string) (before, differs bool, err error)
	MoveAccount(ctx context.Context, a billing.MovedAccount) (id billing.AccountID, before, differs bool, err error)
	MoveIn(ctx context.Context, m billing.MovedIn, method string, now time.Time) (billing.MovedAs, error)
	SaveMethod(ctx context.Context, request billing.RequestID, account billing.AccountID, gateway string, m billing.StoredMethod) error
}

// ImportOptions says how a file is imported.
type ImportOptions struct {
	DryRun bool
	Mail   bool          // the licensees are mailed their licences and files
	Over   time.Duration // over which the workflows are started
	Clock  string        // the test clock that the subscriptions are put on; empty: none
	AsOf   time.Time     // until when the other system has charged what was due; zero: now
}

// Import is what was moved in, or would be.
type Import struct {
	DryRun        bool              `json:"dry_run"`
	Customers     Counted           `json:"customers"`
	Subscriptions Counted           `json:"subscriptions"`
	Invoices      int               `json:"invoices"` // of the new subscriptions
	Charges       []ImportedCharge  `json:"charges"`  // the first of each new subscription, by time
	Warnings      []moving.Error    `json:"warnings"`
	Failed        []moving.Error    `json:"failed"`
	Totals        []ExpectedCharges `json:"totals"` // of Charges, by month and currency
}

// Counted is how many there are of a kind.
type Counted struct {
	New       int `json:"new"`
	Unchanged int `json:"unchanged"` // moved in before: nothing was written
	Differing int `json:"differing"` // moved in before with other values, which were left alone
}

func (c *Counted) count(before, differs bool) {
	switch {
	case differs:
		c.Differing++
	case before:
		c.Unchanged++
	default:
		c.New++
	}
}

// ImportedCharge is the first payment of a subscription that was moved in.
type ImportedCharge struct {
	Line         int                    `json:"line"`
	ID           string                 `json:"id"` // the other system's
	Subscription billing.SubscriptionID `json:"subscription_id,omitempty"`
	At           *time.Time             `json:"at"` // nil: it ends without a payment
	Amount       *billing.Money         `json:"amount"`
	Collection   billing.Collection     `json:"collection"`
	Ends         *time.Time             `json:"ends"` // where it does
}

// ExpectedCharges is what a month's first payments come to.
type ExpectedCharges struct {
	Month   string        `json:"month"` // "2026-01", in UTC
	Amount  billing.Money `json:"amount"`
	Charges int           `json:"charges"`
}

// writing is how many customers are written at once. More would wait for each other:
// SQLite has one writer.
const writing = 8

// ErrInvalidFile says that nothing was imported, because lines are wrong.
var ErrInvalidFile = errors.New("nothing was imported: lines of the file are wrong")

// Import moves in what another system had of customers: first it holds the whole file to
// the catalogue, then it writes each subscription with all that belongs to it in a
// transaction of its own, and starts its workflow. What was moved in before is left
// alone, so an import that was broken off may be repeated. Where lines are wrong,
// nothing is written, Failed names them all, and the error is ErrInvalidFile.
func (o *Office) Import(ctx context.Context, file []byte, options ImportOptions, progress func(done, of int)) (Import, error) {
	out := Import{DryRun: options.DryRun, Charges: []ImportedCharge{}, Warnings: []moving.Error{}, Failed: []moving.Error{}, Totals: []ExpectedCharges{}}
	w := moving.World{Now: o.now(), Clock: options.Clock, Mail: options.Mail, NewID: commands.NewID}
	var err error
	if options.Clock != "" {
		if w.Now, err = o.store.Clock(ctx, options.Clock); err != nil {
			return out, fmt.Errorf("the test clock: %w", err)
		}
	}
	if w.AsOf = options.AsOf; w.AsOf.IsZero() {
		w.AsOf = w.Now
	}
	if w.AsOf.After(w.Now) {
		return out, errors.New("the other system cannot have stopped in the future")
	}
	if w.Before, err = o.store.MovedSubscriptions(ctx); err != nil {
		return out, err
	}
	if w.Products, err = o.store.Products(ctx); err != nil {
		return out, err
	}
	for page := []billing.Coupon{{}}; len(page) > 0; {
		if page, _, err = o.store.Coupons(ctx, page[len(page)-1].Code, pageSize); err != nil {
			return out, err
		}
		w.Coupons = append(w.Coupons, page...)
	}
	plan, wrong := moving.Read(file).Check(w)
	if len(wrong) > 0 {
		out.Failed = wrong
		return out, ErrInvalidFile
	}
	i := importing{Office: o, options: options, out: &out, now: w.Now, began: time.Now()}
	for _, c := range plan {
		i.of += len(c.Subscriptions)
	}
	for page := range slices.Chunk(plan, pageSize) {
		failed := len(out.Failed)
		sideBySide(writing, page, func(_ int, c moving.Planned) error { i.customer(ctx, c); return nil })
		progress(i.done, i.of)
		if ctx.Err() != nil {
			err = ctx.Err()
			break
		}
		if n := len(out.Failed) - failed; n >= len(page) && n >= writing {
			err = errors.New("nothing can be imported at the moment")
			break
		}
	}
	i.report()
	if !options.DryRun {
		after := map[string]any{"customers": out.Customers, "subscriptions": out.Subscriptions, "invoices": out.Invoices, "failed": len(out.Failed), "sha256": digest(file)}
		err = errors.Join(err, o.store.Audit(context.WithoutCancel(ctx), "import", "customers", nil, after))
	}
	return out, err
}

type importing struct {
	*Office
	options ImportOptions
	now     time.Time
	began   time.Time
	of      int // subscriptions of the file

	mu       sync.Mutex
	out      *Import
	done     int // subscriptions
	begun    int
	payments []payment
}

// payment is what a new subscription will pay.
type payment struct {
	of      moving.PlannedSubscription
	before  billing.Snapshot // as it begins
	account string           // the other system's customer
}

// customer moves in a customer and all that it has.
func (i *importing) customer(ctx context.Context, c moving.Planned) {
	account, before, differs, err := i.account(ctx, c)
	i.note(func(out *Import) {
		if err != nil {
			out.Failed = append(out.Failed, moving.Error{Line: c.Line, What: err.Error()})
			return
		}
		out.Customers.count(before, differs)
	})
	held := map[string]int64{}
	for _, b := range c.Account.Balances {
		held[b.Currency] = b.Amount
	}
	for _, s := range c.Subscriptions {
		if err != nil || ctx.Err() != nil {
			return
		}
		s.Order.BillingAccount = account
		as, wrong := i.subscription(ctx, account, s)
		i.note(func(out *Import) {
			i.done++
			if wrong != nil {
				out.Failed = append(out.Failed, moving.Error{Line: s.Line, What: wrong.Error()})
				return
			}
			out.Subscriptions.count(as.Before, as.Differs)
			if as.Before {
				return
			}
			out.Invoices += len(s.Invoices)
			for _, what := range s.Warnings {
				out.Warnings = append(out.Warnings, moving.Error{Line: s.Line, What: what})
			}
			currency := s.Subscription.Price.Currency
			b := billing.Snapshot{
				Policy: i.store.Policy(), NewID: commands.NewID, Subscription: s.Subscription, Order: s.Order, Product: s.Product, Standing: c.Account.Standing,
				Balance: billing.Money{Amount: held[currency], Currency: currency},
			}
			if s.Card != nil {
				b.Method = s.Card.Reference
			}
			b.Subscription = b.MoveIn(s.MovedIn, i.now).Subscription
			i.payments = append(i.payments, payment{s, b, c.Account.Ref})
		})
	}
}

func (i *importing) note(f func(*Import)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f(i.out)
}

func (i *importing) account(ctx context.Context, c moving.Planned) (id billing.AccountID, before, differs bool, err error) {
	if i.options.DryRun {
		before, differs, err = i.store.Moved(ctx, billing.MovedCustomer, c.Account.Ref, c.Account.Hash)
		return id, before, differs, err
	}
	return i.store.MoveAccount(ctx, c.Account)
}

// subscription moves in a subscription, unless it was before, and starts its workflow.
func (i *importing) subscription(ctx context.Context, account billing.AccountID, s moving.PlannedSubscription) (billing.MovedAs, error) {
	before, differs, err := i.store.Moved(ctx, billing.MovedSubscription, s.Ref, s.Hash)
	if err != nil || before || i.options.DryRun {
		return billing.MovedAs{Before: before, Differs: differs}, err
	}
	if err := i.turn(ctx); err != nil {
		return billing.MovedAs{}, err
	}
	method, err := i.card(ctx, account, s.Card)
	if err != nil {
		return billing.MovedAs{}, err
	}
	as, err := i.store.MoveIn(ctx, s.MovedIn, method, i.Office.now())
	switch {
	case errors.Is(err, billing.ErrConflict):
		return as, errors.New("its licence, or an invoice's id, is another subscription's already")
	case err != nil || as.Before:
		return as, err
	}
	if err := i.commands.Start(ctx, as.Subscription); err != nil {
		i.log.Warn("a workflow is left to the worker that looks for missing ones", "subscription", as.Subscription.ID, "error", err)
	}
	return as, nil
}

// turn waits for a subscription's moment: they are spread over the time that was
// asked for, each at some moment of its share.
func (i *importing) turn(ctx context.Context) error {
	if i.options.Over <= 0 {
		return ctx.Err()
	}
	i.mu.Lock()
	share := float64(i.begun) + rand.Float64()
	i.begun++
	i.mu.Unlock()
	at := i.began.Add(time.Duration(float64(i.options.Over) * share / float64(i.of)))
	if !pause(ctx, time.Until(at)) {
		return ctx.Err()
	}
	return nil
}

// card makes the gateway's card the account's, and returns its reference.
func (i *importing) card(ctx context.Context, account billing.AccountID, c *moving.Card) (string, error) {
	if c == nil {
		return "", nil
	}
	if err := i.gateway.Remember(ctx, account, billing.MovedCharge{Customer: c.Customer}); err != nil {
		return "", err
	}
	customer, err := i.gateway.EnsureCustomer(ctx, account)
	if err != nil {
		return "", err
	}
	m, err := i.gateway.AttachMethod(ctx, customer, c.Reference)
	if code := billing.GatewayCode(err); code != "" {
		return "", fmt.Errorf("the gateway has no such card of this customer (%s)", code)
	}
	if err != nil {
		return "", err
	}
	return m.Ref, i.store.SaveMethod(ctx, "", account, i.gateway.Name(), m)
}

// report says what will be charged when. What an account has on its balance is used by
// the first of its payments.
func (i *importing) report() {
	slices.SortStableFunc(i.payments, func(a, b payment) int {
		return cmp.Or(a.before.Subscription.Period.End.Compare(b.before.Subscription.Period.End), cmp.Compare(a.of.Line, b.of.Line))
	})
	used := map[string]int64{}
	totals := map[string]*ExpectedCharges{}
	for _, p := range i.payments {
		s := p.before.Subscription
		account := p.account + " " + s.Price.Currency
		p.before.Balance.Amount -= used[account]
		at, due, applied := p.before.FirstPayment()
		used[account] += applied.Amount
		c := ImportedCharge{Line: p.of.Line, ID: p.of.Ref, Collection: s.Collection}
		if !i.options.DryRun {
			c.Subscription = s.ID
		}
		if at.IsZero() {
			c.Ends = &s.Period.End
		} else {
			c.At, c.Amount = &at, &due
			key := at.Format("2006-01") + " " + due.Currency
			if totals[key] == nil {
				totals[key] = &ExpectedCharges{at.Format("2006-01"), billing.Money{Currency: due.Currency}, 0}
			}
			totals[key].Amount = totals[key].Amount.Add(due)
			totals[key].Charges++
		}
		i.out.Charges = append(i.out.Charges, c)
	}
	for _, t := range totals {
		i.out.Totals = append(i.out.Totals, *t)
	}
	slices.SortFunc(i.out.Totals, func(a, b ExpectedCharges) int {
		return cmp.Or(strings.Compare(a.Month, b.Month), strings.Compare(a.Amount.Currency, b.Amount.Currency))
	})
	for _, list := range [][]moving.Error{i.out.Failed, i.out.Warnings} {
		slices.SortStableFunc(list, func(a, b moving.Error) int { return cmp.Compare(a.Line, b.Line) })
	}
}

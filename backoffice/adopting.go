package backoffice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/okviz/licensing/billing"
)

// AdoptingStore is what an adoption needs of the database. Errors:
// billing.ErrNotFound, ErrStale.
type AdoptingStore interface {
	MoneyStore
	Snapshot(ctx context.Context, id billing.SubscriptionID) (billing.Snapshot, error)
	Receipts(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Receipt, error)
	Invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error)
	OpenRequests(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Request, error)
	Method(ctx context.Context, ref string) (billing.StoredMethod, error)
	SaveMethod(ctx context.Context, request billing.RequestID, account billing.AccountID, gateway string, m billing.StoredMethod) error
	SetCharge(ctx context.Context, invoice billing.InvoiceID, gateway string, charge billing.ChargeID) error
	Post(ctx context.Context, p billing.Changeset) error
	AuditLog(ctx context.Context, which billing.AuditSelection, limit int) ([]billing.AuditRow, error)
	Audit(ctx context.Context, action, subject string, before, after any) error
}

// AdoptedGateway is the part of the payments' port that an adoption reads.
type AdoptedGateway interface {
	Movements
	Remember(ctx context.Context, account billing.AccountID, c billing.MovedCharge) error
	AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error)
}

// Adoption is what became of charges and refunds that the books lack.
type Adoption struct {
	Done []string // what was recorded
	Look []string // what a person must look at
}

// Adopt records what a gateway has charged and given back in [from, to) and
// the books lack, because the database was restored from an older copy. It
// charges nothing and needs no workflows: no worker may run. Numbers that the books
// do not know must have been skipped since then. It goes on after a charge or refund
// that cannot be adopted, and may be repeated.
func Adopt(ctx context.Context, store AdoptingStore, gateway AdoptedGateway, from, to time.Time) (Adoption, error) {
	a := adopter{store: store, gateway: gateway}
	raised, err := store.AuditLog(ctx, billing.AuditSelection{Subject: billing.AuditNumbers}, 1_000_000)
	if err != nil {
		return a.Adoption, fmt.Errorf("the audit log: %w", err)
	}
	if !slices.ContainsFunc(raised, func(r billing.AuditRow) bool { return !r.At.Before(from) }) {
		return a.Adoption, errors.New("skip the numbers first that were given since the backup: okviz numbers raise")
	}
	// An invoice is prepared long before its last retry.
	since := from.Add(-billing.ReconcileMargin)
	moved, err := gateway.Moved(ctx, since, to)
	if err != nil {
		return a.Adoption, fmt.Errorf("the gateway's list: %w", err)
	}
	books, err := store.Books(ctx, gateway.Name(), since, to, moved)
	if err != nil {
		return a.Adoption, fmt.Errorf("the books: %w", err)
	}
	byTime := func(x, y billing.MovedCharge) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Charge, y.Charge))
	}
	var failed []error
	all := slices.SortedFunc(slices.Values(append(slices.Clone(moved.Charges), moved.Prepared...)), byTime)
	for _, c := range all {
		if err := a.remember(ctx, c); err != nil {
			return a.Adoption, fmt.Errorf("remembering %s: %w", c.Charge, err)
		}
	}
	for _, c := range slices.SortedFunc(slices.Values(moved.Charges), byTime) {
		inv := books.Invoices[c.Invoice]
		if inv.Status == billing.InvoicePaid && inv.Charge == c.Charge || c.Invoice == "" && c.At.Before(from) {
			continue
		}
		if err := a.charge(ctx, c); err != nil {
			failed = append(failed, fmt.Errorf("adopting %s: %w", c.Charge, err))
		}
	}
	// A refund's id says how much was given back before it.
	for _, r := range slices.SortedStableFunc(slices.Values(moved.Refunds), func(x, y billing.MovedRefund) int { return x.At.Compare(y.At) }) {
		if _, known := books.Refunds[r.Refund]; known || r.Status == billing.RefundFailed || r.Refund == "" && r.At.Before(from) {
			continue
		}
		if err := a.refund(ctx, r, books.Invoices[r.Invoice].Subscription); err != nil {
			failed = append(failed, fmt.Errorf("adopting %s: %w", r.Refund, err))
		}
	}
	return a.Adoption, errors.Join(failed...)
}

type adopter struct {
	Adoption
	store   AdoptingStore
	gateway AdoptedGateway
}

// remember has the gateway's adapter find a charge of a known subscription again.
func (a *adopter) remember(ctx context.Context, c billing.MovedCharge) error {
	if c.Invoice == "" || c.Subscription == "" {
		return nil
	}
	b, err := a.store.Snapshot(ctx, c.Subscription)
	if errors.Is(err, billing.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	payer := b.Order.BillingAccount
	switch inv, _, err := a.store.Invoice(ctx, c.Invoice); {
	case err == nil:
		payer = inv.Account // another one may pay by now
	case !errors.Is(err, billing.ErrNotFound):
		return err
	}
	return a.gateway.Remember(ctx, payer, c)
}

// seen tells whether an earlier adoption has named a charge or a refund.
func (a *adopter) seen(ctx context.Context, subject string) (bool, error) {
	rows, err := a.store.AuditLog(ctx, billing.AuditSelection{Subject: subject}, 1)
	return len(rows) > 0, err
}

// record says what was done about a charge or a refund, and keeps it.
func (a *adopter) record(ctx context.Context, subject string, list *[]string, line string) error {
	*list = append(*list, line)
	seen, err := a.seen(ctx, subject)
	if err != nil || seen {
		return err
	}
	return a.store.Audit(ctx, "payments.adopt", subject, nil, line)
}

// charge records a charge: it brings the subscription to the bill that it was
// made for, and posts that as paid.
func (a *adopter) charge(ctx context.Context, c billing.MovedCharge) error {
	what := fmt.Sprintf("charge %s of %s on %s for %s of %s", c.Charge, c.Amount, c.At.Format(time.DateOnly), cmp.Or(string(c.Invoice), "no invoice"), cmp.Or(string(c.Subscription), "no subscription"))
	if c.Invoice == "" {
		a.Look = append(a.Look, what+": the engine did not ask for it")
		return nil
	}
	for range 100 { // steps that were due before
		b, asked, err := a.onFile(ctx, c.Subscription)
		if errors.Is(err, billing.ErrNotFound) {
			return a.record(ctx, string(c.Charge), &a.Look, what+": the books do not know this subscription; refund the charge, and ask the customer to order again")
		}
		if err != nil {
			return err
		}
		next, ok := b.Adopt(c, asked)
		switch {
		case !ok:
			return a.record(ctx, string(c.Charge), &a.Look, what+": the books, in which the subscription is "+string(b.Subscription.Status)+", do not come to this bill; refund the charge, or settle it with the customer")
		case next.Bill == nil:
			p := *next.Changeset
			p.Request, p.Subscription.Cause = next.Request, next.Cause
			if err := a.store.Post(ctx, p); err != nil {
				return err
			}
			continue
		}
		if b.MethodExp, err = a.card(ctx, b.Order.BillingAccount, c); err != nil {
			return err
		}
		if err := a.paid(ctx, b, next, c); err != nil {
			return err
		}
		line := what + ": recorded as paid"
		if b.MethodExp == "" {
			line += "; the gateway does not know its card any more, and the next charge needs another one"
		}
		return a.record(ctx, string(c.Charge), &a.Done, line)
	}
	return a.record(ctx, string(c.Charge), &a.Look, what+": too many steps were due before")
}

// card makes sure that the books know a charge's card, and returns its last
// month; empty where the gateway has forgotten it.
func (a *adopter) card(ctx context.Context, account billing.AccountID, c billing.MovedCharge) (exp string, err error) {
	m, err := a.store.Method(ctx, c.Method)
	if err != nil || m.Exp != "" || c.Method == "" {
		return m.Exp, err
	}
	m, err = a.gateway.AttachMethod(ctx, c.Customer, c.Method)
	switch {
	case billing.GatewayCode(err) != "": // it has forgotten the card or the customer: the next charge needs another card
		return "", nil
	case err != nil:
		return "", err
	}
	return m.Exp, a.store.SaveMethod(ctx, "", account, a.gateway.Name(), m)
}

// paid posts a bill as paid by a charge.
func (a *adopter) paid(ctx context.Context, b billing.Snapshot, next billing.Adoption, c billing.MovedCharge) error {
	inv := *next.Bill
	b.Method = cmp.Or(c.Method, b.Method)
	if !next.Reserved {
		var reserve billing.Changeset
		inv, reserve = b.Reserve(inv, next.Cause)
		if err := a.store.Post(ctx, reserve); err != nil {
			return err
		}
	}
	if err := a.store.SetCharge(ctx, inv.ID, a.gateway.Name(), c.Charge); err != nil {
		return err
	}
	inv.Gateway, inv.Charge = a.gateway.Name(), c.Charge
	p := b.Paid(inv, c.At)
	p.Request, p.Subscription.Cause = next.Request, next.Cause
	return a.store.Post(ctx, *p)
}

// refund records a refund with its credit note. The workflow asks the gateway for
// it, which answers that it has been given.
func (a *adopter) refund(ctx context.Context, r billing.MovedRefund, subscription billing.SubscriptionID) error {
	what := fmt.Sprintf("refund %s of %s on %s of %s", cmp.Or(string(r.Refund), "without an id"), r.Amount, r.At.Format(time.DateOnly), cmp.Or(string(r.Invoice), "no invoice"))
	if r.Refund == "" {
		a.Look = append(a.Look, what+": the engine did not ask for it")
		return nil
	}
	if subscription == "" { // its charge was adopted just now, or is unknown
		inv, _, err := a.store.Invoice(ctx, r.Invoice)
		if errors.Is(err, billing.ErrNotFound) {
			return a.record(ctx, string(r.Refund), &a.Look, what+": the books do not know this invoice")
		}
		if err != nil {
			return err
		}
		subscription = inv.Subscription
	}
	b, asked, err := a.onFile(ctx, subscription)
	if err != nil {
		return err
	}
	p := b.AdoptRefund(r, asked, r.At)
	if p == nil {
		return a.record(ctx, string(r.Refund), &a.Look, what+" ("+string(subscription)+"): the books would not give the same refund; record it by a credit of your own")
	}
	p.Subscription.Cause = "adopt@" + string(r.Refund)
	if err := a.store.Post(ctx, *p); err != nil {
		return err
	}
	if err := a.record(ctx, string(r.Refund), &a.Done, what+" ("+string(subscription)+"): recorded"); err != nil {
		return err
	}
	if p.Request != "" { // it did what was asked
		return nil
	}
	a.Look = append(a.Look, what+" ("+string(subscription)+"): look whether the subscription was to end with it")
	return nil
}

// onFile is a subscription with its receipts, and the commands that have no answer
// yet. Errors: billing.ErrNotFound.
func (a *adopter) onFile(ctx context.Context, subscription billing.SubscriptionID) (b billing.Snapshot, asked []billing.Command, err error) {
	if b, err = a.store.Snapshot(ctx, subscription); err != nil {
		return b, nil, err
	}
	if b.Receipts, err = a.store.Receipts(ctx, subscription); err != nil {
		return b, nil, err
	}
	requests, err := a.store.OpenRequests(ctx, subscription)
	for _, r := range requests {
		c := r.Command
		c.Request = r.ID
		asked = append(asked, c)
	}
	return b, asked, err
}

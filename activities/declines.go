package activities

import (
	"context"

	"github.com/okviz/licensing/billing"
)

// declines are what a declined payment counts against, over all orders: the
// card, and a guest's address (docs/rules.md, Guests). The source network is
// the API's to count.
func (a *Activities) declines(s billing.Snapshot, fingerprint string) (of []billing.Allowance) {
	if !a.RateLimits || s.Subscription.TestClock != "" {
		return nil
	}
	if s.Subscription.Guest {
		of = append(of, a.Secret.DeclinesFor(s.Order.Billing.Email))
	}
	if fingerprint != "" {
		of = append(of, a.Secret.DeclinesOf(fingerprint))
	}
	return of
}

// tooManyDeclines tells whether a card, or none yet, may not be charged now.
func (a *Activities) tooManyDeclines(ctx context.Context, s billing.Snapshot, fingerprint string) (bool, error) {
	wait, err := a.Store.Wait(ctx, billing.Instant(a.Now()), a.declines(s, fingerprint)...)
	return wait > 0, err
}

// countDecline counts a decline. One that is counted again, after a crash, counts
// twice.
func (a *Activities) countDecline(ctx context.Context, s billing.Snapshot, fingerprint string) error {
	for _, one := range a.declines(s, fingerprint) { // each by itself: one may be used up
		if _, err := a.Store.Take(ctx, billing.Instant(a.Now()), one); err != nil {
			return err
		}
	}
	return nil
}

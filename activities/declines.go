package activities

import (
	"context"

	"github.com/okviz/licensing/billing"
)

// declines are what a declined payment counts against, over all orders: the
// card, and a guest's address (docs/rules.md, Guests). The source network is
// the API's to count.
func (a *Activities) declines(ctx context.Context, s billing.Snapshot, method string) (of []billing.Allowance, err error) {
	if !a.RateLimits || s.Subscription.TestClock != "" {
		return nil, nil
	}
	if s.Subscription.Guest {
		of = append(of, a.Secret.DeclinesFor(s.Order.Billing.Email))
	}
	if method == "" {
		return of, nil
	}
	fingerprint, err := a.Store.Fingerprint(ctx, method)
	if err == nil && fingerprint != "" {
		of = append(of, a.Secret.DeclinesOf(fingerprint))
	}
	return of, err
}

// tooManyDeclines tells whether a card, or none yet, may not be charged now.
func (a *Activities) tooManyDeclines(ctx context.Context, s billing.Snapshot, method string) (bool, error) {
	of, err := a.declines(ctx, s, method)
	if err != nil {
		return false, err
	}
	wait, err := a.Store.Wait(ctx, billing.Instant(a.Now()), of...)
	return wait > 0, err
}

// countDecline counts a decline. One that is counted again, after a crash, counts
// twice.
func (a *Activities) countDecline(ctx context.Context, s billing.Snapshot, method string) error {
	of, err := a.declines(ctx, s, method)
	for _, one := range of { // each by itself: one may be used up
		if _, err := a.Store.Take(ctx, billing.Instant(a.Now()), one); err != nil {
			return err
		}
	}
	return err
}

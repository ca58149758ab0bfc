package models

import (
	"cmp"
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// License reads a licence. Errors: ErrNotFound.
func (s *Store) License(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error) {
	db := s.db.WithContext(ctx)
	row, err := one[licenseRow](db.Where("id = ?", id))
	if err != nil {
		return licensing.Issued{}, err
	}
	return s.issued(db, row)
}

// Licenses lists all licences, or those of a licensee's or billing contact's
// address, the newest first, from below the id before.
func (s *Store) Licenses(ctx context.Context, email, before string, limit int) ([]licensing.Issued, error) {
	db := s.db.WithContext(ctx)
	of := map[string]string{}
	if email != "" {
		of["email"] = email
	}
	rows, err := ofContacts(func() *gorm.DB {
		q := db.Select("licenses.*").Order("licenses.id DESC").Limit(limit)
		if email != "" {
			q = q.Joins("JOIN subscriptions ON subscriptions.id = licenses.subscription")
		}
		if before != "" {
			q = q.Where("licenses.id < ?", before)
		}
		return q
	}, of, bothContacts, limit, func(a, b licenseRow) int { return cmp.Compare(b.ID, a.ID) })
	if err != nil {
		return nil, err
	}
	list := make([]licensing.Issued, len(rows))
	for i, row := range rows {
		if list[i], err = s.issued(db, row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// SetSites replaces the sites that a licence names, which are normalised. It
// may be edited limit times in a period. Errors: ErrNotFound, and a
// *billing.Error too_many_site_edits.
func (s *Store) SetSites(ctx context.Context, id licensing.LicenseID, sites []string, limit int64) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[licenseRow](locked(tx).Where("id = ?", id))
		if err != nil || slices.Equal(row.Sites, sites) {
			return err
		}
		if row.SiteEditsUntil == nil || !row.SiteEditsUntil.Equal(row.PeriodEnd) {
			row.SiteEdits, row.SiteEditsUntil = 0, &row.PeriodEnd
		}
		if row.SiteEdits++; row.SiteEdits > limit {
			return &billing.Error{Code: billing.CodeTooManySiteEdits, Field: "sites", Detail: "the sites have been changed too often in this period"}
		}
		was := row.settings()
		row.Sites = sites
		if err := save(tx, id, &row); err != nil {
			return err
		}
		if err := s.publishLicense(tx, row, billing.FeedLicenseUpdated); err != nil {
			return err
		}
		return s.audit(ctx, tx, "license.sites", string(id), was, row.settings())
	})
}

func (s *Store) issued(tx *gorm.DB, r licenseRow) (licensing.Issued, error) {
	l := licensing.Issued{
		License: licensing.License{
			ID: r.ID, Product: r.Product, PlanID: r.Plan.ID, Type: r.Plan.Type, Tier: r.Plan.Tier, Cycle: string(r.Plan.Cycle),
			Covers: r.Covers, Quantity: r.Quantity, Licensee: r.Licensee, Sites: r.Sites, Tenant: r.Tenant,
			State: r.state(), Trial: r.Trial, ValidUntil: r.ValidUntil, PeriodEnd: r.PeriodEnd, Revision: r.Revision,
			Suspended: r.Suspended, Revoked: r.Revoked,
		},
		Subscription: string(r.Subscription), ActivationKey: r.ActivationKey, TestClock: r.TestClock, BlockOverLimit: r.BlockOverLimit,
	}
	if r.Plan.Type == licensing.Site && int64(len(l.Sites)) > r.Quantity { // it was changed to fewer
		l.Sites = l.Sites[:r.Quantity]
	}
	if r.MoneyBackUntil != nil {
		l.MoneyBackUntil = *r.MoneyBackUntil
	}
	sub, err := one[subscriptionRow](tx.Select("number").Where("id = ?", r.Subscription))
	if err != nil {
		return l, err
	}
	product, err := one[productRow](tx.Select("activation").Where("id = ?", r.Product))
	if err != nil {
		return l, err
	}
	l.Number, l.Activation = sub.Number, product.Activation
	now, err := s.nowOf(tx, r.TestClock)
	if err != nil {
		return l, err
	}
	if r.TestClock != "" {
		l.Now = now
	}
	if r.Plan.Type == licensing.Users {
		if l.Usage, err = r.usageIn(tx, licensing.WeekOf(now)); err != nil {
			return l, err
		}
		l.License = l.WithUsage(l.Usage, r.BlockOverLimit)
		if l.ExceededIn(l.Usage) {
			l.OverSince = r.Tally.OverSince
		}
	}
	return l, nil
}

// state is the subscription's status as a licence's check tells it.
func (r licenseRow) state() licensing.State {
	switch {
	case r.Status == billing.Canceled || r.Status == billing.IncompleteExpired:
		return licensing.StateEnded
	case r.CancelAtEnd:
		return licensing.StateCanceled
	case r.Status == billing.Trialing:
		return licensing.StateTrial
	case r.Status == billing.Active:
		return licensing.StateActive
	case r.Status == billing.PastDue:
		return licensing.StatePastDue
	}
	return licensing.StateIncomplete
}

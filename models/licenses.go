package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// License reads a licence. Errors: ErrNotFound.
func (s *Store) License(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error) {
	return s.oneIssued(ctx, "licenses.id = ?", id)
}

func (s *Store) oneIssued(ctx context.Context, where string, args ...any) (licensing.Issued, error) {
	db := s.db.WithContext(ctx)
	row, err := one[issuedRow](withIssued(db).Where(where, args...))
	if err != nil {
		return licensing.Issued{}, err
	}
	return s.issued(db, row)
}

// issuedRow is a licence with what else is told of it.
type issuedRow struct {
	written
	License    licenseRow `gorm:"embedded"`
	Number     int64
	Activation licensing.Activation
	ClockNow   *time.Time
}

// withIssued selects issuedRows. Outer joins keep MySQL from beginning with the products,
// and sorting all licences for one page.
func withIssued(q *gorm.DB) *gorm.DB {
	return q.Table("licenses").
		Select("licenses.*, subscriptions.number, products.activation, test_clocks.now AS clock_now").
		Joins("LEFT JOIN subscriptions ON subscriptions.id = licenses.subscription").
		Joins("LEFT JOIN products ON products.id = licenses.product").
		Joins("LEFT JOIN test_clocks ON test_clocks.id = licenses.test_clock")
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
		q := withIssued(db).Order("licenses.id DESC").Limit(limit)
		if before != "" {
			q = q.Where("licenses.id < ?", before)
		}
		return q
	}, of, bothContacts, limit, func(a, b issuedRow) int { return cmp.Compare(b.License.ID, a.License.ID) })
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

// Changes are the licences that were changed within so long, each with when that was,
// and how each product is activated now. A change counts from when it is made, and is seen
// once its transaction has ended.
func (s *Store) Changes(ctx context.Context, within time.Duration) (licenses map[licensing.LicenseID]time.Time, products map[string]licensing.Activation, err error) {
	db := s.db.WithContext(ctx)
	since, ago := "UTC_TIMESTAMP(6) - INTERVAL ? SECOND", any(int64(within/time.Second))
	if db.Name() == "sqlite" {
		since, ago = "strftime('%Y-%m-%d %H:%M:%f', 'now', ?)", fmt.Sprintf("-%d seconds", ago)
	}
	var changed []licenseRow
	if err := db.Select("id", "changed_at").Where("changed_at >= "+since, ago).Find(&changed).Error; err != nil {
		return nil, nil, err
	}
	var activations []productRow
	if err := db.Select("id", "activation").Find(&activations).Error; err != nil {
		return nil, nil, err
	}
	licenses, products = make(map[licensing.LicenseID]time.Time, len(changed)), make(map[string]licensing.Activation, len(activations))
	for _, l := range changed {
		licenses[l.ID] = l.ChangedAt
	}
	for _, p := range activations {
		products[p.ID] = p.Activation
	}
	return licenses, products, nil
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

func (s *Store) issued(tx *gorm.DB, row issuedRow) (l licensing.Issued, err error) {
	r := row.License
	l = licensing.Issued{
		License: r.granted(), Subscription: string(r.Subscription), Number: row.Number, ActivationKey: r.ActivationKey, TestClock: r.TestClock,
		BlockOverLimit: r.BlockOverLimit, MoneyBackUntil: whenever(r.MoneyBackUntil), ChangedAt: r.ChangedAt,
	}
	l.Activation, l.Licensee, l.Sites, l.Tenant = row.Activation, r.Licensee, r.Sites, r.Tenant
	if r.Plan.Type == licensing.Site && int64(len(l.Sites)) > r.Quantity { // it was changed to fewer
		l.Sites = l.Sites[:r.Quantity]
	}
	now := s.db.NowFunc()
	if r.TestClock != "" {
		if row.ClockNow == nil {
			return l, billing.ErrNotFound
		}
		now = *row.ClockNow
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

// granted is the licence without who uses it, where, and how it is activated.
func (r licenseRow) granted() licensing.License {
	return licensing.License{
		ID: r.ID, Product: r.Product, PlanID: r.Plan.ID, Type: r.Plan.Type, Tier: r.Plan.Tier, Cycle: string(r.Plan.Cycle),
		Covers: r.Covers, Quantity: r.Quantity, State: r.state(), Trial: r.Trial, ValidUntil: r.ValidUntil, PeriodEnd: r.PeriodEnd,
		Revision: r.Revision, Suspended: r.Suspended, Revoked: r.Revoked,
	}
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

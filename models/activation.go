package models

import (
	"context"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// LicenseByKey reads the licence that an activation key is of. Errors:
// ErrNotFound.
func (s *Store) LicenseByKey(ctx context.Context, key string) (licensing.Issued, error) {
	return s.oneIssued(ctx, "licenses.activation_key = ?", key)
}

// Activate binds a licence to a tenant for a caller with its activation key; for
// the tenant that it is bound to, nothing changes. Errors: ErrNotFound, also
// where the key has been replaced meanwhile, and a *billing.Error
// already_activated.
func (s *Store) Activate(ctx context.Context, id licensing.LicenseID, key, tenant string) error {
	return s.amend(ctx, id, func(row *licenseRow) (kind billing.EventKind, err error) {
		switch {
		case row.ActivationKey != key:
			return "", billing.ErrNotFound
		case row.Tenant == tenant:
			return "", nil
		case row.Tenant != "":
			return "", &billing.Error{Code: billing.CodeAlreadyActivated, Detail: "the licence is already bound to another tenant"}
		}
		row.Tenant = tenant
		return billing.EventActivated, nil
	})
}

// SetTenant binds a licence to another tenant, or, where that is empty, to none
// until it is activated again. Errors: ErrNotFound.
func (s *Store) SetTenant(ctx context.Context, id licensing.LicenseID, tenant string) error {
	return s.amend(ctx, id, func(row *licenseRow) (kind billing.EventKind, err error) {
		if row.Tenant == tenant {
			return "", nil
		}
		row.Tenant = tenant
		if tenant == "" {
			return billing.EventTenantReleased, nil
		}
		return billing.EventTenantMoved, nil
	})
}

// SetActivationKey replaces a licence's activation key: the old one activates
// nothing any more. What is bound stays bound. Errors: ErrNotFound.
func (s *Store) SetActivationKey(ctx context.Context, id licensing.LicenseID, key string) error {
	return s.amend(ctx, id, func(row *licenseRow) (kind billing.EventKind, err error) {
		row.ActivationKey = key
		return billing.EventActivationKey, nil
	})
}

// amend changes what of a licence does not follow from its subscription, and
// tells the history. Nothing is written where change names no kind of event.
func (s *Store) amend(ctx context.Context, id licensing.LicenseID, change func(row *licenseRow) (kind billing.EventKind, err error)) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		row, err := one[licenseRow](locked(tx).Where("id = ?", id))
		if err != nil {
			return err
		}
		was := row
		kind, err := change(&row)
		if err != nil || kind == "" {
			return err
		}
		if err := save(tx, id, &row); err != nil {
			return err
		}
		if err := s.note(tx, row, kind, billing.ActorName(ctx)); err != nil {
			return err
		}
		if err := s.publishLicense(tx, row, billing.FeedLicenseUpdated); err != nil {
			return err
		}
		return s.audit(ctx, tx, "license."+string(kind), string(id), was.settings(), row.settings())
	})
}

// settings are what the audit log says of a licence.
func (r licenseRow) settings() any { // a site may have a person's name
	return map[string]any{"tenant": r.Tenant, "block_over_limit": r.BlockOverLimit, "sites": len(r.Sites)}
}

// note adds to the history of a licence's subscription what no changeset has
// written. The caller has locked the licence, so that no two take one place.
func (s *Store) note(tx *gorm.DB, l licenseRow, kind billing.EventKind, actor string) error {
	sub, err := one[subscriptionRow](tx.Select("revision").Where("id = ?", l.Subscription))
	if err != nil {
		return err
	}
	at, err := s.nowOf(tx, l.TestClock)
	if err != nil {
		return err
	}
	var place int64
	err = tx.Model(&eventRow{}).Select("COALESCE(MAX(position) + 1, 0)").
		Where("subscription = ? AND revision = ?", l.Subscription, sub.Revision).Scan(&place).Error
	if err != nil {
		return err
	}
	return tx.Create(newEvent(l.Subscription, sub.Revision, place, actor, billing.NewEvent(at, kind, billing.EventDetails{}))).Error
}

package models

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/okviz/licensing/billing"
)

// GatewayReferences remembers what a gateway calls our accounts and invoices,
// for a gateway that would not find them again by itself.
type GatewayReferences struct {
	store   *Store
	gateway string
}

// GatewayReferences gives a gateway its memory.
func (s *Store) GatewayReferences(gateway string) GatewayReferences {
	return GatewayReferences{s, gateway}
}

type gatewayReferenceRow struct {
	Gateway   string
	Object    string
	Reference string
}

func (gatewayReferenceRow) TableName() string { return "gateway_references" }

// Reference returns the reference of an object. Where there is none yet it asks
// create for one, outside of any transaction, and keeps it; of several created
// at once the first one kept is everybody's.
func (g GatewayReferences) Reference(ctx context.Context, object string, create func() (string, error)) (string, error) {
	row, err := one[gatewayReferenceRow](g.store.db.WithContext(ctx).Where("gateway = ? AND object = ?", g.gateway, object))
	if err == nil {
		return row.Reference, nil
	}
	if !errors.Is(err, billing.ErrNotFound) {
		return "", fmt.Errorf("the gateway's reference of %s: %w", object, err)
	}
	reference, err := create()
	if err != nil {
		return "", err
	}
	err = g.store.tx(ctx, func(tx *gorm.DB) error {
		fresh := gatewayReferenceRow{g.gateway, object, reference}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&fresh).Error; err != nil {
			return err
		}
		row, err = one[gatewayReferenceRow](tx.Where("gateway = ? AND object = ?", g.gateway, object))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keeping the gateway's reference of %s: %w", object, err)
	}
	return row.Reference, nil
}

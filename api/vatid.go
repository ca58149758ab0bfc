package api

import (
	"context"
	"errors"

	"github.com/okviz/licensing/billing"
)

// VATIDs holds a customer's VAT id to what is known of it. It is a port: one
// that asks the member states' registers can take the place of VATSyntax.
type VATIDs interface {
	// Check returns the id as it is stored and printed; empty where there is
	// none. Refusal: invalid_vat_id.
	Check(ctx context.Context, country, id string) (string, error)
}

// VATSyntax knows the shapes and check digits of VAT ids, and asks nobody.
type VATSyntax struct{}

// Check is billing.NormalVATID.
func (VATSyntax) Check(_ context.Context, country, id string) (string, error) {
	return billing.NormalVATID(country, id)
}

// vatID is the id of a body that decides the tax, as it is stored.
func (s *server) vatID(ctx context.Context, b TaxBody) (string, error) {
	if b.VATID == nil {
		return "", nil
	}
	return s.VATIDs.Check(ctx, b.Country, *b.VATID)
}

// ownVATID is vatID for a body that is billing details itself: its field is vat_id.
func (s *server) ownVATID(ctx context.Context, b TaxBody) (string, error) {
	id, err := s.vatID(ctx, b)
	var refused *billing.Error
	if errors.As(err, &refused) {
		err = refusal(refused.Code, "vat_id", refused.Detail)
	}
	return id, err
}

package backoffice

import (
	"context"
	"testing"

	"github.com/okviz/licensing/billing"
)

// moved are the books of a subscription that carl pays for since ada has moved it.
type moved struct{ AdoptingStore }

func (moved) Snapshot(context.Context, billing.SubscriptionID) (billing.Snapshot, error) {
	return billing.Snapshot{Order: billing.Order{BillingAccount: "cus_carl"}}, nil
}

func (moved) Invoice(_ context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error) {
	if id != "inv_adas" {
		return billing.Invoice{}, nil, billing.ErrNotFound
	}
	return billing.Invoice{ID: id, Account: "cus_ada"}, nil, nil
}

type rememberer struct {
	AdoptedGateway
	account billing.AccountID
}

func (r *rememberer) Remember(_ context.Context, account billing.AccountID, _ billing.MovedCharge) error {
	r.account = account
	return nil
}

func TestAnAdoptedChargeBelongsToWhoPaidItThoughAnotherPaysByNow(t *testing.T) {
	for invoice, want := range map[billing.InvoiceID]billing.AccountID{"inv_adas": "cus_ada", "inv_lost": "cus_carl"} {
		gateway := &rememberer{}
		a := adopter{store: moved{}, gateway: gateway}
		if err := a.remember(t.Context(), billing.MovedCharge{Subscription: "sub_1", Invoice: invoice, Customer: "cus_gateways"}); err != nil || gateway.account != want {
			t.Errorf("%s is of %s: %v", invoice, gateway.account, err)
		}
	}
}

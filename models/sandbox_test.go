package models

import (
	"testing"

	"github.com/okviz/licensing/payments/sandbox"
	"github.com/okviz/licensing/payments/sandbox/ledgertest"
)

func TestTheSandboxLedgerKeepsItsContract(t *testing.T) {
	t.Parallel()
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, d.url(t))
			must(t, s.Migrate(t.Context()))
			ledgertest.Run(t, func(t *testing.T) sandbox.Ledger { // one database, emptied
				for _, row := range []any{&sandboxCustomerRow{}, &sandboxMethodRow{}, &sandboxFormRow{}, &sandboxPaymentRow{}} {
					must(t, s.db.Where("1 = 1").Delete(row).Error)
				}
				return s.SandboxLedger()
			})
		})
	}
}

package backoffice_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

// ledger is a gateway that has charged once a day.
type ledger struct{}

func (ledger) Name() string { return "sandbox" }

func (ledger) Moved(_ context.Context, from, to time.Time) (m billing.Moved, err error) {
	for at := from; at.Before(to); at = at.AddDate(0, 0, 1) {
		m.Charges = append(m.Charges, billing.MovedCharge{Charge: billing.ChargeID(at.Format(time.DateOnly)), Invoice: billing.InvoiceID(at.Format(time.DateOnly)), At: at})
		m.Refunds = append(m.Refunds, billing.MovedRefund{Refund: billing.RefundID(at.Format(time.DateOnly)), At: at})
	}
	m.Refunds = append(m.Refunds, billing.MovedRefund{Refund: "failed", Status: billing.RefundFailed, At: from})
	return m, nil
}

// shelf notes which books are asked for.
type shelf struct {
	backoffice.MoneyStore
	asked []string
}

func (s *shelf) Books(_ context.Context, _ string, from, to time.Time, m billing.Moved) (billing.Books, error) {
	s.asked = append(s.asked, from.Format(time.DateOnly), to.Format(time.DateOnly))
	for _, c := range m.Charges {
		s.asked = append(s.asked, string(c.Invoice))
	}
	for _, r := range m.Refunds {
		s.asked = append(s.asked, string(r.Refund))
	}
	return billing.Books{}, nil
}

// A refund that has failed is looked at whenever it was made: its webhook may be lost.
func TestReconcilingADayAsksForTheBooksOfThatDayAlone(t *testing.T) {
	s, day := &shelf{}, time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)
	found, err := backoffice.ReconcileMoney(t.Context(), s, ledger{}, day, day.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"2026-02-03", "2026-02-04", "2026-02-03", "2026-02-03", "failed"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q, want %q", s.asked, want)
	}
	if len(found) != 2 || found[0].Kind != billing.RefundUnknown || found[1].Kind != billing.ChargeUnknown {
		t.Errorf("%v", found)
	}
}

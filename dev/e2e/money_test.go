package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

// balanced holds everything that the sandbox gateway has moved in a system to
// its books, and the other way round. Test clocks go anywhere.
func (s *shop) balanced() error {
	list, err := s.system.Engine.Office.ReconcileMoney(context.Background(), time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, d := range list {
		err = errors.Join(err, fmt.Errorf("gateway and books: %s", d))
	}
	return err
}

// wantMoneyAgreed asks a system for the same through its door, about a time of
// its test clocks.
func (s *shop) wantMoneyAgreed(t testing.TB, from, to string) {
	t.Helper()
	var v struct{ Data []billing.Difference }
	s.get(t, "/v1/operator/reconcile/money?from="+from+"&to="+to, &v)
	for _, d := range v.Data {
		t.Errorf("gateway and books: %s", d)
	}
}

func TestReconcilingMoneyFindsNothingWhereAllIsWellAndEachDifference(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	c := s.buy(t, newCustomer().order(nil))
	s.command(t, c.Subscription.ID, "change", object{"plan": users("21-50")}).want(t, http.StatusOK)
	s.refund(t, c.Invoice.ID, object{"amount": usd(100), "reason": "a courtesy"})
	declined := s.post(t, "/v1/checkout", newKey(), newCustomer().order(object{"payment": card("tok_declined")}))
	secret(declined.wantProblem(t, http.StatusPaymentRequired, "card_declined").CheckoutToken)
	eventually(t, listed, "all agrees", func() bool { return s.balanced() == nil })

	// What is charged and refunded at the gateway, and the engine has not asked for.
	g, ctx := s.system.Engine.Sandbox(), context.Background()
	snapshot, err := s.system.Engine.Store.Snapshot(ctx, billing.SubscriptionID(c.Subscription.ID))
	must(t, err)
	customer, err := g.EnsureCustomer(ctx, snapshot.Order.BillingAccount)
	must(t, err)
	now := billing.Instant(time.Now())
	r := billing.ChargeRequest{
		Invoice: "inv_none", Subscription: billing.SubscriptionID(c.Subscription.ID), Customer: customer, Method: snapshot.Method,
		Amount: billing.Money{Amount: 1200, Currency: "USD"}, Attempt: 1, At: now,
	}
	ref, err := g.Prepare(ctx, r)
	must(t, err)
	_, err = g.Charge(ctx, ref, r)
	must(t, err)
	inv, _, err := s.system.Engine.Store.Invoice(ctx, billing.InvoiceID(c.Invoice.ID))
	must(t, err)
	_, err = g.Refund(ctx, billing.RefundRequest{CreditNote: "re_none", Invoice: inv.ID, Charge: inv.Charge, Amount: billing.Money{Amount: 50, Currency: "USD"}, At: now})
	must(t, err)
	var v struct {
		Data []billing.Difference
	}
	day := now.Truncate(24 * time.Hour)
	s.get(t, "/v1/operator/reconcile/money?from="+stamp(day)+"&to="+stamp(day.AddDate(0, 0, 2)), &v)
	got := []string{}
	for _, d := range v.Data {
		got = append(got, d.String())
	}
	whose := " (" + c.Subscription.ID + ")"
	want := []string{"refund_unknown: " + c.Invoice.ID + ", " + string(inv.Charge) + ", re_none: moved 0.50 USD" + whose, "charge_unknown: inv_none, " + string(ref) + ": moved 12.00 USD" + whose}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.get(t, "/v1/operator/reconcile/money?from="+stamp(day.AddDate(0, 0, -9))+"&to="+stamp(day.AddDate(0, 0, -7)), &v)
	if len(v.Data) != 0 {
		t.Errorf("last week: %v", v.Data)
	}
	for _, wrong := range []string{"", "?from=" + stamp(day), "?from=" + stamp(day) + "&to=" + stamp(day), "?from=2020-01-01T00:00:00Z&to=" + stamp(day)} {
		s.send(t, http.MethodGet, "/v1/operator/reconcile/money"+wrong, nil, s.asOperator()).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	}
	if s.balanced() == nil {
		t.Error("a system with differences is found to be well")
	}
	must(t, s.stop())
	s.system = nil // close would find the differences
}

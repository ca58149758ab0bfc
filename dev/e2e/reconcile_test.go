package e2e

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
)

type reconciliation struct {
	Live            int
	WithoutWorkflow []string `json:"without_workflow"`
	WithoutRows     []string `json:"without_rows"`
}

func TestReconcilingFindsATerminatedWorkflowAndRecoverStartsItAgain(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	id := s.buy(t, newCustomer().order(nil)).Subscription.ID
	well := s.buy(t, newCustomer().order(nil)).Subscription.ID
	reconcile := func() (r reconciliation) {
		s.get(t, "/v1/operator/reconcile", &r)
		return r
	}
	if r := reconcile(); r.Live != 2 || len(r.WithoutWorkflow) != 0 || len(r.WithoutRows) != 0 {
		t.Errorf("all is well, and it says %+v", r)
	}
	must(t, s.temporal.TerminateWorkflow(context.Background(), id, "", "a test"))
	eventually(t, listed, "the terminated one is named", func() bool { // Temporal's list lags
		r := reconcile()
		return slices.Equal(r.WithoutWorkflow, []string{id}) && len(r.WithoutRows) == 0
	})
	done, err := s.system.Engine.Office.Recover(context.Background(), 0, false, func(backoffice.Recovery) {})
	must(t, err)
	if r := reconcile(); done.Live != 2 || len(done.Failed) != 0 || len(r.WithoutWorkflow) != 0 || len(r.WithoutRows) != 0 {
		t.Errorf("recovered, and it says %+v", r)
	}
	s.command(t, id, "cancel", nil).want(t, 200)
	s.command(t, well, "cancel", nil).want(t, 200)
	for _, sub := range []string{id, well} {
		if n := len(s.charges(t, sub)); n != 1 {
			t.Errorf("%s: %d charges", sub, n)
		}
	}
}

// An order whose process died before it began the workflow, and a subscription
// that ended while a refund was pending and whose workflow was terminated.
func TestAWorkerStartsTheWorkflowsThatAreMissing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startOn(t, data, newOperator(), 0)
	ctx, store := context.Background(), s.system.Engine.Store
	bought := s.buy(t, newCustomer().order(nil))
	ended := bought.Subscription.ID
	s.cancelNow(t, ended, "full").want(t, 200)

	eventually(t, time.Minute, "its workflow has ended", func() bool { return !s.running(t, ended) })

	db, err := sql.Open("sqlite", filepath.Join(data, "okviz.db")+"?_pragma=busy_timeout(10000)")
	must(t, err)
	defer db.Close()
	for _, statement := range []string{
		"UPDATE refunds SET status = 'pending' WHERE subscription = ?",
		"UPDATE subscriptions SET state = JSON_SET(state, '$.refunding', 1) WHERE id = ?",
	} {
		r, err := db.Exec(statement, ended)
		must(t, err)
		if n, err := r.RowsAffected(); n != 1 || err != nil {
			t.Fatalf("%s: %d rows, %v", statement, n, err)
		}
	}
	like, err := store.Snapshot(ctx, billing.SubscriptionID(ended))
	must(t, err)
	order, sub := like.Order, like.Subscription
	sub = billing.Subscription{
		ID: billing.SubscriptionID(commands.NewID("sub")), Status: billing.Incomplete, Product: sub.Product, Plan: sub.Plan, Quantity: 1,
		Price: sub.Price, Collection: billing.ByCard, CreatedAt: billing.Instant(time.Now()),
	}
	order.Subscription, order.License = sub.ID, licensing.LicenseID(commands.NewID("lic"))
	_, _, err = store.Begin(ctx, commands.NewRequest("test", "POST /v1/checkout", newKey(), sub.ID, "test", billing.Command{Action: billing.ActionPurchase}), &order, &sub)
	must(t, err)

	reconcile := func() (r reconciliation) {
		s.get(t, "/v1/operator/reconcile", &r)
		slices.Sort(r.WithoutWorkflow)
		return r
	}
	missing := []string{ended, string(sub.ID)}
	slices.Sort(missing)
	eventually(t, listed, "both are named", func() bool { // Temporal's list lags
		r := reconcile()
		return r.Live == 2 && slices.Equal(r.WithoutWorkflow, missing)
	})
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go s.system.Engine.Office.Watch(ctx, 100*time.Millisecond, func(backoffice.Reconciliation, []billing.Difference) {}, func() {})
	eventually(t, time.Minute, "nothing is missing, and the refund is confirmed", func() bool {
		refunds, err := store.Refunds(ctx, billing.SubscriptionID(ended), billing.InvoiceID(bought.Invoice.ID))
		must(t, err)
		return len(reconcile().WithoutWorkflow) == 0 && refunds[0].Status == billing.RefundSucceeded
	})
}

package e2e

import (
	"context"
	"slices"
	"testing"

	"github.com/okviz/licensing/backoffice"
)

type reconciliation struct {
	Live            int
	WithoutWorkflow []string `json:"without_workflow"`
	WithoutRows     []string `json:"without_rows"`
}

func TestReconcilingFindsATerminatedWorkflowAndRecoverStartsItAgain(t *testing.T) {
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

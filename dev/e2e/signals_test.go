package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/client"
)

func (s *shop) signal(t testing.TB, sub, name string, arg any) {
	t.Helper()
	must(t, s.temporal.SignalWorkflow(context.Background(), sub, "", name, arg))
}

// Two subscriptions are told the same, one by updates and one by signals, both
// with the SDK's client: what comes of it is the same, refusals included.
func TestSignalsDoWhatTheUpdatesDoWithTheSameRefusals(t *testing.T) {
	const bigger, smaller = "calendar-pro_users_21-50_monthly", "calendar-pro_users_1-20_monthly"
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	updated := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	signalled := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	outcomes := func(id string) []string {
		var all []string
		for _, d := range completed(t, shared.runs(t, id)) {
			if d.activity == "Change" || d.activity == "Cancel" || d.activity == "Resume" {
				all = append(all, d.String())
			}
		}
		return all
	}
	told := []struct {
		signal, update string
		arg            object
		want           string
	}{
		{"resume", "resume", object{}, "Resume not_possible_now"},
		{"upgrade", "change", object{"plan": smaller}, "Change no_change"},
		{"upgrade", "change", object{"plan": "calendar-pro_users_nobody_monthly"}, "Change unknown_plan"},
		{"upgrade", "change", object{"plan": bigger, "quantity": 7}, "Change quantity_not_allowed"},
		{"upgrade", "change", object{"plan": bigger, "expected_amount_due": 1}, "Change amount_changed"},
		{"upgrade", "change", object{"plan": bigger, "quantity": 1}, "Change"},
		{"cancel", "cancel", object{}, "Cancel"},
		{"cancel", "cancel", object{}, "Cancel not_possible_now"},
		{"resume", "resume", object{}, "Resume"},
		{"resume", "resume", object{}, "Resume not_possible_now"},
		{"cancel", "cancel", object{}, "Cancel"},
	}
	var want []string
	for i, tell := range told {
		want = append(want, tell.want)
		h, err := shared.temporal.UpdateWorkflow(context.Background(), client.UpdateWorkflowOptions{
			WorkflowID: updated, UpdateName: tell.update, Args: []any{tell.arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		must(t, err)
		var outcome struct{ Code string }
		must(t, h.Get(context.Background(), &outcome))
		shared.signal(t, signalled, tell.signal, tell.arg)
		eventually(t, listed, fmt.Sprintf("signal %d was handled", i), func() bool { return len(outcomes(signalled)) == i+1 })
	}
	for _, id := range []string{updated, signalled} {
		if diff := cmp.Diff(want, outcomes(id)); diff != "" {
			t.Errorf("what came of it:\n%s", diff)
		}
		shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
		sub := shared.subscription(t, id)
		if sub.Plan.ID != bigger || !sub.CancelAtPeriodEnd || *sub.CurrentPeriod != (period{"2026-04-16T00:00:00Z", "2026-05-16T00:00:00Z"}) {
			t.Errorf("%+v", sub)
		}
	}
	shared.advance(t, clock, "2030-01-01T00:00:00Z")
	for _, id := range []string{updated, signalled} {
		shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
		if sub := shared.subscription(t, id); sub.Status != "canceled" || deref(sub.CancelReason) != "requested" {
			t.Errorf("%+v", sub)
		}
		shared.audit(t, id)
	}
}

func TestADeclinedUpgradeBySignalChangesNothing(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock, "payment": card("tok_later_declined")})).Subscription.ID
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	before := shared.subscription(t, id)
	shared.signal(t, id, "upgrade", object{"plan": "calendar-pro_users_21-50_monthly"})
	eventually(t, listed, "the card was declined", func() bool { return len(shared.charges(t, id)) == 2 })
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), "2026-04-16T00:00:00Z 1485 USD declined")
	if diff := cmp.Diff(before, shared.subscription(t, id)); diff != "" {
		t.Error(diff)
	}
	shared.audit(t, id)
}

func TestASignalWithoutItsShapeDoesNoHarm(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	for _, arg := range []any{object{}, "1-20", 7, []string{}, object{"plan": 3}, object{"plan": "x", "quantity": -1}, nil} {
		shared.signal(t, id, "upgrade", arg)
	}
	must(t, shared.temporal.SignalWorkflow(context.Background(), id, "", "cancel", nil)) // as the UI sends it without input
	eventually(t, listed, "the good one among them was heard", func() bool { return shared.subscription(t, id).CancelAtPeriodEnd })
	for _, d := range completed(t, shared.runs(t, id)) {
		if d.activity == "Change" {
			t.Errorf("a bad signal came to %s", d)
		}
	}
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990))
	start := time.Now()
	shared.command(t, id, "resume", nil).want(t, 200)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the next command took %v", took)
	}
}

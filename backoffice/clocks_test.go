package backoffice

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/workflows"
)

// clock is a store with one test clock and one subscription on it.
type clock struct {
	Store
	now  time.Time
	next time.Time // when its step is due
	set  []time.Time
}

func (c *clock) HoldClock(context.Context, string) (time.Time, error) { return c.now, nil }
func (c *clock) ReleaseClock(context.Context, string) error           { return nil }
func (c *clock) SetClock(_ context.Context, _ string, at time.Time) error {
	c.now, c.set = at, append(c.set, at)
	return nil
}

func (c *clock) NextOnClock(_ context.Context, _ string, to time.Time) (billing.SubscriptionID, time.Time, error) {
	if c.next.After(to) {
		return "", time.Time{}, nil
	}
	return "sub_1", c.next, nil
}

func (c *clock) OnClock(context.Context, string) ([]billing.SubscriptionID, error) {
	return []billing.SubscriptionID{"sub_1"}, nil
}

func (c *clock) Overview(context.Context, billing.SubscriptionID) (billing.Overview, error) {
	return billing.Overview{Subscription: billing.Subscription{ID: "sub_1"}}, nil
}

// workflow does what is due, each month, or finds nothing due.
type workflow struct {
	client.Client
	of   *clock
	idle bool
}

type done struct{ client.WorkflowUpdateHandle }

func (done) Get(context.Context, any) error { return nil }

func (w workflow) NewWithStartWorkflowOperation(client.StartWorkflowOptions, any, ...any) client.WithStartWorkflowOperation {
	return nil
}

func (w workflow) UpdateWithStartWorkflow(_ context.Context, o client.UpdateWithStartWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	for to := o.UpdateOptions.Args[0].(workflows.Advance).To; !w.idle && !w.of.next.After(to); {
		w.of.next = w.of.next.AddDate(0, 1, 0)
	}
	return done{}, nil
}

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func advance(t *testing.T, c *clock, idle bool, to string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	runner := commands.New(nil, workflow{of: c, idle: idle}, func(licensing.LicenseID) {}, slog.New(slog.DiscardHandler), time.Now)
	return New(c, nil, runner, slog.New(slog.DiscardHandler), time.Now).AdvanceClock(ctx, "clk_1", day(to), false)
}

// As after a restore: the rows are older than the workflow, for which the step
// is not due.
func TestAnAdvanceEndsWhereAWorkflowDoesNotDoWhatIsDue(t *testing.T) {
	c := &clock{now: day("2026-02-01"), next: day("2026-02-28")}
	err := advance(t, c, true, "2026-04-01")
	var refusal *billing.Error
	if !errors.As(err, &refusal) || refusal.Code != billing.CodeNotPossibleNow || len(c.set) != 1 {
		t.Errorf("the clock was set to %v: %v", c.set, err)
	}
}

func TestAClockStopsAtEachStepAndNeverGoesBack(t *testing.T) {
	for _, c := range []struct {
		now, next string
		want      []string
	}{
		{"2026-02-01", "2026-02-28", []string{"2026-02-28", "2026-03-28", "2026-04-01"}},
		{"2026-03-10", "2026-02-28", []string{"2026-03-10", "2026-03-28", "2026-04-01"}}, // a late one is done now
	} {
		clk := &clock{now: day(c.now), next: day(c.next)}
		if err := advance(t, clk, false, "2026-04-01"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, at := range clk.set {
			got = append(got, at.Format(time.DateOnly))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("from %s the clock was set to %v, want %v", c.now, got, c.want)
		}
	}
}

package bench

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"
)

const useExisting = enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING

// life is the bare workflow: it does as many steps as an update asks for, and one by itself
// at an instant, in seconds, that is not 0.
func life(ctx workflow.Context, at int) error {
	step := func(ctx workflow.Context, at int) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		return workflow.ExecuteActivity(ctx, "step", at).Get(ctx, nil)
	}
	err := workflow.SetUpdateHandler(ctx, "do", func(ctx workflow.Context, steps int) error {
		for range steps {
			if err := step(ctx, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if at > 0 {
		if err := workflow.Sleep(ctx, time.Unix(int64(at), 0).Sub(workflow.Now(ctx))); err != nil {
			return err
		}
		if err := step(ctx, at); err != nil {
			return err
		}
	}
	return workflow.Sleep(ctx, 30*24*time.Hour)
}

// lateness keeps how many milliseconds after their instants steps were done.
type lateness struct {
	mu sync.Mutex
	ms []int64
}

func (l *lateness) step(_ context.Context, at int) error {
	if at > 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ms = append(l.ms, time.Since(time.Unix(int64(at), 0)).Milliseconds())
	}
	return nil
}

func (l *lateness) all() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]int64{}, l.ms...)
}

package workflows

import (
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Deliver sends the mails that no step of a subscription sends: a link to sign
// in with, a quote, a warning that a plan was outgrown. What it cannot deliver
// in ten minutes is left to the sweeper.
func Deliver(ctx workflow.Context, id string) error {
	if err := workflow.ExecuteActivity(mailing(ctx), do.Notify, id).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("mails are left to the sweeper")
	}
	return nil
}

// DeliverOptions are those of a run of Deliver.
func DeliverOptions(id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: id, TaskQueue: TaskQueue, StaticSummary: "mails"}
}

// mailing gives Notify its options: it is tried for at most ten minutes.
func mailing(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    2 * time.Minute,
		ScheduleToCloseTimeout: 10 * time.Minute,
		HeartbeatTimeout:       HeartbeatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:                "send the mails",
	})
}

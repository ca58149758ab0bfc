package commands

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// Tell sends a command that has no request row: it may be sent any number of
// times.
func (r *Runner) Tell(ctx context.Context, sub billing.Subscription, c billing.Command) (outcome billing.Outcome, err error) {
	err = r.update(ctx, sub, workflows.Start{ID: sub.ID}, c.Action.Update(), billing.RequestID(NewID("req")), &outcome, c)
	return outcome, err
}

// Advance has everything done that is due on a subscription's test clock, which
// stands at an instant now.
func (r *Runner) Advance(ctx context.Context, sub billing.Subscription, to time.Time) error {
	return r.update(ctx, sub, workflows.Start{ID: sub.ID}, workflows.UpdateAdvance, billing.RequestID(NewID("adv")), nil, workflows.Advance{To: to})
}

// update sends an update to the subscription's workflow, and starts a run
// where there is none. The answer goes into out.
func (r *Runner) update(ctx context.Context, sub billing.Subscription, in workflows.Start, name string, id billing.RequestID, out, arg any) error {
	start := r.temporal.NewWithStartWorkflowOperation(workflows.Options(sub), workflows.Subscription, in)
	handle, err := r.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: string(id), UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, out)
}

// Start starts a subscription's workflow where none runs: it loads its rows and
// goes on.
func (r *Runner) Start(ctx context.Context, sub billing.Subscription) error {
	return r.start(ctx, sub, workflows.Options(sub))
}

// Restart is Start, and ends the workflow that runs, if one does.
func (r *Runner) Restart(ctx context.Context, sub billing.Subscription) error {
	options := workflows.Options(sub)
	options.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	return r.start(ctx, sub, options)
}

func (r *Runner) start(ctx context.Context, sub billing.Subscription, options client.StartWorkflowOptions) error {
	if _, err := r.temporal.ExecuteWorkflow(ctx, options, workflows.Subscription, workflows.Start{ID: sub.ID}); err != nil {
		return fmt.Errorf("starting %s: %w", sub.ID, err)
	}
	return nil
}

// Deliver has the mails of something sent at once that no step of a
// subscription sends: of a login, a quote or a subscription, by its id. What
// cannot be begun now is left to the sweeper.
func (r *Runner) Deliver(ctx context.Context, id string) {
	run := id
	if strings.HasPrefix(id, "sub_") { // which is its own workflow's
		run = "mails_" + id
	}
	if _, err := r.temporal.ExecuteWorkflow(ctx, workflows.DeliverOptions(run), workflows.Deliver, id); err != nil {
		r.log.Warn("a mail is left to the sweeper", "of", id, "error", err)
	}
}

// Running lists the subscriptions whose workflows run. Temporal's lists lag.
func (r *Runner) Running(ctx context.Context) (map[billing.SubscriptionID]bool, error) {
	running := map[billing.SubscriptionID]bool{}
	var next []byte
	for {
		page, err := r.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType = 'Subscription' AND ExecutionStatus = 'Running'", NextPageToken: next, PageSize: 1000,
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page.Executions {
			running[billing.SubscriptionID(e.Execution.WorkflowId)] = true
		}
		if next = page.NextPageToken; len(next) == 0 {
			return running, nil
		}
	}
}

// Runs tells whether a subscription's workflow runs.
func (r *Runner) Runs(ctx context.Context, subscription billing.SubscriptionID) (bool, error) {
	run, err := r.temporal.DescribeWorkflow(ctx, string(subscription), "")
	if none := (*serviceerror.NotFound)(nil); errors.As(err, &none) {
		return false, nil
	}
	return err == nil && run.Status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, err
}

// Ping asks Temporal whether it is there.
func (r *Runner) Ping(ctx context.Context) error {
	_, err := r.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

// isSlow tells whether the command may still happen, or has happened without
// us seeing it.
func isSlow(err error) bool {
	var timeout *client.WorkflowUpdateServiceTimeoutOrCanceledError
	var deadline *serviceerror.DeadlineExceeded
	var canceled *serviceerror.Canceled
	return errors.As(err, &timeout) || errors.As(err, &deadline) || errors.As(err, &canceled) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// isWorkflows tells whether the workflow received the command, and ended or
// failed without an answer.
func isWorkflows(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application)
}

// IsAway tells whether Temporal or the database could not be reached, or cannot
// be written to at the moment: by nobody, or not by this release.
func IsAway(err error) bool {
	var unavailable *serviceerror.Unavailable
	var exhausted *serviceerror.ResourceExhausted
	var network net.Error
	return errors.As(err, &unavailable) || errors.As(err, &exhausted) || errors.As(err, &network) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, billing.ErrNotWritable) || errors.Is(err, billing.ErrNewerRelease) || isSlow(err)
}

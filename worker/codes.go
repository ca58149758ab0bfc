package worker

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
)

// codes keeps error texts out of histories. Temporal receives the activity's
// name and a code; the log has the rest. Histories can be read by everybody
// who may open the Temporal UI, and are kept for a long time.
type codes struct {
	interceptor.WorkerInterceptorBase
	log *slog.Logger
}

func (c *codes) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityCodes{log: c.log}
	i.Next = next
	return i
}

type activityCodes struct {
	interceptor.ActivityInboundInterceptorBase
	log *slog.Logger
}

func (i *activityCodes) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (result any, err error) {
	info := activity.GetInfo(ctx)
	// The SDK would write a panic's text and stack into the history.
	defer func() {
		if p := recover(); p != nil {
			i.log.Error("an activity panicked and is tried again", "activity", info.ActivityType.Name,
				"workflow", info.WorkflowExecution.ID, "attempt", info.Attempt, "panic", p, "stack", string(debug.Stack()))
			result, err = nil, failure(info, "panic")
		}
	}()
	if result, err = i.Next.ExecuteActivity(ctx, in); err == nil {
		i.alert(info, result)
		return result, nil
	}
	// The one error that a workflow acts on; its text, cause and details are
	// left out.
	var known *temporal.ApplicationError
	if errors.As(err, &known) && known.Type() == activities.ErrorStale {
		return nil, temporal.NewNonRetryableApplicationError("the subscription has moved on", activities.ErrorStale, nil)
	}
	i.log.Warn("an activity failed and is tried again",
		"activity", info.ActivityType.Name, "workflow", info.WorkflowExecution.ID, "attempt", info.Attempt, "error", err)
	return nil, failure(info, code(err))
}

// alert logs that the gateway rejected our call: the activity succeeded, but
// an operator must act.
func (i *activityCodes) alert(info activity.Info, result any) {
	r, _ := result.(activities.Result)
	if r.Outcome.Code == billing.CodeGatewayRejected || r.Outcome.Payment.DeclineCode == billing.DeclineRejected {
		i.log.Error("the gateway rejected a call of ours", "code", billing.DeclineRejected, "activity", info.ActivityType.Name,
			"workflow", info.WorkflowExecution.ID, "invoice", r.Outcome.Invoice)
	}
}

func failure(info activity.Info, code string) error {
	return temporal.NewApplicationError(info.ActivityType.Name+" failed ("+code+") and is tried again; the worker's log says why", code)
}

// code names a failure without its words: by its own code, or else by the part
// of the system that it came from.
func code(err error) string {
	var from interface{ Part() string }
	refusal := billing.GatewayCode(err)
	switch {
	case refusal != "":
		return refusal
	case errors.Is(err, billing.ErrNewerRelease):
		return "newer_release"
	case errors.As(err, &from):
		return from.Part()
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "failed"
}

package worker

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
)

// beat is how often a running activity says that its worker is still there:
// well within workflows.Missed, and later than nearly all of them have ended,
// since a heartbeat is a billable action.
const beat = 5 * time.Second

// alive sends the heartbeats, so that what a killed worker was doing is done by
// the next one soon, and not only when the activity's whole time is over.
type alive struct {
	interceptor.WorkerInterceptorBase
}

func (*alive) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityAlive{}
	i.Next = next
	return i
}

type activityAlive struct {
	interceptor.ActivityInboundInterceptorBase
}

func (i *activityAlive) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	done := make(chan struct{})
	defer close(done)
	go func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return i.Next.ExecuteActivity(ctx, in)
}

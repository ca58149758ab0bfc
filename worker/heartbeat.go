package worker

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
)

// beat is how often a running activity sends a heartbeat: well within
// workflows.HeartbeatTimeout, but later than nearly all activities end, since
// heartbeats are billed.
const beat = 5 * time.Second

// heartbeat sends heartbeats, so that the work of a killed worker is taken over
// soon, not only when the activity's full time has run out.
type heartbeat struct {
	interceptor.WorkerInterceptorBase
}

func (*heartbeat) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityHeartbeat{}
	i.Next = next
	return i
}

type activityHeartbeat struct {
	interceptor.ActivityInboundInterceptorBase
}

func (i *activityHeartbeat) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
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

// Package worker runs the engine's workflows and activities, and sends the mails
// that a workflow could not deliver.
package worker

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/workflows"
)

// Stop is how long a stopping worker waits for activities under way.
const Stop = 30 * time.Second

// Limits are what a worker takes of its machine; 0 stands for the default.
type Limits struct {
	Activities      int // at once: 40. More than connections to the database only wait for them
	CachedWorkflows int // kept in memory, some 100 KB each: 2000
}

// New makes a worker with everything registered. Run it with
// Run(worker.InterruptCh()), or Start and Stop. With a version it takes only the
// tasks that Temporal routes to it: none until its deployment has a current version.
func New(c client.Client, a *activities.Activities, l Limits, version worker.WorkerDeploymentVersion, log *slog.Logger) worker.Worker {
	worker.SetStickyWorkflowCacheSize(cmp.Or(l.CachedWorkflows, 2000)) // of the process
	w := worker.New(c, workflows.TaskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: cmp.Or(l.Activities, 40),
		// As many as the server says that there is work for; the SDK's two delay a burst.
		ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		// In a burst, a task may wait for its turn longer than the SDK's five seconds. Given
		// to another worker, it begins with the whole history and makes the burst longer.
		StickyScheduleToStartTimeout: workflows.HeartbeatTimeout,
		WorkerStopTimeout:            Stop,
		Interceptors:                 []interceptor.WorkerInterceptor{&codes{log: log}, &heartbeat{}},
		DeploymentOptions:            deployment(version),
	})
	workflows.Register(w)
	a.Register(w)
	return w
}

// deployment has sleeping runs follow the current version: a run that stayed with
// the one it began on would hold an old build for up to 400 days.
func deployment(version worker.WorkerDeploymentVersion) worker.DeploymentOptions {
	if version == (worker.WorkerDeploymentVersion{}) {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{UseVersioning: true, Version: version, DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade}
}

// Sweep sends the mails that their workflows gave up on, until the context
// ends.
func Sweep(ctx context.Context, a *activities.Activities, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.Notify(ctx, ""); err != nil && ctx.Err() == nil {
				log.Warn("mails wait to be delivered", "error", err)
			}
		}
	}
}

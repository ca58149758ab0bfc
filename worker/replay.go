package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/okviz/licensing/workflows"
)

// Selection says which workflows are replayed.
type Selection struct {
	Status string // as Temporal's lists have it: Running, Completed, …
	Sample int    // about so many, spread over all of them; 0: all
}

// Replayed is how far a replay has come.
type Replayed struct {
	Of, Done int64 // Of as Temporal counts them, which lags
	Misfits  []Misfit
}

// Misfit is a workflow whose history this program's code cannot continue.
type Misfit struct {
	Workflow, Run string
	Err           error
}

// parallel histories are downloaded and replayed at once.
const parallel = 8

// Replay downloads the histories of the engine's workflows and replays each with
// this program's code, as a worker of it would. tell hears after each page how
// far it has come. An error says that not all could be looked at.
func Replay(ctx context.Context, c client.Client, which Selection, tell func(Replayed)) (Replayed, error) {
	query := fmt.Sprintf("TaskQueue = '%s' AND ExecutionStatus = '%s'", workflows.TaskQueue, which.Status)
	counted, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		return Replayed{}, fmt.Errorf("counting workflows: %w", err)
	}
	replayer := worker.NewWorkflowReplayer()
	workflows.Register(replayer)
	r := replay{client: c, replayer: replayer, so: Replayed{Of: counted.Count}}
	seen, next := int64(0), []byte(nil)
	for {
		page, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, NextPageToken: next, PageSize: 500})
		if err != nil {
			return r.so, fmt.Errorf("listing workflows: %w", err)
		}
		all, ctx := errgroup.WithContext(ctx)
		all.SetLimit(parallel)
		for _, e := range page.Executions {
			if which.takes(seen, r.so.Of) {
				all.Go(func() error { return r.one(ctx, e) })
			}
			seen++
		}
		if err := all.Wait(); err != nil {
			return r.so, err
		}
		tell(r.so)
		if next = page.NextPageToken; len(next) == 0 {
			return r.so, nil
		}
	}
}

// takes tells whether the n-th of all workflows belongs to the sample.
func (s Selection) takes(n, all int64) bool {
	sample := int64(s.Sample)
	return sample == 0 || all <= sample || (n+1)*sample/all > n*sample/all
}

type replay struct {
	client   client.Client
	replayer worker.WorkflowReplayer

	mu sync.Mutex
	so Replayed
}

// one replays a run. One that has been removed since it was listed is left out.
func (r *replay) one(ctx context.Context, e *workflowpb.WorkflowExecutionInfo) error {
	id, run := e.Execution.WorkflowId, e.Execution.RunId
	h := &history.History{}
	for events := r.client.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		if gone := (*serviceerror.NotFound)(nil); errors.As(err, &gone) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the history of %s: %w", id, err)
		}
		h.Events = append(h.Events, event)
	}
	var err error
	if len(h.Events) > 2 { // else no worker has seen it
		err = r.replayer.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), h,
			worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id, RunID: run}})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.so.Done++
	if err != nil {
		r.so.Misfits = append(r.so.Misfits, Misfit{id, run, err})
	}
	return nil
}

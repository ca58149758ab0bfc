// Package commandstest has a Temporal and a request table for tests of what sends
// commands: what a workflow does with one, the test says.
package commandstest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// Temporal hands each update to Workflow. Listed are the workflows of its lists,
// Running those that really run.
type Temporal struct {
	client.Client
	Workflow        func(of billing.SubscriptionID, update string, c billing.Command) (billing.Outcome, error)
	Listed, Running []string

	mu     sync.Mutex
	sent   []string
	starts []workflows.Start
}

// Starts are the inputs of the runs that the updates would have started.
func (f *Temporal) Starts() []workflows.Start {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts
}

// Sent are the ids of the updates that were sent.
func (f *Temporal) Sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

type start struct{ id string }

func (start) Get(context.Context) (client.WorkflowRun, error) { return nil, nil }

// NewWithStartWorkflowOperation notes which workflow is meant.
func (f *Temporal) NewWithStartWorkflowOperation(o client.StartWorkflowOptions, _ any, args ...any) client.WithStartWorkflowOperation {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts = append(f.starts, args[0].(workflows.Start))
	return start{o.ID}
}

type handle struct {
	client.WorkflowUpdateHandle
	outcome billing.Outcome
	err     error
}

func (h handle) Get(_ context.Context, into any) error {
	if h.err != nil || into == nil {
		return h.err
	}
	b, err := json.Marshal(h.outcome)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	return err
}

// UpdateWithStartWorkflow has the workflow answer.
func (f *Temporal) UpdateWithStartWorkflow(_ context.Context, o client.UpdateWithStartWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	f.mu.Lock()
	f.sent = append(f.sent, o.UpdateOptions.UpdateID)
	f.mu.Unlock()
	outcome, err := f.Workflow(billing.SubscriptionID(o.StartWorkflowOperation.(start).id), o.UpdateOptions.UpdateName, o.UpdateOptions.Args[0].(billing.Command))
	return handle{outcome: outcome, err: err}, nil
}

// ListWorkflow lists what is Listed.
func (f *Temporal) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for _, id := range f.Listed {
		out.Executions = append(out.Executions, info(id))
	}
	return out, nil
}

// DescribeWorkflow knows what is Running.
func (f *Temporal) DescribeWorkflow(_ context.Context, id, _ string) (*client.WorkflowExecutionDescription, error) {
	for _, running := range f.Running {
		if running == id {
			return &client.WorkflowExecutionDescription{WorkflowExecutionMetadata: client.WorkflowExecutionMetadata{Status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING}}, nil
		}
	}
	return nil, serviceerror.NewNotFound("no such workflow")
}

func info(id string) *workflow.WorkflowExecutionInfo {
	return &workflow.WorkflowExecutionInfo{Execution: &common.WorkflowExecution{WorkflowId: id}}
}

// Requests is the table of requests, and of subscriptions of which nothing is
// known but their ids.
type Requests struct {
	mu   sync.Mutex
	rows []billing.Request
}

// Begin is commands.Store's.
func (s *Requests) Begin(_ context.Context, r billing.Request, _ *billing.Order, _ *billing.Subscription) (request billing.Request, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, was := range s.rows {
		if was.Caller == r.Caller && was.Route == r.Route && was.Key == r.Key {
			return was, false, nil
		}
	}
	s.rows = append(s.rows, r)
	return r, true, nil
}

// Request is commands.Store's.
func (s *Requests) Request(_ context.Context, id billing.RequestID) (billing.Request, error) {
	return s.find(func(r billing.Request) bool { return r.ID == id })
}

// RequestOf is commands.Store's.
func (s *Requests) RequestOf(_ context.Context, caller, route, key string) (billing.Request, error) {
	return s.find(func(r billing.Request) bool { return r.Caller == caller && r.Route == route && r.Key == key })
}

func (s *Requests) find(is func(billing.Request) bool) (billing.Request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if is(r) {
			return r, nil
		}
	}
	return billing.Request{}, billing.ErrNotFound
}

// Answer stores the outcome of a request, as a workflow does.
func (s *Requests) Answer(id billing.RequestID, o billing.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rows {
		if s.rows[i].ID == id {
			s.rows[i].Outcome = &o
		}
	}
}

// Confirm is commands.Store's, of requests that wait for nothing.
func (s *Requests) Confirm(ctx context.Context, id billing.RequestID, _ time.Time) (billing.Request, error) {
	return s.Request(ctx, id)
}

// Respond is commands.Store's.
func (s *Requests) Respond(context.Context, billing.RequestID, int, string) error { return nil }

// Overview is commands.Store's.
func (s *Requests) Overview(_ context.Context, id billing.SubscriptionID) (billing.Overview, error) {
	return billing.Overview{Subscription: billing.Subscription{ID: id}}, nil
}

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// history is all events of one run.
func (s *shop) history(t testing.TB, id, run string) *history.History {
	t.Helper()
	h := &history.History{}
	it := s.temporal.GetWorkflowHistory(context.Background(), id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		must(t, err)
		h.Events = append(h.Events, e)
	}
	return h
}

// runs are the histories of all runs of a subscription, the oldest first,
// found by going back from the latest one. Runs that a command started after
// the one before had ended are found by Temporal's list alone.
func (s *shop) runs(t testing.TB, id string) []*history.History {
	t.Helper()
	var found []*workflow.WorkflowExecutionInfo
	latest, err := s.temporal.DescribeWorkflowExecution(context.Background(), id, "")
	must(t, err)
	eventually(t, listed, "the latest run of "+id+" is listed", func() bool {
		found = s.executions(t, fmt.Sprintf("WorkflowId = '%s'", id))
		return slices.ContainsFunc(found, func(e *workflow.WorkflowExecutionInfo) bool {
			return e.Execution.RunId == latest.WorkflowExecutionInfo.Execution.RunId
		})
	})
	slices.SortFunc(found, func(a, b *workflow.WorkflowExecutionInfo) int {
		return a.StartTime.AsTime().Compare(b.StartTime.AsTime())
	})
	var all []*history.History
	for _, e := range found {
		all = append(all, s.history(t, id, e.Execution.RunId))
	}
	return all
}

// executions lists the runs that a query finds. The list lags.
func (s *shop) executions(t testing.TB, query string) []*workflow.WorkflowExecutionInfo {
	t.Helper()
	var all []*workflow.WorkflowExecutionInfo
	var next []byte
	for {
		page, err := s.temporal.ListWorkflow(context.Background(), &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: client.DefaultNamespace, Query: query, NextPageToken: next, PageSize: 200,
		})
		must(t, err)
		all = append(all, page.Executions...)
		if next = page.NextPageToken; len(next) == 0 {
			return all
		}
	}
}

// details is what an operator reads in the Temporal UI.
func (s *shop) details(t testing.TB, id string) string {
	t.Helper()
	v, err := s.temporal.QueryWorkflow(context.Background(), id, "", "__temporal_workflow_metadata")
	must(t, err)
	var m sdkpb.WorkflowMetadata
	must(t, v.Get(&m))
	return m.CurrentDetails
}

// attributes are the search attributes of a subscription's workflow.
func (s *shop) attributes(t testing.TB, id string) map[string]any {
	t.Helper()
	d, err := s.temporal.WorkflowService().DescribeWorkflowExecution(context.Background(), &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, Execution: &common.WorkflowExecution{WorkflowId: id},
	})
	must(t, err)
	attributes := map[string]any{}
	for name, p := range d.WorkflowExecutionInfo.GetSearchAttributes().GetIndexedFields() {
		var v any
		must(t, json.Unmarshal(p.Data, &v))
		attributes[name] = v
	}
	return attributes
}

// done is an activity that has completed: its name, and for a command or a
// step the request that it was for and what it came to.
type done struct {
	activity, request, code string
	command                 object // as the history has it; nil for a step
}

func (d done) String() string { return strings.TrimSpace(d.activity + " " + d.code) }

// completed lists the completed activities of all runs, in their order.
func completed(t testing.TB, runs []*history.History) []done {
	t.Helper()
	var all []done
	for _, h := range runs {
		scheduled := map[int64]*history.ActivityTaskScheduledEventAttributes{}
		for _, e := range h.Events {
			if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
				scheduled[e.EventId] = a
			}
			a := e.GetActivityTaskCompletedEventAttributes()
			if a == nil {
				continue
			}
			was := scheduled[a.ScheduledEventId]
			d := done{activity: was.ActivityType.Name}
			var task struct{ Command object }
			var result struct{ Outcome struct{ Code string } }
			if payload(was.Input, &task) {
				d.command = task.Command
				d.request, _ = task.Command["request"].(string)
			}
			if payload(a.Result, &result) {
				d.code = result.Outcome.Code
			}
			all = append(all, d)
		}
	}
	return all
}

// payload reads the first payload, where it is a JSON object of that kind.
func payload(p *common.Payloads, into any) bool {
	return len(p.GetPayloads()) > 0 && json.Unmarshal(p.Payloads[0].Data, into) == nil
}

// count counts the events of a type.
func count(h *history.History, kind enums.EventType) int {
	n := 0
	for _, e := range h.Events {
		if e.EventType == kind {
			n++
		}
	}
	return n
}

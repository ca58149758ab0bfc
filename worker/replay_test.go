package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// namespace is Temporal with these histories, on pages of two.
type namespace struct {
	client.Client
	t         *testing.T
	ids       []string
	histories map[string]*history.History // nil: removed since it was listed
}

// recorded has the recorded lives of that name.
func recorded(t *testing.T, name string) *namespace {
	t.Helper()
	files, err := filepath.Glob("../workflows/testdata/" + name + ".json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d histories of %s: %v", len(files), name, err)
	}
	n := &namespace{t: t, histories: map[string]*history.History{}}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
		n.add(filepath.Base(file), h)
	}
	return n
}

func (n *namespace) add(id string, h *history.History) {
	n.ids = append(n.ids, id)
	n.histories[id] = h
}

const running = "TaskQueue = 'billing' AND ExecutionStatus = 'Running'"

func (n *namespace) CountWorkflow(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	if r.Query != running {
		n.t.Errorf("it counts %s", r.Query)
	}
	return &workflowservice.CountWorkflowExecutionsResponse{Count: int64(len(n.ids))}, nil
}

func (n *namespace) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	if r.Query != running {
		n.t.Errorf("it lists %s", r.Query)
	}
	page := &workflowservice.ListWorkflowExecutionsResponse{}
	from := 0
	if len(r.NextPageToken) > 0 {
		from = int(r.NextPageToken[0])
	}
	to := min(from+2, len(n.ids))
	for _, id := range n.ids[from:to] {
		page.Executions = append(page.Executions, &workflow.WorkflowExecutionInfo{Execution: &common.WorkflowExecution{WorkflowId: id, RunId: "run of " + id}})
	}
	if to < len(n.ids) {
		page.NextPageToken = []byte{byte(to)}
	}
	return page, nil
}

type events struct{ left []*history.HistoryEvent }

func (e *events) HasNext() bool { return e.left == nil || len(e.left) > 0 }

func (e *events) Next() (*history.HistoryEvent, error) {
	if e.left == nil {
		return nil, serviceerror.NewNotFound("removed")
	}
	first := e.left[0]
	e.left = e.left[1:]
	return first, nil
}

func (n *namespace) GetWorkflowHistory(_ context.Context, id, _ string, _ bool, _ enums.HistoryEventFilterType) client.HistoryEventIterator {
	if h := n.histories[id]; h != nil {
		return &events{h.Events}
	}
	return &events{}
}

func TestReplayNamesTheWorkflowsWhoseHistoryDoesNotFitAndLooksAtAllOthers(t *testing.T) {
	n := recorded(t, "transfer-*")
	n.add("removed", nil)
	n.add("not begun", &history.History{Events: n.histories["transfer-1.json"].Events[:2]})
	n.add("asleep", &history.History{Events: n.histories["transfer-1.json"].Events[:9]})
	other := recorded(t, "cancel-1").histories["cancel-1.json"]
	i := slices.IndexFunc(other.Events, func(e *history.HistoryEvent) bool { return e.GetActivityTaskScheduledEventAttributes() != nil })
	other.Events[i].GetActivityTaskScheduledEventAttributes().ActivityType.Name = "ReadRows" // as other code would have called Load
	n.add("of other code", other)

	pages := 0
	got, err := Replay(t.Context(), n, Selection{Status: "Running"}, func(Replayed) { pages++ })
	if err != nil {
		t.Fatal(err)
	}
	all := int64(len(n.ids))
	if got.Of != all || got.Done != all-1 || pages != int(all+1)/2 {
		t.Errorf("%d of %d on %d pages, want all but the removed one of %d", got.Done, got.Of, pages, all)
	}
	if m := got.Misfits; len(m) != 1 || m[0].Workflow != "of other code" || m[0].Run != "run of of other code" || m[0].Err == nil {
		t.Errorf("misfits: %+v", m)
	}
}

func TestASampleIsSpreadOverAllWorkflows(t *testing.T) {
	for _, c := range []struct {
		sample int
		all    int64
		want   []int64
	}{
		{0, 3, []int64{0, 1, 2}}, {5, 3, []int64{0, 1, 2}}, {2, 10, []int64{4, 9}}, {3, 10, []int64{3, 6, 9}},
	} {
		var got []int64
		for n := range c.all {
			if (Selection{Sample: c.sample}).takes(n, c.all) {
				got = append(got, n)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%d of %d: %v, want %v", c.sample, c.all, got, c.want)
		}
	}
}

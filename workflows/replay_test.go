package workflows_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// recordings are the files of the recorded histories, by their names.
func recordings(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d histories: %v", len(files), err)
	}
	named := map[string]string{}
	for _, file := range files {
		named[strings.TrimSuffix(filepath.Base(file), ".json")] = file
	}
	return named
}

// Histories of the real server, as `make histories` records them. A change of
// the workflow's code that a sleeping subscription could not follow fails here.
func TestRecordedHistoriesReplay(t *testing.T) {
	for name, file := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			workflows.Register(replayer)
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(nil, file); err != nil {
				t.Error(err)
			}
		})
	}
}

// A history shows only what has happened in it: what none has recorded can be
// changed so that running subscriptions freeze, and every history still replays.
func TestEverythingThatASubscriptionCanDoIsRecorded(t *testing.T) {
	var want names
	workflows.Register(&want)
	(&activities.Activities{}).Register(&want)
	want.add("update "+workflows.UpdateAdvance,
		"a command that found the rows changed", "a step that found the rows changed",
		"a command that ended a payment that waited", "a run that goes on as a new one", "a run that ended")
	for _, k := range billing.Commands {
		want.add("update "+k.Update, "command "+string(k.Action))
		if k.Signal != "" {
			want.add("signal " + k.Signal)
		}
	}
	for _, kind := range billing.Steps() {
		want.add("step " + string(kind))
	}
	var got names
	for name, file := range recordings(t) {
		text, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		h, err := client.HistoryFromJSON(text, client.HistoryJSONOptions{})
		if err != nil || text.Close() != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got.happened(h)
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("no recorded history has: %s", name)
		}
	}
}

// names are what a history can show, each in a few words.
type names []string

func (n *names) add(names ...string) { *n = append(*n, names...) }

func named(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return strings.TrimSuffix(name[strings.LastIndexByte(name, '.')+1:], "-fm")
}

func (n *names) RegisterWorkflow(f any) { n.add("workflow " + named(f)) }

func (n *names) RegisterActivity(f any) { n.add("activity " + named(f)) }

func (n *names) RegisterActivityWithOptions(_ any, options activity.RegisterOptions) {
	n.add("activity " + options.Name)
}

// happened adds what a history shows.
func (n *names) happened(h *history.History) {
	type scheduled struct {
		name string
		task activities.Task
	}
	began := map[int64]scheduled{}
	for _, e := range h.Events {
		switch {
		case e.GetWorkflowExecutionStartedEventAttributes() != nil:
			n.add("workflow " + e.GetWorkflowExecutionStartedEventAttributes().WorkflowType.Name)
		case e.GetWorkflowExecutionContinuedAsNewEventAttributes() != nil:
			n.add("a run that goes on as a new one")
		case e.GetWorkflowExecutionCompletedEventAttributes() != nil:
			n.add("a run that ended")
		case e.GetWorkflowExecutionSignaledEventAttributes() != nil:
			n.add("signal " + e.GetWorkflowExecutionSignaledEventAttributes().SignalName)
		case e.GetWorkflowExecutionUpdateAcceptedEventAttributes() != nil:
			n.add("update " + e.GetWorkflowExecutionUpdateAcceptedEventAttributes().AcceptedRequest.Input.Name)
		case e.GetActivityTaskScheduledEventAttributes() != nil:
			a := e.GetActivityTaskScheduledEventAttributes()
			s := scheduled{name: a.ActivityType.Name}
			read(a.Input, &s.task)
			began[e.EventId] = s
		case e.GetActivityTaskCompletedEventAttributes() != nil:
			a := e.GetActivityTaskCompletedEventAttributes()
			s := began[a.ScheduledEventId]
			n.add("activity " + s.name)
			var r activities.Result
			read(a.Result, &r)
			switch {
			case r.Again:
				n.add("a command that ended a payment that waited")
			case s.task.Command != nil:
				n.add("command " + string(s.task.Command.Action))
			case s.task.Step != nil:
				n.add("step " + string(s.task.Step.Kind))
			}
		case e.GetActivityTaskFailedEventAttributes().GetFailure().GetApplicationFailureInfo().GetType() == activities.ErrorStale:
			switch s := began[e.GetActivityTaskFailedEventAttributes().ScheduledEventId]; {
			case s.task.Command != nil:
				n.add("a command that found the rows changed")
			case s.task.Step != nil:
				n.add("a step that found the rows changed")
			}
		}
	}
}

// read reads the first payload, where it is an object of that kind.
func read(p *common.Payloads, into any) {
	if len(p.GetPayloads()) > 0 {
		_ = json.Unmarshal(p.Payloads[0].Data, into) // an id is none
	}
}

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"index/suffixarray"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/okviz/licensing/workflows"
)

// secrets are all names, addresses, tokens and keys that any test used.
var secrets = struct {
	sync.Mutex
	known map[string]bool
}{known: map[string]bool{}}

// secret says that neither a history nor a log may contain this.
func secret(s string) string {
	secrets.Lock()
	defer secrets.Unlock()
	if s != "" {
		secrets.known[s] = true
	}
	return s
}

// listed is how far Temporal's lists may lag.
const listed = 20 * time.Second

// This is the last test: its file is the last by name, and the tests of a
// package run in that order. It looks at whatever tests have run before it on the shared system.
// Tests with a system of their own run after it, side by side, and look at that themselves.
func TestHistoriesAndLogsSayNoNameAddressOrToken(t *testing.T) {
	if len(shared.subscriptions) == 0 { // run alone
		shared.buy(t, newCustomer().order(nil))
	}
	for _, sub := range shared.subscriptions {
		shared.audit(t, sub)
	}
	shared.wantNothingSaid(t)
}

// wantNothingSaid searches every history of every workflow, as it lies in the
// database and as it is shown, what Temporal tells of it, and the logs. On the
// way it replays every history with the present code.
func (s *shop) wantNothingSaid(t testing.TB) {
	t.Helper()
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflow(workflows.Subscription)
	var all []*workflow.WorkflowExecutionInfo
	eventually(t, listed, "all subscriptions are listed", func() bool {
		all = s.executions(t, "")
		return !slices.ContainsFunc(s.subscriptions, func(id string) bool {
			return !slices.ContainsFunc(all, func(e *workflow.WorkflowExecutionInfo) bool { return e.Execution.WorkflowId == id })
		})
	})
	var said bytes.Buffer
	events := 0
	for _, e := range all {
		h := s.history(t, e.Execution.WorkflowId, e.Execution.RunId)
		events += len(h.Events)
		for _, m := range []proto.Message{h, e} {
			wire, err := proto.Marshal(m) // payloads are in it as they are
			must(t, err)
			shown, err := protojson.Marshal(m)
			must(t, err)
			said.Write(wire)
			said.WriteByte('\n')
			said.Write(shown)
			said.WriteByte('\n')
		}
		// A run that has only just been continued has done nothing to replay.
		if e.Type.Name == "Subscription" && count(h, enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) > 0 {
			if err := replayer.ReplayWorkflowHistory(nil, h); err != nil {
				t.Errorf("replaying a run of %s: %v", e.Execution.WorkflowId, err)
			}
		}
	}
	for _, id := range s.subscriptions {
		said.WriteString(s.details(t, id))
	}
	log := s.log.bytes()
	for _, id := range s.subscriptions { // so that the search is known to find
		if !bytes.Contains(said.Bytes(), []byte(`"subscription":"`+id+`"`)) {
			t.Errorf("%s is in no history", id)
		}
		if !bytes.Contains(log, []byte(id)) {
			t.Errorf("%s is in no log", id)
		}
	}
	secrets.Lock()
	defer secrets.Unlock()
	for name, text := range map[string][]byte{"histories": said.Bytes(), "logs": log} {
		text = bytes.ToLower(text)
		index := suffixarray.New(text) // thousands of secrets are looked up in megabytes
		for known := range secrets.known {
			for _, spelled := range spellings(known) {
				for _, at := range index.Lookup(spelled, 1) {
					t.Errorf("%s contain %q: …%s…", name, known, text[max(0, at-80):min(len(text), at+len(spelled)+80)])
				}
			}
		}
	}
	fmt.Printf("%d runs with %d events replayed and searched, %d kB; %d kB of logs; for %d secrets\n",
		len(all), events, said.Len()>>10, len(log)>>10, len(secrets.known))
}

// spellings are how a secret could stand in a text, in small letters: as it
// is, and as JSON, and Go's %q, and an address write it.
func spellings(s string) [][]byte {
	quoted, _ := json.Marshal(s)
	all := []string{s, strings.Trim(string(quoted), `"`), strings.ReplaceAll(s, " ", "+"), strings.ReplaceAll(s, " ", "%20"), strings.ReplaceAll(s, "@", "%40")}
	slices.Sort(all)
	var small [][]byte
	for _, spelled := range slices.Compact(all) {
		small = append(small, bytes.ToLower([]byte(spelled)))
	}
	return small
}

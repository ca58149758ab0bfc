package workflows_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/sdk/worker"

	"github.com/okviz/licensing/workflows"
)

// Histories of the real server, as `make histories` records them. A change of
// the workflow's code that a sleeping subscription could not follow fails here.
func TestRecordedHistoriesReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, life := range []string{"trial", "trial-converted", "renewals", "upgrade", "cancel", "signals", "dunning", "transfer"} {
		if !slices.Contains(files, filepath.Join("testdata", life+"-1.json")) {
			t.Errorf("there is no history of %s", life)
		}
	}
	if !slices.Contains(files, filepath.Join("testdata", "renewals-3.json")) {
		t.Error("no renewals go on after continue-as-new")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflow(workflows.Subscription)
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(nil, file); err != nil {
				t.Error(err)
			}
		})
	}
}

package workflows_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// changed is Subscription as a later release might have it: each run notes in its
// memo how its mails are sent. It is the example of CONTRIBUTING.md.
func changed(ctx workflow.Context, in workflows.Start) error {
	if workflow.GetVersion(ctx, "mails-in-memo", workflow.DefaultVersion, 1) >= 1 {
		if err := workflow.UpsertMemo(ctx, map[string]any{"mails": "outbox"}); err != nil {
			return err
		}
	}
	return workflows.Subscription(ctx, in)
}

// unguarded is the same change without its guard.
func unguarded(ctx workflow.Context, in workflows.Start) error {
	if err := workflow.UpsertMemo(ctx, map[string]any{"mails": "outbox"}); err != nil {
		return err
	}
	return workflows.Subscription(ctx, in)
}

func TestAGuardedChangeIsTakenByNewRunsAndOldHistoriesReplay(t *testing.T) {
	for name, file := range recordings(t) {
		if strings.HasPrefix(name, "mails-") { // another workflow's
			continue
		}
		for as, release := range map[string]struct {
			workflow any
			replays  bool
		}{"guarded": {changed, true}, "unguarded": {unguarded, false}} {
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(release.workflow, workflow.RegisterOptions{Name: "Subscription"})
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(nil, file); (err == nil) != release.replays {
				t.Errorf("%s, %s: %v", name, as, err)
			}
		}
	}
	for version, want := range map[workflow.Version]int{workflow.DefaultVersion: 0, 1: 1} {
		env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
		env.RegisterWorkflow(changed)
		ended := &activities.Activities{}
		env.RegisterActivity(ended.Load)
		env.RegisterActivity(ended.Notify)
		env.OnActivity(ended.Load, mock.Anything, mock.Anything).Return(activities.Loaded{Subscription: billing.Subscription{Status: billing.Canceled}}, nil)
		env.OnActivity(ended.Notify, mock.Anything, mock.Anything).Return(nil)
		env.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil)
		noted := 0
		env.OnUpsertMemo(mock.Anything).Run(func(mock.Arguments) { noted++ }).Return(nil).Maybe()
		if version == workflow.DefaultVersion { // a run that began under the old release
			env.OnGetVersion("mails-in-memo", workflow.DefaultVersion, workflow.Version(1)).Return(version)
		}
		env.ExecuteWorkflow(changed, workflows.Start{ID: "sub_1"})
		if err := env.GetWorkflowError(); err != nil || noted != want {
			t.Errorf("version %d: noted %d times, want %d; %v", version, noted, want, err)
		}
	}
}

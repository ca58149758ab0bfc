package worker

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
)

func TestWorkerHasItsWorkflowsAndActivitiesWithoutTalkingToAnybody(t *testing.T) {
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	New(c, &activities.Activities{}, Limits{}, worker.WorkerDeploymentVersion{}, slog.New(slog.DiscardHandler)) // panics on what cannot be registered
}

func TestAWorkerIsVersionedOnlyWhereItsBuildIsNamedAndRunsFollowTheCurrentVersion(t *testing.T) {
	if got := deployment(worker.WorkerDeploymentVersion{}); got != (worker.DeploymentOptions{}) {
		t.Errorf("without a version: %+v", got)
	}
	version := worker.WorkerDeploymentVersion{DeploymentName: "okviz", BuildID: "1.4.0"}
	want := worker.DeploymentOptions{UseVersioning: true, Version: version, DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade}
	if got := deployment(version); got != want {
		t.Errorf("with a version: %+v", got)
	}
}

// outbox has one email, which nobody can deliver for some time.
type outbox struct {
	activities.Store
	mu    sync.Mutex
	asked []string
	told  chan struct{}
	fail  bool
}

func (o *outbox) ClaimNotices(_ context.Context, subscription billing.SubscriptionID, _ int) ([]billing.Envelope, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, string(subscription))
	o.told <- struct{}{}
	if o.fail {
		return nil, activitiestest.ErrFault
	}
	return nil, nil
}

func TestSweepAsksForEverybodysEmailsUntilItIsStopped(t *testing.T) {
	var logs bytes.Buffer
	o := &outbox{told: make(chan struct{}), fail: true}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Sweep(ctx, &activities.Activities{Store: o}, time.Millisecond, slog.New(slog.NewTextHandler(&logs, nil)))
	}()
	for range 2 { // it goes on after a failure
		select {
		case <-o.told:
		case <-done:
			t.Fatal("it stopped by itself")
		}
	}
	stop()
	for ended := false; !ended; {
		select {
		case <-o.told:
		case <-done:
			ended = true
		case <-time.After(10 * time.Second):
			t.Fatal("it was not stopped")
		}
	}
	for _, s := range o.asked {
		if s != "" {
			t.Errorf("it asked for the mails of %q alone", s)
		}
	}
	if !bytes.Contains(logs.Bytes(), []byte("mails wait")) {
		t.Errorf("the log says %q", logs.String())
	}
}

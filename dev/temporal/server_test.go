package temporal_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite"

	"github.com/okviz/licensing/dev/temporal"
)

const queue = "test"

var status = sdk.NewSearchAttributeKeyKeyword("SubscriptionStatus")

func projectAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		"SubscriptionStatus": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"Plan":               enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"Product":            enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	}
}

// Account adds up what updates bring until it is closed.
func Account(ctx workflow.Context) (int, error) {
	sum, closed := 0, false
	if err := workflow.UpsertTypedSearchAttributes(ctx, status.ValueSet("active")); err != nil {
		return 0, err
	}
	err := workflow.SetUpdateHandler(ctx, "add", func(ctx workflow.Context, n int) (int, error) {
		sum += n
		return sum, nil
	})
	if err != nil {
		return 0, err
	}
	err = workflow.SetUpdateHandler(ctx, "suggested", func(ctx workflow.Context) (bool, error) {
		return workflow.GetInfo(ctx).GetContinueAsNewSuggested(), nil
	})
	if err != nil {
		return 0, err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		workflow.GetSignalChannel(ctx, "close").Receive(ctx, nil)
		closed = true
	})
	err = workflow.Await(ctx, func() bool { return closed && workflow.AllHandlersFinished(ctx) })
	return sum, err
}

// Nap sleeps on a timer of the server's.
func Nap(ctx workflow.Context, d time.Duration) (string, error) {
	return "woken", workflow.Sleep(ctx, d)
}

func start(t *testing.T, opts temporal.Options) *temporal.Server {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	server, err := temporal.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

func connect(server *temporal.Server) (client.Client, worker.Worker, error) {
	c, err := client.Dial(client.Options{
		HostPort: server.Address(),
		Logger:   sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return nil, nil, err
	}
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(Account)
	w.RegisterWorkflow(Nap)
	return c, w, w.Start()
}

func connected(t *testing.T, server *temporal.Server) client.Client {
	t.Helper()
	c, w, err := connect(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(); c.Close() })
	return c
}

func add(ctx context.Context, c client.Client, id string, n int) (sum int, err error) {
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
			ID: id, TaskQueue: queue,
			WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		}, Account),
		UpdateOptions: client.UpdateWorkflowOptions{
			WorkflowID: id, UpdateName: "add", Args: []any{n}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return 0, err
	}
	return sum, handle.Get(ctx, &sum)
}

func TestAServerInMemoryRunsWorkflowsAtOnce(t *testing.T) {
	server := start(t, temporal.Options{SearchAttributes: projectAttributes()})
	c := connected(t, server)
	ctx := t.Context()

	for i, want := range []int{5, 7} {
		if sum, err := add(ctx, c, "sub_1", []int{5, 2}[i]); err != nil || sum != want {
			t.Errorf("update with start number %d: got %d, %v; want %d", i+1, sum, err, want)
		}
	}
	run, err := c.DescribeWorkflow(ctx, "sub_1", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := run.TypedSearchAttributes.GetKeyword(status); !ok || got != "active" {
		t.Errorf("SubscriptionStatus is %q, want active", got)
	}
	eventually(t, "the workflow is found by its search attribute", func() (bool, error) {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: "SubscriptionStatus = 'active'"})
		return err == nil && len(list.Executions) == 1, err
	})
	if err := c.SignalWorkflow(ctx, "sub_1", "", "close", nil); err != nil {
		t.Fatal(err)
	}
	var sum int
	if err := c.GetWorkflow(ctx, "sub_1", "").Get(ctx, &sum); err != nil || sum != 7 {
		t.Errorf("the workflow returned %d, %v; want 7", sum, err)
	}
}

func TestTheServerSuggestsContinueAsNewFromTheConfiguredNumberOfEvents(t *testing.T) {
	server := start(t, temporal.Options{SearchAttributes: projectAttributes(), SuggestContinueAsNew: 20})
	c := connected(t, server)

	suggested := func() (is bool) {
		t.Helper()
		handle, err := c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: "sub_1", UpdateName: "suggested", WaitForStage: client.WorkflowUpdateStageCompleted})
		if err != nil {
			t.Fatal(err)
		}
		if err := handle.Get(t.Context(), &is); err != nil {
			t.Fatal(err)
		}
		return is
	}
	if _, err := add(t.Context(), c, "sub_1", 1); err != nil {
		t.Fatal(err)
	}
	if suggested() {
		t.Error("suggested in a history of about ten events")
	}
	for range 4 { // five events each
		if _, err := add(t.Context(), c, "sub_1", 1); err != nil {
			t.Fatal(err)
		}
	}
	if !suggested() {
		t.Error("not suggested in a history of more than twenty events")
	}
}

func TestTheUIServesItsPageAndReachesTheServer(t *testing.T) {
	server := start(t, temporal.Options{UI: "127.0.0.1:0", Namespace: "okviz"})
	for _, path := range []string{"/", "/namespaces/okviz/workflows", "/api/v1/namespaces/okviz"} {
		resp, err := http.Get("http://" + server.UIAddress() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("GET %s: %s, %d bytes, %v", path, resp.Status, len(body), err)
		}
	}
}

func TestTwoServersRunSideBySideAndShareNothing(t *testing.T) {
	var servers [2]*temporal.Server
	var errs [2]error
	var started sync.WaitGroup
	for i := range servers {
		started.Go(func() {
			servers[i], errs[i] = temporal.Start(t.Context(), temporal.Options{
				SearchAttributes: projectAttributes(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
		})
	}
	started.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	for i, server := range servers {
		t.Cleanup(server.Stop)
		if sum, err := add(t.Context(), connected(t, server), "sub_1", i+1); err != nil || sum != i+1 {
			t.Errorf("server %d: got %d, %v; want %d", i, sum, err, i+1)
		}
	}
}

func TestAWorkflowGoesOnWhenItsDataFileIsOpenedAgain(t *testing.T) {
	opts := temporal.Options{
		DataFile:         filepath.Join(t.TempDir(), "100% #1?", "temporal.db"),
		SearchAttributes: map[string]enumspb.IndexedValueType{"SubscriptionStatus": enumspb.INDEXED_VALUE_TYPE_KEYWORD},
		Logger:           slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	server := start(t, opts)
	if _, err := temporal.Start(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "in use by this process") {
		t.Errorf("a second server on the same file: %v, want a refusal", err)
	}
	c, w, err := connect(server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := add(t.Context(), c, "sub_1", 5); err != nil {
		t.Fatal(err)
	}
	w.Stop()
	c.Close()
	server.Stop()

	// The new version of the program knows more search attributes.
	opts.SearchAttributes = projectAttributes()
	server = start(t, opts)
	if sum, err := add(t.Context(), connected(t, server), "sub_1", 2); err != nil || sum != 7 {
		t.Errorf("after the restart: got %d, %v; want 7", sum, err)
	}
	wrong := opts
	wrong.DataFile = filepath.Join(t.TempDir(), "temporal.db")
	start(t, wrong).Stop()
	wrong.SearchAttributes = map[string]enumspb.IndexedValueType{"Plan": enumspb.INDEXED_VALUE_TYPE_INT}
	if _, err := temporal.Start(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "Plan is of type Keyword") {
		t.Errorf("an attribute of another type: %v, want a refusal", err)
	}
}

func TestAddressesThatCannotBeServedAreRefused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := map[string]struct{ address, want string }{
		"all interfaces":       {"0.0.0.0:0", "not an IPv4 loopback address"},
		"a public address":     {"192.0.2.1:7233", "not an IPv4 loopback address"},
		"a name":               {"example.com:7233", "unexpected character"},
		"a port that is taken": {taken.Addr().String(), "address already in use"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := temporal.Start(t.Context(), temporal.Options{Frontend: test.address}); err == nil ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("frontend on %s: %v, want %s", test.address, err, test.want)
			}
		})
	}
}

func TestASetupThatFailedLeavesNoHalfMadeSchema(t *testing.T) {
	opts := temporal.Options{DataFile: filepath.Join(t.TempDir(), "temporal.db")}
	db, err := sql.Open("sqlite", opts.DataFile)
	if err != nil {
		t.Fatal(err)
	}
	// Not the first table of the schema, so that others are made before it.
	if _, err := db.Exec("CREATE TABLE shards (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time would succeed on half a schema
		if _, err := temporal.Start(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "table shards already exists") {
			t.Errorf("starting on a file with a foreign table: %v, want a refusal", err)
		}
	}
}

func TestTheServerAndTheProjectsDatabaseLiveInOneProcess(t *testing.T) {
	start(t, temporal.Options{DataFile: filepath.Join(t.TempDir(), "temporal.db")})
	db, err := gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: filepath.Join(t.TempDir(), "okviz.db")}, &gorm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ ID int }
	if err := db.AutoMigrate(&row{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Create(&row{ID: 1}).Error; err != nil {
		t.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	pool.Close()
}

// childFile names the data file for the process that the test below kills.
const childFile = "OKVIZ_TEST_TEMPORAL_FILE"

func TestMain(m *testing.M) {
	if file := os.Getenv(childFile); file != "" {
		if err := nap(file); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		select {} // until it is killed
	}
	os.Exit(m.Run())
}

// nap starts a server on the file and a sleeping workflow, and says so.
func nap(file string) error {
	server, err := temporal.Start(context.Background(), temporal.Options{DataFile: file})
	if err != nil {
		return err
	}
	c, _, err := connect(server)
	if err != nil {
		return err
	}
	ctx := context.Background()
	_, err = c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "sub_1", TaskQueue: queue}, Nap, 3*time.Second)
	if err != nil {
		return err
	}
	for events := c.GetWorkflowHistory(ctx, "sub_1", "", true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		if err != nil {
			return err
		}
		if event.EventType == enumspb.EVENT_TYPE_TIMER_STARTED {
			fmt.Println("sleeping")
			return nil
		}
	}
	return errors.New("the workflow ended without a timer")
}

func TestATimerFiresAlthoughTheServerWasKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.db")
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childFile+"="+file)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "sleeping\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if _, err := temporal.Start(t.Context(), temporal.Options{DataFile: file}); err == nil ||
		!strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second process on the same file: %v, want a refusal", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed, so this is an error

	c := connected(t, start(t, temporal.Options{DataFile: file}))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got string
	if err := c.GetWorkflow(ctx, "sub_1", "").Get(ctx, &got); err != nil || got != "woken" {
		t.Errorf("after the kill: %q, %v; want woken", got, err)
	}
	events := c.GetWorkflowHistory(ctx, "sub_1", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var types []enumspb.EventType
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, event.EventType)
	}
	if !slices.Contains(types, enumspb.EVENT_TYPE_TIMER_FIRED) {
		t.Errorf("no timer fired in %v", types)
	}
}

func eventually(t *testing.T, what string, is func() (bool, error)) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ok, err := is()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within ten seconds: %s (%v)", what, err)
		}
	}
}

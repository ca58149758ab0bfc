package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/dev/keys"
	"github.com/okviz/licensing/dev/system"
	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/engine"
	"github.com/okviz/licensing/models/mysqltest"
)

// task is what a process of the benchmark does, as it is told in the environment.
type task struct {
	Serve      string // system, temporal, api, bare, workflows
	Data       string // folder of a system's data
	Database   string
	RateLimits string // of an api: on, or empty
	Temporal   string // where it is, for api and workflows
	Answer     string // what bare answers
	File       string // what bare serves
}

// served says where a process listens.
type served struct{ HTTP, Temporal, Operator string }

const taskVariable = "OKVIZ_BENCH_TASK"

func TestMain(m *testing.M) {
	text := os.Getenv(taskVariable)
	if text == "" {
		os.Exit(mysqltest.Main(m))
	}
	var t task
	err := json.Unmarshal([]byte(text), &t)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = t.run(ctx)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, t.Serve+":", err)
		os.Exit(1)
	}
}

func (t task) run(ctx context.Context) error {
	switch t.Serve {
	case "system":
		return t.system(ctx)
	case "temporal":
		return t.temporal(ctx)
	case "api":
		return t.api(ctx)
	case "workflows":
		return t.workflows(ctx)
	}
	return t.bare(ctx)
}

// ready tells the benchmark that it can begin.
func ready(s served) { json.NewEncoder(os.Stdout).Encode(s) } //nolint:errcheck // nobody would read that either

var quiet = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))

// system is the whole product with Temporal.
func (t task) system(ctx context.Context) error {
	s, err := system.Start(ctx, system.Options{
		Data: t.Data, HTTP: "127.0.0.1:0", Mailbox: "127.0.0.1:0", Temporal: "127.0.0.1:0", DatabaseURL: t.Database, Log: quiet,
	})
	if err != nil {
		return err
	}
	ready(served{s.HTTP, s.Temporal, s.OperatorKey})
	<-ctx.Done()
	return s.Stop()
}

// temporal is Temporal alone.
func (t task) temporal(ctx context.Context) error {
	s, err := temporal.Start(ctx, temporal.Options{Namespace: client.DefaultNamespace, SearchAttributes: engine.SearchAttributes, Logger: quiet})
	if err != nil {
		return err
	}
	ready(served{Temporal: s.Address()})
	<-ctx.Done()
	s.Stop()
	return nil
}

const operatorKey = "okv_0123456789012345678901234567890123456789"

// api is the product's role api alone, over a database that is there.
func (t task) api(ctx context.Context) error {
	engine.UseMemory()
	e, err := engine.OpenAt(t.config(), client.Options{HostPort: t.Temporal, Logger: log.NewStructuredLogger(quiet)}, quiet)
	if err != nil {
		return err
	}
	if err := e.PutOperatorKey(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		if e.Await(ctx) == nil { // then its loops begin
			ready(served{HTTP: l.Addr().String(), Operator: operatorKey})
		}
	}()
	return e.Serve(ctx, l)
}

func (t task) config() engine.Config {
	return engine.Config{
		Env: "development", DatabaseURL: t.Database, PublicURL: "http://127.0.0.1:8080",
		Secret: billing.Secret{"development-secret-that-everybody-knows"}, SigningKeys: []string{string(keys.Signing), string(keys.Next)},
		SMTPURL: "smtp://127.0.0.1:1?starttls=never", MailFrom: "OKVIZ <licences@okviz.example>", Brand: "OKVIZ",
		TrustedProxies: []string{"127.0.0.1"}, SellerCountry: "IT", Gateway: "sandbox", OperatorKey: operatorKey, RateLimits: t.RateLimits,
	}
}

// bare is Gin alone: it takes a body and answers always the same, or with a file.
func (t task) bare(ctx context.Context) error {
	gin.SetMode(gin.ReleaseMode)
	r, answer := gin.New(), []byte(t.Answer)
	r.POST("/", func(g *gin.Context) {
		if _, err := io.ReadAll(g.Request.Body); err != nil {
			g.Status(http.StatusBadRequest)
			return
		}
		g.Data(http.StatusOK, "application/json; charset=utf-8", answer)
	})
	r.GET("/", func(g *gin.Context) { g.File(t.File) })
	return listen(ctx, r)
}

func listen(ctx context.Context, h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	ready(served{HTTP: l.Addr().String()})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// workflows is Temporal alone: POST starts a workflow whose update runs one activity, or
// with ?steps= so many, and is answered when they are done. With ?at= it runs one activity
// by itself at that instant, in seconds, and POST does not wait for it; GET says how many
// milliseconds after it each was.
func (t task) workflows(ctx context.Context) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: t.Temporal, Logger: log.NewStructuredLogger(quiet)})
	if err != nil {
		return err
	}
	defer c.Close()
	var late lateness
	w := worker.New(c, "bench", worker.Options{})
	w.RegisterWorkflowWithOptions(life, workflow.RegisterOptions{Name: "life"})
	w.RegisterActivity(late.step)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.GET("/", func(g *gin.Context) { g.JSON(http.StatusOK, late.all()) })
	r.POST("/", func(g *gin.Context) {
		id, at, steps := g.Query("id"), number(g.Query("at")), max(1, number(g.Query("steps")))
		options := client.StartWorkflowOptions{ID: id, TaskQueue: "bench", WorkflowIDConflictPolicy: useExisting}
		if at > 0 {
			if _, err := c.ExecuteWorkflow(g, options, "life", at); err != nil {
				g.String(http.StatusInternalServerError, err.Error())
			}
			return
		}
		update, err := c.UpdateWithStartWorkflow(g, client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: c.NewWithStartWorkflowOperation(options, "life", 0),
			UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: "do", Args: []any{steps}, WaitForStage: client.WorkflowUpdateStageCompleted},
		})
		if err == nil {
			err = update.Get(g, nil)
		}
		if err != nil {
			g.String(http.StatusInternalServerError, err.Error())
		}
	})
	return listen(ctx, r)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// process is one that was started here.
type process struct {
	served
	pid int
}

// start has a process do a task until the benchmark ends.
func start(b *testing.B, t task) *process {
	b.Helper()
	self, err := os.Executable()
	must(b, err)
	text, err := json.Marshal(t)
	must(b, err)
	cmd := exec.Command(self)
	cmd.Env, cmd.Stderr = append(os.Environ(), taskVariable+"="+string(text), "GOMEMLIMIT=800MiB"), os.Stderr
	out, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	p := &process{pid: cmd.Process.Pid}
	b.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
		kill := time.AfterFunc(40*time.Second, func() { cmd.Process.Kill() })
		defer kill.Stop()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("%s did not start: %v", t.Serve, err)
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // until it ends
	must(b, json.Unmarshal([]byte(line), &p.served))
	return p
}

// pin has a process run on one processor, where there is a tool for it, and this one on
// the others.
func pin(b *testing.B, servers ...*process) {
	pinned := func(cpus string, pid int) {
		if out, err := exec.Command("taskset", "-acp", cpus, strconv.Itoa(pid)).CombinedOutput(); err != nil {
			b.Logf("not pinned: %v %s", err, out)
		}
	}
	for _, p := range servers {
		pinned("0", p.pid)
	}
	pinned("1-63", os.Getpid())
	b.Cleanup(func() { pinned("0-63", os.Getpid()) })
}

// processor is how long processes have used a processor so far; 0 where /proc does not tell.
func processor(of ...*process) (used time.Duration) {
	for _, p := range of {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
		if err != nil {
			return 0
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(after) // from the third field on; utime is the 14th, stime the 15th
		used += time.Duration(number(fields[11])+number(fields[12])) * (time.Second / 100)
	}
	return used
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

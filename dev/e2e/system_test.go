package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/dev/system"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/models/mysqltest"
)

// database is where the shared system keeps its rows: an empty database of a
// server that speaks MySQL's protocol, or SQLite.
var database = flag.String("database", "", "DATABASE_URL of the system that most tests share; empty: SQLite")

// shared is the system that most tests use, and scratch a folder that goes
// when they have run.
var (
	shared  *shop
	scratch string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	var err error
	if scratch, err = os.MkdirTemp("", "okviz-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	start := time.Now()
	if shared, err = open(filepath.Join(scratch, "shared"), *database, newOperator(), 0); err != nil {
		fmt.Fprintln(os.Stderr, "the system did not start:", err)
		return 1
	}
	fmt.Printf("the system started in %v\n", time.Since(start).Round(time.Millisecond))
	code := mysqltest.Main(m)
	if err := shared.balanced(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "the system did not stop:", err)
		return 1
	}
	return code
}

// shop is a running system, by its doors.
type shop struct {
	http, mailbox string // host:port
	operator      string // API key
	temporal      client.Client
	log           *logbook
	system        *system.System // nil where it runs in another process
	store         *models.Store  // its database
	mortal        bool           // its workers are killed: what is sent with a key is asked for until its outcome is known

	mu            sync.Mutex
	subscriptions []string // bought here
}

// newOperator is an operator's API key.
func newOperator() string { return secret("okv_Quittenmus_" + rand.Text()) }

// open starts a system in this process. suggest is the length of a history at
// which Temporal suggests a new one; 0: its default.
func open(data, database, operator string, suggest int, change ...func(*system.Options)) (*shop, error) {
	log := &logbook{}
	o := system.Options{
		Data: data, HTTP: "127.0.0.1:0", Mailbox: "127.0.0.1:0", Temporal: "127.0.0.1:0", Metrics: "127.0.0.1:0",
		DatabaseURL: database, OperatorKey: operator, SuggestContinueAsNew: suggest,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&o)
	}
	s, err := system.Start(context.Background(), o)
	if err != nil {
		return nil, err
	}
	return &shop{http: s.HTTP, mailbox: s.Mailbox, operator: operator, temporal: s.Engine.Temporal, log: log, system: s, store: s.Engine.Store}, nil
}

func (s *shop) stop() error {
	select {
	case err := <-s.system.Failed():
		return fmt.Errorf("a part had ended by itself: %w", err)
	default:
		return s.system.Stop()
	}
}

// start starts a system for one test, which is searched for secrets at its end.
func start(t *testing.T, suggest int) *shop { return startOn(t, t.TempDir(), newOperator(), suggest) }

func startOn(t *testing.T, data, operator string, suggest int) *shop {
	t.Helper()
	s, err := open(data, "", operator, suggest)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(t) })
	return s
}

// close searches the system and stops it; once.
func (s *shop) close(t *testing.T) {
	t.Helper()
	if s.system == nil {
		return
	}
	s.wantNothingSaid(t)
	if err := s.balanced(); err != nil {
		t.Error(err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	s.system = nil
}

// logbook keeps a log.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// eventually waits until something is so.
func eventually(t testing.TB, within time.Duration, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not so: %s", within, what)
		}
		<-tick.C
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nextRelease is what the next release changes in this one: what a workflow
// does, guarded, and what is stored of a subscription.
var nextRelease = []struct{ file, before, after string }{
	{"workflows/subscription.go", "\ts, err := setup(ctx, in)\n", `
	if workflow.GetVersion(ctx, "mails-in-memo", workflow.DefaultVersion, 1) >= 1 {
		if err := workflow.UpsertMemo(ctx, map[string]any{"mails": "outbox"}); err != nil {
			return err
		}
	}
	s, err := setup(ctx, in)
`},
	{"billing/subscription.go", "type Subscription struct {\n", "type Subscription struct {\n\tChannel string `json:\"channel,omitempty\"`\n"},
	{"models/post.go", "\trow.Revision, row.Status, row.State,", "\tstate.Channel = \"direct\"\n\trow.Revision, row.Status, row.State,"},
}

// buildNext builds the next release.
func buildNext(t *testing.T, into string) {
	t.Helper()
	dir, replaced := t.TempDir(), map[string]string{}
	for _, change := range nextRelease {
		file, err := filepath.Abs(filepath.Join("../..", change.file))
		must(t, err)
		text, err := os.ReadFile(file)
		must(t, err)
		if strings.Count(string(text), change.before) != 1 {
			t.Fatalf("%s has changed: %q is not there once", change.file, change.before)
		}
		replaced[file] = filepath.Join(dir, strings.ReplaceAll(change.file, "/", "-"))
		must(t, os.WriteFile(replaced[file], []byte(strings.Replace(string(text), change.before, change.after, 1)), 0o600))
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	must(t, err)
	overlay := filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(overlay, list, 0o600))
	build := exec.Command("go", "build", "-overlay", overlay, "-o", into, "./cmd/okviz")
	build.Dir = "../.."
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the next release: %v\n%s", err, text)
	}
}

// balancer gives each request to the next of its servers.
type balancer struct {
	mu      sync.Mutex
	servers []*server
	turn    int
}

type server struct {
	*httputil.ReverseProxy
	busy sync.WaitGroup
}

func newServer(host string) *server {
	s := &server{ReverseProxy: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})}
	s.ErrorLog = log.New(io.Discard, "", 0) // customers ask again
	return s
}

func (b *balancer) over(servers ...*server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.servers = servers
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.turn++
	s := b.servers[b.turn%len(b.servers)]
	s.busy.Add(1)
	b.mu.Unlock()
	defer s.busy.Done()
	s.ServeHTTP(w, r)
}

// role starts api or worker of a release. What it returns tells it to stop, and
// it must then end cleanly.
func (p *processes) role(t *testing.T, program, role string, env ...string) (stop func()) {
	t.Helper()
	cmd := p.command(program, role)
	cmd.Env = append(append(cmd.Env[:len(cmd.Env):len(cmd.Env)], "OKVIZ_WORKER_METRICS=off"), env...)
	must(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s %s: %v", program, role, err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// A release is rolled out as docs/operators.md says: api and worker of both run
// side by side over the same database and Temporal, while customers buy, change,
// renew, are given money back and leave, each time through either. Each life must
// come to what it comes to under one release.
func TestWhileTwoReleasesRunSideBySideNothingFreezesAndNothingIsChargedTwice(t *testing.T) {
	p := startProcesses(t, "")
	buildNext(t, filepath.Join(p.dir, "next.exe"))
	p.stopAPI(t)
	stopOldAPI, stopOldWorker := p.role(t, "okviz.exe", "api"), p.role(t, "okviz.exe", "worker")
	doors := &balancer{}
	old := newServer(p.http)
	doors.over(old)
	street := httptest.NewServer(doors)
	t.Cleanup(street.Close)
	p.shop.http = street.Listener.Addr().String()
	// Told by the database: a field that the next release has written is never lost.
	for _, statement := range []string{
		"CREATE TABLE lost (id VARCHAR(40))",
		`CREATE TRIGGER lost AFTER UPDATE ON subscriptions FOR EACH ROW INSERT INTO lost SELECT NEW.id FROM DUAL
			WHERE JSON_EXTRACT(OLD.state, '$.channel') IS NOT NULL AND JSON_EXTRACT(NEW.state, '$.channel') IS NULL`,
	} {
		_, err := p.db.Exec(statement)
		must(t, err)
	}

	kinds := []errand{{"tok_visa", manage}, {"tok_later_declined", recoverCard}}
	var peaceful []*visit
	for _, e := range kinds {
		peaceful = append(peaceful, p.lead(t, e))
	}
	stay := errand{"tok_visa", func(*visit) {}}
	asleep := p.lead(t, stay)
	p.settle(t)
	mails, _ := p.mails(t)
	want := map[string]string{}
	for i, v := range peaceful {
		want[kinds[i].card] = v.tale(mails)
	}

	var customers sync.WaitGroup
	var mu sync.Mutex
	var visits []*visit
	cards := map[string]string{}
	come := func(n int) {
		for i := range n {
			customers.Go(func() {
				e := kinds[i%len(kinds)]
				v := p.lead(t, e)
				mu.Lock()
				defer mu.Unlock()
				visits, cards[v.id] = append(visits, v), e.card
			})
		}
	}
	rows := func(query string) (n int) {
		must(t, p.db.QueryRow("SELECT COUNT(*) FROM "+query).Scan(&n))
		return n
	}
	const half = 4
	come(half)
	before := 1 + len(kinds)
	eventually(t, patience, "customers of the old release have bought", func() bool { return rows("subscriptions WHERE status <> 'incomplete'") == before+half })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	door := free.Addr().String()
	must(t, free.Close())
	p.role(t, "next.exe", "api", "OKVIZ_HTTP="+door)
	p.role(t, "next.exe", "worker")
	next := &shop{http: door}
	eventually(t, time.Minute, "the next release is ready", func() bool {
		a, err := next.try(http.MethodGet, "/readyz", nil, nil)
		return err == nil && a.status == http.StatusOK
	})
	latest := newServer(door)
	doors.over(old, latest)
	come(half)
	mixed := p.lead(t, stay)
	eventually(t, patience, "half of the lives are over", func() bool { return rows("subscriptions WHERE next_at IS NULL") >= len(kinds)+half })
	both := rows("subscriptions WHERE JSON_EXTRACT(state, '$.channel') IS NOT NULL")
	doors.over(latest)
	stopOldWorker()
	old.busy.Wait() // as a balancer drains what it takes out
	stopOldAPI()
	customers.Wait()
	if t.Failed() {
		return
	}
	p.settle(t)

	said := string(p.log.bytes())
	refused, unfit := strings.Count(said, "newer_release"), strings.Count(said, "TMPRL1100")
	fmt.Printf("%d subscriptions were written by the next release while both ran, and the old one left them alone %d times and could not continue their workflows %d times\n", both, refused, unfit)
	if both == 0 || refused == 0 {
		t.Error("the two releases did not meet")
	}
	if lost := p.column(t, "SELECT DISTINCT id FROM lost"); len(lost) > 0 {
		t.Errorf("the old release has lost what the next one had written of %q", lost)
	}
	mails, _ = p.mails(t)
	for _, v := range visits {
		v.t = t
		if diff := cmp.Diff(strings.Split(want[cards[v.id]], "\n"), strings.Split(v.tale(mails), "\n")); diff != "" {
			t.Errorf("%s, a life with %s, differs from one under the old release alone:\n%s", v.id, cards[v.id], diff)
		}
		p.audit(t, v.id)
	}
	if len(visits) != 2*half {
		t.Errorf("%d lives", len(visits))
	}
	for _, v := range []*visit{asleep, mixed} {
		v.to("2026-06-15T00:00:00Z")
		v.do("cancel", object{})
		p.wantCharges(t, v.id, charged("2026-04-01T00:00:00Z", 990), charged("2026-05-01T00:00:00Z", 990), charged("2026-06-01T00:00:00Z", 990))
	}
	p.wantNoDifference(t)
}

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/okviz/licensing/backoffice"
)

var lostWorkflows = flag.Int("lost", 220, "how many workflows the tests of recover start, at most 100000")

// The rows of many subscriptions whose workflows are gone, as after the loss of
// Temporal's database. It is broken off after the first page, and goes on.
func TestRecoverGoesOnWhereItWasBrokenOffAndStartsEveryWorkflow(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startOn(t, data, newOperator(), 0)
	first := s.buy(t, newCustomer().order(nil)).Subscription.ID
	db, err := sql.Open("sqlite", filepath.Join(data, "okviz.db")+"?_pragma=busy_timeout(10000)")
	must(t, err)
	defer db.Close()
	const many = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= ?) "
	for _, statement := range []string{
		many + `INSERT INTO orders (subscription, license, detail, created_at) SELECT 'sub_' || i, 'lic_' || i, detail, created_at FROM n, orders WHERE subscription = ?`,
		many + `INSERT INTO subscriptions SELECT 'sub_' || i, i, revision, status, product, billing_account, licensee_account, method, next_at, test_clock,
			JSON_SET(state, '$.id', 'sub_' || i, '$.number', i), created_at, updated_at FROM n, subscriptions WHERE id = ?`,
	} {
		_, err := db.Exec(statement, *lostWorkflows, first)
		must(t, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	broken, err := s.system.Engine.Office.Recover(ctx, 0, false, func(backoffice.Recovery) { stop() })
	if err == nil || broken.Live == 0 || broken.Live > *lostWorkflows || broken.Last != int64(broken.Live) {
		t.Fatalf("broken off: %+v, %v", broken, err)
	}
	start, pages := time.Now(), 0
	rest, err := s.system.Engine.Office.Recover(context.Background(), broken.Last, false, func(backoffice.Recovery) { pages++ })
	must(t, err)
	fmt.Printf("%d workflows were started in %v\n", rest.Live, time.Since(start).Round(time.Millisecond))
	if rest.Live+broken.Live != *lostWorkflows+1 || len(rest.Failed) != 0 || pages == 0 {
		t.Errorf("%+v after %+v, in %d pages", rest, broken, pages)
	}
	for _, i := range []int{2, broken.Live, broken.Live + 1, *lostWorkflows + 1} {
		if id := fmt.Sprint("sub_", i); !s.running(t, id) {
			t.Errorf("%s does not run", id)
		}
	}
}

// abreast does something with each number below n, 32 at a time, and says how
// many it did in a second.
func abreast(n int, f func(i int) error) (float64, error) {
	var work errgroup.Group
	work.SetLimit(32)
	start := time.Now()
	for i := range n {
		work.Go(func() error { return f(i) })
	}
	err := work.Wait()
	return float64(n) / time.Since(start).Seconds(), err
}

// peak is the most that a process that runs has held so far, in MB; 0 where the
// system does not tell.
func peak(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kB, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return kB / 1024
}

// As an operator does it after Temporal's database was lost: the command beside
// bare starts of the same run, then a comparison by the API.
func TestRecoverIsAsFastAsBareStartsAndNeitherItNorReconcileHoldsMuch(t *testing.T) {
	p := startProcesses(t, "")
	worker := p.spawn(t)
	worker.begin(t)
	first := p.buy(t, newCustomer().order(nil)).Subscription.ID
	p.settle(t)
	worker.die(t, 0)
	// A row of digits for each place makes many numbers, whatever the server.
	const digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
	many := "(SELECT 2 + a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d i FROM " + strings.Join([]string{digits + " a", digits + " b", digits + " c", digits + " e", digits + " f"}, ", ") + ") n"
	for _, statement := range []string{
		`INSERT INTO orders (subscription, license, detail, created_at) SELECT CONCAT('sub_', i), CONCAT('lic_', i), detail, created_at FROM ` + many + `, orders WHERE i <= ? + 1 AND subscription = ?`,
		`INSERT INTO subscriptions (id, number, revision, status, product, billing_account, licensee_account, method, next_at, test_clock, state, created_at, updated_at)
			SELECT CONCAT('sub_', i), i, revision, status, product, billing_account, licensee_account, method, next_at, test_clock,
			JSON_SET(state, '$.id', CONCAT('sub_', i), '$.number', i), created_at, updated_at FROM ` + many + `, subscriptions WHERE i <= ? + 1 AND id = ?`,
	} {
		_, err := p.db.Exec(statement, *lostWorkflows, first)
		must(t, err)
	}
	live := *lostWorkflows + 1
	statements := func() (n int) {
		must(t, p.db.QueryRow("SHOW GLOBAL STATUS LIKE 'Com_select'").Scan(new(string), &n))
		return n
	}
	bare := func(name string) float64 {
		rate, err := abreast(max(500, live/10), func(i int) error {
			_, err := p.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: fmt.Sprint(name, i), TaskQueue: "nobody"}, "Bare")
			return err
		})
		must(t, err)
		return rate
	}

	p.stopAPI(t) // it reads by itself
	before, asked, start := bare("before"), statements(), time.Now()
	recover := p.command("okviz.exe", "recover")
	recover.Stderr = nil
	progress, err := recover.StderrPipe()
	must(t, err)
	var said bytes.Buffer
	recover.Stdout = &said
	must(t, recover.Start())
	held := 0 // by it, in MB
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		held = max(held, peak(recover.Process.Pid))
	}
	must(t, recover.Wait())
	rate := float64(live) / time.Since(start).Seconds()
	asked = statements() - asked
	after := bare("after")
	fmt.Printf("recover: %d live, %.0f starts/s, %.2f of bare ones (%.0f/s before, %.0f/s after), %d MB, %d SELECTs\n", live, rate, 2*rate/(before+after), before, after, held, asked)
	if want := fmt.Sprintf("%d live subscriptions have a workflow\n", live); said.String() != want {
		t.Errorf("recover says %s, want %s", said.String(), want)
	}
	if held == 0 || held > 150 {
		t.Errorf("recover has held %d MB", held)
	}
	if asked > live/200+20 {
		t.Errorf("recover has read %d times", asked)
	}

	p.serve(t)
	asked, start = statements(), time.Now()
	var r struct {
		Live            int
		WithoutWorkflow []string `json:"without_workflow"`
		WithoutRows     []string `json:"without_rows"`
	}
	p.get(t, "/v1/operator/reconcile", &r)
	took := time.Since(start)
	asked = statements() - asked
	held = peak(p.api.Process.Pid)
	fmt.Printf("reconcile: %d rows in %v, %.0f/s, %d MB, %d SELECTs\n", r.Live, took.Round(time.Millisecond), float64(r.Live)/took.Seconds(), held, asked)
	if r.Live != live || len(r.WithoutWorkflow) > 0 || len(r.WithoutRows) > 0 {
		t.Errorf("%d live, %d without workflow, %d without rows", r.Live, len(r.WithoutWorkflow), len(r.WithoutRows))
	}
	if held == 0 || held > 200 {
		t.Errorf("the API has held %d MB", held)
	}
	if asked > live/200+20+10*int(took.Seconds()) { // the API reads by itself, too
		t.Errorf("reconcile has read %d times", asked)
	}
}

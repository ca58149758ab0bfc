package e2e

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/okviz/licensing/backoffice"
)

var lostWorkflows = flag.Int("lost", 220, "how many workflows TestRecover… starts")

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

package api_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/models/mysqltest"
	"github.com/okviz/licensing/payments/sandbox"
	"github.com/okviz/licensing/workflows"
)

// What one purchase (from the request to its sent mails) and one renewal may ask of
// MySQL, the sandbox's own books among it. Each write outside of a transaction is a
// commit too.
const (
	purchaseQuestions, purchaseCommits = 82, 14
	renewalQuestions, renewalCommits   = 45, 9
)

func TestAPurchaseAndARenewalAskMySQLLittle(t *testing.T) {
	url := mysqltest.URL(t)
	stocked := openShop(t, url)
	fill(t, stocked.store, stocked.keys)
	s := openShop(t, url)
	gateway, err := sandbox.New(s.store.SandboxLedger(), "https://shop.example/sandbox", webhookSecret)
	check(t, err)
	s.gateway, s.temporal.steps.Gateway, s.parts.Gateway, s.parts.gateway, s.parts.Sandbox = gateway, gateway, gateway, gateway, gateway
	s.assemble(s.parts)
	// A run of the workflow: a run without a state loads it, and mails are sent after
	// it and after each step that has any (see workflows.Subscription).
	var bought billing.Subscription
	steps := s.temporal.steps
	do := func(ctx context.Context, task activities.Task) error {
		task.Subscription, task.Revision = bought.ID, bought.Revision
		r, err := steps.Do(ctx, task)
		if bought = r.Subscription; err == nil && r.Mail {
			err = steps.Notify(ctx, bought.ID)
		}
		return err
	}
	s.temporal.instead = func(ctx context.Context, in workflows.Start, c billing.Command) error {
		if in.State != nil {
			bought = *in.State
		} else {
			loaded, err := steps.Load(ctx, in.ID)
			check(t, err)
			bought = loaded.Subscription
			check(t, steps.Notify(ctx, in.ID))
		}
		return do(ctx, activities.Task{At: bought.At(time.Now()), Command: &c})
	}
	log, customers := listen(t), 0
	mailed := func(f func()) func() {
		return func() {
			mails := len(s.mailbox.Emails())
			f()
			if sent := len(s.mailbox.Emails()) - mails; sent != 2 {
				t.Errorf("%d mails", sent)
			}
		}
	}
	buy := mailed(func() {
		customers++
		s.buy(fmt.Sprintf(`billing.email="ada%d@contoso.example"`, customers), fmt.Sprintf(`licensee.email="bea%d@contoso.example"`, customers)).want(http.StatusCreated, "")
	})
	renew := mailed(func() { check(t, do(t.Context(), activities.Task{At: bought.Next.At, Step: &bought.Next})) })
	buy() // which also opens connections, and reads the package
	for range 2 {
		log.wantAtMost(t, "a purchase", purchaseQuestions, purchaseCommits, buy)
		log.wantAtMost(t, "a renewal", renewalQuestions, renewalCommits, renew)
	}
}

// serverLog is the general log of the server of a test.
type serverLog struct{ db *sql.DB }

func listen(t *testing.T) serverLog {
	t.Helper()
	db, err := sql.Open("mysql", mysqltest.DSN(t))
	check(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		_, err := db.Exec("SET GLOBAL general_log = OFF")
		check(t, err)
		check(t, db.Close())
	})
	_, err = db.Exec("SET GLOBAL log_output = 'TABLE'")
	check(t, err)
	return serverLog{db}
}

// wantAtMost counts the statements that f sends, and what they commit.
func (l serverLog) wantAtMost(t *testing.T, what string, questions, commits int, f func()) {
	t.Helper()
	_, err := l.db.Exec("SET GLOBAL general_log = ON")
	check(t, err)
	f()
	_, err = l.db.Exec("SET GLOBAL general_log = OFF")
	check(t, err)
	rows, err := l.db.Query("SELECT thread_id, command_type, argument FROM mysql.general_log WHERE thread_id <> CONNECTION_ID() ORDER BY event_time")
	check(t, err)
	defer rows.Close()
	var told strings.Builder
	asked, committed := 0, 0
	open := map[int64]bool{} // connections within a transaction
	for rows.Next() {
		var thread int64
		var kind, statement string
		check(t, rows.Scan(&thread, &kind, &statement))
		if kind != "Query" && kind != "Execute" {
			continue
		}
		asked++
		verb, _, _ := strings.Cut(strings.ToUpper(statement), " ")
		switch verb {
		case "START":
			open[thread] = true
		case "COMMIT", "ROLLBACK":
			open[thread] = false
			committed++
		case "INSERT", "UPDATE", "DELETE":
			if !open[thread] {
				committed++
			}
		}
		fmt.Fprintf(&told, "%3d %4d %s\n", asked, thread, short(statement))
	}
	check(t, rows.Err())
	_, err = l.db.Exec("TRUNCATE TABLE mysql.general_log")
	check(t, err)
	fmt.Printf("%s: %d questions, %d commits\n", what, asked, committed)
	if asked > questions || committed > commits {
		t.Errorf("%s asked %d questions and made %d commits, of at most %d and %d:\n%s", what, asked, committed, questions, commits, &told)
	}
	if os.Getenv("OKVIZ_TEST_STATEMENTS") != "" {
		t.Log("\n" + told.String())
	}
}

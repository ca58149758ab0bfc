package e2e

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// backup copies all tables at one moment into tables beside them, as
// mysqldump --single-transaction does into a file. What it returns puts them
// back. The gateway keeps its own books: they are not ours to restore.
func (p *processes) backup(t *testing.T) (restore func()) {
	t.Helper()
	ctx := context.Background()
	connection, err := p.db.Conn(ctx)
	must(t, err)
	defer connection.Close()
	var tables []string
	for _, table := range p.column(t, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()") {
		if !strings.HasPrefix(table, "sandbox_") && table != "goose_db_version" {
			tables = append(tables, table)
		}
	}
	for _, table := range tables {
		_, err := connection.ExecContext(ctx, "CREATE TABLE backup_"+table+" LIKE "+table)
		must(t, err)
	}
	tx, err := connection.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	must(t, err)
	for _, table := range tables {
		// As a dump does, without what the database makes itself.
		columns := p.column(t, "SELECT GROUP_CONCAT(CONCAT('`', column_name, '`')) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '"+table+"' AND extra NOT LIKE '%GENERATED%'")[0]
		_, err := tx.ExecContext(ctx, "INSERT INTO backup_"+table+" ("+columns+") SELECT "+columns+" FROM "+table)
		must(t, err)
	}
	must(t, tx.Commit())
	return func() {
		for _, table := range tables {
			for _, statement := range []string{"DROP TABLE " + table, "RENAME TABLE backup_" + table + " TO " + table} {
				_, err := p.db.Exec(statement)
				must(t, err)
			}
		}
	}
}

// okviz runs a command, and returns what it printed and whether it exited with 0.
func (p *processes) okviz(t *testing.T, args ...string) (lines []string, ok bool) {
	t.Helper()
	out, err := p.command("okviz.exe", args...).Output()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), err == nil
}

// about are the lines that name something.
func about(lines []string, what string) (found []string) {
	for _, l := range lines {
		if strings.Contains(l, what) {
			found = append(found, l)
		}
	}
	return found
}

// The runbook of docs/operators.md, with a database that is older than Temporal
// and the gateway by two months of renewals, a refund, a change and an order.
func TestAfterTheRestoreOfAnOlderDatabaseNothingIsChargedTwiceAndNoNumberIsGivenTwice(t *testing.T) {
	t.Parallel()
	p := startProcesses(t, "")
	worker := p.spawn(t)
	worker.begin(t)
	clock := p.clock(t, "2026-04-01T00:00:00Z")
	on := func() object { return newCustomer().order(object{"test_clock": clock}) }
	renewed, changed := p.buy(t, on()).Subscription.ID, p.buy(t, on()).Subscription.ID
	p.advance(t, clock, "2026-04-16T00:00:00Z")
	worker.die(t, 0)
	order := &asked{path: "/v1/checkout", key: newKey(), body: on()}
	p.askAll([]*asked{order}) // its row is in the backup, its charge is later
	var ordered checkout
	order.answer.want(t, http.StatusAccepted).into(t, &ordered)
	restore := p.backup(t)

	// Life goes on, and all of it will be lost.
	worker = p.spawn(t)
	worker.begin(t)
	p.again(t, order).want(t, http.StatusCreated)
	p.advance(t, clock, "2026-06-02T00:00:00Z")
	p.shop.command(t, changed, "change", object{"plan": users("21-50")}).want(t, http.StatusOK)
	refunded := p.invoices(t, renewed)[0]
	p.refund(t, refunded.ID, object{"amount": usd(100), "reason": "a courtesy"})
	eventually(t, time.Minute, "the refund is confirmed", func() bool {
		return p.column(t, "SELECT COUNT(*) FROM refunds WHERE status = 'succeeded'")[0] == "1"
	})
	gone := p.buy(t, on())
	worker.die(t, 0)
	p.stopAPI(t)
	given := p.column(t, "SELECT number FROM invoices WHERE number IS NOT NULL UNION SELECT number FROM credit_notes")
	highest := p.column(t, "SELECT MAX(number) FROM subscriptions")[0]
	before := map[string][]string{}
	for _, id := range []string{renewed, changed, ordered.Subscription.ID, gone.Subscription.ID} {
		before[id] = p.column(t, "SELECT id FROM sandbox_payments WHERE subscription = '"+id+"' ORDER BY id")
	}
	restore()
	inBackup := p.column(t, "SELECT number FROM invoices WHERE number IS NOT NULL")

	if raised, ok := p.okviz(t, "numbers", "raise"); !ok || len(about(raised, "the next number is")) != 4 {
		t.Errorf("numbers raise says\n%s", strings.Join(raised, "\n"))
	}
	adopt := []string{"payments", "adopt", "--from", "2026-04-16", "--to", "2026-06-03"}
	lines, ok := p.okviz(t, adopt...)
	if ok {
		t.Error("there is something to look at, and it exits with 0")
	}
	for what, want := range map[string]int{": recorded as paid": 2 + 2 + 2, "): recorded": 1} {
		if got := about(lines, what); len(got) != want {
			t.Errorf("%d lines say %q, want %d:\n%s", len(got), what, want, strings.Join(lines, "\n"))
		}
	}
	look := about(lines, "look at ")
	if len(look) != 3 || len(about(look, gone.Subscription.ID)) != 1 || len(about(look, changed)) != 1 || len(about(look, renewed)) != 1 {
		t.Errorf("to look at:\n%s", strings.Join(look, "\n"))
	}
	if again, _ := p.okviz(t, adopt...); len(about(again, "0 changes")) != 1 {
		t.Errorf("adopted again, it says\n%s", strings.Join(again, "\n"))
	}
	if _, ok := p.okviz(t, "recover", "--restart"); !ok {
		t.Error("recover failed")
	}
	p.serve(t)
	worker = p.spawn(t)
	worker.begin(t)
	p.again(t, order).want(t, http.StatusCreated)
	p.advance(t, clock, "2026-07-02T00:00:00Z")
	later := p.buy(t, on())

	p.wantCharges(t, renewed, charged("2026-04-01T00:00:00Z", 990), charged("2026-05-01T00:00:00Z", 990), charged("2026-06-01T00:00:00Z", 990), charged("2026-07-01T00:00:00Z", 990))
	p.wantCharges(t, ordered.Subscription.ID, charged("2026-04-16T00:00:00Z", 990), charged("2026-05-16T00:00:00Z", 990), charged("2026-06-16T00:00:00Z", 990))
	if now := p.column(t, "SELECT id FROM sandbox_payments WHERE subscription = '"+changed+"' ORDER BY id"); len(now) != len(before[changed])+1 {
		t.Errorf("%q became %q: only July is to be charged", before[changed], now)
	}
	for _, id := range []string{renewed, ordered.Subscription.ID} {
		p.audit(t, id)
	}
	if back := p.column(t, "SELECT status FROM refunds"); !slices.Equal(back, []string{"succeeded"}) {
		t.Errorf("refunds: %q", back)
	}
	for _, number := range p.column(t, "SELECT number FROM invoices WHERE number IS NOT NULL UNION SELECT number FROM credit_notes") {
		if slices.Contains(given, number) && !slices.Contains(inBackup, number) {
			t.Errorf("%s was given twice", number)
		}
	}
	if n := p.column(t, "SELECT number FROM subscriptions WHERE id = '"+later.Subscription.ID+"'")[0]; len(n) <= len(highest) {
		t.Errorf("after subscription %s came %s", highest, n)
	}
	// What is left are the charges that a person was told of, by name.
	differences, _ := p.okviz(t, "payments", "reconcile", "--from", "2026-04-01", "--to", "2026-07-03")
	if len(differences) != 2 || len(about(differences, "charge_unknown: inv_")) != 2 ||
		len(about(differences, gone.Subscription.ID)) != 1 || len(about(differences, changed)) != 1 {
		t.Errorf("differences:\n%s", strings.Join(differences, "\n"))
	}
	worker.die(t, 0)
}

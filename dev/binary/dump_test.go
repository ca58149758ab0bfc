package binary

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/models/mysqltest"
)

// runbook are the lines of docs/operators.md for one kind of server: how it is
// dumped and how it is restored.
func runbook(t *testing.T, server string) (dump string, restore []string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(root, "docs/operators.md"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i, block := range strings.Split(string(doc), "```") {
		if i%2 == 0 || !strings.HasPrefix(block, "sh\n") || !strings.Contains(block, "# "+server+"\n") {
			continue
		}
		var of string
		for line := range strings.SplitSeq(block, "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "# ") {
				of = line[2:]
			} else if line != "" && of == server {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) != 5 {
		t.Fatalf("the runbook has other lines for %s: %q", server, lines)
	}
	return lines[0], lines[1:]
}

// The lines of the runbook, as they stand there: a dump while customers buy, an
// accident, and then the dump and the binary log up to the second before it.
func TestADumpAndTheBinaryLogBringEverythingBackToTheSecondBeforeAnAccident(t *testing.T) {
	server := mysqltest.Server(t, "--log-bin=binlog", "--server-id=1", "--binlog-format=ROW")
	password, _ := server.User.Password()
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", server.User.Username(), password, server.Host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ask := func(query string) (answer string) {
		t.Helper()
		if err := db.QueryRow(query).Scan(&answer); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return answer
	}
	do := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	kind, tools := "MySQL", []string{"mysql", "mysqldump", "mysqlbinlog"}
	if strings.Contains(ask("SELECT VERSION()"), "MariaDB") {
		kind, tools = "MariaDB", []string{"mariadb", "mariadb-dump", "mariadb-binlog"}
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("%s's client is not installed (make setup): %v", kind, err)
		}
	}
	dump, restore := runbook(t, kind)
	home := t.TempDir()
	host, port, _ := strings.Cut(server.Host, ":")
	client := fmt.Sprintf("[client]\nhost=%s\nport=%s\nuser=%s\npassword=%s\n", host, port, server.User.Username(), password)
	if err := os.WriteFile(filepath.Join(home, ".my.cnf"), []byte(client), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := func(line string) string {
		t.Helper()
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir, cmd.Env = home, append(os.Environ(), "HOME="+home)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}

	do("CREATE DATABASE okviz CHARACTER SET utf8mb4")
	server.Path = "/okviz"
	engine, err := temporal.Start(t.Context(), temporal.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Stop)
	address := freeAddress(t)
	o := built(t, "DATABASE_URL="+server.String(), "OKVIZ_HTTP="+address, "OKVIZ_PUBLIC_URL=http://"+address, "OKVIZ_WORKER_METRICS=off",
		"OKVIZ_SMTP_URL=smtp://127.0.0.1:1", "TEMPORAL_ADDRESS="+engine.Address())
	o.run(t, nil, "migrate")
	o.run(t, []byte(o.run(t, nil, "catalog", "default")), "catalog", "apply", "-")
	o.run(t, nil, "versions", "put", "calendar-pro", "2.4.2", filepath.Join(root, "visual/dist/calendar-pro-2.4.2.pbiviz"))
	key := strings.Fields(o.run(t, nil, "api-keys", "create"))[1]
	buy := func(t *testing.T, n int) {
		t.Helper()
		eventually(t, "the API is ready", func() bool { return get("http://"+address+"/readyz", "").status == http.StatusOK })
		if a := post("http://"+address+"/v1/checkout", fmt.Sprintf("dump-test-%08d", n), order); a.status != http.StatusCreated {
			t.Errorf("order %d: %d %s", n, a.status, a.body)
		}
	}
	t.Run("customers buy before the dump and after it", func(t *testing.T) {
		o.start(t, "api")
		o.start(t, "worker")
		buy(t, 1)
		shell(dump)
		buy(t, 2)
	})
	tables := func() map[string]string {
		rows, err := db.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'okviz'")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		sums := map[string]string{}
		for rows.Next() {
			var name, sum string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			if err := db.QueryRow("CHECKSUM TABLE okviz."+name).Scan(new(string), &sum); err != nil {
				t.Fatal(err)
			}
			sums[name] = sum
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return sums
	}
	want := tables()
	last := ask("SELECT NOW()")
	eventually(t, "a second has passed", func() bool { return ask("SELECT NOW()") > last })
	before := ask("SELECT NOW()")
	eventually(t, "and another", func() bool { return ask("SELECT NOW()") > before })
	do("DELETE FROM okviz.invoices")
	do("DROP TABLE okviz.licenses")

	// By now the log has gone on in a new file, as after a restart.
	do("FLUSH BINARY LOGS")
	logs, err := filepath.Glob(ask("SELECT @@log_bin_basename") + ".[0-9]*")
	if err != nil || len(logs) < 2 {
		t.Fatalf("%q, %v", logs, err)
	}
	for i, file := range logs {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		logs[i] = filepath.Base(file)
		if err := os.WriteFile(filepath.Join(home, logs[i]), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do("DROP DATABASE okviz")
	shell(restore[0])
	shell(restore[1])
	from := regexp.MustCompile(`LOG_FILE='([^']+)', \w+_LOG_POS=(\d+)`).FindStringSubmatch(shell(restore[2]))
	if from == nil {
		t.Fatal("the dump does not say from where to go on")
	}
	for logs[0] != from[1] {
		logs = logs[1:]
	}
	replay := restore[3]
	for was, is := range map[string]string{
		`--start-position=\d+`: "--start-position=" + from[2], `--stop-datetime='[^']+'`: "--stop-datetime='" + before + "'", `binlog\.\d+ binlog\.\d+`: strings.Join(logs, " "),
	} {
		replay = regexp.MustCompile(was).ReplaceAllString(replay, is)
	}
	shell(replay)
	if diff := cmp.Diff(want, tables()); diff != "" {
		t.Errorf("checksums of the tables before the accident and after the restore:\n%s\n%s", diff, replay)
	}
	if len(want) < 30 {
		t.Errorf("only %d tables were compared", len(want))
	}

	o.run(t, nil, "migrate")
	o.run(t, nil, "recover", "--restart")
	t.Run("business goes on", func(t *testing.T) {
		o.start(t, "api")
		o.start(t, "worker")
		buy(t, 3)
		var named answer
		eventually(t, "nothing is to be reconciled", func() bool {
			named = get("http://"+address+"/v1/operator/reconcile", key)
			return strings.Contains(string(named.body), `"live":3,"without_workflow":[],"without_rows":[]`)
		})
		day := time.Now().UTC()
		if differ := o.run(t, nil, "payments", "reconcile", "--from", day.AddDate(0, 0, -1).Format(time.DateOnly), "--to", day.AddDate(0, 0, 2).Format(time.DateOnly)); differ != "" {
			t.Errorf("the books and the gateway differ: %s", differ)
		}
	})
}

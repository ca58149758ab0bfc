package binary

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/models/mysqltest"
)

const order = `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"yearly"},"currency":"USD",
	"billing":{"name":"Ada","email":"ada@contoso.example","country":"US"},"pay":"now","payment":{"method":"card","token":"tok_visa"},"accept_terms":true}`

func TestProcessesWaitForWhatTheyNeedAndSayWhatIsMissing(t *testing.T) {
	database, admin := limited(t)
	behind, address, metrics, frontend := freeAddress(t), freeAddress(t), freeAddress(t), freeAddress(t)
	server := database.Host
	database.Host = behind
	o := built(t, "DATABASE_URL="+database.String(), "OKVIZ_HTTP="+address, "OKVIZ_PUBLIC_URL=http://"+address, "OKVIZ_WORKER_METRICS="+metrics,
		"OKVIZ_SMTP_URL=smtp://127.0.0.1:1", "TEMPORAL_ADDRESS="+frontend)
	ready := func(want string) {
		t.Helper()
		for _, at := range []string{address, metrics} {
			var got answer
			eventually(t, at+" is "+want, func() bool {
				got = get("http://"+at+"/readyz", "")
				return strings.Contains(string(got.body), want)
			})
			if ok := strings.Contains(want, `"database":"ok","temporal":"ok"`); ok != (got.status == http.StatusOK) {
				t.Errorf("%d %s", got.status, got.body)
			}
		}
	}
	says := func(out *safeBuffer, what string) {
		t.Helper()
		eventually(t, "it says "+what, func() bool { return strings.Contains(out.String(), what) })
	}

	api, worker := o.start(t, "api"), o.start(t, "worker")
	ready(`"database":"down","temporal":"down"`)
	if healthy := get("http://"+address+"/healthz", ""); healthy.status != http.StatusOK {
		t.Errorf("/healthz: %d", healthy.status)
	}
	if early := post("http://"+address+"/v1/checkout", "starting-test-01", order); early.status != http.StatusServiceUnavailable || !strings.Contains(string(early.body), `"code":"unavailable"`) {
		t.Errorf("an order: %d %s", early.status, early.body)
	}
	for _, out := range []*safeBuffer{api, worker} {
		says(out, "msg=waiting for=database waited=0s")
	}
	t.Run("one that is told to stop ends cleanly", func(t *testing.T) { o.stopsWhileWaiting(t) })

	forward(t, behind, server)
	ready(`"database":"not_migrated","detail":"the database is not migrated: run okviz migrate","temporal":"down"`)
	started, err := temporal.Start(t.Context(), temporal.Options{Frontend: frontend, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(started.Stop)
	o.run(t, nil, "migrate")
	ready(`"database":"ok","temporal":"ok"`)
	for _, out := range []*safeBuffer{api, worker} {
		says(out, `msg="what was waited for is there" what=database`)
	}
	o.run(t, []byte(o.run(t, nil, "catalog", "default")), "catalog", "apply", "-")
	if bought := post("http://"+address+"/v1/checkout", "starting-test-02", order); bought.status != http.StatusCreated {
		t.Errorf("an order once all is there: %d %s", bought.status, bought.body)
	}

	// As after a failover to a replica, or as an operator does whose disk is full.
	if _, err := admin.Exec("SET GLOBAL read_only = 1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("SET GLOBAL read_only = 0"); err != nil {
			t.Error(err)
		}
	})
	ready(`"database":"not_writable"`)
	if refused := post("http://"+address+"/v1/checkout", "starting-test-03", order); refused.status != http.StatusServiceUnavailable || !strings.Contains(string(refused.body), `"code":"unavailable"`) {
		t.Errorf("an order that cannot be written: %d %s", refused.status, refused.body)
	}
	if products := get("http://"+address+"/v1/products?currency=USD", ""); products.status != http.StatusOK {
		t.Errorf("what is only read: %d %s", products.status, products.body)
	}
	if _, err := admin.Exec("SET GLOBAL read_only = 0"); err != nil {
		t.Fatal(err)
	}
	ready(`"database":"ok","temporal":"ok"`)
}

// stopsWhileWaiting tells both roles to stop before what they need is there.
func (o okviz) stopsWhileWaiting(t *testing.T) {
	for _, role := range []string{"api", "worker"} {
		out := &safeBuffer{}
		cmd := exec.Command(o.path, role)
		cmd.Env, cmd.Stdout, cmd.Stderr = append(o.env[:len(o.env):len(o.env)], "OKVIZ_HTTP=127.0.0.1:0", "OKVIZ_WORKER_METRICS=off"), out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, role+" waits", func() bool { return strings.Contains(out.String(), "msg=waiting for=database") })
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", role, err, out)
		}
	}
}

// limited is an empty database whose user may not write while the server only
// reads, and a connection of one who may do everything.
func limited(t *testing.T) (database *url.URL, admin *sql.DB) {
	t.Helper()
	database, err := url.Parse(mysqltest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := database.User.Password()
	admin, err = sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", database.User.Username(), password, database.Host))
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(database.Path, "/")
	for _, q := range []string{
		"CREATE USER IF NOT EXISTS limited@'127.0.0.1' IDENTIFIED BY 'limited'",
		"GRANT ALL ON " + name + ".* TO limited@'127.0.0.1'",
	} {
		if _, err := admin.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { admin.Close() })
	database.User = url.UserPassword("limited", "limited")
	return database, admin
}

// forward has a server answer at another address from now on.
func forward(t *testing.T, at, to string) {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			for from, into := range map[net.Conn]net.Conn{in: out, out: in} {
				go func() {
					io.Copy(into, from) //nolint:errcheck // either side may hang up
					into.Close()
				}()
			}
		}
	}()
}

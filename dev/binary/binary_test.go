// Package binary runs the product's one binary as an operator does: migrate,
// catalogue, api and worker as processes of their own, over a real
// MySQL-protocol server, Temporal and a mailbox.
package binary

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/dev/mailbox"
	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/models/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }

// okviz is the binary with the environment that it runs in.
type okviz struct {
	path string
	env  []string
}

func (o okviz) run(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command(o.path, args...)
	cmd.Env, cmd.Stdin = o.env, bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("okviz %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// start runs a role until the test ends; it must then end by itself, cleanly.
func (o okviz) start(t *testing.T, role string) {
	t.Helper()
	var out safeBuffer
	cmd := exec.Command(o.path, role)
	cmd.Env, cmd.Stdout, cmd.Stderr = o.env, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Errorf("%s: %v", role, err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s did not stop cleanly: %v", role, err)
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", role, out.String())
		}
	})
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAnOperatorRunsTheEngineWithMySQL(t *testing.T) {
	database := mysqltest.URL(t)
	dir := t.TempDir()
	server, err := temporal.Start(t.Context(), temporal.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	box, err := mailbox.Open("")
	if err != nil {
		t.Fatal(err)
	}
	smtp := listen(t)
	go box.ServeSMTP(smtp) //nolint:errcheck // ends with Close
	t.Cleanup(func() { box.Close() })

	web := listen(t)
	address := web.Addr().String()
	web.Close() // okviz takes it over
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	o := okviz{path: filepath.Join(dir, "okviz.exe"), env: append(os.Environ(),
		"OKVIZ_ENV=development", "DATABASE_URL="+database, "OKVIZ_HTTP="+address, "OKVIZ_METRICS=127.0.0.1:0", "OKVIZ_WORKER_METRICS=off", "OKVIZ_PUBLIC_URL=http://"+address,
		"OKVIZ_SECRET=development-only-0123456789abcdef", "OKVIZ_SMTP_URL=smtp://"+smtp.Addr().String(),
		"OKVIZ_MAIL_FROM=OKVIZ <licences@okviz.example>", "TEMPORAL_ADDRESS="+server.Address(),
		"OKVIZ_SIGNING_KEYS="+filepath.Join(root, "dev/keys/signing-dev.pem")+","+filepath.Join(root, "dev/keys/signing-dev-next.pem"),
	)}
	build := exec.Command("go", "build", "-o", o.path, "./cmd/okviz")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building okviz: %v\n%s", err, out)
	}

	o.run(t, nil, "migrate")
	o.run(t, nil, "migrate") // may run again
	catalogue := o.run(t, nil, "catalog", "default")
	if got := o.run(t, []byte(catalogue), "catalog", "apply", "--dry-run", "-"); !strings.Contains(got, "+ product calendar-pro") {
		t.Errorf("a dry run does not say what would change:\n%s", got)
	}
	o.run(t, []byte(catalogue), "catalog", "apply", "-")
	if got := o.run(t, []byte(catalogue), "catalog", "apply", "-"); got != "0 changes\n" {
		t.Errorf("the same catalogue again: %s", got)
	}
	keys := filepath.Join(dir, "signing-keys.pem")
	if err := os.WriteFile(keys, []byte(o.run(t, nil, "signing-keys", "generate")), 0o600); err != nil {
		t.Fatal(err)
	}
	rotating := okviz{path: o.path, env: append(o.env[:len(o.env):len(o.env)], "OKVIZ_SIGNING_KEYS="+keys)}
	rotated := rotating.run(t, nil, "signing-keys", "rotate")
	if listed := rotating.run(t, nil, "signing-keys", "list"); !strings.HasPrefix(rotated, listed) ||
		!strings.Contains(listed, "has signed, and is published until") || strings.Contains(rotated, "PRIVATE") {
		t.Errorf("signing-keys rotate said\n%s\nand list\n%s", rotated, listed)
	}
	if jwks := rotating.run(t, nil, "signing-keys", "show"); strings.Count(jwks, `"kid"`) != 3 {
		t.Errorf("signing-keys show: %s", jwks)
	}
	o.run(t, nil, "versions", "put", "calendar-pro", "2.4.2", filepath.Join(root, "visual/dist/calendar-pro-2.4.2.pbiviz"))
	key := strings.Fields(o.run(t, nil, "api-keys", "create", "--scope", "operator"))[1]
	o.run(t, nil, "versions", "put", "calendar-pro", "2.5.0", filepath.Join(root, "visual/dist/calendar-pro-2.4.2.pbiviz"))
	o.run(t, nil, "versions", "withdraw", "calendar-pro", "2.5.0")
	if got := strings.Split(o.run(t, nil, "versions", "list", "calendar-pro"), "\n"); !strings.Contains(got[0], "withdrawn") || !strings.Contains(got[1], "offered") {
		t.Errorf("versions list: %q", got)
	}

	o.start(t, "api")
	o.start(t, "worker")
	base := "http://" + address
	eventually(t, "the API is ready", func() bool { return get(base+"/readyz", "").status == http.StatusOK })

	answer := post(base+"/v1/checkout", "binary-test-0001", `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"yearly"},
		"currency":"JPY","billing":{"name":"Ωmega 🚀","email":"ada@contoso.example","country":"JP"},
		"pay":"now","payment":{"method":"card","token":"tok_visa"},"accept_terms":true}`)
	if answer.status != http.StatusCreated {
		t.Fatalf("checkout: %d %s", answer.status, answer.body)
	}
	var bought struct {
		Subscription struct{ ID, Status string }
		Invoice      struct{ Number string }
	}
	if err := json.Unmarshal(answer.body, &bought); err != nil {
		t.Fatal(err)
	}
	if bought.Subscription.Status != "active" || !strings.HasPrefix(bought.Invoice.Number, "INV-") {
		t.Errorf("bought: %+v", bought)
	}
	// Calendar Pro, users 1-20, yearly: 14,850 yen in the default catalogue.
	charges := get(base+"/v1/operator/sandbox/charges?subscription="+bought.Subscription.ID, key)
	if !strings.Contains(string(charges.body), `"amount":{"amount":14850,"currency":"JPY"}`) {
		t.Errorf("charges: %s", charges.body)
	}
	// A key that got into the wrong hands is ended.
	exposed := strings.Fields(o.run(t, nil, "api-keys", "create", "--scope", "operator"))
	o.run(t, nil, "api-keys", "revoke", exposed[0])
	if listed := o.run(t, nil, "api-keys", "list"); strings.Count(listed, "key_") != 1 || strings.Contains(listed, exposed[0]) {
		t.Errorf("api-keys list: %s", listed)
	}
	for k, want := range map[string]int{exposed[1]: http.StatusUnauthorized, key: http.StatusOK} {
		if got := get(base+"/v1/operator/reconcile", k).status; got != want {
			t.Errorf("an operator's key is answered %d, want %d", got, want)
		}
	}
	eventually(t, "both mails arrived", func() bool {
		r := serve(box.Handler(), "/api/v1/messages")
		return strings.Contains(r, `"total":2`)
	})

	// Temporal's database is lost: recover finds that nothing is missing here.
	if got := o.run(t, nil, "recover"); got != "1 live subscriptions have a workflow\n" {
		t.Errorf("recover: %s", got)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

type answer struct {
	status int
	body   []byte
}

func do(r *http.Request) answer {
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	return answer{res.StatusCode, body}
}

func get(url, key string) answer {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return do(r)
}

func post(url, key, body string) answer {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	return do(r)
}

// serve asks a handler without a listener.
func serve(h http.Handler, path string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Body.String()
}

// eventually polls what will come, for at most half a minute.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}

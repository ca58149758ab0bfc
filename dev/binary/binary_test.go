// Package binary runs the product's one binary as an operator does: migrate,
// catalogue, api and worker as processes of their own, over a real
// MySQL-protocol server, Temporal and a mailbox.
package binary

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/dev/mailbox"
	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/models/mysqltest"
	"github.com/okviz/licensing/payments/sandbox"
	"github.com/okviz/licensing/workflows"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }

// okviz is the binary with the environment that it runs in.
type okviz struct {
	path string
	env  []string
	ran  map[string]bool // "catalog apply": the commands that were run, with their first argument
}

func (o okviz) run(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	out, err := o.try(stdin, args...)
	if err != nil {
		t.Fatalf("okviz %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (o okviz) try(stdin []byte, args ...string) (string, error) {
	o.ran[args[0]], o.ran[strings.Join(args[:min(len(args), 2)], " ")] = true, true
	cmd := exec.Command(o.path, args...)
	cmd.Env, cmd.Stdin = o.env, bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// commands lists those that the binary has, by its own help.
func (o okviz) commands(t *testing.T, of ...string) (names []string) {
	t.Helper()
	help, err := exec.Command(o.path, append(of, "--help")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, list, any := strings.Cut(string(help), "COMMANDS:\n")
	if !any {
		return []string{strings.Join(of, " ")}
	}
	for line := range strings.SplitSeq(list, "\n") {
		name := strings.TrimSuffix(strings.Fields(line + " -")[0], ",")
		if !strings.HasPrefix(line, "   ") {
			break
		}
		if name != "help" {
			names = append(names, o.commands(t, append(of[:len(of):len(of)], name)...)...)
		}
	}
	return names
}

// start runs a role until the test ends; it must then end by itself, cleanly.
// It returns what the role prints.
func (o okviz) start(t *testing.T, role string) *safeBuffer {
	t.Helper()
	out := &safeBuffer{}
	o.ran[role] = true
	cmd := exec.Command(o.path, role)
	cmd.Env, cmd.Stdout, cmd.Stderr = o.env, out, out
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
	return out
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

// root is the project's folder.
const root = "../.."

// built builds the binary, and gives it what every test of it has in its
// environment, and more.
func built(t *testing.T, env ...string) okviz {
	t.Helper()
	keys, err := filepath.Abs(filepath.Join(root, "dev/keys"))
	if err != nil {
		t.Fatal(err)
	}
	o := okviz{path: filepath.Join(t.TempDir(), "okviz.exe"), env: append(append(os.Environ(),
		"OKVIZ_ENV=development", "OKVIZ_METRICS=127.0.0.1:0", "OKVIZ_SECRET=development-only-0123456789abcdef",
		"OKVIZ_MAIL_FROM=OKVIZ <licences@okviz.example>",
		"OKVIZ_SIGNING_KEYS="+filepath.Join(keys, "signing-dev.pem")+","+filepath.Join(keys, "signing-dev-next.pem"),
	), env...), ran: map[string]bool{}}
	build := exec.Command("go", "build", "-ldflags", "-X github.com/okviz/licensing/engine.version=v1.2.3", "-o", o.path, "./cmd/okviz")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building okviz: %v\n%s", err, out)
	}
	return o
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

	address, workerMetrics := freeAddress(t), freeAddress(t)
	o := built(t, "DATABASE_URL="+database, "OKVIZ_HTTP="+address, "OKVIZ_PUBLIC_URL=http://"+address, "OKVIZ_WORKER_METRICS="+workerMetrics,
		"OKVIZ_DEPLOYMENT="+deployment, "OKVIZ_BUILD_ID=v1.2.3", "OKVIZ_SMTP_URL=smtp://"+smtp.Addr().String(), "TEMPORAL_ADDRESS="+server.Address())

	if got := o.run(t, nil, "--version"); got != "okviz version v1.2.3\n" {
		t.Errorf("--version: %q", got)
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
	rotating := okviz{path: o.path, env: append(o.env[:len(o.env):len(o.env)], "OKVIZ_SIGNING_KEYS="+keys), ran: o.ran}
	rotated := rotating.run(t, nil, "signing-keys", "rotate")
	if listed := rotating.run(t, nil, "signing-keys", "list"); !strings.HasPrefix(rotated, listed) ||
		!strings.Contains(listed, "has signed, and is published until") || strings.Contains(rotated, "PRIVATE") {
		t.Errorf("signing-keys rotate said\n%s\nand list\n%s", rotated, listed)
	}
	if jwks := rotating.run(t, nil, "signing-keys", "show"); strings.Count(jwks, `"kid"`) != 3 {
		t.Errorf("signing-keys show: %s", jwks)
	}
	o.run(t, nil, "versions", "put", "calendar-pro", "2.4.2", filepath.Join(root, "visual/dist/calendar-pro-2.4.2.pbiviz"))
	key := strings.Fields(o.run(t, nil, "api-keys", "create"))[1]
	o.run(t, nil, "versions", "put", "calendar-pro", "2.5.0", filepath.Join(root, "visual/dist/calendar-pro-2.4.2.pbiviz"))
	o.run(t, nil, "versions", "withdraw", "calendar-pro", "2.5.0")
	if got := strings.Split(o.run(t, nil, "versions", "list", "calendar-pro"), "\n"); !strings.Contains(got[0], "withdrawn") || !strings.Contains(got[1], "offered") {
		t.Errorf("versions list: %q", got)
	}

	temporalClient, err := client.Dial(client.Options{HostPort: server.Address(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(temporalClient.Close)
	frozen := o.replaysBefore(t, temporalClient)

	o.start(t, "api")
	o.start(t, "worker")
	makeCurrent(t, temporalClient)
	base := "http://" + address
	eventually(t, "the API is ready", func() bool { return get(base+"/readyz", "").status == http.StatusOK })
	if healthy := get(base+"/healthz", ""); string(healthy.body) != `{"status":"ok","version":"v1.2.3"}` {
		t.Errorf("/healthz: %s", healthy.body)
	}

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
	o.run(t, nil, "operators", "add", "mia.marino")
	if listed := o.run(t, nil, "operators", "list"); !strings.Contains(listed, "mia.marino") {
		t.Errorf("operators list: %s", listed)
	}
	for _, args := range [][]string{{"operators", "list"}, {"api-keys", "list"}, {"versions", "list", "calendar-pro"}, {"signing-keys", "list"}, {"catalog", "migrate", "--dry-run"}, {"audit", "verify"}, {"recover"}} {
		var read any
		if said := o.run(t, nil, append(args, "--json")...); json.Unmarshal([]byte(said[max(0, strings.IndexAny(said, "[{")):]), &read) != nil {
			t.Errorf("okviz %s --json prints %s", strings.Join(args, " "), said)
		}
	}
	o.run(t, nil, "operators", "suspend", "mia.marino")
	o.run(t, nil, "audit", "verify")
	if rows := o.run(t, nil, "audit", "export"); !strings.Contains(rows, "operator") {
		t.Errorf("audit export: %s", rows)
	}
	exposed := strings.Fields(o.run(t, nil, "api-keys", "create"))
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

	if data := o.run(t, nil, "privacy", "export", "ADA@contoso.example"); !strings.Contains(data, "Ωmega") || !strings.Contains(data, bought.Subscription.ID) {
		t.Errorf("privacy export: %s", data)
	}
	if said := o.run(t, nil, "privacy", "erase", "nobody@contoso.example"); said != "no account has this address; others name it no more\n" {
		t.Errorf("privacy erase: %s", said)
	}

	t.Run("customers of another system are moved in once", o.movesIn)

	// Temporal's database is lost: recover finds that nothing is missing here.
	if got := o.run(t, nil, "recover"); got != "2 subscriptions, up to number 2, 0 failed\n2 live subscriptions have a workflow\n" {
		t.Errorf("recover: %s", got)
	}

	t.Run("a workflow that this program cannot continue is named, and seen by Prometheus", func(t *testing.T) {
		o.seesFrozen(t, temporalClient, frozen, bought.Subscription.ID, "http://"+workerMetrics)
	})
	t.Run("a statement that is imported again records nothing twice", func(t *testing.T) { o.importsStatements(t, base, key) })
	t.Run("a price is migrated once", func(t *testing.T) { o.migratesPrices(t, catalogue, bought.Subscription.ID) })
	t.Run("the gateway's list is compared with the books", func(t *testing.T) { o.reconciles(t, database) })
	t.Run("support works from a laptop, over the API", func(t *testing.T) { o.asksTheAPI(t, base, key, bought.Subscription.ID) })
	all := o.commands(t)
	if len(all) < 15 {
		t.Errorf("its help lists only %q", all)
	}
	for _, name := range all {
		if !o.ran[name] {
			t.Errorf("okviz %s was never run", name)
		}
	}
}

// movesIn imports an export of another system: a rehearsal, the import, and once more.
func (o okviz) movesIn(t *testing.T) {
	dir := t.TempDir()
	plans := filepath.Join(dir, "plans.json")
	if err := os.WriteFile(plans, []byte(`{"price_1": {"product": "calendar-pro", "type": "users", "tier": "1-20", "cycle": "monthly"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	end := time.Now().UTC().AddDate(0, 0, 3).Format("2006-01-02 15:04")
	start := time.Now().UTC().AddDate(0, 0, -27).Format("2006-01-02 15:04")
	csv := "id,Customer ID,Customer Name,Customer Email,Customer Address Country,Price ID,Currency,Amount,Status,Current Period Start (UTC),Current Period End (UTC),Cancel At Period End\n" +
		"sub_1,cus_1,Bea Bianchi,bea@fabrikam.example,US,price_1,usd,9.90,active," + start + "," + end + ",true\n"
	lines := o.run(t, []byte(csv), "import", "--from", "stripe", "--plans", plans, "--print", "-")
	if !strings.Contains(lines, `"type":"subscription"`) {
		t.Errorf("the lines are %s", lines)
	}
	if got := o.run(t, []byte(lines), "import", "--dry-run", "-"); !strings.Contains(got, "1 subscriptions would be imported") {
		t.Errorf("rehearsed: %s", got)
	}
	if got := o.run(t, []byte(lines), "import", "-"); !strings.Contains(got, "1 subscriptions were imported, 0 stay as they are") {
		t.Errorf("imported: %s", got)
	}
	if got := o.run(t, []byte(lines), "import", "--json", "-"); !strings.Contains(got, `"unchanged": 1`) || strings.Contains(got, `"new": 1`) {
		t.Errorf("again: %s", got)
	}
	if got, err := o.try([]byte(lines+"{}\n"), "import", "-"); err == nil || !strings.Contains(got, "line 3: type") {
		t.Errorf("with a wrong line: %s", got)
	}
}

// asksTheAPI gives commands with an address and a key, and nothing else.
func (o okviz) asksTheAPI(t *testing.T, base, key, subscription string) {
	if out, err := o.try(nil, "subscriptions", "show", subscription); err == nil || !strings.Contains(out, "OKVIZ_API") {
		t.Errorf("without an address: %v %s", err, out)
	}
	o.env = append([]string{}, "OKVIZ_API="+base, "OKVIZ_KEY="+key)
	var list struct {
		Data []struct{ ID, Licensee string }
	}
	first := func(args ...string) string {
		t.Helper()
		if err := json.Unmarshal([]byte(o.run(t, nil, append(args, "--json")...)), &list); err != nil || len(list.Data) == 0 {
			t.Fatalf("okviz %v: %v, %v", args, list, err)
		}
		return list.Data[0].ID
	}
	invoice := first("invoices", "list", "--subscription", subscription)
	license := first("licenses", "list", "--email", "ada@contoso.example")
	for _, c := range []struct {
		says string
		args []string
	}{
		{subscription, []string{"customers", "search", "contoso"}},
		{"entries", []string{"customers", "balance", "ada@contoso.example"}},
		{"receipt", []string{"customers", "mails", "ada@contoso.example"}},
		{"ID  ", []string{"subscriptions", "list", "--email", "ada@contoso.example"}},
		{"active", []string{"subscriptions", "show", subscription}},
		{"Bought until", []string{"subscriptions", "story", subscription}},
		{"resume", []string{"subscriptions", "cancel", subscription, "--reason", "asked"}},
		{"cancel", []string{"subscriptions", "resume", subscription}},
		{"active", []string{"subscriptions", "extend", "--days", "3", "--reason", "an outage", subscription}},
		{"a note", []string{"subscriptions", "note", "--text", "a note", subscription}},
		{"14850 JPY", []string{"invoices", "show", invoice}},
		{"active", []string{"licenses", "suspend", license}},
		{"active", []string{"licenses", "reinstate", license}},
		{"active", []string{"invoices", "refund", "--amount", "50", "--currency", "JPY", invoice}},
		{"succeeded", []string{"subscriptions", "renew", subscription}},
		{"canceled", []string{"licenses", "revoke", license}},
		{"subscription.revoke", []string{"audit", "list", "--limit", "1000"}},
		{"OPERATOR", []string{"operators", "sessions"}},
		{"past_due", []string{"reports", "today"}},
		{"JPY", []string{"reports", "mrr"}},
		{"JPY", []string{"reports", "movements"}},
		{"JPY", []string{"reports", "cohorts"}},
		{"data", []string{"reports", "upcoming"}},
		{"data", []string{"reports", "recovery"}},
		{"complete", []string{"completion", "bash"}},
		{"compdef", []string{"completion", "zsh"}},
		{"__okviz", []string{"completion", "fish"}},
		{"ArgumentCompleter", []string{"completion", "pwsh"}},
	} {
		if out := o.run(t, nil, c.args...); !strings.Contains(out, c.says) {
			t.Errorf("okviz %v does not say %q: %s", c.args, c.says, out)
		}
	}
	if out, err := o.try(nil, "subscriptions", "cancel-now", "--refund", "none", subscription); err == nil || !strings.Contains(out, "not_possible_now") {
		t.Errorf("ended once more: %v %s", err, out)
	}
	if out, err := o.try(nil, "subscriptons"); err == nil || !strings.Contains(out, "Did you mean subscriptions?") {
		t.Errorf("a typo: %v %s", err, out)
	}
}

// deployment is the name of the workers in Temporal's Worker Deployment Versioning.
const deployment = "okviz"

// otherRelease is a release whose workflow does something else than this one's.
func otherRelease(ctx workflow.Context, _ json.RawMessage) error {
	return workflow.Sleep(ctx, 365*24*time.Hour)
}

// replaysBefore has another release begin a workflow, and asks this one's
// binary whether it can be rolled out.
func (o okviz) replaysBefore(t *testing.T, c client.Client) (frozen string) {
	w := worker.New(c, workflows.TaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(otherRelease, workflow.RegisterOptions{Name: "Subscription"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	const id = "sub_of_another_release"
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue}, "Subscription", workflows.Start{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	events := c.GetWorkflowHistory(t.Context(), id, run.GetRunID(), true, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for began := false; !began; {
		e, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		began = e.GetTimerStartedEventAttributes() != nil
	}
	var out string
	eventually(t, "it is listed", func() bool {
		out, err = o.try(nil, "replay", "--all")
		return err != nil
	})
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 ||
		!strings.Contains(out, id+" (run "+run.GetRunID()+")") || !strings.Contains(out, "1 of 1 workflows cannot be continued") {
		t.Errorf("replay: %v\n%s", err, out)
	}
	return id
}

// makeCurrent has Temporal route to the worker that runs: until then its tasks
// wait.
func makeCurrent(t *testing.T, c client.Client) {
	t.Helper()
	eventually(t, "its deployment takes tasks", func() bool {
		_, err := c.WorkerDeploymentClient().GetHandle(deployment).SetCurrentVersion(t.Context(), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: "v1.2.3"})
		return err == nil
	})
}

// seesFrozen rolls out all the same: the alert on failing workflow tasks tells.
func (o okviz) seesFrozen(t *testing.T, c client.Client, frozen, bought, metrics string) {
	const failing = `temporal_workflow_task_execution_failed{activity_type="",failure_reason="NonDeterminismError",operation="",poller_type="",worker_type="",workflow_type="Subscription"} `
	if before := string(get(metrics+"/metrics", "").body); !strings.Contains(before, failing+"0\n") {
		t.Errorf("it has failed before: %s", before)
	}
	if err := c.SignalWorkflow(t.Context(), frozen, "", "cancel", struct{}{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Prometheus is told", func() bool {
		now := string(get(metrics+"/metrics", "").body)
		return strings.Contains(now, failing) && !strings.Contains(now, failing+"0\n")
	})
	if err := c.TerminateWorkflow(t.Context(), frozen, "", "the test is over"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "every workflow that is left fits", func() bool {
		out, err := o.try(nil, "replay", "--sample", "10")
		return err == nil && strings.Contains(out, "2 replayed, of 2 that are running")
	})
	run, err := c.DescribeWorkflowExecution(t.Context(), bought, "")
	if err != nil {
		t.Fatal(err)
	}
	if v := run.WorkflowExecutionInfo.VersioningInfo; v.GetBehavior() != enums.VERSIONING_BEHAVIOR_AUTO_UPGRADE || v.GetDeploymentVersion().GetBuildId() != "v1.2.3" {
		t.Errorf("the workflow's version is %v", v)
	}
}

// importsStatements pays two orders by transfer.
func (o okviz) importsStatements(t *testing.T, base, key string) {
	file := "Date;Amount;Currency;Reference\n"
	var numbers []string
	for _, who := range []string{"bea", "cleo"} {
		a := post(base+"/v1/checkout", "binary-invoice-"+who, `{"product":"calendar-pro","plan":{"type":"users","tier":"Unlimited","cycle":"yearly"},
			"currency":"USD","billing":{"name":"Buyer","email":"`+who+`@tailspin.example","country":"US"},
			"pay":"now","payment":{"method":"invoice"},"accept_terms":true}`, "Bearer "+key)
		var ordered struct {
			Subscription struct{ ID string }
			Invoice      struct{ Number string }
		}
		if err := json.Unmarshal(a.body, &ordered); err != nil || ordered.Invoice.Number == "" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		// Calendar Pro for any number of users, for a year: 4,950.00 USD.
		file += "03.02.2026;4.950,00;USD;" + ordered.Invoice.Number + "\n"
		numbers = append(numbers, ordered.Invoice.Number+" "+ordered.Subscription.ID)
	}
	said := func(result string) string {
		return fmt.Sprintf("line 2, 2026-02-03, 4950.00 USD: %[1]s, %[2]s\nline 3, 2026-02-03, 4950.00 USD: %[1]s, %[3]s\n", result, numbers[0], numbers[1])
	}
	for _, result := range []string{"paid", "already", "already"} {
		if got := o.run(t, []byte(file), "payments", "import", "-"); got != said(result) {
			t.Errorf("payments import:\n%swant\n%s", got, said(result))
		}
	}
}

// migratesPrices moves the one subscription that is paid in yen.
func (o okviz) migratesPrices(t *testing.T, catalogue, subscription string) {
	dearer := strings.ReplaceAll(catalogue, "{amount: 14850, currency: JPY}", "{amount: 16000, currency: JPY}")
	o.run(t, []byte(dearer), "catalog", "apply", "-")
	line := "~ subscription 1 " + subscription + " calendar-pro_users_1-20_yearly: 14850 JPY → 16000 JPY\n"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--dry-run"}, line + "1 change would be made\n"},
		{[]string{"--currency", "EUR"}, "0 changes\n"},
		{[]string{"--product", "calendar-pro"}, line + "1 change\n"},
		{nil, "0 changes\n"},
	} {
		if got := o.run(t, nil, append([]string{"catalog", "migrate"}, c.args...)...); got != c.want {
			t.Errorf("catalog migrate %v: %swant %s", c.args, got, c.want)
		}
	}
}

// reconciles compares the days around today, and again once the gateway has
// charged what no snapshot knows.
func (o okviz) reconciles(t *testing.T, database string) {
	day := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	args := []string{"payments", "reconcile", "--from", day(-1), "--to", day(2)}
	if got := o.run(t, nil, args...); got != "" {
		t.Errorf("the books and the gateway differ: %s", got)
	}
	if got, err := o.try(nil, "payments", "adopt", "--from", day(-1)); err == nil || !strings.Contains(got, "skip the numbers first") {
		t.Errorf("before any number was skipped it adopts: %s", got)
	}
	if got := o.run(t, nil, "numbers", "raise", "subscription-900"); !strings.HasPrefix(got, "subscription: the next number is 901, it was ") {
		t.Errorf("numbers raise: %s", got)
	}
	if got := o.run(t, nil, "payments", "adopt", "--from", day(-1)); got != "0 changes\n" {
		t.Errorf("nothing is missing, and it adopts: %s", got)
	}
	store, err := models.Open(database, billing.DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	g, err := sandbox.New(store.SandboxLedger(), "http://127.0.0.1/sandbox", "whsec_other")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	customer, err := g.EnsureCustomer(ctx, "acc_nobody")
	if err != nil {
		t.Fatal(err)
	}
	card, err := g.AttachMethod(ctx, customer, "tok_visa")
	if err != nil {
		t.Fatal(err)
	}
	r := billing.ChargeRequest{Invoice: "inv_nobody", Subscription: "sub_nobody", Customer: customer, Method: card.Ref, Attempt: 1, Amount: billing.Money{Amount: 777, Currency: "USD"}, At: time.Now()}
	charge, err := g.Prepare(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Charge(ctx, charge, r); err != nil {
		t.Fatal(err)
	}
	got, err := o.try(nil, args...)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(got, "moved 7.77 USD") || !strings.Contains(got, "differ in 1 places") {
		t.Errorf("a charge that is in no book: %v %s", err, got)
	}
}

// freeAddress is one that nobody listens at yet.
func freeAddress(t *testing.T) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
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

func post(url, key, body string, credential ...string) answer {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	r.Header["Authorization"] = credential
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

package engine

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

// scrape is what Prometheus reads of us, without what the runtime and Temporal's SDK say.
func scrape(t *testing.T, m *metrics) string {
	t.Helper()
	return strings.Join(regexp.MustCompile(`(?m)^okviz_.*$`).FindAllString(scrapeAll(t, m), -1), "\n")
}

func scrapeAll(t *testing.T, m *metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %s: %s", w.Code, w.Header(), w.Body)
	}
	return w.Body.String()
}

func wantLines(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+got+"\n", "\n"+line+"\n") {
			t.Errorf("there is no line %s in\n%s", line, got)
		}
	}
}

func TestCountsBeginAtZeroAndGoUp(t *testing.T) {
	m := newMetrics()
	wantLines(t, scrape(t, m), `okviz_charges_total{outcome="declined"} 0`, `okviz_charges_total{outcome="refused"} 0`, `okviz_mails_total{outcome="failed"} 0`)
	m.Charge("succeeded")
	m.Charge(refused)
	m.Charge(refused)
	m.Mail(sent)
	m.Mail(givenUp)
	m.Check("ACTIVE")
	m.Request("GET", "/v1/subscriptions/:id", 200, 30*time.Millisecond)
	m.Request("GET", "/v1/subscriptions/:id", 404, 30*time.Millisecond)
	wantLines(t, scrape(t, m), `okviz_charges_total{outcome="succeeded"} 1`, `okviz_charges_total{outcome="refused"} 2`,
		`okviz_mails_total{outcome="sent"} 1`, `okviz_mails_total{outcome="given_up"} 1`, `okviz_license_checks_total{code="ACTIVE"} 1`,
		`okviz_http_request_duration_seconds_bucket{method="GET",route="/v1/subscriptions/:id",status="200",le="0.05"} 1`,
		`okviz_http_request_duration_seconds_bucket{method="GET",route="/v1/subscriptions/:id",status="200",le="0.025"} 0`,
		`okviz_http_request_duration_seconds_count{method="GET",route="/v1/subscriptions/:id",status="404"} 1`)
}

func TestWhatAnybodyCanMakeUpIsNoLabel(t *testing.T) {
	m := newMetrics()
	for _, method := range []string{"BREW", "get", "Bianka"} {
		m.Request(method, "", 404, 0)
	}
	got := scrape(t, m)
	wantLines(t, got, `okviz_http_request_duration_seconds_count{method="other",route="none",status="404"} 3`)
	if strings.Contains(got, "BREW") || strings.Contains(got, "Bianka") {
		t.Error(got)
	}
}

func TestWhatIsLateIsReadWhenItIsAskedFor(t *testing.T) {
	m := newMetrics()
	w := &waiting{steps: 7, mails: 3}
	m.waiting(w)
	wantLines(t, scrape(t, m), "okviz_steps_late 7", "okviz_mails_waiting 3")
	w.steps = 0
	wantLines(t, scrape(t, m), "okviz_steps_late 0")
	w.err = errors.New("the database is away")
	if got := scrape(t, m); strings.Contains(got, "okviz_steps_late") || strings.Contains(got, "okviz_mails_waiting") || !strings.Contains(got, "okviz_charges_total") {
		t.Errorf("with the database away:\n%s", got)
	}
}

// waiting is a database that knows what waits.
type waiting struct {
	steps, mails int64
	err          error
}

func (w *waiting) Late(ctx context.Context, before time.Time) (int64, error) {
	return w.steps, w.asked(ctx, before, 5*time.Minute)
}

func (w *waiting) WaitingMails(ctx context.Context, before time.Time) (int64, error) {
	return w.mails, w.asked(ctx, before, 15*time.Minute)
}

func (w *waiting) asked(ctx context.Context, before time.Time, ago time.Duration) error {
	if _, ends := ctx.Deadline(); !ends {
		return errors.New("it may wait for ever")
	}
	if d := time.Since(before); d < ago || d > ago+time.Minute {
		return errors.New("it asks for another time")
	}
	return w.err
}

func TestWhatAReconciliationNamesIsANumberOfEachKind(t *testing.T) {
	m := newMetrics()
	wantLines(t, scrape(t, m), "okviz_reconciled_timestamp_seconds 0")
	m.Reconciled(backoffice.Reconciliation{WithoutWorkflow: []billing.SubscriptionID{"sub_1", "sub_2"}}, make([]billing.Difference, 3))
	got := scrape(t, m)
	wantLines(t, got, `okviz_reconcile_differences{kind="without_workflow"} 2`, `okviz_reconcile_differences{kind="without_rows"} 0`, `okviz_reconcile_differences{kind="money"} 3`)
	if strings.Contains(got, "sub_") || strings.Contains(got, "okviz_reconciled_timestamp_seconds 0\n") {
		t.Error(got)
	}
}

func TestTheSDKsCountsHaveFewLabelsAndBeginAtNought(t *testing.T) {
	m := newMetrics()
	const frozen = `temporal_workflow_task_execution_failed{activity_type="",failure_reason="NonDeterminismError",operation="",poller_type="",worker_type="",workflow_type="Subscription"} `
	wantLines(t, scrapeAll(t, m), frozen+"0")
	sdk := m.sdk().WithTags(map[string]string{"namespace": "default", "client_name": "temporal_go", "worker_type": "none", "task_queue": "none"})
	worker := sdk.WithTags(map[string]string{"task_queue": "a machine's name", "worker_type": "WorkflowWorker"})
	sdk.WithTags(map[string]string{"workflow_type": "Subscription"}).WithTags(map[string]string{"failure_reason": "NonDeterminismError"}).Counter(failedTasks).Inc(2)
	worker.Gauge("temporal_worker_task_slots_available").Update(7)
	worker.Gauge("temporal_worker_task_slots_available").Update(5)
	sdk.WithTags(map[string]string{"operation": "StartWorkflow"}).Timer("temporal_request_latency").Record(70 * time.Millisecond)
	got := scrapeAll(t, m)
	wantLines(t, got, frozen+"2",
		`temporal_worker_task_slots_available{activity_type="",failure_reason="",operation="",poller_type="",worker_type="WorkflowWorker",workflow_type=""} 5`,
		`temporal_request_latency_seconds_bucket{activity_type="",failure_reason="",operation="StartWorkflow",poller_type="",worker_type="",workflow_type="",le="0.1"} 1`,
		`temporal_request_latency_seconds_bucket{activity_type="",failure_reason="",operation="StartWorkflow",poller_type="",worker_type="",workflow_type="",le="0.05"} 0`)
	if strings.Contains(got, "machine") || strings.Contains(got, "namespace") {
		t.Error(got)
	}
}

// rule is an alert of docs/alerts.yml.
type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// The rules that operators begin with name metrics that this program has, and the
// outcomes and kinds that it counts.
func TestEveryMetricOfTheAlertsIsExported(t *testing.T) {
	text, err := os.ReadFile("../docs/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	m := newMetrics()
	m.waiting(&waiting{})
	m.Reconciled(backoffice.Reconciliation{}, nil)
	m.Request("GET", "/v1/products", 500, 0)
	exported := scrapeAll(t, m)
	metric := regexp.MustCompile(`(okviz|temporal)_\w+(\{[^}]*\})?`)
	label := regexp.MustCompile(`(\w+)(=~?)"([^"]*)"`)
	seen := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s says neither what it means nor how bad it is", r.Alert)
			}
			for _, used := range metric.FindAllString(r.Expr, -1) {
				name, selector, _ := strings.Cut(used, "{")
				seen[name] = true
				series := regexp.MustCompile(`(?m)^`+name+`(\{.*\})? .*$`).FindAllString(exported, -1)
				if len(series) == 0 {
					t.Errorf("%s: there is no metric %s", r.Alert, name)
				}
				for _, l := range label.FindAllStringSubmatch(selector, -1) {
					for _, value := range strings.Split(l[3], "|") {
						if !slices.ContainsFunc(series, func(s string) bool {
							return regexp.MustCompile(l[1] + `="` + value + `"`).MatchString(s)
						}) {
							t.Errorf("%s: %s has no %s that is %s", r.Alert, name, l[1], value)
						}
					}
				}
			}
		}
	}
	for _, name := range []string{"temporal_workflow_task_execution_failed", "okviz_steps_late", "okviz_mails_waiting", "okviz_charges_total", "okviz_reconcile_differences"} {
		if !seen[name] {
			t.Errorf("no alert is on %s", name)
		}
	}
}

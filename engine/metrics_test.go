package engine

import (
	"context"
	"errors"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// scrape is what Prometheus reads of us, without what the runtime says.
func scrape(t *testing.T, m *metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %s: %s", w.Code, w.Header(), w.Body)
	}
	return strings.Join(regexp.MustCompile(`(?m)^okviz_.*$`).FindAllString(w.Body.String(), -1), "\n")
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

func TestLateStepsAreReadWhenTheyAreAskedFor(t *testing.T) {
	m := newMetrics()
	n, err := int64(7), error(nil)
	m.Late(func(ctx context.Context) (int64, error) {
		if _, ends := ctx.Deadline(); !ends {
			t.Error("it may wait for ever")
		}
		return n, err
	})
	wantLines(t, scrape(t, m), "okviz_steps_late 7")
	n = 0
	wantLines(t, scrape(t, m), "okviz_steps_late 0")
	err = errors.New("the database is away")
	if got := scrape(t, m); strings.Contains(got, "okviz_steps_late") || !strings.Contains(got, "okviz_charges_total") {
		t.Errorf("with the database away:\n%s", got)
	}
}

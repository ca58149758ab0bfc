package e2e

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

// metric is the value of a line that Prometheus reads; 0 where there is none.
func (s *shop) metric(t testing.TB, name string) float64 {
	t.Helper()
	body := (&shop{http: s.system.Metrics}).send(t, http.MethodGet, "/metrics", nil, nil).want(t, http.StatusOK).body
	if id := regexp.MustCompile(`(sub|lic|inv|cus|req|re|key|ses|clk|quo)_[0-9A-Z]{26}|@`).Find(body); id != nil {
		t.Errorf("Prometheus is told %q", id)
	}
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindSubmatch(body)
	if found == nil {
		return 0
	}
	v, err := strconv.ParseFloat(string(found[1]), 64)
	must(t, err)
	return v
}

func TestPrometheusIsToldOfRequestsChargesMailsAndChecksOnAListenerOfItsOwn(t *testing.T) {
	const (
		bought   = `okviz_http_request_duration_seconds_count{method="POST",route="/v1/checkout",status="201"}`
		declined = `okviz_http_request_duration_seconds_count{method="POST",route="/v1/checkout",status="402"}`
		read     = `okviz_http_request_duration_seconds_count{method="GET",route="/v1/subscriptions/:id",status="200"}`
	)
	names := []string{bought, declined, read, `okviz_charges_total{outcome="succeeded"}`, `okviz_charges_total{outcome="declined"}`, `okviz_license_checks_total{code="ACTIVE"}`}
	before := map[string]float64{}
	for _, name := range names {
		before[name] = shared.metric(t, name)
	}
	mails := shared.metric(t, `okviz_mails_total{outcome="sent"}`)
	c := shared.buy(t, newCustomer().order(nil))
	shared.check(t, *c.Subscription.LicenseID)
	shared.subscription(t, c.Subscription.ID)
	p := shared.post(t, "/v1/checkout", newKey(), newCustomer().order(object{"payment": card("tok_declined")})).wantProblem(t, http.StatusPaymentRequired, "card_declined")
	secret(p.CheckoutToken)
	for _, name := range names {
		if got := shared.metric(t, name) - before[name]; got != 1 {
			t.Errorf("%s rose by %v", name, got)
		}
	}
	eventually(t, 20*time.Second, "two mails are counted", func() bool { return shared.metric(t, `okviz_mails_total{outcome="sent"}`)-mails >= 2 })
	if late := shared.metric(t, "okviz_steps_late"); late != 0 {
		t.Errorf("%v steps are late", late)
	}
	for address, path := range map[string]string{shared.http: "/metrics", shared.system.Metrics: "/v1/products"} {
		(&shop{http: address}).send(t, http.MethodGet, path, nil, nil).want(t, http.StatusNotFound)
	}
}

func TestWhatIsMissingIsToldAndStartedByOneAtATime(t *testing.T) {
	s := start(t, 0)
	s.buy(t, newCustomer().order(nil))
	lost := s.buy(t, newCustomer().order(nil)).Subscription.ID
	must(t, s.temporal.TerminateWorkflow(t.Context(), lost, "", "as an operator may"))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	told := 0
	s.system.Engine.Office.Watch(ctx, time.Millisecond, func(r backoffice.Reconciliation, money []billing.Difference) {
		if told++; told == 2 {
			stop()
		}
		missing := len(r.WithoutWorkflow) == 1 && string(r.WithoutWorkflow[0]) == lost
		if r.Live != 2 || missing != (told == 1) || len(r.WithoutRows) != 0 || len(money) != 0 {
			t.Errorf("the %d. time it is told %+v and %v", told, r, money)
		}
	}, func() { t.Error("another process looks") })
	if told != 2 {
		t.Errorf("told %d times", told)
	}
}

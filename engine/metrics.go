package engine

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

// metrics are the counts of one process, for Prometheus. No label is an id, an
// address or a name: each label has a few values that are known beforehand.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	checks   *prometheus.CounterVec
	charges  *prometheus.CounterVec
	mails    *prometheus.CounterVec

	differences *prometheus.GaugeVec
	reconciled  prometheus.Gauge
}

// Outcomes of a call of the gateway that charges, besides a payment's statuses,
// and of a try to send a mail.
const (
	refused = "refused" // the gateway takes no such call from us
	failed  = "failed"  // it could not be asked; the mail server could not
	sent    = "sent"
	givenUp = "given_up" // a mail that can never be sent
)

// newMetrics starts at zero.
func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "okviz_http_request_duration_seconds", Help: "HTTP requests, by method, route and status.",
		}, []string{"method", "route", "status"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "okviz_license_checks_total", Help: "Licence checks answered, by the code of the answer.",
		}, []string{"code"}),
		charges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "okviz_charges_total", Help: "Calls of the gateway that charge, by what it answered.",
		}, []string{"outcome"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "okviz_mails_total", Help: "Tries to send a mail, by what became of them.",
		}, []string{"outcome"}),
		differences: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "okviz_reconcile_differences", Help: "What the latest reconciliation has named, by kind.",
		}, []string{"kind"}),
		reconciled: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "okviz_reconciled_timestamp_seconds", Help: "When this process has reconciled last; 0: not yet.",
		}),
	}
	m.registry.MustRegister(m.requests, m.checks, m.charges, m.mails, m.differences, m.reconciled,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, outcome := range []string{"succeeded", "declined", "requires_action", "processing", "unknown", refused, failed} {
		m.charges.WithLabelValues(outcome) // an alarm needs the zero before the first one
	}
	for _, outcome := range []string{sent, failed, givenUp} {
		m.mails.WithLabelValues(outcome)
	}
	for _, workflow := range []string{"Subscription", "Deliver"} {
		for _, reason := range []string{"NonDeterminismError", "WorkflowError"} {
			m.sdk().WithTags(map[string]string{"workflow_type": workflow, "failure_reason": reason}).Counter(failedTasks).Inc(0)
		}
	}
	return m
}

// Handler answers Prometheus.
func (m *metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// methods are those that the API has; anybody can make up others.
var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

// Request counts an answered request. route is its pattern; empty: no route's.
func (m *metrics) Request(method, route string, status int, took time.Duration) {
	if !methods[method] {
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Check counts an answered licence check.
func (m *metrics) Check(code string) { m.checks.WithLabelValues(code).Inc() }

// Charge counts what the gateway answered to a charge.
func (m *metrics) Charge(outcome string) { m.charges.WithLabelValues(outcome).Inc() }

// Mail counts a try to send a mail.
func (m *metrics) Mail(outcome string) { m.mails.WithLabelValues(outcome).Inc() }

// grace is by how much a step may be late before it is counted: nearly all are
// done within seconds.
const grace = 5 * time.Minute

// readTime is how long a scrape waits for the count of late steps.
const readTime = 3 * time.Second

// Count reads a number from the database whenever Prometheus asks. Where it
// cannot be read there is no such number, which is an alarm of its own.
func (m *metrics) Count(name, help string, count func(ctx context.Context) (int64, error)) {
	m.registry.MustRegister(counted{prometheus.NewDesc(name, help, nil, nil), count})
}

type counted struct {
	desc  *prometheus.Desc
	count func(ctx context.Context) (int64, error)
}

func (n counted) Describe(c chan<- *prometheus.Desc) { c <- n.desc }

func (n counted) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	if number, err := n.count(ctx); err == nil {
		c <- prometheus.MustNewConstMetric(n.desc, prometheus.GaugeValue, float64(number))
	}
}

// waiting has the database read what waits for longer than it should.
func (m *metrics) waiting(store interface {
	Late(ctx context.Context, before time.Time) (int64, error)
	WaitingMails(ctx context.Context, before time.Time) (int64, error)
}) {
	m.Count("okviz_steps_late", "Renewals and other steps of subscriptions that have been due for more than five minutes.",
		func(ctx context.Context) (int64, error) { return store.Late(ctx, time.Now().Add(-grace)) })
	m.Count("okviz_mails_waiting", "Mails that have been waiting to be sent for more than fifteen minutes.",
		func(ctx context.Context) (int64, error) { return store.WaitingMails(ctx, time.Now().Add(-3*grace)) })
}

// Reconciled keeps what the latest reconciliation has found.
func (m *metrics) Reconciled(r backoffice.Reconciliation, money []billing.Difference) {
	for kind, n := range map[string]int{"without_workflow": len(r.WithoutWorkflow), "without_rows": len(r.WithoutRows), "money": len(money)} {
		m.differences.WithLabelValues(kind).Set(float64(n))
	}
	m.reconciled.SetToCurrentTime()
}

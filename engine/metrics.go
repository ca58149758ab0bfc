package engine

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the counts of one process, for Prometheus. No label is an id, an
// address or a name: each label has a few values that are known beforehand.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	checks   *prometheus.CounterVec
	charges  *prometheus.CounterVec
	mails    *prometheus.CounterVec
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
	}
	m.registry.MustRegister(m.requests, m.checks, m.charges, m.mails,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, outcome := range []string{"succeeded", "declined", "requires_action", "processing", "unknown", refused, failed} {
		m.charges.WithLabelValues(outcome) // an alarm needs the zero before the first one
	}
	for _, outcome := range []string{sent, failed, givenUp} {
		m.mails.WithLabelValues(outcome)
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

// Late counts, whenever Prometheus asks, the steps that are due since longer
// than grace. Where that cannot be read there is no such number, which is an
// alarm of its own.
func (m *metrics) Late(count func(ctx context.Context) (int64, error)) {
	m.registry.MustRegister(late{count})
}

type late struct {
	count func(ctx context.Context) (int64, error)
}

var lateSteps = prometheus.NewDesc("okviz_steps_late", "Renewals and other steps of subscriptions that have been due for more than five minutes.", nil, nil)

func (l late) Describe(c chan<- *prometheus.Desc) { c <- lateSteps }

func (l late) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	if n, err := l.count(ctx); err == nil {
		c <- prometheus.MustNewConstMetric(lateSteps, prometheus.GaugeValue, float64(n))
	}
}

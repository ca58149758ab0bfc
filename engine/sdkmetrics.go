package engine

import (
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// failedTasks counts the workflow tasks that failed in this process: a workflow
// whose code cannot continue its history is frozen.
const failedTasks = "temporal_workflow_task_execution_failed"

// sdkLabels are the labels of what Temporal's SDK counts. Its others are the same
// for the whole process, or name a machine.
var sdkLabels = []string{"operation", "worker_type", "poller_type", "workflow_type", "activity_type", "failure_reason"}

// sdkMetrics gives Prometheus what Temporal's SDK counts.
type sdkMetrics struct {
	registry *prometheus.Registry
	labels   [6]string // as sdkLabels
}

// sdk takes the SDK's counts.
func (m *metrics) sdk() client.MetricsHandler { return sdkMetrics{registry: m.registry} }

func (m sdkMetrics) WithTags(tags map[string]string) client.MetricsHandler {
	for name, value := range tags {
		if i := slices.Index(sdkLabels, name); i >= 0 && value != "none" {
			m.labels[i] = value
		}
	}
	return m
}

func (m sdkMetrics) Counter(name string) client.MetricsCounter {
	return counter{registered(m.registry, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: sdkHelp}, sdkLabels)).WithLabelValues(m.labels[:]...)}
}

func (m sdkMetrics) Gauge(name string) client.MetricsGauge {
	return gauge{registered(m.registry, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: sdkHelp}, sdkLabels)).WithLabelValues(m.labels[:]...)}
}

func (m sdkMetrics) Timer(name string) client.MetricsTimer {
	return timer{registered(m.registry, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name + "_seconds", Help: sdkHelp}, sdkLabels)).WithLabelValues(m.labels[:]...)}
}

const sdkHelp = "Temporal's SDK: docs.temporal.io/references/sdk-metrics"

// registered is a metric, or the one that is registered under its name.
func registered[C prometheus.Collector](r *prometheus.Registry, c C) C {
	if known := (prometheus.AlreadyRegisteredError{}); errors.As(r.Register(c), &known) {
		return known.ExistingCollector.(C)
	}
	return c
}

type counter struct{ prometheus.Counter }

func (c counter) Inc(n int64) { c.Add(float64(n)) }

type gauge struct{ prometheus.Gauge }

func (g gauge) Update(v float64) { g.Set(v) }

type timer struct{ prometheus.Observer }

func (t timer) Record(d time.Duration) { t.Observe(d.Seconds()) }

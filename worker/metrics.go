package worker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"belfry/store"
)

// metrics counts what this node does.
type metrics struct {
	attempts   *prometheus.CounterVec
	duration   prometheus.Histogram
	latency    prometheus.Histogram
	recovered  prometheus.Counter
	underWay   prometheus.GaugeFunc
	unrecorded prometheus.GaugeFunc
	orphaned   prometheus.Gauge
	provedAt   prometheus.Gauge
	calls      *prometheus.HistogramVec
	errors     *prometheus.CounterVec
	batches    *prometheus.HistogramVec
	backlog    *backlog
}

// The steps of histograms: of one request, of a delivery that may have waited,
// of a call to the database, and of a batch.
var (
	requestSteps = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	waitSteps    = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}
	callSteps    = [...]float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	batchSteps   = [...]float64{1, 2, 5, 10, 20, 50, 100, 200, 500}
)

func newMetrics(s *slots, st *store.Store) *metrics {
	gauge := func(name, help string, value func() int) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	histogram := func(name, help string, steps []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: help, Buckets: steps}
	}
	return &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "belfry_attempts_total", Help: "Requests to endpoints, by outcome: ok or the kind of failure.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(histogram("belfry_attempt_duration_seconds", "Time of whole requests to endpoints.", requestSteps[:])),
		latency: prometheus.NewHistogram(histogram("belfry_delivery_latency_seconds",
			"Time from the publish of a delivery to the end of its first attempt, to the millisecond.", waitSteps[:])),
		recovered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "belfry_recovered_total", Help: "Deliveries taken back from nodes that stopped.",
		}),
		orphaned: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "belfry_orphaned_deliveries", Help: "Accepted deliveries that nobody would come for, found by the last look; always 0 unless Belfry is broken.",
		}),
		provedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "belfry_orphaned_checked_timestamp_seconds", Help: "When the last look for orphaned deliveries was through; 0: not yet.",
		}),
		calls: prometheus.NewHistogramVec(histogram("belfry_database_call_duration_seconds",
			"Time to claim deliveries, and to record what came of them, by the call.", callSteps[:]), []string{"call"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "belfry_database_call_errors_total", Help: "Claims and records that failed and are tried again, by the call.",
		}, []string{"call"}),
		batches: prometheus.NewHistogramVec(histogram("belfry_batch_size",
			"Deliveries that one call claimed or recorded; empty claims are left out.", batchSteps[:]), []string{"call"}),
		underWay:   gauge("belfry_attempts_under_way", "Requests to endpoints under way.", func() int { n, _ := s.counts(); return n }),
		unrecorded: gauge("belfry_attempts_unrecorded", "Answers that wait to be recorded.", func() int { _, n := s.counts(); return n }),
		backlog:    &backlog{store: st},
	}
}

func (m *metrics) attempted(kind string, took time.Duration) {
	if kind == "" {
		kind = "ok"
	}
	m.attempts.WithLabelValues(kind).Inc()
	m.duration.Observe(took.Seconds())
}

// called counts one call to the database.
func (m *metrics) called(call string, took time.Duration, err error) {
	m.calls.WithLabelValues(call).Observe(took.Seconds())
	if err != nil {
		m.errors.WithLabelValues(call).Inc()
	}
}

func (m *metrics) claimed(jobs int) {
	if jobs > 0 {
		m.batches.WithLabelValues("claim").Observe(float64(jobs))
	}
}

func (m *metrics) recorded(results []store.Result) {
	m.batches.WithLabelValues("record").Observe(float64(len(results)))
	for i := range results {
		if r := &results[i]; r.Job.Attempt == 1 {
			m.latency.Observe(max(0, r.Attempt.StartedAt.Add(r.Attempt.Duration).Sub(r.Job.DeliveryID.Time()).Seconds()))
		}
	}
}

// reconciled keeps what a pass of the reconciler found.
func (m *metrics) reconciled(found store.Orphans) {
	m.orphaned.Set(float64(found.Total()))
	m.provedAt.SetToCurrentTime()
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{
		m.attempts, m.duration, m.latency, m.recovered, m.underWay, m.unrecorded, m.orphaned, m.provedAt,
		m.calls, m.errors, m.batches, m.backlog,
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}

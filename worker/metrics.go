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
	recovered  prometheus.Counter
	underWay   prometheus.GaugeFunc
	unrecorded prometheus.GaugeFunc
	orphaned   prometheus.Gauge
	provedAt   prometheus.Gauge
}

func newMetrics(s *slots) *metrics {
	gauge := func(name, help string, value func() int) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	return &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "belfry_attempts_total", Help: "Requests to endpoints, by outcome: ok or the kind of failure.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "belfry_attempt_duration_seconds", Help: "Time of whole requests to endpoints.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		recovered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "belfry_recovered_total", Help: "Deliveries taken back from nodes that stopped.",
		}),
		orphaned: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "belfry_orphaned_deliveries", Help: "Accepted deliveries that nobody would come for, found by the last look; always 0 unless Belfry is broken.",
		}),
		provedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "belfry_orphaned_checked_timestamp_seconds", Help: "When the last look for orphaned deliveries was through; 0: not yet.",
		}),
		underWay:   gauge("belfry_attempts_under_way", "Requests to endpoints under way.", func() int { n, _ := s.counts(); return n }),
		unrecorded: gauge("belfry_attempts_unrecorded", "Answers that wait to be recorded.", func() int { _, n := s.counts(); return n }),
	}
}

func (m *metrics) attempted(kind string, took time.Duration) {
	if kind == "" {
		kind = "ok"
	}
	m.attempts.WithLabelValues(kind).Inc()
	m.duration.Observe(took.Seconds())
}

// reconciled keeps what a pass of the reconciler found.
func (m *metrics) reconciled(found store.Orphans) {
	m.orphaned.Set(float64(found.Total()))
	m.provedAt.SetToCurrentTime()
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.attempts, m.duration, m.recovered, m.underWay, m.unrecorded, m.orphaned, m.provedAt}
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

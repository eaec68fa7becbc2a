package worker

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"belfry/store"
)

// scrapeTime is how long a scrape waits for the database.
const scrapeTime = 2 * time.Second

// backlog reads, at each scrape, what there is to do: a few queries over the
// queues' counts. It is the same on every node.
type backlog struct{ store *store.Store }

// reading is one number at one scrape.
type reading struct {
	name, help string
	kind       prometheus.ValueType
	label      string // empty: none
	value      string // of the label
	n          float64
}

func (r reading) desc() *prometheus.Desc {
	if r.label == "" {
		return prometheus.NewDesc(r.name, r.help, nil, nil)
	}
	return prometheus.NewDesc(r.name, r.help, []string{r.label}, nil)
}

func (r reading) metric() prometheus.Metric {
	if r.label == "" {
		return prometheus.MustNewConstMetric(r.desc(), r.kind, r.n)
	}
	return prometheus.MustNewConstMetric(r.desc(), r.kind, r.n, r.value)
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	told := map[string]bool{}
	for _, r := range append(backlogReadings(store.Backlog{}), b.pools()...) {
		if !told[r.name] {
			told[r.name] = true
			ch <- r.desc()
		}
	}
	ch <- up(0).desc()
}

// Collect implements prometheus.Collector. While the database is away the
// backlog is left out, and belfry_database_up is 0.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	readings := b.pools()
	now, err := b.store.Backlog(ctx)
	if err == nil {
		readings = append(append(readings, backlogReadings(now)...), up(1))
	} else {
		readings = append(readings, up(0))
	}
	for _, r := range readings {
		ch <- r.metric()
	}
}

func up(n float64) reading {
	return reading{name: "belfry_database_up", help: "1 while the database answers.", kind: prometheus.GaugeValue, n: n}
}

func backlogReadings(b store.Backlog) []reading {
	var list []reading
	add := func(name, help, label, value string, n float64) {
		list = append(list, reading{name, help, prometheus.GaugeValue, label, value, n})
	}
	for status := store.Pending; status <= store.Dead; status++ {
		add("belfry_deliveries", "Deliveries that the log holds, by status.", "status", status.String(), float64(b.Counts.Of(status)))
	}
	held := "Pending deliveries that wait for more than their time, by what they wait for. Rate: all that are pending for webhooks with some due, of accounts at their limit."
	add("belfry_held_deliveries", held, "reason", store.HeldInactive, float64(b.Inactive))
	add("belfry_held_deliveries", held, "reason", store.HeldProbing, float64(b.Probing))
	add("belfry_held_deliveries", held, "reason", store.HeldRate, float64(b.Limited))
	add("belfry_probing_webhooks", "Webhooks that are probed, one request at a time.", "", "", float64(b.ProbingWebhooks))
	add("belfry_rate_limited_accounts", "Accounts whose due deliveries wait for the account's rate.", "", "", float64(b.LimitedAccounts))
	add("belfry_oldest_pending_seconds", "Time since the oldest pending delivery was made; 0: none is pending.", "", "", b.Oldest.Seconds())
	add("belfry_overdue_seconds", "For how long something has been due that no pause and no probing holds; 0: nothing is.", "", "", b.Overdue.Seconds())
	add("belfry_database_bytes", "What the database's rows take.", "", "", float64(b.Size))
	add("belfry_database_budget_bytes", "What the database may take (-max-db-size); 0: any.", "", "", float64(b.Budget))
	return list
}

// pools reads how the connections to the database are used.
func (b *backlog) pools() []reading {
	var list []reading
	for _, p := range b.store.Pools() {
		add := func(name, help string, kind prometheus.ValueType, n float64) {
			list = append(list, reading{name, help, kind, "pool", p.Name, n})
		}
		add("belfry_database_connections_in_use", "Connections to the database in use, by pool.", prometheus.GaugeValue, float64(p.InUse))
		add("belfry_database_connections_idle", "Connections to the database that are open and idle, by pool.", prometheus.GaugeValue, float64(p.Idle))
		add("belfry_database_connections_max", "Connections to the database that may be open, by pool.", prometheus.GaugeValue, float64(p.MaxOpenConnections))
		add("belfry_database_waits_total", "Times that all connections were in use, by pool.", prometheus.CounterValue, float64(p.WaitCount))
		add("belfry_database_wait_seconds_total", "Time spent waiting for a connection, by pool.", prometheus.CounterValue, p.WaitDuration.Seconds())
	}
	return list
}

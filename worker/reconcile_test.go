package worker

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"belfry/store/storetest"
)

// gauge scrapes one of the worker's gauges that has no labels.
func (r *running) gauge(name string) float64 {
	all := prometheus.NewRegistry()
	all.MustRegister(r.Collector())
	families, err := all.Gather()
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	panic("there is no " + name)
}

func TestAWorkerThatStartsFindsWhatIsOrphaned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		d.webhook("http://127.0.0.1:9/")
		w := d.work()
		d.until("the first look is through", func() bool { return w.gauge("belfry_orphaned_checked_timestamp_seconds") > 0 })
		if n := w.gauge("belfry_orphaned_deliveries"); n != 0 {
			t.Errorf("%v orphans in an empty database", n)
		}
		w.stop()
		d.publish(3)
		_, err := storetest.Raw(t, db).Exec("DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 1)")
		d.must(err)
		w = d.work()
		d.until("the look at the start is through", func() bool { return w.gauge("belfry_orphaned_checked_timestamp_seconds") > 0 })
		if n := w.gauge("belfry_orphaned_deliveries"); n != 1 {
			t.Errorf("%v orphans, want the one delivery that is gone", n)
		}
	})
}

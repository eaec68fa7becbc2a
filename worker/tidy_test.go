package worker

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// bystander is a desk whose webhook delivers while others work on the database.
type bystander struct {
	*desk
	hook uuid.UUID
	came chan time.Time
}

func newBystander(t testing.TB, db storetest.Database) *bystander {
	b := &bystander{desk: newDesk(t, db), came: make(chan time.Time, 10_000)}
	r := receives(t, func(http.ResponseWriter, *http.Request) { b.came <- time.Now() })
	b.hook = b.webhook(r.URL)
	return b
}

// latency publishes n events, one each 10 ms, and gives the median and the
// 99th percentile of the times from publish to receipt.
func (b *bystander) latency(n int) (median, p99 time.Duration) {
	b.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	took := make([]time.Duration, n)
	for i := range took {
		<-tick.C
		began := time.Now()
		b.publish(1)
		select {
		case at := <-b.came:
			took[i] = at.Sub(began)
		case <-time.After(patience):
			b.t.Fatal("an event did not arrive")
		}
	}
	slices.Sort(took)
	return took[n/2], took[n*99/100]
}

// grow adds a past that retention removes.
func (b *bystander) grow(events int) {
	long := time.Now().Add(-40 * 24 * time.Hour)
	storetest.Seed(b.t, b.db, storetest.Past{Account: b.account, Webhook: b.hook, Events: events, From: long, To: long.Add(24 * time.Hour)})
}

func TestTheWorkerRemovesWhatIsOldWithoutSlowingDeliveries(t *testing.T) {
	const old, sent = 1500, 30
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		b := newBystander(t, db)
		w := b.work()
		alone, _ := b.latency(sent)
		w.stop()
		b.grow(old)
		b.work()
		beside, _ := b.latency(sent)
		if left := b.summary(b.hook).Delivered; left == old+2*sent {
			t.Error("nothing was removed while events were delivered")
		}
		// Twice as long, and what a busy machine adds by chance.
		if most := 2*alone + 20*time.Millisecond; beside > most {
			t.Errorf("half of the deliveries took %v or more beside the removal, %v alone; want %v at most", beside, alone, most)
		}
		b.expect(b.hook, store.Summary{Delivered: 2 * sent})
		conn, events, attempts := storetest.Raw(t, db), 0, 0
		b.until("the events are gone", func() bool {
			b.must(conn.QueryRow("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM attempts)").Scan(&events, &attempts))
			return events == 2*sent
		})
		if attempts != 2*sent {
			t.Errorf("%d attempts are left, want %d", attempts, 2*sent)
		}
	})
}

// BenchmarkTidy measures how long deliveries take while 50 000 old ones are
// removed, against the same without.
func BenchmarkTidy(b *testing.B) {
	for _, kind := range []func(testing.TB) storetest.Database{storetest.SQLite, storetest.Postgres} {
		db := kind(b)
		b.Run(db.Kind, func(b *testing.B) {
			s := newBystander(b, db)
			w := s.work()
			alone, aloneTail := s.latency(200)
			w.stop()
			s.grow(50_000)
			b.ResetTimer()
			w = s.work()
			began := time.Now()
			beside, tail := s.latency(200)
			if s.summary(s.hook).Delivered <= 400 {
				b.Fatal("all was removed before the measurement was over")
			}
			removed := 50_400 - s.summary(s.hook).Delivered
			b.ReportMetric(float64(removed)/time.Since(began).Seconds(), "removed/s")
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			for name, n := range map[string]float64{
				"alone-p50-ms": ms(alone), "alone-p99-ms": ms(aloneTail), "beside-p50-ms": ms(beside), "beside-p99-ms": ms(tail),
				"p50-ratio": ms(beside) / ms(alone), "p99-ratio": ms(tail) / ms(aloneTail), "ns/op": 0,
			} {
				b.ReportMetric(n, name)
			}
			w.stop()
		})
	}
}

func TestThePeakOfRequestsUnderWayIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r, free := block(t)
		d.webhook(r.URL)
		w := d.work()
		d.publish(3)
		r.wait(t, 3)
		most := peaks{}
		w.sample(most)
		free()
		d.until("all are delivered", func() bool {
			return len(d.deliveries(store.DeliveryFilter{Status: []store.Status{store.Delivered}})) == 3
		})
		w.sample(most)
		w.keepPeaks(t.Context(), most)
		if len(most) != 0 {
			t.Errorf("what is kept is not forgotten: %v", most)
		}
		u, err := d.store.LimitsUse(t.Context(), d.account)
		if d.must(err); u.InFlight.Peak != 3 {
			t.Errorf("the peak is %s, want 3", fmt.Sprint(u.InFlight))
		}
	})
}

package worker

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/worker/outbound"
	"belfry/worker/signature"
)

const (
	benchHooks      = 10
	benchInFlight   = 64
	benchPublishers = 64
)

// BenchmarkPipeline measures publish → POST → recorded, in deliveries per
// second, against the floor of bare signed POSTs to the same receiver in the
// same run.
func BenchmarkPipeline(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchPipeline(b, storetest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { benchPipeline(b, storetest.Postgres(b)) })
}

func benchPipeline(b *testing.B, db storetest.Database) {
	var got atomic.Int64
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got.Add(1)
	}))
	defer sink.Close()
	d := newDesk(b, db, func(d *desk) { d.limits.RatePerMinute, d.limits.InFlight = 10_000_000, benchInFlight })
	data := append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 500)...), `"}`...)
	floor := benchFloor(b, d, sink.URL, data)

	types := benchWebhooks(d, sink.URL)
	w := d.work(func(o *Options) { o.Client = benchClient(d) })
	got.Store(0)
	b.ResetTimer()
	started := time.Now()
	benchPublish(b, d, types, data)
	d.until("all is recorded", func() bool {
		under, unrecorded := w.slots.counts()
		return under == 0 && unrecorded == 0 && int(got.Load()) >= b.N && benchOpen(d) == 0
	})
	rate := float64(b.N) / time.Since(started).Seconds()
	b.ReportMetric(rate, "deliveries/s")
	b.ReportMetric(floor, "floor/s")
	b.ReportMetric(rate/floor, "ratio")
	b.ReportMetric(0, "ns/op")
	w.stop()
}

func benchClient(d *desk) *outbound.Client {
	return outbound.New(outbound.Options{Targets: d.store.Targets(), MaxIdleConnsPerHost: benchHooks * benchInFlight})
}

// benchWebhooks adds webhooks with a type of event each.
func benchWebhooks(d *desk, url string) []string {
	types := []string{"call.started", "call.ringing", "call.answered", "call.ended", "call.missed", "call.failed", "call.transferred", "agent.created", "agent.updated", "message.sent"}
	for _, name := range types {
		d.webhook(url+"/"+name, func(n *store.NewWebhook) { n.Events = []string{name} })
	}
	return types
}

// benchFloor is the rate of POSTs that are signed and nothing else.
func benchFloor(b *testing.B, d *desk, url string, data []byte) float64 {
	client := benchClient(d)
	defer client.CloseIdle()
	n := max(2000, min(b.N, 20_000))
	var left atomic.Int64
	left.Store(int64(n))
	var posts sync.WaitGroup
	started := time.Now()
	for range 64 {
		posts.Go(func() {
			for left.Add(-1) >= 0 {
				body, _ := signature.Body("call.ended", "2024-01-15T10:30:00Z", data, testSecret)
				headers, _ := signature.Headers(signature.Attempt{ID: "0190", Number: 1, At: time.Now(), Event: "call.ended", Body: body, Secret: testSecret})
				client.Do(b.Context(), "", outbound.Request{URL: url, Header: headers, Body: body})
			}
		})
	}
	posts.Wait()
	return float64(n) / time.Since(started).Seconds()
}

func benchPublish(b *testing.B, d *desk, types []string, data []byte) {
	var next atomic.Int64
	var publishers sync.WaitGroup
	for range benchPublishers {
		publishers.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				_, _, err := d.store.Publish(b.Context(), store.Publication{
					AccountID: d.account,
					Events:    []store.NewEvent{{Type: types[int(i)%len(types)], Data: data}},
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	publishers.Wait()
}

// benchOpen counts what is not finished.
func benchOpen(d *desk) int {
	n, err := d.store.CountDeliveries(d.t.Context(), d.account, store.DeliveryFilter{Status: []store.Status{store.Pending, store.Processing}}, 1)
	d.must(err)
	return n
}

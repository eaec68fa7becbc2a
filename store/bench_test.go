package store_test

import (
	"bytes"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// benchDesk is a store whose commits wait for the disk, with an account that
// nothing holds up.
type benchDesk struct {
	*store.Store
	b       *testing.B
	account uuid.UUID
	events  []store.NewEvent
}

const (
	benchWebhooks = 4
	benchJobs     = 64 // what 4 webhooks may have under way
)

// onBoth runs f on both databases.
func onBoth(b *testing.B, f func(d *benchDesk)) {
	b.Run(storetest.KindSQLite, func(b *testing.B) { f(newBenchDesk(b, storetest.SQLite(b))) })
	b.Run(storetest.KindPostgres, func(b *testing.B) { f(newBenchDesk(b, storetest.DurablePostgres(b))) })
}

func newBenchDesk(b *testing.B, db storetest.Database) *benchDesk {
	b.Helper()
	s, err := store.Open(b.Context(), store.Options{
		DatabaseURL: db.URL, DataDir: db.Dir, SecretKey: testKey, Resolver: names{},
		Limits: store.Limits{RatePerMinute: 10_000_000},
	})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	must(b, s.Migrate(b.Context()))
	account, err := s.EnsureDefaultAccount(b.Context())
	must(b, err)
	d := &benchDesk{Store: s, b: b, account: account.ID}
	for _, host := range []string{"a", "b", "c", "d"} {
		_, _, _, err := s.CreateWebhook(b.Context(), account.ID, store.NewWebhook{URL: "https://" + host + ".example/hook", Active: true})
		must(b, err)
	}
	data := append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 500)...), `"}`...)
	for range 100 {
		d.events = append(d.events, store.NewEvent{Type: "call.ended", Data: data})
	}
	return d
}

// publish publishes the first n events in one call.
func (d *benchDesk) publish(n int) {
	_, _, err := d.Publish(d.b.Context(), store.Publication{AccountID: d.account, Batch: true, Events: d.events[:n]})
	must(d.b, err)
}

// claim leases as much as webhooks without anything under way may take.
func (d *benchDesk) claim() []store.Job {
	jobs, _, err := d.Claim(d.b.Context(), store.ClaimRequest{Max: benchJobs})
	must(d.b, err)
	if len(jobs) != benchJobs {
		d.b.Fatalf("claimed %d, want %d", len(jobs), benchJobs)
	}
	return jobs
}

// record says that all jobs were answered with 200.
func (d *benchDesk) record(jobs []store.Job) {
	results, now := make([]store.Result, len(jobs)), time.Now()
	for i, j := range jobs {
		results[i] = store.Result{Job: j, Next: store.Delivered, BodySignature: "sha256=0", Attempt: store.Attempt{
			Number: j.Attempt, Node: "n", StartedAt: store.At(now), Duration: 3 * time.Millisecond, StatusCode: 200, URL: j.Endpoint.URL,
			Request:  []store.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Webhook-Event", Value: j.Event}},
			Response: []store.Header{{Name: "Content-Length", Value: "0"}}, RemoteAddress: "127.0.0.1:443", Protocol: "HTTP/1.1",
		}}
	}
	must(d.b, d.Record(d.b.Context(), results))
}

// perDelivery reports the time of one of n.
func (d *benchDesk) perDelivery(n int) {
	d.b.ReportMetric(float64(d.b.Elapsed().Microseconds())/float64(d.b.N*n), "µs/delivery")
}

// BenchmarkPublish is a batch of 100 events to 4 webhooks.
func BenchmarkPublish(b *testing.B) {
	onBoth(b, func(d *benchDesk) {
		d.b.ReportAllocs()
		for d.b.Loop() {
			d.publish(len(d.events))
		}
		d.perDelivery(len(d.events) * benchWebhooks)
	})
}

// BenchmarkClaim takes 64 deliveries of 4 webhooks, with a few thousand due.
func BenchmarkClaim(b *testing.B) {
	onBoth(b, func(d *benchDesk) {
		for range 10 {
			d.publish(len(d.events))
		}
		d.b.ReportAllocs()
		for d.b.Loop() {
			jobs := d.claim()
			d.b.StopTimer()
			d.record(jobs)
			d.publish(benchJobs / benchWebhooks)
			d.b.StartTimer()
		}
		d.perDelivery(benchJobs)
	})
}

// BenchmarkRecord writes 64 successes of 4 webhooks.
func BenchmarkRecord(b *testing.B) {
	onBoth(b, func(d *benchDesk) {
		d.b.ReportAllocs()
		for d.b.Loop() {
			d.b.StopTimer()
			d.publish(benchJobs / benchWebhooks)
			jobs := d.claim()
			d.b.StartTimer()
			d.record(jobs)
		}
		d.perDelivery(benchJobs)
	})
}

// BenchmarkMatches asks ten webhooks whether they want an event.
func BenchmarkMatches(b *testing.B) {
	lists := [][]string{
		nil,
		{"call.*"},
		{"call.ended"},
		{"message.received", "message.sent"},
		{"agent.*", "call.*"},
		{"call.started", "call.ringing", "call.answered", "call.missed", "call.failed"},
		{"webhook.*"},
		{"conversation.*"},
		{"call.ended", "call.missed"},
		{"order.paid"},
	}
	b.ReportAllocs()
	for b.Loop() {
		wanted := 0
		for _, events := range lists {
			if store.Matches(events, "call.ended") {
				wanted++
			}
		}
		if wanted != 5 {
			b.Fatalf("%d webhooks want it, want 5", wanted)
		}
	}
}

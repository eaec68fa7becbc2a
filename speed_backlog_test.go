package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// later is when the retries of a backlog are due: while measuring, never.
const later = 24 * time.Hour

// fill publishes events for so many deliveries to fanOut webhooks as a process
// without a worker does, and so leaves them due; or due after a while. Belfry
// must not be running.
func (g *speedRig) fill(p *product, event, run string, deliveries int, after time.Duration) {
	g.t.Helper()
	opt := store.Options{DatabaseURL: p.db.URL, DataDir: p.db.Dir, SecretKey: testKey}
	opt.Limits.RatePerMinute = 10_000_000
	if after > 0 {
		opt.Now = func() time.Time { return time.Now().Add(after) }
	}
	st, err := store.Open(g.t.Context(), opt)
	if err != nil {
		g.t.Fatal(err)
	}
	defer st.Close()
	account, err := st.EnsureDefaultAccount(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	for n, events := 0, deliveries/fanOut; n < events; {
		batch := make([]store.NewEvent, 0, 500)
		for ; n < events && len(batch) < cap(batch); n++ {
			batch = append(batch, store.NewEvent{Type: event, Data: speedData(nil, run, n, time.Now())})
		}
		accepted, _, err := st.Publish(g.t.Context(), store.Publication{AccountID: account.ID, Events: batch, Batch: true})
		if err != nil || accepted[0].Deliveries != fanOut {
			g.t.Fatalf("fill: %+v (%v), want %d deliveries of each event", accepted, err, fanOut)
		}
	}
}

// drain measures how a backlog goes out once endpoints that were down are up
// again. Without an outage it only waits for its end.
func (g *speedRig) drain(db storetest.Database, outage bool) {
	g.t.Helper()
	before := g.floor()
	p, webhooks := g.product(db)
	p.stop()
	run, want := g.run(draining), g.size.drain/fanOut*fanOut
	g.fill(p, drainEvent, run, want, 0)
	if outage {
		g.sink.answer(http.StatusServiceUnavailable)
	}
	p.start()
	if outage {
		g.awaitOutage(run)
		g.sink.answer(http.StatusOK)
	}
	g.awaitFirst(run)
	watch := watchSpeed(p.families(g.sink))
	report := g.sink.await(run, want)
	p.settle(webhooks[draining])
	rate := float64(want) / time.Duration(report.LastAt-report.FirstAt).Seconds()
	g.samples.add(db.Kind, draining, "delivered", rate)
	g.keepUse(db.Kind, draining, watch, want)
	g.against(mean(before, g.floor()), db.Kind, draining, rate)
	p.stop()
}

// awaitOutage waits until each endpoint has refused so much that Belfry only
// probes it.
func (g *speedRig) awaitOutage(run string) {
	g.t.Helper()
	g.awaitSink(run, "refusals", func(r speedReport) bool { return r.Refused >= fanOut*10 })
}

// awaitFirst waits until the first delivery has arrived.
func (g *speedRig) awaitFirst(run string) {
	g.t.Helper()
	g.awaitSink(run, "deliveries", func(r speedReport) bool { return r.Deliveries > 0 })
}

// awaitSink looks at the receiver until it has seen enough.
func (g *speedRig) awaitSink(run, of string, enough func(speedReport) bool) {
	g.t.Helper()
	for until := time.Now().Add(stalled); !enough(g.sink.report(run, 0)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			g.t.Fatalf("%s: no or too few %s within %v", run, of, stalled)
		}
	}
}

// beside measures batches and singles beside webhooks whose endpoints take 9
// seconds for each of a great many deliveries that are due, and beside as many
// deliveries that are due much later.
func (g *speedRig) beside(db storetest.Database) {
	g.t.Helper()
	p, webhooks := g.product(db)
	p.subscribe(fanOut, slowEvent, g.sink.url, "?delay=9s")
	p.subscribe(fanOut, laterEvent, g.sink.url, "")
	p.stop()
	run := g.run("backlog")
	g.fill(p, slowEvent, run, g.size.beside, 0)
	g.fill(p, laterEvent, run, g.size.beside, later)
	p.start()
	fmt.Fprintf(os.Stderr, "%s: %d deliveries due and %d to come lie beside\n", db.Kind, g.size.beside, g.size.beside)
	before := g.floor()
	for range g.size.rounds {
		for _, what := range []string{batches, singles} {
			before = g.publishAgainstFloor(p, what+besideAll, webhooks[what], before)
		}
	}
	p.stop()
}

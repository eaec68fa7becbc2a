package main

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"belfry/store/storetest"
)

// What is measured, as reports and tables name it.
const (
	theFloor  = "floor"
	batches   = "batches"  // of 100 by POST /events/batch, to 4 webhooks
	singles   = "singles"  // by POST /events from 64 connections, to 1 webhook
	paced     = "paced"    // 50 events a second, to 1 webhook
	draining  = "draining" // a backlog, after an outage of 4 endpoints
	idle      = "idle"
	besideAll = " beside a backlog"
)

// Types of event, each with webhooks of its own.
const (
	batchEvent  = "call.ended"
	singleEvent = "message.sent"
	drainEvent  = "call.started"
	slowEvent   = "agent.created"
	laterEvent  = "agent.updated"
)

const (
	fanOut        = 4
	batchEvents   = 100
	floorInFlight = 64
)

// speedSize is how much is measured.
type speedSize struct {
	floor   int // posts
	batches int // deliveries
	singles int // deliveries
	paced   int // deliveries
	rate    int // of paced ones, a second
	drain   int // deliveries
	beside  int // deliveries due, and as many retries to come; 0: not measured
	rounds  int
	idle    time.Duration // from sign-in to the look at memory
}

// speedRig is what all measurements of one run share.
type speedRig struct {
	t       testing.TB
	program string
	size    speedSize
	sink    *speedSink
	samples speedSamples
	wire    map[string]speedReport // the newest, by what was measured
	n       int                    // measurements so far
}

func newSpeedRig(t testing.TB, program string, size speedSize) *speedRig {
	t.Helper()
	return &speedRig{t: t, program: program, size: size, sink: startSpeedSink(t), samples: speedSamples{}, wire: map[string]speedReport{}}
}

// run names a measurement's data.
func (g *speedRig) run(what string) string {
	g.n++
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(what, " ", "-"), g.n)
}

// floorFigures is one measurement of the floor: posts a second and CPU seconds
// per 1000, of the sender and of all.
type floorFigures struct{ rate, cpu, all float64 }

// floor measures bare signed posts to the receiver.
func (g *speedRig) floor() floorFigures {
	g.t.Helper()
	run := g.run(theFloor)
	receiver := map[string]family{"receiver": family(g.sink.process.Process.Pid)}
	w := watchSpeed(receiver)
	done := runSpeedRole(g.t, speedRole{Play: playFloor, URL: g.sink.url + "/floor", Event: batchEvent, Run: run, Requests: g.size.floor, Connections: floorInFlight})
	g.wire[theFloor] = g.sink.await(run, g.size.floor)
	thousands := float64(g.size.floor) / 1000
	f := floorFigures{rate: float64(g.size.floor) / done.Seconds, cpu: done.CPU / thousands}
	f.all = f.cpu + w.finish()["receiver"]/thousands
	g.samples.add("", theFloor, "delivered", f.rate)
	g.samples.add("", theFloor, "cpu sender", f.cpu)
	g.samples.add("", theFloor, "cpu receiver", f.all-f.cpu)
	return f
}

// mean lies between the floors before and after a measurement.
func mean(a, b floorFigures) floorFigures {
	return floorFigures{(a.rate + b.rate) / 2, (a.cpu + b.cpu) / 2, (a.all + b.all) / 2}
}

// product gives a Belfry that serves, with webhooks for batches and singles.
func (g *speedRig) product(db storetest.Database) (p *product, webhooks map[string][]string) {
	g.t.Helper()
	p = newProduct(g.t, g.program, db)
	p.start()
	return p, map[string][]string{
		batches:  p.subscribe(fanOut, batchEvent, g.sink.url, ""),
		singles:  p.subscribe(1, singleEvent, g.sink.url, ""),
		draining: p.subscribe(fanOut, drainEvent, g.sink.url, ""),
	}
}

// roleOf is the load generator's part of a measurement, and how many deliveries
// come of it.
func (g *speedRig) roleOf(p *product, what string) (r speedRole, deliveries int) {
	r = speedRole{Play: playLoad, Key: p.key, URL: p.url + "/api/v1/events", Event: singleEvent, Connections: 64, Keys: true}
	switch {
	case strings.HasPrefix(what, batches):
		r.URL, r.Event, r.Connections, r.Batch, r.Keys = p.url+"/api/v1/events/batch", batchEvent, 8, batchEvents, false
		r.Requests = g.size.batches / fanOut / batchEvents * batchEvents
		return r, r.Requests * fanOut
	case what == paced:
		r.PerSecond, r.Requests, r.Keys = g.size.rate, g.size.paced, false
		return r, r.Requests
	}
	r.Requests = g.size.singles
	return r, r.Requests
}

// publish measures what the load generator publishes until all of it has
// arrived and is recorded. What the measurements before left to be written, of
// this database or another, is written first.
func (g *speedRig) publish(p *product, what string, webhooks []string) (report speedReport, rate float64) {
	g.t.Helper()
	syscall.Sync()
	role, want := g.roleOf(p, what)
	role.Run = g.run(what)
	watch := watchSpeed(p.families(g.sink))
	done := runSpeedRole(g.t, role)
	report = g.sink.await(role.Run, want)
	g.wire[what] = report
	p.settle(webhooks)
	rate = float64(want) / time.Duration(report.LastAt-done.StartedAt).Seconds()
	g.samples.add(p.db.Kind, what, "accepted", float64(role.Requests)/done.Seconds)
	g.samples.add(p.db.Kind, what, "delivered", rate)
	g.samples.add(p.db.Kind, what, "cpu load", done.CPU*1000/float64(want))
	g.keepUse(p.db.Kind, what, watch, want)
	return report, rate
}

// publishAgainstFloor publishes, measures the floor once more, and holds one
// against the other. It gives the new floor.
func (g *speedRig) publishAgainstFloor(p *product, what string, webhooks []string, before floorFigures) floorFigures {
	g.t.Helper()
	_, rate := g.publish(p, what, webhooks)
	after := g.floor()
	g.against(mean(before, after), p.db.Kind, what, rate)
	return after
}

// keepUse keeps CPU and memory of a measurement that made n deliveries.
func (g *speedRig) keepUse(kind, what string, w *speedWatch, n int) {
	for name, seconds := range w.finish() {
		g.samples.add(kind, what, "cpu "+name, seconds*1000/float64(n))
		g.samples.add(kind, what, "peak "+name, slices.Max(w.memory[name]))
	}
	for quarter, peak := range quarters(w.memory["belfry"]) {
		g.samples.add(kind, what, fmt.Sprint("quarter ", quarter+1), peak)
	}
}

// quarters gives the highest of each quarter of a course.
func quarters(course []float64) (peaks [4]float64) {
	for i, v := range course {
		q := i * 4 / len(course)
		peaks[q] = max(peaks[q], v)
	}
	return peaks
}

// against keeps the ratios of a measurement to the floor. That of the CPU of
// all processes together is what the ratio of rates would be on a machine that
// does nothing else and never waits.
func (g *speedRig) against(f floorFigures, kind, what string, rate float64) {
	cpu := func(name string) float64 { return g.samples.last(kind, what, "cpu "+name) }
	own := cpu("belfry") + cpu("database")
	all := own + cpu("receiver") + cpu("load")
	g.samples.add(kind, what, "ratio", rate/f.rate)
	g.samples.add(kind, what, "cpu ratio", own/f.cpu)
	g.samples.add(kind, what, "ratio by cpu", f.all/all)
	fmt.Fprintf(os.Stderr, "%s %s: %.0f delivered/s, %.3f of the floor's %.0f (by CPU %.3f); CPU s per 1000: Belfry %.4f, database %.4f (%.2f × the floor's sender), receiver %.4f, load %.4f\n",
		kind, what, rate, rate/f.rate, f.rate, f.all/all, cpu("belfry"), cpu("database"), own/f.cpu, cpu("receiver"), cpu("load"))
}

// round measures one database from fresh: floor, batches, floor, singles,
// floor, latency.
func (g *speedRig) round(db storetest.Database) {
	g.t.Helper()
	p, webhooks := g.product(db)
	before := g.floor()
	for _, what := range []string{batches, singles} {
		before = g.publishAgainstFloor(p, what, webhooks[what], before)
	}
	g.latency(p, webhooks[singles])
	p.stop()
}

// latency measures publish to receipt at a quiet pace.
func (g *speedRig) latency(p *product, webhooks []string) {
	g.t.Helper()
	report, _ := g.publish(p, paced, webhooks)
	g.samples.add(p.db.Kind, paced, "p50", report.P50)
	g.samples.add(p.db.Kind, paced, "p99", report.P99)
	fmt.Fprintf(os.Stderr, "%s at %d events/s: p50 %.1f ms, p99 %.1f ms\n", p.db.Kind, g.size.rate, report.P50, report.P99)
}

// idleMemory looks at the memory of programs that somebody has signed in to,
// side by side, after a while in which nothing was done.
func (g *speedRig) idleMemory(databases []storetest.Database) {
	g.t.Helper()
	var products []*product
	for _, db := range databases {
		p := newProduct(g.t, g.program, db)
		p.run("correct horse battery", "user", "add", "-email", "mira@example.com")
		p.start()
		p.signIn("mira@example.com", "correct horse battery")
		products = append(products, p)
	}
	time.Sleep(g.size.idle) // what is measured is memory after a while
	for _, p := range products {
		held := family(p.process.Process.Pid).memory()
		g.samples.add(p.db.Kind, idle, "peak belfry", held)
		fmt.Fprintf(os.Stderr, "%s idle: %.0f MB\n", p.db.Kind, held)
		p.stop()
	}
}

// signIn signs in as a browser does, and opens the list of webhooks.
func (p *product) signIn(email, password string) {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	visitor := http.Client{Jar: jar}
	answer, err := visitor.PostForm(p.url+"/login", url.Values{"email": {email}, "password": {password}})
	if err != nil {
		p.t.Fatal(err)
	}
	answer.Body.Close()
	answer, err = visitor.Get(p.url + "/setup/webhooks")
	if err != nil {
		p.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path != "/setup/webhooks" {
		p.t.Fatalf("after signing in, the webhooks are at %s: %s", answer.Request.URL, answer.Status)
	}
}

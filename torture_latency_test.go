package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// steadyEvent is the type of event that the healthy webhook of a latency test
// gets, and no other webhook.
const steadyEvent = "steady.tick"

// probe measures how long it takes from publishing an event to its arrival at a
// healthy webhook.
type probe struct {
	*httptest.Server
	r    *running
	key  string
	hook string // id of its webhook

	mu      sync.Mutex
	n       int
	waiting map[string]chan time.Time
	came    map[string]time.Time // by delivery
}

// newProbe registers a healthy webhook for the probe's own events.
func newProbe(t *testing.T, r *running, key string) *probe {
	t.Helper()
	p := &probe{r: r, key: key, waiting: map[string]chan time.Time{}, came: map[string]time.Time{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.receive))
	t.Cleanup(p.Close)
	p.hook = subscribe(r, key, p.URL, steadyEvent).String()
	return p
}

func (p *probe) receive(_ http.ResponseWriter, req *http.Request) {
	came := time.Now()
	_, id, err := readEvent(req)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.came[req.Header.Get("webhook-id")] = came
	if waiting, ok := p.waiting[id]; ok {
		waiting <- came
		delete(p.waiting, id)
	}
}

// measure publishes at an even pace for that long, and gives the times it took,
// shortest first. Every event has to come.
func (p *probe) measure(perSecond int, span time.Duration) latencies {
	p.r.t.Helper()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	var all sync.WaitGroup
	var mu sync.Mutex
	var times latencies
	for range int(span.Seconds() * float64(perSecond)) {
		<-tick.C
		all.Go(func() {
			took := p.once()
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took)
		})
	}
	all.Wait()
	slices.Sort(times)
	return times
}

// once publishes one event and waits for it.
func (p *probe) once() time.Duration {
	came := make(chan time.Time, 1)
	p.mu.Lock()
	p.n++
	id := fmt.Sprintf("tick-%d", p.n)
	p.waiting[id] = came
	p.mu.Unlock()
	began := time.Now()
	publishAs(p.r, p.key, steadyEvent, id)
	select {
	case at := <-came:
		return at.Sub(began)
	case <-time.After(soon):
		p.r.t.Errorf("a healthy webhook waits for %s for longer than %v", id, soon)
		return soon
	}
}

// latencies are sorted, shortest first.
type latencies []time.Duration

func (l latencies) percentile(p int) time.Duration { return l[(len(l)-1)*p/100] }

func (l latencies) String() string {
	return fmt.Sprintf("p50 %v, p95 %v, p99 %v, longest %v of %d", l.percentile(50), l.percentile(95), l.percentile(99), l[len(l)-1], len(l))
}

// undisturbed checks that the times beside trouble are within twice those
// alone. In the short form few are measured, beside other tests: what it finds
// is a webhook that waits for another one.
func undisturbed(t *testing.T, alone, beside latencies) {
	t.Helper()
	t.Logf("alone %v; beside trouble %v", alone, beside)
	p, slack := sized(90, 99), raced*sized(200*time.Millisecond, 5*time.Millisecond)
	if got, most := beside.percentile(p), 2*alone.percentile(p)+slack; got > most {
		t.Errorf("the healthy webhook's p%d is %v beside trouble, want %v at most; alone it is %v", p, got, most, alone.percentile(p))
	}
}

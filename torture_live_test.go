package main

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/store/storetest"
)

// What open pages may cost, as a share of a core, and how long it may take until
// the end of a delivery shows on one.
const (
	pagesCost   = 0.05
	shownWithin = 300 * time.Millisecond
)

// openPage reads the live stream of a page as a browser does, and notes when each
// delivery first shows as delivered.
type openPage struct {
	since time.Time
	mu    sync.Mutex
	shown map[string]time.Time // by delivery
	grown chan struct{}        // told when shown grows
}

// watchPage begins to listen to a stream, until close.
func watchPage(t *testing.T, visitor *http.Client, url string) (p *openPage, closed func()) {
	t.Helper()
	p = &openPage{since: time.Now(), shown: map[string]time.Time{}, grown: make(chan struct{}, 1)}
	ctx, closed := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := visitor.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		answer.Body.Close()
		t.Fatalf("the live stream %s is %s: %s", url, kind, answer.Status)
	}
	go p.read(answer)
	return p, closed
}

func (p *openPage) read(answer *http.Response) {
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 16<<20)
	var row strings.Builder
	for lines.Scan() {
		line := lines.Text()
		if begins := strings.Contains(line, "<tr"); begins || line == "" {
			p.note(row.String())
			row.Reset()
		}
		row.WriteString(line)
	}
}

// note looks at one or several rows.
func (p *openPage) note(text string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for row := range strings.SplitSeq(text, "<tr") {
		_, rest, found := strings.Cut(row, "/setup/webhooks/deliveries/")
		if !found || len(rest) < 36 || !strings.Contains(row, "Delivered") {
			continue
		}
		if id := rest[:36]; p.shown[id].IsZero() {
			p.shown[id] = now
			select {
			case p.grown <- struct{}{}:
			default: // told already
			}
		}
	}
}

// at tells when a delivery showed; zero: it didn't.
func (p *openPage) at(id string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown[id]
}

// TestWorstDayManyOpenPagesCostLittleAndShowWhatEndsAtOnce holds pages to their
// cost and time in the long form only, where the machine does nothing else.
func TestWorstDayManyOpenPagesCostLittleAndShowWhatEndsAtOnce(t *testing.T) {
	eachMeasured(t, func(t *testing.T, db storetest.Database) {
		perSecond, span, pages := sized(20, 100), sized(time.Second, 20*time.Second), sized(10, 200)
		environment := migrated(t, db)
		environment["BELFRY_RATE_PER_MINUTE"], environment["BELFRY_API_RATE_PER_MINUTE"] = "100000", "100000"
		visitor, r, key := signedIn(t, environment, "-allow-targets", "127.0.0.1")
		p := newProbe(t, r, key)
		busy := func() (cores float64) {
			before, began := family(r.process.Pid).cpu(), time.Now()
			p.measure(perSecond, span)
			return (family(r.process.Pid).cpu() - before) / time.Since(began).Seconds()
		}
		alone := busy()
		for _, stream := range []string{"/setup/webhooks/logs/live", "/setup/webhooks/" + p.hook + "/live"} {
			var page *openPage
			var closing []func()
			for range pages {
				one, closed := watchPage(t, visitor, r.url+stream)
				page, closing = one, append(closing, closed)
			}
			cost := busy() - alone
			took := p.shownAfter(page)
			for _, closed := range closing {
				closed()
			}
			t.Logf("%s: %d pages cost %.1f %% of a core beside %.1f %%; an end shows after %v", stream, pages, 100*cost, 100*alone, took)
			if most := sized(20*shownWithin, shownWithin); took.percentile(99) > most {
				t.Errorf("the end of a delivery shows after %v, want %v at most", took.percentile(99), most)
			}
			if *torture && cost > pagesCost {
				t.Errorf("%d open pages cost %.1f %% of a core, want %.0f %% at most", pages, 100*cost, 100*pagesCost)
			}
		}
	})
}

// shownAfter tells how long after its arrival each delivery of the page's time
// showed on it as delivered, once the first has.
func (p *probe) shownAfter(page *openPage) (took latencies) {
	p.r.t.Helper()
	for limit := time.After(soon); len(took) == 0; took = p.shownOn(page) {
		select {
		case <-page.grown:
		case <-limit:
			p.r.t.Fatal("no delivery ever showed on an open page")
		}
	}
	slices.Sort(took)
	return took
}

func (p *probe) shownOn(page *openPage) (took latencies) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, came := range p.came {
		if at := page.at(id); came.After(page.since) && !at.IsZero() {
			took = append(took, at.Sub(came))
		}
	}
	return took
}

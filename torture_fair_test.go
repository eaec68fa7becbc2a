package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// Types of event of the webhooks that are in a healthy one's way.
const (
	nineSeconds = "slow.news"
	bulkNews    = "bulk.news"
)

func TestWorstDayAHealthyWebhookIsAsQuickBesideASlowOneAndABacklog(t *testing.T) {
	eachMeasured(t, func(t *testing.T, db storetest.Database) {
		environment, key := serving(t, db)
		r := spawn(t, environment, "serve")
		healthy := newProbe(t, r, key)
		slow, _ := answering(t, 9*time.Second)
		bulk, _ := answering(t, 20*time.Millisecond)
		slowID, bulkID := subscribe(r, key, slow, nineSeconds), subscribe(r, key, bulk, bulkNews)
		healthy.measure(50, 300*time.Millisecond) // until it is warm
		alone := healthy.measure(50, sized(600*time.Millisecond, 30*time.Second))
		r.stop()

		b := openBooks(t, db)
		b.pile(bulkNews, sized(5_000, 1_000_000))
		b.pile(nineSeconds, 100)
		// What has to follow is done now, not while it is measured.
		if db.Kind == storetest.KindPostgres {
			if _, err := storetest.Raw(t, db).Exec("VACUUM ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		syscall.Sync()
		healthy.r = spawn(t, environment, "serve")
		healthy.measure(50, 300*time.Millisecond)
		undisturbed(t, alone, healthy.measure(50, sized(600*time.Millisecond, 30*time.Second)))
		for _, id := range []uuid.UUID{slowID, bulkID} {
			if sum := b.summary(id); sum.Pending == 0 || sum.Processing == 0 {
				t.Errorf("what was in the way was over too soon: %+v", sum)
			}
		}
		healthy.r.kill() // before the backlog is over
	})
}

// pile publishes events while nobody delivers them.
func (b *books) pile(event string, n int) {
	b.t.Helper()
	for left := n; left > 0; left -= 500 {
		events := make([]store.NewEvent, min(left, 500))
		for i := range events {
			events[i] = store.NewEvent{Type: event, Data: fmt.Appendf(nil, `{"id":"%d-%d"}`, left, i)}
		}
		_, _, err := b.store.Publish(b.t.Context(), store.Publication{AccountID: b.account, Batch: true, Events: events})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// answering is an endpoint that takes its time; it counts what came.
func answering(t *testing.T, after time.Duration) (url string, came *atomic.Int64) {
	t.Helper()
	came = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		came.Add(1)
		_, _ = io.Copy(io.Discard, req.Body) // only then is it noticed that the sender has gone
		wait := time.NewTimer(after)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, came
}

func TestWorstDayTheAccountsRateHoldsOverTwoNodes(t *testing.T) {
	t.Parallel()
	const perSecond = 50
	db := storetest.Postgres(t)
	environment, key := serving(t, db)
	environment["BELFRY_RATE_PER_MINUTE"] = fmt.Sprint(60 * perSecond)
	nodes := []*running{spawn(t, environment, "serve"), spawn(t, environment, "serve")}
	url, came := answering(t, time.Millisecond)
	for i := range 4 {
		subscribe(nodes[0], key, fmt.Sprintf("%s/%d", url, i), bulkNews)
	}
	b := openBooks(t, db)
	b.pile(bulkNews, sized(150, 1000))
	d := &worstDay{t: t}
	d.until("the bucket is empty", func() bool { return came.Load() >= 2*perSecond })
	began, was := time.Now(), came.Load()
	seconds := sized(2, 60)
	for second := range seconds {
		most := was + int64(second+1)*perSecond
		d.until("as many came as should", func() bool { return came.Load() >= most })
	}
	rate := float64(seconds*perSecond) / time.Since(began).Seconds()
	t.Logf("%.1f requests a second over two nodes; the account has %d", rate, perSecond)
	// The short form has two seconds, in which a busy machine may be late, and may
	// spend what the bucket gathered meanwhile.
	if rate < sized(0.7, 0.95)*perSecond || rate > sized(1.55, 1.05)*perSecond {
		t.Errorf("%.1f requests a second over two nodes, want %d", rate, perSecond)
	}
	for _, r := range nodes {
		r.kill()
	}
}

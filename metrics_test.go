package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/store/storetest"
)

// scrape reads all metrics, by name with labels.
func (r *running) scrape(key string) map[string]float64 {
	r.t.Helper()
	status, text := r.ask(key, "GET", "/metrics", "")
	if status != http.StatusOK {
		r.t.Fatalf("metrics: %d %s", status, text)
	}
	values := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = n
		}
	}
	return values
}

// scrapeUntil scrapes until all the metrics have these values.
func (r *running) scrapeUntil(key string, want map[string]float64) map[string]float64 {
	r.t.Helper()
	look, end := time.NewTicker(20*time.Millisecond), time.After(soon)
	defer look.Stop()
	for {
		wrong, values := "", r.scrape(key)
		for name, n := range want {
			if got, there := values[name]; !there || got != n {
				wrong += fmt.Sprintf("\n%s is %v (there: %v), want %v", name, got, there, n)
			}
		}
		if wrong == "" {
			return values
		}
		select {
		case <-look.C:
		case <-end:
			r.t.Fatalf("metrics that never came to what they should be:%s", wrong)
		}
	}
}

// publishMany publishes events of one type in one batch.
func (r *running) publishMany(key, event string, n int) {
	r.t.Helper()
	one := `{"event":"` + event + `","data":{"id":"x"}}`
	if status, body := r.ask(key, "POST", "/api/v1/events/batch", "["+strings.Repeat(one+",", n-1)+one+"]"); status != http.StatusAccepted {
		r.t.Fatalf("publish: %d %s", status, body)
	}
}

// TestMetricsTellWhatTheEngineDoes brings the real program into each state that
// a metric is about: first those that stay, then the rate's, which lasts until
// the next request of the minute, and last the attempts under way, which end
// after 10 s.
func TestMetricsTellWhatTheEngineDoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment := environmentFor(db)
		environment["BELFRY_ALLOW_TARGETS"] = "127.0.0.0/8"
		environment["BELFRY_RETRIES"] = "1h,1h,1h,1h,1h" // a probe that fails leaves its delivery waiting
		r := boot(t, environment, "-addr", "127.0.0.1:0")
		key := strings.TrimSpace(must(t, environment, "", "key", "add", "-name", "all"))
		must(t, environment, "", "account", "add", "-name", "slow")
		must(t, environment, "", "account", "limit", "-account", "slow", "-rate-per-minute", "1")
		limited := strings.TrimSpace(must(t, environment, "", "key", "add", "-name", "slow", "-account", "slow"))

		well, hanging := newReceiver(t), newReceiver(t)
		hanging.holdBack()
		broken := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(broken.Close)
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()

		subscribe(r, key, well.URL, "call.ended")
		r.publishMany(key, "call.ended", 3) // delivered
		subscribe(r, key, broken.URL, "message.sent")
		r.publishMany(key, "message.sent", 12) // fail, and bring probing
		paused := subscribe(r, key, gone.URL, "message.received")
		r.publishMany(key, "message.received", 2) // fail, and are held
		r.scrapeUntil(key, map[string]float64{`belfry_attempts_total{outcome="connect"}`: 2})
		if status, body := r.ask(key, "PATCH", "/api/v1/webhooks/"+paused.String(), `{"active":false}`); status != http.StatusOK {
			t.Fatalf("pause: %d %s", status, body)
		}
		r.scrapeUntil(key, map[string]float64{
			`belfry_deliveries{status="pending"}`: 12 + 2, `belfry_deliveries{status="delivered"}`: 3, `belfry_attempts_total{outcome="ok"}`: 3,
			`belfry_held_deliveries{reason="inactive"}`: 2, `belfry_held_deliveries{reason="probing"}`: 12, "belfry_probing_webhooks": 1,
		})

		subscribe(r, limited, well.URL, "call.ended")
		r.publishMany(limited, "call.ended", 60) // 50 go at once
		r.scrapeUntil(key, map[string]float64{
			`belfry_held_deliveries{reason="rate"}`: 10, "belfry_rate_limited_accounts": 1,
			`belfry_deliveries{status="delivered"}`: 3 + 50, `belfry_attempts_total{outcome="ok"}`: 53,
		})

		subscribe(r, key, hanging.URL, "call.started")
		r.publishMany(key, "call.started", 2)
		values := r.scrapeUntil(key, map[string]float64{
			`belfry_deliveries{status="processing"}`: 2, "belfry_attempts_under_way": 2, "belfry_attempts_unrecorded": 0,
			`belfry_deliveries{status="failed"}`: 0, `belfry_deliveries{status="dead"}`: 0,
			"belfry_orphaned_deliveries": 0, "belfry_database_up": 1,
		})
		checkHistograms(t, values)
		checkPools(t, db, values)
		if age := values["belfry_oldest_pending_seconds"]; age <= 0 || age > soon.Seconds() {
			t.Errorf("the oldest pending delivery is %v s old", age)
		}
		if overdue := values["belfry_overdue_seconds"]; overdue <= 0 || overdue > values["belfry_oldest_pending_seconds"]+1 {
			t.Errorf("what waits for its rate has been due for %v s", overdue)
		}
		if size, budget := values["belfry_database_bytes"], values["belfry_database_budget_bytes"]; size < 100_000 || budget != 0 {
			t.Errorf("the database has %v bytes of %v", size, budget)
		}
		if values["belfry_orphaned_checked_timestamp_seconds"] == 0 {
			t.Error("nobody has looked for orphans")
		}
	})
}

// checkHistograms looks at sums and counts that belong together.
func checkHistograms(t *testing.T, values map[string]float64) {
	t.Helper()
	attempts := 0.0
	for _, outcome := range []string{"ok", "status", "connect"} {
		attempts += values[`belfry_attempts_total{outcome="`+outcome+`"}`]
	}
	if values[`belfry_attempts_total{outcome="status"}`] < 12 || attempts != values["belfry_attempt_duration_seconds_count"] {
		t.Errorf("%v attempts by outcome, %v by time", attempts, values["belfry_attempt_duration_seconds_count"])
	}
	if first := values["belfry_delivery_latency_seconds_count"]; first != 3+12+2+50 {
		t.Errorf("%v first attempts, want 67", first)
	}
	if n := values[`belfry_batch_size_sum{call="record"}`]; n != attempts {
		t.Errorf("%v results were recorded of %v attempts", n, attempts)
	}
	if claims := values[`belfry_database_call_duration_seconds_count{call="claim"}`]; claims < 1 {
		t.Errorf("%v claims", claims)
	}
	records := values[`belfry_database_call_duration_seconds_count{call="record"}`]
	if records < 1 || records != values[`belfry_batch_size_count{call="record"}`] {
		t.Errorf("%v records, %v batches", records, values[`belfry_batch_size_count{call="record"}`])
	}
	for _, name := range []string{"belfry_attempt_duration_seconds_sum", "belfry_delivery_latency_seconds_sum", `belfry_database_call_duration_seconds_sum{call="record"}`} {
		if values[name] <= 0 {
			t.Errorf("%s is %v", name, values[name])
		}
	}
}

// checkPools looks for each pool of connections.
func checkPools(t *testing.T, db storetest.Database, values map[string]float64) {
	t.Helper()
	pools := map[string]float64{"write": 1, "read": 4}
	if db.Kind == storetest.KindPostgres {
		pools = map[string]float64{"all": 16}
	}
	for pool, most := range pools {
		if n := values[`belfry_database_connections_max{pool="`+pool+`"}`]; n != most {
			t.Errorf("the pool %s has at most %v connections, want %v", pool, n, most)
		}
		for _, name := range []string{"in_use", "idle"} {
			if _, there := values[`belfry_database_connections_`+name+`{pool="`+pool+`"}`]; !there {
				t.Errorf("connections %s of the pool %s are not told", name, pool)
			}
		}
	}
}

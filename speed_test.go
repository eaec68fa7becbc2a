package main

import (
	"cmp"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/store/storetest"
)

// What may be changed about a measurement, with -args.
var (
	speedProgram = flag.String("bench-program", "", "the `file` of a built belfry to be measured; empty: the program of these sources")
	speedRounds  = flag.Int("bench-rounds", 5, "how many times each thing is measured")
	speedCount   = flag.Int("bench-deliveries", 0, "how many deliveries are measured; 0: as many as tell")
	speedLarge   = flag.Int("bench-large", 0, "how many deliveries lie beside, and are drained; 0: none lie beside")
	speedWrite   = flag.String("bench-write", "", "the `file` that takes the report")
)

// BenchmarkProduct measures the whole program, as processes beside each other,
// and prints the table of docs/benchmarks.md: `make bench`.
func BenchmarkProduct(b *testing.B) {
	count := cmp.Or(*speedCount, 200_000)
	size := speedSize{
		floor: 100_000, batches: count, singles: count / 4, paced: 500, rate: 50,
		drain: 200_000, beside: *speedLarge, rounds: *speedRounds, idle: time.Minute,
	}
	command := "make bench"
	if size.beside > 0 {
		size.drain, command = size.beside, "make bench-large"
	}
	g := newSpeedRig(b, measuredProgram(b), size)
	for range size.rounds {
		g.round(storetest.SQLite(b))
		g.round(storetest.DurablePostgres(b))
	}
	lines := append(speedLines(), drainLines(size.drain)...)
	if size.beside > 0 {
		lines = append(lines, besideLines(size.beside)...)
		g.beside(storetest.SQLite(b))
		g.beside(storetest.DurablePostgres(b))
	}
	g.drain(storetest.SQLite(b), true)
	g.drain(storetest.DurablePostgres(b), true)
	report := speedReportText{machine: machine(b), durability: map[string]string{}, size: size, samples: g.samples, lines: lines, command: command}
	databases := []storetest.Database{storetest.SQLite(b), storetest.DurablePostgres(b)}
	report.postgres = postgresVersion(b, databases[1])
	g.idleMemory(databases)
	for _, db := range databases {
		report.durability[db.Kind] = newProduct(b, g.program, db).durability()
	}
	text := report.markdown()
	fmt.Print("\n", text)
	if *speedWrite == "" {
		return
	}
	if err := os.WriteFile(*speedWrite, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSpeed measures one thing at a time, in a form that benchstat reads.
func BenchmarkSpeed(b *testing.B) {
	fresh := map[string]func(testing.TB) storetest.Database{
		storetest.KindSQLite: storetest.SQLite, storetest.KindPostgres: storetest.DurablePostgres,
	}
	for _, kind := range []string{storetest.KindSQLite, storetest.KindPostgres} {
		for _, what := range []string{batches, singles, paced, draining} {
			b.Run(kind+"/"+what, func(b *testing.B) { benchSpeed(b, fresh[kind](b), what) })
		}
	}
}

func benchSpeed(b *testing.B, db storetest.Database, what string) {
	n := cmp.Or(*speedCount, 60_000)
	g := newSpeedRig(b, measuredProgram(b), speedSize{floor: 60_000, batches: n, singles: n / 2, paced: 400, rate: 50, drain: n})
	switch what {
	case draining:
		g.drain(db, true)
	case paced:
		p, webhooks := g.product(db)
		g.latency(p, webhooks[singles])
		p.stop()
	default:
		p, webhooks := g.product(db)
		g.publishAgainstFloor(p, what, webhooks[what], g.floor())
		p.stop()
	}
	for unit, name := range map[string]string{
		"delivered/s": "delivered", "of-floor": "ratio", "of-floor-by-cpu": "ratio by cpu", "×floor-sender": "cpu ratio",
		"belfry-s/1000": "cpu belfry", "db-s/1000": "cpu database", "receiver-s/1000": "cpu receiver", "load-s/1000": "cpu load",
		"peak-MB": "peak belfry", "p50-ms": "p50", "p99-ms": "p99",
	} {
		if v := g.samples.last(db.Kind, what, name); v > 0 {
			b.ReportMetric(v, unit)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// measuredProgram is the binary to be measured, built unless there is one.
func measuredProgram(t testing.TB) string {
	t.Helper()
	if *speedProgram != "" {
		return *speedProgram
	}
	path := filepath.Join(t.TempDir(), "belfry")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

func postgresVersion(t testing.TB, database storetest.Database) (version string) {
	t.Helper()
	db, err := sql.Open("pgx", database.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SHOW server_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}

func TestTheSpeedHarnessCountsEveryDeliveryOnce(t *testing.T) {
	if playSpeedRole() {
		return
	}
	g := newSpeedRig(t, "", speedSize{floor: 200, batches: 400, singles: 64, paced: 10, rate: 50, drain: 80, rounds: 1})
	g.round(storetest.SQLite(t))
	g.drain(storetest.SQLite(t), false)
	for _, what := range []string{batches, singles, draining} {
		for _, name := range []string{"delivered", "ratio"} {
			if v := g.samples.median(storetest.KindSQLite, what, name); v <= 0 {
				t.Errorf("%s %s is %v, want more than 0", what, name, v)
			}
		}
	}
	if p50 := g.samples.median(storetest.KindSQLite, paced, "p50"); p50 <= 0 {
		t.Errorf("the median from publish to receipt is %v ms, want more than 0", p50)
	}
	floor, delivery := g.wire[theFloor], g.wire[batches]
	if floor.Headers != delivery.Headers || floor.Bytes < delivery.Bytes-10 || floor.Bytes > delivery.Bytes+10 {
		t.Errorf("the floor posts %d bytes under %s; a delivery is %d under %s", floor.Bytes, floor.Headers, delivery.Bytes, delivery.Headers)
	}
	text := speedReportText{size: g.size, samples: g.samples, lines: append(speedLines(), drainLines(g.size.drain)...)}.markdown()
	if strings.Contains(text, "NaN") || strings.Count(text, "of the floor)") != 6 {
		t.Errorf("the report lacks figures:\n%s", text)
	}
}

func TestTheSpeedLedgerTellsWhatCameAgainAndWhatNeverCame(t *testing.T) {
	ledger := newSpeedLedger()
	post := func(path string, n, status int) {
		t.Helper()
		ledger.status.Store(int32(status))
		body := append(append([]byte(`{"event":"call.ended","data":`), speedData(nil, "r", n, time.Now())...), '}')
		w := httptest.NewRecorder()
		ledger.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body))))
		if w.Code != status {
			t.Errorf("answered with %d, want %d", w.Code, status)
		}
	}
	post("/a", 0, 503)
	for _, path := range []string{"/a", "/b", "/a"} {
		post(path, 0, 200)
	}
	post("/a", 5000, 200)
	got := ledger.report("r", 3)
	if got.Deliveries != 3 || got.Repeated != 1 || got.Refused != 1 {
		t.Errorf("%+v, want 3 deliveries, 1 of them again, and 1 refusal", got)
	}
}

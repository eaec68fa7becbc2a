package storetest

import (
	"database/sql"
	"fmt"
	"hash/fnv"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Raw opens a test's database beside the store until the test ends, to read it
// as it is and to plant in it what the store itself would never write.
func Raw(t testing.TB, db Database) *sql.DB {
	t.Helper()
	driver, source := "pgx", db.URL
	if db.Kind == KindSQLite {
		driver, source = "sqlite", filepath.Join(db.Dir, databaseFile)+"?_pragma=busy_timeout(5000)"
	}
	conn, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// Past is what a webhook did long ago: events with one delivery and one attempt
// each, made evenly over a time, and the tallies of these.
type Past struct {
	Account, Webhook fmt.Stringer
	Events           int
	From, To         time.Time
	// Mixed makes every tenth delivery failed (error "status"), every tenth dead
	// ("gone") and every tenth pending until far in the future ("timeout"), and
	// events of three types with data as long as is usual. Else all are
	// delivered, of one type, and their data is empty.
	Mixed bool
	// Type, Agent and Error are those of all of them where given: with an error
	// all have failed.
	Type, Agent, Error string
}

// Seed writes a past into a migrated database and counts it in the webhook's
// queue. Its ids carry the time they were made at, as all do.
func Seed(t testing.TB, db Database, p Past) {
	t.Helper()
	conn := Raw(t, db)
	for _, query := range p.queries(db.Kind) {
		if _, err := conn.Exec(query); err != nil {
			t.Fatalf("seed: %v\n%s", err, query)
		}
	}
}

func (p Past) queries(kind string) []string {
	step := p.To.Sub(p.From).Microseconds() / int64(max(1, p.Events))
	at := fmt.Sprintf("(%d + n.i * %d)", p.From.UnixMicro(), step)
	account, webhook := ID(kind, p.Account.String()), ID(kind, p.Webhook.String())
	numbers, id, blob := sqliteNumbers, sqliteID, "CAST(%s AS blob)"
	if kind == KindPostgres {
		numbers, id, blob = postgresNumbers, postgresID, "convert_to(%s, 'UTF8')"
	}
	event, delivery := fmt.Sprintf(id, at, 1, p.salt()), fmt.Sprintf(id, at, 2, p.salt())
	of, from, agent := p.columns(), fmt.Sprintf(numbers, p.Events), fmt.Sprintf("nullif('%s', '')", p.Agent)
	none, data := fmt.Sprintf(blob, "'{}'"), fmt.Sprintf(blob, of.data)
	queries := []string{
		fmt.Sprintf("INSERT INTO events (id, account_id, type, agent_id, occurred_at, data, verdicts, created_at) SELECT %s, %s, %s, %s, %s, %s, %s, %s FROM %s",
			event, account, of.name, agent, at, data, none, at, from),
		fmt.Sprintf(`INSERT INTO deliveries (id, account_id, queue_id, webhook_id, event_id, event_type, agent_id, status, attempts, max_attempts, next_attempt_at, last_status_code, last_error,
			last_duration_us, last_attempt_at, created_at, finished_at)
			SELECT %[1]s, %[2]s, %[3]s, %[3]s, %[4]s, %[5]s, %[6]s, %[7]s, 1, 6, %[8]s, %[9]s, %[10]s, %[11]s, %[12]s, %[12]s, %[12]s FROM %[13]s`,
			delivery, account, webhook, event, of.name, agent, of.status, of.next, of.code, of.failure, of.took, at, from),
		fmt.Sprintf("INSERT INTO attempts (delivery_id, number, node, started_at, duration_us, status_code, error, response_body) SELECT %s, 1, 'past', %s, %s, %s, %s, %s FROM %s",
			delivery, at, of.took, of.code, of.failure, none, from),
		fmt.Sprintf(`UPDATE queues SET delivered = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 2),
			failed = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 3),
			dead = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 4),
			pending = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 0),
			due_at = (SELECT min(next_attempt_at) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 0) WHERE webhook_id = %s`, webhook),
	}
	today := p.To.Truncate(24 * time.Hour)
	for span, between := range map[int64][2]time.Time{60: {p.To.Add(-minutesKept), p.To}, 3600: {p.From, p.To}, 86400: {p.From, today.Add(-24 * time.Hour)}} {
		queries = append(queries, fmt.Sprintf(`INSERT INTO tallies (queue_id, span, start, kind, code, bucket, count, last_at)
			SELECT %[1]s, %[2]d, %[3]s / %[4]d * %[4]d, coalesce(%[5]s, ''), %[6]s, %[7]s, count(*), max(%[3]s) FROM %[8]s WHERE %[3]s >= %[9]d AND %[3]s < %[10]d GROUP BY 3, 4, 5, 6 ORDER BY 3
			ON CONFLICT (queue_id, span, start, kind, code, bucket) DO UPDATE SET count = tallies.count + excluded.count`,
			webhook, span, at, span*1_000_000, of.failure, of.code, of.bucket, from, between[0].UnixMicro(), between[1].UnixMicro()))
	}
	return queries
}

// minutesKept is how long the tallies of minutes are kept.
const minutesKept = 48 * time.Hour

// pastColumns are what rows hold, as SQL about the number n.i.
type pastColumns struct{ name, data, status, failure, next, code, took, bucket string }

func (p Past) columns() pastColumns {
	c := pastColumns{name: "'call.ended'", data: "'{}'", status: "2", failure: "NULL", next: "NULL", code: "200"}
	c.took, c.bucket = responseTimes()
	if p.Mixed {
		c.status = "CASE n.i % 10 WHEN 1 THEN 3 WHEN 2 THEN 4 WHEN 3 THEN 0 ELSE 2 END"
		c.failure = "CASE n.i % 10 WHEN 1 THEN 'status' WHEN 2 THEN 'gone' WHEN 3 THEN 'timeout' END"
		c.next = fmt.Sprintf("CASE n.i %% 10 WHEN 3 THEN %d + n.i END", p.To.Add(10_000*time.Hour).UnixMicro())
		c.code = "CASE WHEN n.i % 10 IN (1, 2, 3) THEN 500 ELSE 200 END"
		c.name = "CASE n.i % 3 WHEN 0 THEN 'call.ended' WHEN 1 THEN 'call.missed' ELSE 'message.sent' END"
		c.data = `'{"number":' || n.i || ',"note":"` + strings.Repeat("What was said on the phone. ", 15) + `"}'`
	}
	if p.Type != "" {
		c.name = "'" + p.Type + "'"
	}
	if p.Error != "" {
		c.status, c.failure, c.next, c.code = "3", "'"+p.Error+"'", "NULL", "500"
	}
	return c
}

// responseTimes are 13 response times in microseconds, from 6 ms on, and their
// steps on the scale that store/tally.go counts them by.
func responseTimes() (took, bucket string) {
	const first, ratio = 10, 1.2
	took, bucket = "CASE n.i % 13", fmt.Sprintf("%d + n.i %% 13", first)
	for i := range 13 {
		took += fmt.Sprintf(" WHEN %d THEN %d", i, int(990*math.Pow(ratio, float64(first+i))))
	}
	return took + " END", bucket
}

// salt keeps the ids of one webhook's past from those of another's.
func (p Past) salt() int64 {
	sum := fnv.New32a()
	sum.Write([]byte(p.Webhook.String()))
	return int64(sum.Sum32()&0x7fff) << 32
}

// ID is an id as SQL, as the columns of a kind of database hold it.
func ID(kind, id string) string {
	if kind == KindPostgres {
		return "'" + id + "'::uuid"
	}
	return "unhex('" + id + "', '-')"
}

// The numbers from 0 on as n.i, and a UUIDv7 of a time in microseconds
// and n.i; the digit and the salt keep ids of several tables and webhooks apart.
const (
	sqliteNumbers   = "(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < %d - 1) SELECT i FROM c) n"
	postgresNumbers = "(SELECT i FROM generate_series(0::bigint, %d - 1) i) n"
	sqliteID        = "unhex(printf('%%08x%%04x7000800%[2]d%%012x', %[1]s / 1000 >> 16, %[1]s / 1000 & 65535, %[3]d + n.i))"
	postgresID      = "(lpad(to_hex(%[1]s / 1000 >> 16), 8, '0') || '-' || lpad(to_hex(%[1]s / 1000 & 65535), 4, '0') || '-7000-800%[2]d-' || lpad(to_hex(%[3]d + n.i), 12, '0'))::uuid"
)

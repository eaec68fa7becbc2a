package storetest

import (
	"database/sql"
	"fmt"
	"hash/fnv"
	"path/filepath"
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
// each, made evenly over a time.
type Past struct {
	Account, Webhook fmt.Stringer
	Events           int
	From, To         time.Time
	// Mixed makes every tenth delivery failed (error "status"), every tenth dead
	// ("gone") and every tenth pending until far in the future ("timeout"), and
	// events of three types. Else all are delivered, of one type.
	Mixed bool
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
	numbers, id, blob := sqliteNumbers, sqliteID, "CAST('{}' AS blob)"
	if kind == KindPostgres {
		numbers, id, blob = postgresNumbers, postgresID, "'{}'::bytea"
	}
	event, delivery := fmt.Sprintf(id, at, 1, p.salt()), fmt.Sprintf(id, at, 2, p.salt())
	status, kindOf, next, name := "2", "NULL", "NULL", "'call.ended'"
	if p.Mixed {
		status = "CASE n.i % 10 WHEN 1 THEN 3 WHEN 2 THEN 4 WHEN 3 THEN 0 ELSE 2 END"
		kindOf = "CASE n.i % 10 WHEN 1 THEN 'status' WHEN 2 THEN 'gone' WHEN 3 THEN 'timeout' END"
		next = fmt.Sprintf("CASE n.i %% 10 WHEN 3 THEN %d + n.i END", p.To.Add(10_000*time.Hour).UnixMicro())
		name = "CASE n.i % 3 WHEN 0 THEN 'call.ended' WHEN 1 THEN 'call.missed' ELSE 'message.sent' END"
	}
	from := fmt.Sprintf(numbers, p.Events)
	return []string{
		fmt.Sprintf("INSERT INTO events (id, account_id, type, occurred_at, data, verdicts, created_at) SELECT %s, '%s'%s, %s, %s, %s, %s, %s FROM %s",
			event, p.Account, cast(kind), name, at, blob, blob, at, from),
		fmt.Sprintf(`INSERT INTO deliveries (id, account_id, queue_id, webhook_id, event_id, event_type, status, attempts, max_attempts, next_attempt_at, last_status_code, last_error, created_at, finished_at)
			SELECT %[1]s, '%[2]s'%[3]s, '%[4]s'%[3]s, '%[4]s'%[3]s, %[5]s, %[6]s, %[7]s, 1, 6, %[8]s, 500, %[9]s, %[10]s, %[10]s FROM %[11]s`,
			delivery, p.Account, cast(kind), p.Webhook, event, name, status, next, kindOf, at, from),
		fmt.Sprintf("INSERT INTO attempts (delivery_id, number, node, started_at, status_code, error, response_body) SELECT %s, 1, 'past', %s, 500, %s, %s FROM %s", delivery, at, kindOf, blob, from),
		fmt.Sprintf(`UPDATE queues SET delivered = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 2),
			failed = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 3),
			dead = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 4),
			pending = (SELECT count(*) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 0),
			due_at = (SELECT min(next_attempt_at) FROM deliveries WHERE webhook_id = queues.webhook_id AND status = 0) WHERE webhook_id = '%s'`, p.Webhook),
	}
}

// salt keeps the ids of one webhook's past from those of another's.
func (p Past) salt() int64 {
	sum := fnv.New32a()
	sum.Write([]byte(p.Webhook.String()))
	return int64(sum.Sum32()&0x7fff) << 32
}

func cast(kind string) string {
	if kind == KindPostgres {
		return "::uuid"
	}
	return ""
}

// The numbers from 0 on as n.i, and a UUIDv7 of a time in microseconds
// and n.i; the digit and the salt keep ids of several tables and webhooks apart.
const (
	sqliteNumbers   = "(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < %d - 1) SELECT i FROM c) n"
	postgresNumbers = "(SELECT i FROM generate_series(0::bigint, %d - 1) i) n"
	sqliteID        = "printf('%%08x-%%04x-7000-800%[2]d-%%012x', %[1]s / 1000 >> 16, %[1]s / 1000 & 65535, %[3]d + n.i)"
	postgresID      = "(lpad(to_hex(%[1]s / 1000 >> 16), 8, '0') || '-' || lpad(to_hex(%[1]s / 1000 & 65535), 4, '0') || '-7000-800%[2]d-' || lpad(to_hex(%[3]d + n.i), 12, '0'))::uuid"
)

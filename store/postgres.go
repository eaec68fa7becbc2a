package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"belfry/store/uuid"
)

// postgresDB is for production and for several nodes.
type postgresDB struct {
	s      *Store
	config *pgx.ConnConfig
	// batches is how statements that take arrays are run.
	batches pgx.QueryExecMode
	notices *notices
}

func openPostgres(ctx context.Context, s *Store) error {
	config, err := pgx.ParseConfig(s.opt.DatabaseURL)
	if err != nil {
		return errors.New("the database URL can't be read; it looks like postgres://user:password@host:5432/name")
	}
	setDefault(config, "application_name", "belfry")
	// Prepared statements keep their first plan, which saves a third of the
	// server's work. Every one of them is meant to walk an index row by row; a
	// table that is empty when the plan is made must not suggest anything else.
	setDefault(config, "plan_cache_mode", "force_generic_plan")
	for _, other := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"} {
		setDefault(config, other, "off")
	}
	setDefault(config, "synchronous_commit", "on")
	// A process that freezes must not keep its locks, for less long than leases
	// last: what others have begun must be recorded in time.
	setDefault(config, "idle_in_transaction_session_timeout", "3s")
	batches := config.DefaultQueryExecMode
	if batches == pgx.QueryExecModeCacheStatement {
		// Only statements that take arrays come again with the same text: all
		// others would push them out of the cache, at a round trip each.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	db := sql.OpenDB(sessions{stdlib.GetConnector(*config), batches == pgx.QueryExecModeCacheStatement})
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	d := &postgresDB{s: s, config: config, batches: batches}
	s.d, s.db = d, bun.NewDB(db, pgdialect.New())
	s.ro = s.db
	d.startNotices()
	if err := db.PingContext(ctx); err != nil {
		d.close()
		if class := d.code(err); strings.HasPrefix(class, "28") || strings.HasPrefix(class, "3D") {
			return fmt.Errorf("the database refuses us; look at user, password and name of the database in its URL: %w", err)
		}
		return fmt.Errorf("the database does not answer: %w", err)
	}
	return nil
}

func setDefault(config *pgx.ConnConfig, name, value string) {
	if _, set := config.RuntimeParams[name]; !set {
		config.RuntimeParams[name] = value
	}
}

func (d *postgresDB) name() string { return "postgres" }

func (d *postgresDB) nowSQL() string {
	return "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
}

func (d *postgresDB) nowOr(argument string) string {
	return "coalesce(" + argument + "::bigint, " + d.nowSQL() + ")"
}

func (d *postgresDB) answersSQL() string {
	return `SELECT a.* FROM unnest($2::text[]) AS asked (key) CROSS JOIN LATERAL
		(SELECT key, request_hash, answer FROM idempotency_keys WHERE account_id = $1 AND key = asked.key LIMIT 1) AS a`
}

func (d *postgresDB) among(column, argument, element string) string {
	return column + " = ANY(" + argument + "::" + element + "[])"
}

// list binds ids as they are, for written as text they would have to be read
// again, and pointers as a type that the driver need not inspect.
func (d *postgresDB) list(values any) any {
	switch values := values.(type) {
	case []*string:
		return pgtype.FlatArray[*string](values)
	case []*int64:
		return pgtype.FlatArray[*int64](values)
	case []uuid.UUID:
		ids := make(pgtype.FlatArray[pgtype.UUID], len(values))
		for i, id := range values {
			ids[i] = pgtype.UUID{Bytes: id, Valid: id != uuid.Nil}
		}
		return ids
	}
	return values
}

// enter takes advisory locks: unlike those of rows they are given in the order in
// which they are asked for, and a row can still be changed by several who share.
// The numbers come from the random part of the ids.
func (d *postgresDB) enter(ctx context.Context, tx bun.Tx, accounts []uuid.UUID, alone bool) error {
	if len(accounts) == 0 {
		return nil
	}
	keys := make([]int64, len(accounts))
	for i, id := range accounts {
		keys[i] = int64(binary.BigEndian.Uint64(id[8:]))
	}
	slices.Sort(keys)
	return d.exec(ctx, tx, "SELECT "+pick(alone, "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared")+"(k) FROM unnest($1::bigint[]) AS k", keys)
}

func (d *postgresDB) forUpdate() string { return " FOR UPDATE" }

func (d *postgresDB) oneNode() bool { return false }

func (d *postgresDB) idText(column string) string { return "CAST(" + column + " AS text)" }

// blobText reads bytes that are known to be UTF-8.
func (d *postgresDB) blobText(column string) string { return "convert_from(" + column + ", 'UTF8')" }

// oneOf makes an array of them: a join might walk all rows in their order instead.
func (d *postgresDB) oneOf() string { return "= ANY (ARRAY(?))" }

// indexed leaves it to the planner, which knows how many rows a type has.
func (d *postgresDB) indexed(table, _ string) string { return table }

// migrate holds an advisory lock, which ends with the session that took it.
func (d *postgresDB) migrate(ctx context.Context) error {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // asked every second, for 5 minutes
	if err != nil {
		return err
	}
	return migrateWith(ctx, d.s, goose.DialectPostgres, goose.WithSessionLocker(locker))
}

func (d *postgresDB) code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func (d *postgresDB) isDuplicate(err error) bool { return d.code(err) == "23505" }

// isTransient: serialization failure, deadlock.
func (d *postgresDB) isTransient(err error) bool {
	code := d.code(err)
	return code == "40001" || code == "40P01"
}

// isUnavailable: no connection, or a server that is starting, stopping, full
// or read-only (classes 08, 53, 57P and 25006).
func (d *postgresDB) isUnavailable(err error) bool {
	code := d.code(err)
	if strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57P") || code == "25006" {
		return true
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return code == "" && (errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "unexpected EOF"))
}

// isFull: disk full.
func (d *postgresDB) isFull(err error) bool { return d.code(err) == "53100" }

func (d *postgresDB) insertBatch(ctx context.Context, tx bun.Tx, table, conflict string, cols []column) error {
	if cols[0].n == 0 {
		return nil
	}
	if conflict == "" && cols[0].n >= copyRows {
		return pipelineOf(ctx).copy(ctx, table, cols)
	}
	names, arrays, args := d.unnest(cols)
	return d.exec(ctx, tx, "INSERT INTO "+table+" ("+names+") SELECT * FROM "+arrays+" "+conflict, args...)
}

// copyRows is how many rows are worth a COPY, which takes a third less time for
// each row, but a round trip of its own, in which the queues stay locked.
const copyRows = 100

func (d *postgresDB) updateBatch(ctx context.Context, tx bun.Tx, table, set string, cols []column) error {
	if cols[0].n == 0 {
		return nil
	}
	names, arrays, args := d.unnest(cols)
	return d.exec(ctx, tx, "UPDATE "+table+" AS t SET "+set+" FROM "+arrays+" AS v ("+names+") WHERE t.id = ANY (ARRAY[v.id])", args...)
}

// unnest makes rows of the columns, each bound as one array.
func (d *postgresDB) unnest(cols []column) (names, arrays string, args []any) {
	list, params, args := make([]string, len(cols)), make([]string, len(cols)), make([]any, len(cols))
	for i, c := range cols {
		list[i], params[i], args[i] = c.name, fmt.Sprintf("$%d::%s[]", i+1, c.pg), d.list(c.values)
	}
	return strings.Join(list, ", "), "unnest(" + strings.Join(params, ", ") + ")", args
}

// A plan is made once, maybe while the tables are empty, and must stay right as
// they grow: "= ANY (ARRAY[x])" is an equality that a row can be found by, in its
// index, and nothing else; for "= x" an empty table was gone through instead, and
// so it was when it had a million rows.
//
// The queues are locked, so what is pending in them is nobody else's.
const (
	postgresDueSQL = `WITH picked AS (
			SELECT p.id FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS q (id, low, n) CROSS JOIN LATERAL (
				SELECT id FROM deliveries WHERE queue_id = q.id AND status = 0 AND next_attempt_at BETWEEN q.low AND $4
				ORDER BY next_attempt_at LIMIT q.n) p)` + postgresLeaseSQL
	postgresWaitingSQL = `WITH picked AS (
			SELECT p.id FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS q (id, low, n) CROSS JOIN LATERAL (
				SELECT id FROM deliveries WHERE webhook_id = q.id AND status = 0 AND NOT test AND $4::bigint IS NOT NULL `
	postgresOldestSQL = postgresWaitingSQL + "ORDER BY id LIMIT 1) p)" + postgresLeaseSQL
	postgresNewestSQL = postgresWaitingSQL + "ORDER BY id DESC LIMIT 1) p)" + postgresLeaseSQL
	postgresLeaseSQL  = `
		UPDATE deliveries d SET status = 1, lease_node = $5, lease_until = $6 FROM picked, events e
		WHERE d.id = ANY (ARRAY[picked.id]) AND e.id = ANY (ARRAY[d.event_id])
		RETURNING ` + claimColumns
)

func (d *postgresDB) claimRows(ctx context.Context, tx bun.Tx, takes []take, now, leaseUntil int64, node string) ([]claimed, error) {
	by := map[string][]take{}
	for _, t := range takes {
		query := postgresDueSQL
		if t.queue.Probing {
			query = pick(t.queue.probesNewest(), postgresNewestSQL, postgresOldestSQL)
		}
		by[query] = append(by[query], t)
	}
	var all []claimed
	for _, query := range []string{postgresDueSQL, postgresOldestSQL, postgresNewestSQL} {
		rows, err := d.lease(ctx, tx, query, by[query], now, leaseUntil, node)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

func (d *postgresDB) lease(ctx context.Context, tx bun.Tx, query string, takes []take, now, leaseUntil int64, node string) ([]claimed, error) {
	if len(takes) == 0 {
		return nil, nil
	}
	queues, lows, counts := make([]uuid.UUID, len(takes)), make([]int64, len(takes)), make([]int64, len(takes))
	for i, t := range takes {
		queues[i], lows[i], counts[i] = t.queue.ID, d.s.lowWater(t.queue), t.n
	}
	return rowsOf(ctx, d.s, &tx, readClaimed, query, d.list(queues), lows, counts, now, node, leaseUntil)
}

// The delivery is found by its id: the other conditions are written so that no
// index fits them.
const postgresRecordSQL = `UPDATE deliveries d SET status = r.status, attempts = r.attempt, interrupted = 0, next_attempt_at = r.next,
		lease_node = NULL, lease_until = NULL, last_status_code = r.code, last_error = r.error, last_detail = r.detail,
		last_duration_us = r.duration, last_attempt_at = r.started,
		delivered_at = CASE WHEN r.status = 2 THEN r.finished ELSE d.delivered_at END, finished_at = r.finished
	FROM unnest($2::uuid[], $3::integer[], $4::smallint[], $5::bigint[], $6::integer[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::boolean[])
		AS r (id, attempt, status, next, code, error, detail, duration, started, finished, deleted)
	WHERE d.id = ANY (ARRAY[r.id]) AND d.lease_node IS NOT DISTINCT FROM $1 AND d.attempts = r.attempt - 1 AND (d.status + 0 = 1 OR r.deleted AND d.status + 0 = 4)
	RETURNING d.id`

func (d *postgresDB) recordRows(ctx context.Context, tx bun.Tx, node string, rows []recordRow) ([]bool, error) {
	args := []any{node}
	for _, c := range []column{
		idCol("id", rows, func(r recordRow) uuid.UUID { return r.id }),
		col("attempt", "integer", rows, func(r recordRow) int64 { return int64(r.attempt) }),
		col("status", "smallint", rows, func(r recordRow) int64 { return int64(r.status) }),
		col("next", "bigint", rows, func(r recordRow) *int64 { return orNull(r.next) }),
		col("code", "integer", rows, func(r recordRow) *int64 { return orNull(int64(r.statusCode)) }),
		col("error", "text", rows, func(r recordRow) *string { return orNull(r.err) }),
		col("detail", "text", rows, func(r recordRow) *string { return orNull(r.detail) }),
		col("duration", "bigint", rows, func(r recordRow) int64 { return r.durationUs }),
		col("started", "bigint", rows, func(r recordRow) int64 { return r.startedAt }),
		col("finished", "bigint", rows, func(r recordRow) *int64 { return orNull(r.finished) }),
		col("deleted", "boolean", rows, func(r recordRow) bool { return r.deleted }),
	} {
		args = append(args, d.list(c.values))
	}
	found, err := rowsOf(ctx, d.s, &tx, func(scan scanner) (id uuid.UUID, err error) { return id, scan(&id) }, postgresRecordSQL, args...)
	if err != nil {
		return nil, err
	}
	matched := map[uuid.UUID]bool{}
	for _, id := range found {
		matched[id] = true
	}
	ours := make([]bool, len(rows))
	for i, r := range rows {
		ours[i] = matched[r.id]
	}
	return ours, nil
}

// databaseSize reckons: the room of removed rows stays in the files and is used
// again, so these count as far as they are filled, by what the statistics say of
// rows and their widths, and 15 % for what lies between. The views of statistics
// would take longer to plan than all of this takes.
func (d *postgresDB) databaseSize(ctx context.Context) (size int64, err error) {
	err = d.s.ro.NewRaw(postgresSizeSQL).Scan(ctx, &size)
	return size, err
}

const postgresSizeSQL = `SELECT (pg_database_size(current_database()) - coalesce(sum(t.total * (1 - least(1, 1.15 * t.rows / nullif(t.heap, 0)))), 0))::bigint
	FROM (SELECT pg_total_relation_size(c.oid) AS total, pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) AS heap,
			pg_stat_get_live_tuples(c.oid) * (28 + w.width) + coalesce(pg_stat_get_live_tuples(nullif(c.reltoastrelid, 0)), 0) * 2036 AS rows
		FROM pg_class c
		JOIN (SELECT tablename, sum(avg_width * (1 - null_frac)) AS width FROM pg_stats WHERE schemaname = current_schema() GROUP BY tablename) w ON w.tablename = c.relname
		WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind = 'r') t`

// durability reads the settings that let a commit be lost in a power cut
// (PostgreSQL manual, "Asynchronous commit" and "Write ahead log").
func (d *postgresDB) durability(ctx context.Context) (string, error) {
	var set struct{ Fsync, Pages, Commit string }
	err := d.s.db.NewRaw(`SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
		current_setting('synchronous_commit') AS "commit"`).Scan(ctx, &set)
	if err != nil {
		return "", err
	}
	read := fmt.Sprintf("fsync=%s full_page_writes=%s synchronous_commit=%s", set.Fsync, set.Pages, set.Commit)
	var unsafe []string
	if set.Fsync != "on" {
		unsafe = append(unsafe, "with fsync=off a power cut or a crash of the machine loses accepted events or the whole database: set fsync=on on the server")
	}
	if set.Pages != "on" {
		unsafe = append(unsafe, "with full_page_writes=off a power cut may leave half-written pages: set full_page_writes=on on the server")
	}
	if set.Commit == "off" || set.Commit == "local" {
		unsafe = append(unsafe, "with synchronous_commit="+set.Commit+" a commit is answered before it is safe: set synchronous_commit=on")
	}
	if len(unsafe) > 0 {
		return read, errors.New("what is accepted is not safe; " + strings.Join(unsafe, "; "))
	}
	return read, nil
}

func (d *postgresDB) close() error {
	d.notices.close()
	return d.s.db.Close()
}

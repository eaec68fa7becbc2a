package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"belfry/store/uuid"
)

// sqliteDB is the embedded default: one connection writes, a few read.
type sqliteDB struct {
	s       *Store
	lock    *os.File
	commits group
	// statements of transactions, prepared on the one connection that writes.
	statements sync.Map // query → *sql.Stmt, nil while it is being prepared
	// reads are statements outside transactions.
	reads sync.Map // query → *sql.Stmt
}

func openSQLite(ctx context.Context, s *Store) error {
	if err := os.MkdirAll(s.opt.DataDir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	d := &sqliteDB{s: s}
	s.d = d
	if s.opt.Serve {
		if err := d.takeLock(); err != nil {
			return err
		}
	}
	write, err := sql.Open("sqlite", d.dsn("_txlock=immediate"))
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", d.dsn("_pragma=query_only(1)"))
	if err != nil {
		return err
	}
	read.SetMaxOpenConns(4)
	s.db, s.ro = bun.NewDB(write, sqlitedialect.New()), bun.NewDB(read, sqlitedialect.New())
	d.commits.s = s
	if _, err := d.durability(ctx); err != nil {
		d.close()
		return err
	}
	return nil
}

func (d *sqliteDB) path() string { return filepath.Join(d.s.opt.DataDir, "belfry.db") }

// dsn: the log of writes goes into the database every 64 MB, as one page is then
// written for many changes.
func (d *sqliteDB) dsn(more string) string {
	return "file:" + (&url.URL{Path: d.path()}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		"&_pragma=temp_store(MEMORY)&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(16000)&" + more
}

// takeLock lets one process serve the file. The lock ends with the process,
// however it ends.
func (d *sqliteDB) takeLock() error {
	f, err := os.OpenFile(d.path()+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("another process serves %s already: stop it, give this one another -data-dir, or use Postgres for several nodes", d.path())
	}
	d.lock = f
	return nil
}

func (d *sqliteDB) name() string { return "sqlite" }

func (d *sqliteDB) nowSQL() string { return fmt.Sprint(time.Now().UnixMicro()) }

func (d *sqliteDB) nowOr(argument string) string { return argument }

func (d *sqliteDB) among(column, argument, kind string) string {
	return column + " IN (SELECT " + pick(kind == "uuid", "unhex(value, '-')", "value") + " FROM json_each(" + argument + "))"
}

func (d *sqliteDB) answersSQL() string {
	return "SELECT key, request_hash, answer FROM idempotency_keys WHERE account_id = $1 AND " + d.among("key", "$2", "text")
}

func (d *sqliteDB) list(values any) any { return jsonText(values) }

func (d *sqliteDB) enter(context.Context, bun.Tx, []uuid.UUID, bool) error { return nil } // the transaction is the only writer

func (d *sqliteDB) forUpdate() string { return "" }

func (d *sqliteDB) oneNode() bool { return true } // the lock on the file sees to it

func (d *sqliteDB) blobText(column string) string { return "CAST(" + column + " AS text)" }

func (d *sqliteDB) idText(column string) string { return "lower(hex(" + column + "))" }

func (d *sqliteDB) oneOf() string { return "IN (?)" }

// indexed names the index: without statistics a range of ids counts for as much
// as the type of an event, and a rare one was looked for among all.
func (d *sqliteDB) indexed(table, index string) string { return table + " INDEXED BY " + index }

// migrate runs in the serving process, which holds the lock, or in a command
// while no process serves; goose runs each migration in a transaction.
func (d *sqliteDB) migrate(ctx context.Context) error {
	return migrateWith(ctx, d.s, goose.DialectSQLite3)
}

func (d *sqliteDB) code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func (d *sqliteDB) isDuplicate(err error) bool {
	code := d.code(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func (d *sqliteDB) isTransient(err error) bool { return d.code(err)&0xff == sqlite3.SQLITE_BUSY }

func (d *sqliteDB) isUnavailable(err error) bool {
	switch d.code(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}

func (d *sqliteDB) isFull(err error) bool { return d.code(err)&0xff == sqlite3.SQLITE_FULL }

func (d *sqliteDB) insertBatch(ctx context.Context, tx bun.Tx, table, conflict string, cols []column) error {
	if cols[0].n == 0 {
		return nil
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	row := "(?" + strings.Repeat(", ?", len(cols)-1) + ")"
	// What a statement that fails leaves behind is undone with the transaction: OR
	// FAIL spares a journal for each statement.
	return d.each(ctx, tx, cols, func(rows int) string {
		return "INSERT OR FAIL INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES " + row + strings.Repeat(", "+row, rows-1) + " " + conflict
	}, insertRows, 1)
}

// insertRows is how many rows go into one statement while there are so many
// left: each statement opens and closes every index of the table.
const insertRows = 32

func (d *sqliteDB) updateBatch(ctx context.Context, tx bun.Tx, table, set string, cols []column) error {
	if cols[0].n == 0 {
		return nil
	}
	values := batchValue.ReplaceAllStringFunc(set+" WHERE t.id = v.id", func(value string) string {
		return fmt.Sprintf("?%d", 1+slices.IndexFunc(cols, func(c column) bool { return "v."+c.name == value }))
	})
	return d.each(ctx, tx, cols, func(int) string { return "UPDATE " + table + " AS t SET " + values }, 1)
}

// batchValue is a value of the batch in the SET part of an update.
var batchValue = regexp.MustCompile(`\bv\.\w+\b`)

func (d *sqliteDB) transact(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	return d.commits.run(ctx, fn)
}

func (d *sqliteDB) query(ctx context.Context, tx *bun.Tx, read func(scanner) error, query string, args []any) error {
	ctx = context.WithoutCancel(ctx) // as in each
	stmt, err := d.statement(ctx, tx, query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	return readAll(rows, err, read)
}

func (d *sqliteDB) ask(ctx context.Context, tx bun.Tx, read func(scanner) error, query string, args ...any) error {
	return d.query(ctx, &tx, read, query, args)
}

// statement gives one for the transaction, or for reading outside of any.
func (d *sqliteDB) statement(ctx context.Context, tx *bun.Tx, query string) (*sql.Stmt, error) {
	if tx != nil {
		return d.prepare(ctx, *tx, query)
	}
	if kept, known := d.reads.Load(query); known {
		return kept.(*sql.Stmt), nil
	}
	stmt, err := d.s.ro.DB.PrepareContext(ctx, numbered(query))
	if err != nil {
		return nil, err
	}
	kept, known := d.reads.LoadOrStore(query, stmt)
	if known {
		stmt.Close()
	}
	return kept.(*sql.Stmt), nil
}

func (d *sqliteDB) exec(ctx context.Context, tx bun.Tx, query string, args ...any) error {
	ctx = context.WithoutCancel(ctx) // as in each
	stmt, err := d.prepare(ctx, tx, query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx, args...)
	return err
}

// numbered writes arguments as SQLite has them: ?1 for $1.
func numbered(query string) string { return strings.ReplaceAll(query, "$", "?") }

// prepare gives a statement for the transaction, which closes it: the one
// prepared for all transactions, or, the first time, one of its own.
func (d *sqliteDB) prepare(ctx context.Context, tx bun.Tx, query string) (*sql.Stmt, error) {
	query = numbered(query)
	kept, known := d.statements.LoadOrStore(query, (*sql.Stmt)(nil))
	if stmt, ok := kept.(*sql.Stmt); ok && stmt != nil {
		return tx.Tx.StmtContext(ctx, stmt), nil
	}
	if !known {
		// The connection is free once the transaction is over.
		go func() {
			stmt, err := d.s.db.DB.PrepareContext(ctx, query)
			if err != nil {
				d.statements.Delete(query) // the next one tries again
				return
			}
			d.statements.Store(query, stmt)
		}()
	}
	return tx.Tx.PrepareContext(ctx, query)
}

// each runs a statement for the rows of the columns, as many at a time as the
// first of the sizes that fits; the last size is 1. A row takes microseconds,
// less than the driver needs to watch for ctx's end.
func (d *sqliteDB) each(ctx context.Context, tx bun.Tx, cols []column, query func(rows int) string, sizes ...int) error {
	ctx = context.WithoutCancel(ctx)
	done := 0
	for _, size := range sizes {
		if cols[0].n-done < size {
			continue
		}
		stmt, err := d.prepare(ctx, tx, query(size))
		if err != nil {
			return err
		}
		args := make([]any, 0, size*len(cols))
		for ; cols[0].n-done >= size; done += size {
			args = args[:0]
			for i := range size {
				for j := range cols {
					args = append(args, cols[j].at(done+i))
				}
			}
			if _, err := stmt.ExecContext(ctx, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// What a queue has due, earliest first; of a probed one, its oldest. A bare
// argument as LIMIT would have the statement planned anew each time.
const (
	sqliteDueSQL = "SELECT " + claimColumns + ` FROM deliveries d JOIN events e ON e.id = d.event_id
		WHERE d.queue_id = $1 AND d.status = 0 AND d.next_attempt_at BETWEEN $2 AND $3 ORDER BY d.next_attempt_at LIMIT $4 + 0`
	sqliteWaitingSQL = "SELECT " + claimColumns + ` FROM deliveries d JOIN events e ON e.id = d.event_id
		WHERE d.webhook_id = $1 AND d.status = 0 AND NOT d.test `
	sqliteOldestSQL = sqliteWaitingSQL + "ORDER BY d.id LIMIT 1"
	sqliteNewestSQL = sqliteWaitingSQL + "ORDER BY d.id DESC LIMIT 1"
	sqliteLeaseSQL  = "UPDATE OR FAIL deliveries SET status = 1, lease_node = $1, lease_until = $2 WHERE id IN (SELECT unhex(value, '-') FROM json_each($3))"
)

func (d *sqliteDB) claimRows(ctx context.Context, tx bun.Tx, takes []take, now, leaseUntil int64, node string) ([]claimed, error) {
	var all []claimed
	for _, t := range takes {
		query, args := sqliteDueSQL, []any{t.queue.ID, d.s.lowWater(t.queue), now, t.n}
		if t.queue.Probing {
			query, args = pick(t.queue.probesNewest(), sqliteNewestSQL, sqliteOldestSQL), args[:1]
		}
		rows, err := rowsOf(ctx, d.s, &tx, readClaimed, query, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	return all, d.exec(ctx, tx, sqliteLeaseSQL, node, leaseUntil, d.list(ids))
}

const sqliteRecordSQL = `UPDATE deliveries SET status = ?1, attempts = ?2, interrupted = 0, next_attempt_at = ?3,
	lease_node = NULL, lease_until = NULL, last_status_code = ?4, last_error = ?5, last_detail = ?6, last_duration_us = ?7,
	last_attempt_at = ?8, delivered_at = CASE WHEN ?1 = 2 THEN ?9 ELSE delivered_at END, finished_at = ?9
	WHERE id = ?10 AND lease_node = ?11 AND attempts = ?2 - 1 AND (status = 1 OR ?12 AND status = 4)`

func (d *sqliteDB) recordRows(ctx context.Context, tx bun.Tx, node string, rows []recordRow) ([]bool, error) {
	ctx = context.WithoutCancel(ctx) // as in each
	stmt, err := d.prepare(ctx, tx, sqliteRecordSQL)
	if err != nil {
		return nil, err
	}
	ours := make([]bool, len(rows))
	for i, r := range rows {
		res, err := stmt.ExecContext(ctx, int64(r.status), r.attempt, orNull(r.next), orNull(int64(r.statusCode)), orNull(r.err), orNull(r.detail),
			r.durationUs, r.startedAt, orNull(r.finished), r.id[:], node, r.deleted)
		if err != nil {
			return nil, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return nil, err
		}
		ours[i] = n == 1
	}
	return ours, nil
}

func (d *sqliteDB) databaseSize(ctx context.Context) (int64, error) {
	var size int64
	err := d.s.ro.NewRaw("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").Scan(ctx, &size)
	return size, err
}

// ring has nobody to tell: other processes are only commands beside the
// server, which hears of what they changed through the file.
func (d *sqliteDB) ring([]Change) {}

// listen notices what commands beside the server write, within 100 ms: the
// data version that a connection sees changes only by others' commits.
func (d *sqliteDB) listen(ctx context.Context, heard func(Change)) {
	if !d.s.opt.Serve {
		return
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last := d.dataVersion(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		version := d.dataVersion(ctx)
		if last != 0 && version != 0 && version != last {
			heard(Change{Kind: ChangeAccount, Due: true})
		}
		last = version
	}
}

// dataVersion is 0 where it can't be read.
func (d *sqliteDB) dataVersion(ctx context.Context) (version int64) {
	if err := d.s.db.NewRaw("PRAGMA data_version").Scan(ctx, &version); err != nil {
		return 0
	}
	return version
}

func (d *sqliteDB) durability(ctx context.Context) (string, error) {
	var mode string
	var sync, keys int
	err := errors.Join(d.s.db.NewRaw("PRAGMA journal_mode").Scan(ctx, &mode), d.s.db.NewRaw("PRAGMA synchronous").Scan(ctx, &sync),
		d.s.db.NewRaw("PRAGMA foreign_keys").Scan(ctx, &keys))
	if code := d.code(err) & 0xff; code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_CORRUPT {
		return "", fmt.Errorf("%s is no database of SQLite, or is damaged: put a backup back in its place, with its secret key, or choose another -data-dir", d.path())
	}
	if err != nil {
		return "", fmt.Errorf("open %s: %w", d.path(), err)
	}
	read := fmt.Sprintf("journal_mode=%s synchronous=%d foreign_keys=%d", mode, sync, keys)
	if mode != "wal" || sync != 2 || keys != 1 {
		return read, fmt.Errorf("SQLite runs with %s; a commit is safe only with journal_mode=wal synchronous=2 (FULL)", read)
	}
	return "synchronous=FULL", nil
}

func (d *sqliteDB) close() error {
	var err error
	if d.s.db != nil {
		err = errors.Join(d.s.ro.Close(), d.s.db.Close())
	}
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

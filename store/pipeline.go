package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
)

// pipeline sends the statements of one transaction on Postgres together, as far
// as nobody waits for what they give: a transaction costs a few round trips,
// however many statements it has.
type pipeline struct {
	conn    *sql.Conn
	prepare bool // statements are kept prepared on the connection
	batch   *pgx.Batch
	err     error // the first one
}

type pipelineKey struct{}

func pipelineOf(ctx context.Context) *pipeline {
	p, _ := ctx.Value(pipelineKey{}).(*pipeline)
	return p
}

// add lets a statement wait for the next flush.
func (p *pipeline) add(query string, args []any) *pgx.QueuedQuery {
	if p.batch == nil {
		p.batch = &pgx.Batch{}
	}
	return p.batch.Queue(query, args...)
}

// flush runs what waits, in order, in one round trip.
func (p *pipeline) flush(ctx context.Context) error {
	if p.batch == nil || p.err != nil {
		return p.err
	}
	batch := p.batch
	p.batch = nil
	p.err = p.conn.Raw(func(raw any) error {
		conn := raw.(*stdlib.Conn).Conn()
		if p.prepare {
			for _, q := range batch.QueuedQueries {
				if _, err := conn.Prepare(ctx, q.SQL, q.SQL); err != nil {
					return err
				}
			}
		}
		return conn.SendBatch(ctx, batch).Close()
	})
	return p.err
}

// copy inserts rows at once, after what waits.
func (p *pipeline) copy(ctx context.Context, table string, cols []column) error {
	if err := p.flush(ctx); err != nil {
		return err
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	p.err = p.conn.Raw(func(raw any) error {
		_, err := raw.(*stdlib.Conn).Conn().PgConn().CopyFrom(ctx, bytes.NewReader(copyBytes(cols)),
			"COPY "+table+" ("+strings.Join(names, ", ")+") FROM STDIN BINARY")
		return err
	})
	return p.err
}

// flushFirst lets statements of bun's run after those that wait. An error shows
// in the statement that follows and in the end of the transaction.
type flushFirst struct{}

func (flushFirst) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	if p := pipelineOf(ctx); p != nil {
		_ = p.flush(ctx)
	}
	return ctx
}

func (flushFirst) AfterQuery(context.Context, *bun.QueryEvent) {}

func (d *postgresDB) transact(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	conn, tx, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	p := &pipeline{conn: conn.Conn, prepare: d.batches == pgx.QueryExecModeCacheStatement}
	ctx = context.WithValue(ctx, pipelineKey{}, p)
	defer tx.Rollback() // does nothing after a commit
	err = fn(ctx, tx)
	if p.err != nil {
		return p.err // what came after it says less
	}
	if err != nil {
		return err
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	return tx.Tx.Commit()
}

// begin takes a connection and begins a transaction on it, on another one where
// that has died unnoticed.
func (d *postgresDB) begin(ctx context.Context) (conn bun.Conn, tx bun.Tx, err error) {
	for range 3 {
		if conn, err = d.s.db.Conn(ctx); err != nil {
			return conn, tx, err
		}
		if tx, err = conn.BeginTx(ctx, nil); err == nil {
			return conn, tx, nil
		}
		conn.Close()
		if !errors.Is(err, driver.ErrBadConn) {
			break
		}
	}
	return conn, tx, err
}

func (d *postgresDB) exec(ctx context.Context, _ bun.Tx, query string, args ...any) error {
	pipelineOf(ctx).add(query, args)
	return nil
}

func (d *postgresDB) query(ctx context.Context, tx *bun.Tx, read func(scanner) error, query string, args []any) error {
	if tx != nil {
		p := pipelineOf(ctx)
		p.add(query, args).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := read(rows.Scan); err != nil {
					return err
				}
			}
			return rows.Err()
		})
		return p.flush(ctx)
	}
	rows, err := d.s.db.DB.QueryContext(ctx, query, append([]any{d.batches}, args...)...)
	return readAll(rows, err, read)
}

package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
)

// pipeline is one transaction on Postgres, whose statements are sent together as
// far as nobody waits for what they give, BEGIN with the first ones and COMMIT
// with the last: it costs a few round trips, however many statements it has.
//
// database/sql rolls it back from a goroutine of its own when ctx ends, so that
// all that is sent, and what came of it, is under mu.
type pipeline struct {
	ctx     context.Context
	session *session
	batch   *pgx.Batch
	mu      sync.Mutex
	err     error // the first one
	died    bool  // the connection, of err
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
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.send(ctx)
}

// copy inserts rows at once, after what waits.
func (p *pipeline) copy(ctx context.Context, table string, cols []column) error {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.send(ctx); err != nil {
		return err
	}
	_, err := p.session.postgres().CopyFrom(ctx, bytes.NewReader(copyBytes(cols)),
		"COPY "+table+" ("+strings.Join(names, ", ")+") FROM STDIN BINARY")
	return p.heed(err)
}

// send is flush under mu.
func (p *pipeline) send(ctx context.Context) error {
	if p.batch == nil || p.err != nil {
		return p.err
	}
	batch := p.batch
	p.batch = nil
	return p.heed(p.session.run(ctx, batch))
}

// heed keeps what came of sending.
func (p *pipeline) heed(err error) error {
	p.err = err
	p.died = err != nil && p.session.postgres().IsClosed()
	return err
}

// Commit sends COMMIT with what waits. Where that fails nothing is changed, and
// the connection is free.
func (p *pipeline) Commit() error {
	p.add("commit", nil).Exec(func(done pgconn.CommandTag) error {
		if done.String() == "ROLLBACK" {
			return pgx.ErrTxCommitRollback
		}
		return nil
	})
	err := p.flush(p.ctx)
	if err != nil {
		_ = p.Rollback()
	}
	p.session.open = nil
	return err
}

// Rollback asks the server to forget the transaction, if it has heard of it; a
// connection on which that fails is closed. Nothing is sent any more after it,
// for it would be outside of any transaction.
func (p *pipeline) Rollback() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session.open = nil
	if p.err == nil {
		p.err = cmp.Or(p.ctx.Err(), sql.ErrTxDone)
	}
	server := p.session.postgres()
	if server.TxStatus() == 'I' || server.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), rollbackWithin)
	defer cancel()
	_, err := server.Exec(ctx, "rollback").ReadAll()
	if err != nil {
		_ = p.session.Close()
	}
	return err
}

const rollbackWithin = 5 * time.Second

// session is a connection to Postgres. A transaction that is begun with a
// pipeline in its context is that pipeline.
type session struct {
	*stdlib.Conn
	prepare bool      // statements that come again are kept prepared
	open    *pipeline // the transaction that is open; nil: none
}

// sessions opens them.
type sessions struct {
	driver.Connector
	prepare bool
}

func (s sessions) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &session{Conn: conn.(*stdlib.Conn), prepare: s.prepare}, nil
}

func (s *session) postgres() *pgconn.PgConn { return s.Conn.Conn().PgConn() }

func (s *session) run(ctx context.Context, batch *pgx.Batch) error {
	conn := s.Conn.Conn()
	if s.prepare {
		for _, q := range batch.QueuedQueries {
			if _, err := conn.Prepare(ctx, q.SQL, q.SQL); err != nil {
				return err
			}
		}
	}
	return conn.SendBatch(ctx, batch).Close()
}

// BeginTx lets BEGIN wait for the first statement where ctx has a pipeline.
func (s *session) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	p := pipelineOf(ctx)
	if p == nil {
		return s.Conn.BeginTx(ctx, opts)
	}
	p.ctx, p.session, s.open = ctx, s, p
	p.add("begin", nil)
	return p, nil
}

// settle sends what waits before a statement that does not.
func (s *session) settle(ctx context.Context) error {
	if s.open == nil {
		return nil
	}
	return s.open.flush(ctx)
}

// PrepareContext, ExecContext and QueryContext run what is not in a pipeline after
// what waits in one.
func (s *session) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return s.Conn.PrepareContext(ctx, query)
}

func (s *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return s.Conn.ExecContext(ctx, query, args)
}

func (s *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return s.Conn.QueryContext(ctx, query, args)
}

// transact runs fn, again where the connection had died before COMMIT was sent:
// nothing was changed then.
func (d *postgresDB) transact(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	for try := 1; ; try++ {
		died, err := d.transactOnce(ctx, fn)
		if !died || try == 3 || ctx.Err() != nil {
			return err
		}
	}
}

func (d *postgresDB) transactOnce(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) (died bool, err error) {
	conn, err := d.s.db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	p := &pipeline{}
	ctx = context.WithValue(ctx, pipelineKey{}, p)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // does nothing after a commit
	if err := fn(ctx, tx); err != nil {
		return p.failed(err)
	}
	return false, tx.Tx.Commit()
}

// failed says whether err is that of a connection that died; what came before it
// says more than err.
func (p *pipeline) failed(err error) (died bool, first error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.died, cmp.Or(p.err, err)
}

func (d *postgresDB) exec(ctx context.Context, _ bun.Tx, query string, args ...any) error {
	pipelineOf(ctx).add(query, args)
	return nil
}

func (d *postgresDB) ask(ctx context.Context, _ bun.Tx, read func(scanner) error, query string, args ...any) error {
	pipelineOf(ctx).add(query, args).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := read(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return nil
}

func (d *postgresDB) query(ctx context.Context, tx *bun.Tx, read func(scanner) error, query string, args []any) error {
	if tx != nil {
		if err := d.ask(ctx, *tx, read, query, args...); err != nil {
			return err
		}
		return pipelineOf(ctx).flush(ctx)
	}
	rows, err := d.s.db.DB.QueryContext(ctx, query, append([]any{d.batches}, args...)...)
	return readAll(rows, err, read)
}

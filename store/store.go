// Package store holds the nouns and their truth: types, checks, SQL,
// transactions and the bell. One set of queries serves SQLite and Postgres;
// what must differ is the private dialect interface, met in sqlite.go and
// postgres.go.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
	"belfry/worker/outbound"
)

// Options says which database to open and how to treat what is in it.
type Options struct {
	// DatabaseURL is a postgres:// URL; empty means SQLite in DataDir.
	DatabaseURL string
	// DataDir is the folder of the SQLite file and of the secret key that is
	// made where none is given. It is created when missing.
	DataDir string
	// SecretKey encrypts secrets at rest: any string of 32 characters or more.
	// Empty with SQLite: made once, beside a database that knows no key, and kept
	// in DataDir; required with Postgres.
	SecretKey string
	// LookOnly makes no secret key: where its file is missing, Open succeeds and
	// CheckSchema says so. Nothing may be changed through such a store.
	LookOnly bool
	// Serve takes the lock that lets only one process serve an SQLite file.
	Serve bool
	// Limits are the defaults for accounts that have none of their own.
	Limits Limits
	// HeaderPrefix is the default prefix of signature headers; empty: X-Webhook.
	HeaderPrefix string
	// NodeName is shown with attempts; empty: the host's name.
	NodeName string
	// Targets are the private addresses that webhooks may lead to.
	Targets *outbound.Targets
	// Resolver looks up the names in URLs; nil: the system's.
	Resolver outbound.Resolver
	// MaxDatabaseSize in bytes makes Publish answer CodeFull once nothing
	// finished is left to remove; 0: no budget.
	MaxDatabaseSize int64
	// SearchRows is how many deliveries or events a search reads at most where no
	// index answers it; 0: 20 000.
	SearchRows int
	// Now replaces the database's clock, in tests and where a past is told. Each
	// event that is published reads it anew, so it may run while a batch is written.
	Now func() time.Time
	// PasswordMemory in KiB is what hashing a password takes; 0: 19 MiB. Tests
	// that are not about passwords take less.
	PasswordMemory uint32
	// Log gets what no caller is there to hear; nil: slog.Default.
	Log *slog.Logger
}

// Store is one open database. All methods may be used from many goroutines.
type Store struct {
	opt     Options
	checker *outbound.Checker
	log     *slog.Logger
	db      *bun.DB // writes; on SQLite a single connection
	ro      *bun.DB // reads; on Postgres the same as db
	d       dialect
	seal    *sealer
	keyless error // why seal is not of the secret key; only with LookOnly
	node    string
	bell    *bell
	desks   deskCache
	dry     droughts
	pub     *publisher
	people  *people
	keys    *keyCache
	lists   *turns
	minutes minuteCounts
	past    past
	hand    atomic.Pointer[Handover]
	lag     lag
	full    atomic.Bool
	lastID  atomic.Int64 // time of the last id that idOf made
	// sessionsEnded counts the sessions that this process ended.
	sessionsEnded atomic.Int64
	cancel        context.CancelFunc
}

// dialect is what SQLite and Postgres do differently.
type dialect interface {
	name() string
	// nowSQL is an expression for the database's clock in unix microseconds;
	// nowOr is one for the argument named, and that clock where it is NULL.
	nowSQL() string
	nowOr(argument string) string
	// among is a condition: the column is in the list bound to the argument
	// named, whose elements have that Postgres type; list is how a slice of strings
	// or ids is bound there.
	among(column, argument, element string) string
	list(values any) any
	// answersSQL is the query of what an account ($1) was answered under each of a
	// list of idempotency keys ($2), of each one its index entry alone.
	answersSQL() string
	// transact runs fn in a transaction.
	transact(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error
	// query runs a prepared statement, outside transactions where tx is nil.
	query(ctx context.Context, tx *bun.Tx, read func(scanner) error, query string, args []any) error
	// ask runs a prepared query in a transaction. What it finds is read by the end
	// of the transaction's next query.
	ask(ctx context.Context, tx bun.Tx, read func(scanner) error, query string, args ...any) error
	// exec runs a prepared statement of which nobody reads what it did. Like the
	// batches, it may wait for the next query or the end of the transaction.
	exec(ctx context.Context, tx bun.Tx, query string, args ...any) error
	// enter lets the transaction work on accounts beside others, or alone, until it
	// ends. Who waits to be alone comes before all who come later.
	enter(ctx context.Context, tx bun.Tx, accounts []uuid.UUID, alone bool) error
	// forUpdate is the locking clause that ends a SELECT of rows to be changed.
	forUpdate() string
	migrate(ctx context.Context) error
	// oneNode says that no other process can hold leases.
	oneNode() bool
	// idText gives the text of an id's column, on SQLite without its hyphens.
	idText(column string) string
	// blobText reads a blob column as text.
	blobText(column string) string
	// oneOf asks that what stands before is one of a subquery's few rows (?), which
	// are read first, whatever the planner thinks.
	oneOf() string
	// indexed is a table (deliveries AS d) whose rows come from an index, where the
	// planner might take another one.
	indexed(table, index string) string
	// isDuplicate says whether err is a broken unique index.
	isDuplicate(err error) bool
	// isTransient says whether the same transaction may succeed when run again.
	isTransient(err error) bool
	// isUnavailable says whether err means that the database can't be reached.
	isUnavailable(err error) bool
	// isFull says whether err means that the database's disk is full.
	isFull(err error) bool
	// insertBatch inserts the rows of the columns; conflict is an ON CONFLICT
	// clause, or empty.
	insertBatch(ctx context.Context, tx bun.Tx, table, conflict string, cols []column) error
	// updateBatch changes many rows of table t, each found by the first column,
	// its id. set names the values of the row as v.column.
	updateBatch(ctx context.Context, tx bun.Tx, table, set string, cols []column) error
	claimRows(ctx context.Context, tx bun.Tx, takes []take, now, leaseUntil int64, node string) ([]claimed, error)
	recordRows(ctx context.Context, tx bun.Tx, node string, rows []recordRow) ([]bool, error)
	databaseSize(ctx context.Context) (int64, error)
	// ring tells other processes of changes, soon and at the latest when the store
	// is closed; listen hears them until ctx ends.
	ring(changes []Change)
	listen(ctx context.Context, heard func(Change))
	// durability reads back the settings that make a commit safe.
	durability(ctx context.Context) (string, error)
	close() error
}

// Open opens the database that opt names. It does not migrate: call Migrate,
// or CheckSchema where another process owns the schema.
func Open(ctx context.Context, opt Options) (*Store, error) {
	s := &Store{opt: opt, log: opt.Log, bell: newBell(), people: newPeople(opt.PasswordMemory), keys: newKeyCache(), lists: newTurns(), node: uuid.Must(uuid.NewV7()).String()}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.opt.NodeName == "" {
		s.opt.NodeName, _ = os.Hostname()
	}
	if s.opt.HeaderPrefix == "" {
		s.opt.HeaderPrefix = "X-Webhook"
	}
	s.opt.Limits = s.opt.Limits.withDefaults()
	if s.opt.Targets == nil {
		s.opt.Targets = &outbound.Targets{}
	}
	s.checker = outbound.NewChecker(s.opt.Targets, s.opt.Resolver)
	open := openSQLite
	if opt.DatabaseURL != "" {
		open = openPostgres
	}
	if err := open(ctx, s); err != nil {
		return nil, err
	}
	if err := s.openSeal(ctx); err != nil {
		s.d.close()
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.pub = newPublisher(s)
	go s.pub.run(run)
	go s.runKeys(run)
	go s.d.listen(run, s.heard)
	return s, nil
}

// Close gives the database back. Calls under way fail.
func (s *Store) Close() error {
	s.cancel()
	<-s.pub.done
	<-s.keys.done
	s.bell.close()
	return s.d.close()
}

// Migrate brings the schema up to date, under a lock, and checks the secret
// key against the one the database was first used with; the first one is kept.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.d.migrate(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := s.noteKey(ctx); err != nil {
		return err
	}
	return s.checkKey(ctx)
}

// Node is the id under which this process holds leases.
func (s *Store) Node() string { return s.node }

// NodeName is the name shown with the attempts of this process.
func (s *Store) NodeName() string { return s.opt.NodeName }

// Writers is how many transactions it helps to write beside each other.
func (s *Store) Writers() int {
	if s.d.oneNode() {
		return 1
	}
	return 2
}

// Dialect is "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.d.name() }

// Targets are the private addresses that webhooks may lead to.
func (s *Store) Targets() *outbound.Targets { return s.opt.Targets }

// Durability reads back what makes a commit safe ("synchronous=FULL"); an
// error says what is wrong.
func (s *Store) Durability(ctx context.Context) (string, error) { return s.d.durability(ctx) }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.Now(ctx)
	return err
}

// Now is the database's clock.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var now int64
	err := s.ro.NewRaw("SELECT "+s.nowSQL()).Scan(ctx, &now)
	return fromMicros(now), s.wrap(err)
}

func (s *Store) nowSQL() string {
	if s.opt.Now != nil {
		return fmt.Sprint(s.opt.Now().UnixMicro())
	}
	return s.d.nowSQL()
}

// tx runs fn in a transaction, again where the database asks for it, and rings
// the bell with what fn says has changed once the commit is durable.
func (s *Store) tx(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) ([]Change, error)) error {
	var changes []Change
	run := func(ctx context.Context, tx bun.Tx) (err error) {
		changes, err = fn(ctx, tx)
		return err
	}
	err := s.d.transact(ctx, run)
	for try := 0; err != nil && try < 5 && s.d.isTransient(err) && ctx.Err() == nil; try++ {
		err = s.d.transact(ctx, run)
	}
	if err != nil {
		return s.wrap(err)
	}
	s.bell.ring(changes)
	s.d.ring(changes)
	return nil
}

// wrap turns the driver's errors into ours; an Error passes as it is.
func (s *Store) wrap(err error) error {
	var ours *Error
	switch {
	case err == nil || errors.As(err, &ours):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return notFound()
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case s.d.isFull(err):
		return &Error{Code: CodeUnavailable, Detail: "the disk of the database is full; nothing accepted is lost; ask your operator to make room", Cause: err}
	case errors.Is(err, driver.ErrBadConn) || s.d.isUnavailable(err):
		return &Error{Code: CodeUnavailable, Detail: "the database does not answer; try again in a moment", Cause: err}
	}
	return err
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// newID makes an id of now by the store's clock.
func (s *Store) newID() uuid.UUID { return s.idOf(s.here().UnixMicro()) }

// idOf makes an id that sorts by the store's clock, whose time in microseconds
// is now, as newID's do by that of the system.
func (s *Store) idOf(now int64) uuid.UUID {
	id := newID()
	if s.opt.Now == nil {
		return id
	}
	for {
		// Milliseconds and 12 bits of their fraction; never the same twice.
		last, next := s.lastID.Load(), now/1000<<12|now%1000<<12/1000
		next = max(next, last+1)
		if s.lastID.CompareAndSwap(last, next) {
			binary.BigEndian.PutUint64(id[:8], uint64(next>>12<<16|0x7000|next&0xfff))
			return id
		}
	}
}

// moment is the store's clock where it runs while a batch is written, else now,
// in microseconds.
func (s *Store) moment(now int64) int64 {
	if s.opt.Now == nil {
		return now
	}
	return max(now, s.opt.Now().UnixMicro())
}

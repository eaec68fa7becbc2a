package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
)

// sharedCluster gives the one cluster of this process, which starts at its
// first use. It and its sister are the package's only state: a cluster takes
// half a second to start, so tests share it and own a database each.
var sharedCluster = sync.OnceValue(func() *cluster { return &cluster{settings: hasty()} })

// durableCluster gives the other one, which waits for the disk.
var durableCluster = sync.OnceValue(func() *cluster { return &cluster{} })

// cluster is a private Postgres with a migrated template database.
type cluster struct {
	settings []string // arguments of postgres; none: as Postgres comes
	start    sync.Once
	err      error
	server   *server
	admin    *sql.DB
	made     atomic.Int64

	templateShape string
	mu            sync.Mutex
	free          []string // databases of tests that are over, emptied
}

// create clones the template, or takes a clone that is free again, and gives its
// URL and what is to be done when its test is over.
func (c *cluster) create(ctx context.Context) (string, func() error, error) {
	c.start.Do(func() { c.err = c.boot() })
	if c.err != nil {
		return "", nil, c.err
	}
	name := fmt.Sprintf("belfry_test_%d", c.made.Add(1))
	if !c.reuse(ctx, name) {
		if _, err := c.admin.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
			return "", nil, fmt.Errorf("clone the template database: %w", err)
		}
	}
	return c.server.url(name), func() error { return c.end(name) }, nil
}

// boot starts the server and makes the template. It does not end with the test
// that happens to call it first.
func (c *cluster) boot() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if c.server, err = startServer(ctx, "", c.settings); err != nil {
		return err
	}
	if c.admin, err = sql.Open("pgx", c.server.url("postgres")); err != nil {
		return err
	}
	if _, err = c.admin.ExecContext(ctx, "CREATE DATABASE "+template); err != nil {
		return fmt.Errorf("make the template database: %w", err)
	}
	if err := migrate(ctx, "pgx", c.server.url(template), goose.DialectPostgres, KindPostgres); err != nil {
		return err
	}
	db, err := sql.Open("pgx", c.server.url(template))
	if err != nil {
		return err
	}
	c.templateShape, _, err = c.shape(ctx, db)
	return errors.Join(err, db.Close())
}

// url is the address of the named database: over the cluster's Unix socket, so
// that clusters of test processes running side by side need no ports.
func (s *server) url(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(superuser),
		Path:     "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode(),
	}
	return u.String()
}

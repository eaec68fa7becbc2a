package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"belfry/store"
)

// accountFlag registers -account, which most commands take.
func accountFlag(flags *flagSet) *string {
	return flags.String("account", "", "`name` of the account; empty: the first one")
}

// storeOptions are those of every process on the same database.
func (c *config) storeOptions() store.Options {
	opt := store.Options{
		DatabaseURL: c.databaseURL, DataDir: c.dataDir, SecretKey: c.secretKey,
		Limits: c.limits, HeaderPrefix: c.headerPrefix, Targets: c.targets, MaxDatabaseSize: c.maxDatabaseSize,
	}
	if c.resolver != nil {
		opt.Resolver = c.resolver
	}
	return opt
}

// withStore does the work on the database, whether or not a server runs. A new
// SQLite database is set up first, which is said, since the folder may be a
// mistyped one, and an older one migrated, unless a process serves it.
func (p *program) withStore(ctx context.Context, c *config, work func(st *store.Store) error) error {
	exists := c.hasDatabase()
	st, err := openCurrent(ctx, c)
	if err != nil {
		return err
	}
	if !exists {
		fmt.Fprintf(p.stderr, "a new database was made in %s, since there was none; give the server the same -data-dir\n", c.folder())
	}
	return errors.Join(work(st), st.Close())
}

// mustHaveDatabase refuses what makes no sense before the first start.
func mustHaveDatabase(c *config) error {
	if c.hasDatabase() {
		return nil
	}
	return fmt.Errorf("there is no database in %s: name the data folder of your Belfry with -data-dir, or start one there first with %s serve", c.folder(), invocation())
}

// hasDatabase says whether there is something to open: with Postgres that shows
// when it is opened.
func (c *config) hasDatabase() bool {
	if c.databaseURL != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(c.dataDir, "belfry.db"))
	return !errors.Is(err, os.ErrNotExist)
}

// folder is the data folder's whole path, for people to find.
func (c *config) folder() string {
	if whole, err := filepath.Abs(c.dataDir); err == nil {
		return whole
	}
	return c.dataDir
}

func openCurrent(ctx context.Context, c *config) (*store.Store, error) {
	st, err := openChecked(ctx, c)
	if unfinished := errors.Is(err, store.ErrSchema) || errors.Is(err, store.ErrNoKey); !unfinished || c.databaseURL != "" {
		return st, err
	}
	// Where the lock is taken a server, or another command, does the same now.
	if migrate(ctx, c) != nil {
		return nil, err
	}
	return openChecked(ctx, c)
}

// openChecked opens the database where its schema is the one we know.
func openChecked(ctx context.Context, c *config) (*store.Store, error) {
	st, err := store.Open(ctx, c.storeOptions())
	if err != nil {
		return nil, err
	}
	if err := st.CheckSchema(ctx); err != nil {
		st.Close()
		return nil, err
	}
	return st, nil
}

// migrate brings the schema up to date; on SQLite only while nobody serves.
func migrate(ctx context.Context, c *config) error {
	opt := c.storeOptions()
	opt.Serve = true
	st, err := store.Open(ctx, opt)
	if err != nil {
		return err
	}
	err = st.Migrate(ctx)
	if err == nil {
		err = st.CheckSchema(ctx)
	}
	return errors.Join(err, st.Close())
}

func prepareMigrate(p *program, _ *flagSet) action {
	return func(ctx context.Context, c *config) error {
		if err := migrate(ctx, c); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, "the database is up to date")
		return nil
	}
}

// withAccount does the work on the account of that name, or the first one.
func (p *program) withAccount(ctx context.Context, c *config, name string, work func(st *store.Store, a store.Account) error) error {
	return p.withStore(ctx, c, func(st *store.Store) error {
		a, err := findAccount(ctx, st, name)
		if err != nil {
			return err
		}
		return work(st, a)
	})
}

func findAccount(ctx context.Context, st *store.Store, name string) (store.Account, error) {
	if name == "" {
		return st.EnsureDefaultAccount(ctx)
	}
	return st.AccountByName(ctx, name)
}

// Package storetest opens a fresh database of either kind for a test.
//
// Databases are clones of a template that is migrated once. SQLite databases
// live in the test's own temporary folder, Postgres databases in a private
// cluster that the test process starts when it first needs one, and that ends
// with the process however it ends.
package storetest

import (
	"os"
	"path/filepath"
	"testing"
)

// The kinds of database that Belfry runs on, as Each names its subtests.
const (
	KindSQLite   = "sqlite"
	KindPostgres = "postgres"
)

// Database is a fresh database for one test: migrated, and without any content.
type Database struct {
	// Kind is KindSQLite or KindPostgres.
	Kind string
	// URL is what -database-url takes: empty for SQLite, which lives in Dir.
	URL string
	// Dir is an empty folder of the test's own, for -data-dir.
	Dir string
}

// Each runs f as the subtests "sqlite" and "postgres", each with a fresh
// database of that kind.
func Each(t *testing.T, f func(t *testing.T, db Database)) {
	t.Helper()
	t.Run(KindSQLite, func(t *testing.T) { f(t, SQLite(t)) })
	t.Run(KindPostgres, func(t *testing.T) { f(t, Postgres(t)) })
}

// EachDurable is Each with commits that wait for the disk.
func EachDurable(t *testing.T, f func(t *testing.T, db Database)) {
	t.Helper()
	t.Run(KindSQLite, func(t *testing.T) { f(t, SQLite(t)) })
	t.Run(KindPostgres, func(t *testing.T) { f(t, DurablePostgres(t)) })
}

// SQLite gives a fresh SQLite database.
func SQLite(t testing.TB) Database {
	t.Helper()
	db := NoDatabase(t)
	file, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("make the template database: %v", err)
	}
	if err := os.WriteFile(filepath.Join(db.Dir, databaseFile), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return db
}

// NoDatabase gives a folder in which no database exists yet: what a newcomer
// starts from, who gets SQLite.
func NoDatabase(t testing.TB) Database {
	t.Helper()
	return Database{Kind: KindSQLite, Dir: t.TempDir()}
}

// Postgres gives a fresh Postgres database, which is another test's, emptied,
// or dropped when the test ends. Where PostgreSQL is not installed the test
// fails and says what to install; with -short it is skipped instead.
func Postgres(t testing.TB) Database {
	t.Helper()
	return fresh(t, sharedCluster())
}

// DurablePostgres gives what Postgres gives, from a cluster whose settings are
// those that Postgres comes with: its commits wait for the disk. It is for
// measuring, and for tests in which doctor is to find nothing at fault.
func DurablePostgres(t testing.TB) Database {
	t.Helper()
	return fresh(t, durableCluster())
}

// fresh gives a database of the cluster until the test ends.
func fresh(t testing.TB, c *cluster) Database {
	t.Helper()
	url, drop, err := c.create(t.Context())
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return Database{Kind: KindPostgres, URL: url, Dir: t.TempDir()}
}

// unavailable ends a test that cannot have Postgres: never silently, unless the
// person running it asked for the short run.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if testing.Short() {
		t.Skipf("no Postgres for this test, and -short is set: %v", err)
	}
	t.Fatalf("no Postgres for this test: %v", err)
}

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that administers the cluster
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver that opens SQLite files

	"belfry/migrations"
)

// template is the database that every test's own is cloned from.
const template = "belfry_template"

// databaseFile is the name of the SQLite database in the data folder.
const databaseFile = "belfry.db"

// sqliteTemplate gives the bytes of a migrated SQLite file. Applying the
// migrations costs more than most tests, copying the file next to nothing.
var sqliteTemplate = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "belfry-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, databaseFile)
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=journal_mode(WAL)"
	if err := migrate(context.Background(), "sqlite", dsn, goose.DialectSQLite3, KindSQLite); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// migrate brings a template's schema up to date, and does no more: a clone is
// as a database is before its first secret key and its first account. It lets
// go of the template, which could not be cloned otherwise.
func migrate(ctx context.Context, driver, dsn string, dialect goose.Dialect, folder string) (err error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the template database: %w", err)
	}
	return nil
}

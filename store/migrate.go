package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"belfry/migrations"
)

func migrationProvider(dialect goose.Dialect, db *sql.DB, folder string, options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, files, options...)
}

func migrateWith(ctx context.Context, s *Store, dialect goose.Dialect, options ...goose.ProviderOption) error {
	p, err := migrationProvider(dialect, s.db.DB, s.d.name(), options...)
	if err != nil {
		return err
	}
	if have, want, err := p.GetVersions(ctx); err == nil && 0 < have && have < want {
		s.log.Info("migrating the database, which may take minutes where it is large", "from", have, "to", want)
	}
	_, err = p.Up(ctx)
	return err
}

// ErrSchema says that the database's schema is not the one this program knows.
var ErrSchema = errors.New("the database has another schema version")

// CheckSchema says whether the schema is this program's and the secret key the
// database's, for commands that run beside a server. It changes nothing. The
// error is ErrSchema, ErrNoKey, or says what is wrong with the key.
func (s *Store) CheckSchema(ctx context.Context) error {
	var have int64
	if err := s.ro.NewRaw("SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(ctx, &have); err != nil {
		return fmt.Errorf("%w: it was never migrated; start the server or run the migrate command first", ErrSchema)
	}
	dialect := goose.DialectSQLite3
	if s.d.name() == "postgres" {
		dialect = goose.DialectPostgres
	}
	p, err := migrationProvider(dialect, s.db.DB, s.d.name())
	if err != nil {
		return err
	}
	sources := p.ListSources()
	if want := sources[len(sources)-1].Version; have != want {
		return otherSchema(have, want)
	}
	return s.checkKey(ctx)
}

// otherSchema says what to do about a schema that isn't the one we want: only an
// older one can be migrated.
func otherSchema(have, want int64) error {
	advice := "start the server in this version, or run the migrate command; with SQLite, stop the older server first"
	if have > want {
		advice = "a newer Belfry made it so; use that version, for it can't be taken back"
	}
	return fmt.Errorf("%w: it is at %d, this program needs %d; %s", ErrSchema, have, want, advice)
}

package store

import (
	"context"

	"github.com/uptrace/bun"
)

// setting reads one value of the whole installation; CodeNotFound where unset.
func (s *Store) setting(ctx context.Context, db bun.IDB, name string) (string, error) {
	var value string
	err := db.NewRaw("SELECT value FROM settings WHERE name = ?", name).Scan(ctx, &value)
	return value, s.wrap(err)
}

// keepSetting writes a value unless there is one already: the first one wins.
func (s *Store) keepSetting(ctx context.Context, db bun.IDB, name, value string) error {
	_, err := db.NewRaw("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, value).Exec(ctx)
	return s.wrap(err)
}

// setSetting writes a value over the one there is.
func (s *Store) setSetting(ctx context.Context, db bun.IDB, name, value string) error {
	_, err := db.NewRaw("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value).Exec(ctx)
	return s.wrap(err)
}

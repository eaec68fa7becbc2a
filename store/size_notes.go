package store

import (
	"context"
	"fmt"
	"time"
)

// sizeNotes begins the names of the settings that note the database's size, each
// with its hour behind it; sizeNotesEnd is behind all of them.
const (
	sizeNotes    = "size_at_"
	sizeNotesEnd = "size_au"
	sizesKept    = 8 * 24 * time.Hour
)

// sizeNote is what the database took at a time.
type sizeNote struct {
	bytes int64
	at    Time
}

func sizeSetting(at int64) string { return sizeNotes + fromMicros(at).Format(hourFormat) }

const hourFormat = "2006-01-02T15"

// NoteSize notes the database's size, the first of each hour, and forgets what
// was noted more than a week ago.
func (s *Store) NoteSize(ctx context.Context) error {
	now, err := s.Now(ctx)
	if err != nil {
		return err
	}
	size, err := s.d.databaseSize(ctx)
	if err != nil {
		return s.wrap(err)
	}
	if err := s.keepSetting(ctx, s.db, sizeSetting(now.UnixMicro()), fmt.Sprint(size, now.UnixMicro())); err != nil {
		return err
	}
	_, err = s.db.NewRaw("DELETE FROM settings WHERE name >= ? AND name < ?", sizeNotes, sizeSetting(now.Add(-sizesKept).UnixMicro())).Exec(ctx)
	return s.wrap(err)
}

// firstSize is the first size that was noted in the hour of that time or after
// it; zero: none was.
func (s *Store) firstSize(ctx context.Context, from int64) (note sizeNote, err error) {
	var rows []struct{ Name, Value string }
	err = s.ro.NewRaw("SELECT name, value FROM settings WHERE name >= ? AND name < ? ORDER BY name LIMIT 1", sizeSetting(from), sizeNotesEnd).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return note, err
	}
	var at int64
	if n, _ := fmt.Sscan(rows[0].Value, &note.bytes, &at); n == 2 {
		note.at = Time{fromMicros(at)}
		return note, nil
	}
	// Before the time was noted too, only the hour was.
	hour, err := time.Parse(hourFormat, rows[0].Name[len(sizeNotes):])
	note.at = At(hour)
	return note, err
}

package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Time is a moment kept as int64 unix microseconds; the zero Time is NULL.
type Time struct{ time.Time }

// At makes a Time of t, in UTC and without what a microsecond can't hold.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Microsecond)}
}

// Value implements driver.Valuer.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMicro(), nil
}

// Scan implements sql.Scanner.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = Time{fromMicros(v)}
	default:
		return fmt.Errorf("a time is kept as int64 microseconds, not as %T", src)
	}
	return nil
}

// Package uuid has ids of 16 bytes for both databases: Postgres has a type of
// its own for them, SQLite keeps the bytes, less than half of their text.
package uuid

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"
)

// UUID is an id (RFC 9562).
type UUID [16]byte

// Nil is no id, Max the largest.
var (
	Nil UUID
	Max = UUID(uuid.Max)
)

// New gives a random id (version 4).
func New() UUID { return UUID(uuid.New()) }

// NewV7 gives an id that begins with the present time (version 7).
func NewV7() (UUID, error) {
	id, err := uuid.NewV7()
	return UUID(id), err
}

// Must gives the id, or panics with the error.
func Must(id UUID, err error) UUID {
	if err != nil {
		panic(err)
	}
	return id
}

// Parse reads an id from any of the forms of google/uuid.
func Parse(text string) (UUID, error) {
	id, err := uuid.Parse(text)
	return UUID(id), err
}

// MustParse is Parse for a text that is known to be an id.
func MustParse(text string) UUID { return Must(Parse(text)) }

// String gives the usual form, 36 characters.
func (id UUID) String() string { return uuid.UUID(id).String() }

// MarshalText gives the usual form.
func (id UUID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// UnmarshalText reads any form that Parse does.
func (id *UUID) UnmarshalText(text []byte) error { return (*uuid.UUID)(id).UnmarshalText(text) }

// Version is the version of the id.
func (id UUID) Version() uuid.Version { return uuid.UUID(id).Version() }

// Time is when an id of version 7 was made, to the millisecond.
func (id UUID) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// Scan reads an id from a database: 16 bytes, or text.
func (id *UUID) Scan(src any) error { return (*uuid.UUID)(id).Scan(src) }

// Value gives the id's 16 bytes to a driver.
func (id UUID) Value() (driver.Value, error) { return id[:], nil }

// AppendQuery writes the id into a query.
func (id UUID) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if gen.Dialect().Name() == dialect.PG {
		return append(append(append(b, '\''), id.String()...), '\''), nil
	}
	return append(hex.AppendEncode(append(b, "X'"...), id[:]), '\''), nil
}

package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// Statements that run with every event have a constant text, with $1, $2, … for
// their arguments, and are prepared once; all others are bun's.

// scanner reads the columns of one row into what the pointers lead to.
type scanner func(dest ...any) error

// rowsOf runs a query and reads each row with read.
func rowsOf[R any](ctx context.Context, s *Store, tx *bun.Tx, read func(scanner) (R, error), query string, args ...any) ([]R, error) {
	found, err := s.d.query(ctx, tx, query, args)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []R
	for found.Next() {
		row, err := read(found.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, found.Err()
}

// nowArg goes with the dialect's nowOr: the clock of this process where it
// counts, else NULL, so that the database's counts.
func (s *Store) nowArg() any {
	if s.opt.Now != nil || s.d.oneNode() {
		return s.here().UnixMicro()
	}
	return nil
}

// texts gives ids in the form in which they are bound.
func texts(ids []uuid.UUID) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = id.String()
	}
	return list
}

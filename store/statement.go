package store

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// Statements that run with every event have a constant text, with $1, $2, … for
// their arguments, and are prepared once; all others are bun's.

// scanner reads the columns of one row into what the pointers lead to.
type scanner func(dest ...any) error

// rowsOf runs a query and reads each row with read.
func rowsOf[R any](ctx context.Context, s *Store, tx *bun.Tx, read func(scanner) (R, error), query string, args ...any) ([]R, error) {
	var all []R
	err := s.d.query(ctx, tx, func(scan scanner) error {
		row, err := read(scan)
		all = append(all, row)
		return err
	}, query, args)
	return all, err
}

// readAll reads what a query of database/sql found.
func readAll(rows *sql.Rows, err error, read func(scanner) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// nowArg goes with the dialect's nowOr: the clock of this process where it
// counts, else NULL, so that the database's counts.
func (s *Store) nowArg() any {
	if s.opt.Now != nil || s.d.oneNode() {
		return s.here().UnixMicro()
	}
	return nil
}

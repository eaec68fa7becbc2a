package storetest

import (
	"context"
	"database/sql"
)

// Making a database costs far more than most tests: one whose test has ended is
// emptied for another, unless more than a few rows of it changed.

// reusedBytes is how much the tables of a database may hold to be used again:
// what is deleted still takes room, and must change no other test's plans.
const reusedBytes = 256 << 10

// shapeQuery describes a database but for its rows, and tells how much its
// tables hold.
const shapeQuery = `SELECT md5(concat_ws('|',
	(SELECT string_agg(concat(c.relname, a.attname, a.atttypid, a.attnotnull, a.atthasdef, a.attisdropped), ',' ORDER BY c.relname, a.attnum)
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace),
	(SELECT string_agg(indexdef, ',' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'),
	(SELECT string_agg(pg_get_constraintdef(oid), ',' ORDER BY conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
	(SELECT string_agg(tgname, ',' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal),
	(SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
	(SELECT count(*) FROM pg_namespace),
	(SELECT count(*) FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid WHERE c.relnamespace = 'public'::regnamespace),
	(SELECT count(*) FROM pg_db_role_setting),
	(SELECT string_agg(version_id::text, ',' ORDER BY id) FROM goose_db_version))),
	(SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')`

// emptyQuery deletes all rows but those that tell the version of the schema.
const emptyQuery = `SET session_replication_role = replica; DO $$ DECLARE t regclass; BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'goose_db_version' AND pg_relation_size(oid) > 0
	LOOP EXECUTE 'DELETE FROM ' || t; END LOOP; END $$`

// shape describes a database but for its rows.
func (c *cluster) shape(ctx context.Context, db *sql.DB) (shape string, bytes int64, err error) {
	err = db.QueryRowContext(ctx, shapeQuery).Scan(&shape, &bytes)
	return shape, bytes, err
}

// end has the database of a test that is over used again, or drops it.
func (c *cluster) end(name string) error {
	if c.empty(context.Background(), name) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.free = append(c.free, name)
		return nil
	}
	_, err := c.admin.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)")
	return err
}

// empty deletes what a test left in a database; false: it is not as it was.
func (c *cluster) empty(ctx context.Context, name string) bool {
	db, err := sql.Open("pgx", c.server.url(name))
	if err != nil {
		return false
	}
	defer db.Close()
	shape, bytes, err := c.shape(ctx, db)
	if err != nil || shape != c.templateShape || bytes > reusedBytes {
		return false
	}
	_, err = db.ExecContext(ctx, emptyQuery)
	return err == nil
}

// reuse gives a database of a test that is over a new name, so that nobody
// reaches it under the one of before; false: there is none.
func (c *cluster) reuse(ctx context.Context, name string) bool {
	c.mu.Lock()
	if len(c.free) == 0 {
		c.mu.Unlock()
		return false
	}
	used := c.free[0]
	c.free = c.free[1:]
	c.mu.Unlock()
	_, err := c.admin.ExecContext(ctx, "ALTER DATABASE "+used+" RENAME TO "+name)
	return err == nil // else that test left a connection open
}

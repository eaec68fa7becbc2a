package store_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"belfry/migrations"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// rowsBefore is a row of each table as a schema had it.
type rowsBefore map[string]map[string]any

// oldSchema makes an SQLite database of that version with one row in each table:
// all ids are the one given, as text.
func oldSchema(t *testing.T, raw *sql.DB, version int64, id string) rowsBefore {
	t.Helper()
	migrateTo(t, raw, version)
	before := rowsBefore{}
	for _, table := range tables(t, raw) {
		names, values, row := []string{}, []string{}, map[string]any{}
		for name, kind := range columns(t, raw, table) {
			names = append(names, name)
			switch {
			case isID(table, name, kind):
				row[name] = id
			case kind == "integer":
				row[name] = int64(1)
			case kind == "blob":
				row[name] = []byte{1}
			default:
				row[name] = "1 — " + id
			}
			values = append(values, sqlOf(row[name]))
		}
		_, err := raw.Exec("PRAGMA foreign_keys = OFF; INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")")
		must(t, err)
		before[table] = row
	}
	return before
}

func migrateTo(t *testing.T, raw *sql.DB, version int64) {
	t.Helper()
	folder, err := fs.Sub(migrations.Files, "sqlite")
	must(t, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, raw, folder)
	must(t, err)
	_, err = p.UpTo(t.Context(), version)
	must(t, err)
}

// isID says whether a column of the old schema held ids.
func isID(table, column, kind string) bool {
	if kind != "text" || table == "nodes" || column == "agent_id" {
		return false
	}
	return column == "id" || strings.HasSuffix(column, "_id") || column == "counted_to" || column == "position"
}

func sqlOf(value any) string {
	switch v := value.(type) {
	case int64:
		return fmt.Sprint(v)
	case []byte:
		return fmt.Sprintf("x'%x'", v)
	}
	return fmt.Sprintf("'%s'", value)
}

func tables(t *testing.T, raw *sql.DB) []string {
	return column(t, raw, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%'")
}

func columns(t *testing.T, raw *sql.DB, table string) map[string]string {
	kinds := map[string]string{}
	for _, both := range column(t, raw, "SELECT name || ' ' || type FROM pragma_table_info('"+table+"')") {
		name, kind, _ := strings.Cut(both, " ")
		kinds[name] = strings.ToLower(kind)
	}
	return kinds
}

// column reads the texts that a query gives.
func column(t *testing.T, raw *sql.DB, query string) (texts []string) {
	t.Helper()
	rows, err := raw.Query(query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		texts = append(texts, text)
	}
	must(t, rows.Err())
	return texts
}

func TestIdsThatWereTextBecomeBytesAndNothingElseChanges(t *testing.T) {
	db := storetest.NoDatabase(t)
	raw := storetest.Raw(t, db)
	id := uuid.Must(uuid.NewV7())
	before := oldSchema(t, raw, 7, id.String())
	if len(before) < 15 {
		t.Fatalf("only the tables %s", slices.Sorted(maps.Keys(before)))
	}
	migrateTo(t, raw, 8)
	for table, row := range before {
		for name, was := range row {
			var is any
			must(t, raw.QueryRow("SELECT "+name+" FROM "+table).Scan(&is))
			want := was
			if was == any(id.String()) {
				want = id[:]
			}
			if got, bytesGot := is.([]byte); bytesGot && !bytes.Equal(got, want.([]byte)) || !bytesGot && is != want {
				t.Errorf("%s.%s was %v, is %v", table, name, was, is)
			}
		}
	}
	if broken := column(t, raw, "SELECT \"table\" FROM pragma_foreign_key_check"); len(broken) > 0 {
		t.Errorf("references lead nowhere in %s", broken)
	}
}

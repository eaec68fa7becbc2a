package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Source says where an event type comes from.
type Source string

// The sources: Belfry's catalogue, added by the account, or seen when it was
// first published.
const (
	SourceBuiltin    Source = "builtin"
	SourceOwn        Source = "own"
	SourceDiscovered Source = "discovered"
)

// EventType is a kind of event that an account knows.
type EventType struct {
	Name string
	// Group is the part before the first dot; GroupTitle names it for people.
	Group string
	// Title says the name in words.
	Title       string
	Description string
	Source      Source
	// Schema is a JSON Schema of the data and Sample an example of it, both
	// compact JSON objects; nil where there is none.
	Schema, Sample json.RawMessage
	// CreatedAt is zero for built-in types.
	CreatedAt Time
}

const (
	maxTypeDescription = 500
	maxSchema          = 64 << 10
)

type typeRow struct {
	Name        string `bun:"name"`
	Description string `bun:"description"`
	Schema      string `bun:"schema,nullzero"`
	Sample      string `bun:"sample,nullzero"`
	Source      Source `bun:"source"`
	CreatedAt   Time   `bun:"created_at"`
}

func (r typeRow) eventType() EventType {
	e := EventType{
		Name: r.Name, Group: groupOf(r.Name), Title: sentence(r.Name), Description: r.Description,
		Source: r.Source, CreatedAt: r.CreatedAt,
	}
	if r.Schema != "" {
		e.Schema = json.RawMessage(r.Schema)
	}
	if r.Sample != "" {
		e.Sample = json.RawMessage(r.Sample)
	}
	return e
}

const selectType = "SELECT name, description, schema, sample, source, created_at FROM event_types"

// EventTypes gives all types of an account: by group, the built-in groups
// first in the catalogue's order, and within a group the built-in types first,
// then the others by name.
func (s *Store) EventTypes(ctx context.Context, accountID uuid.UUID) ([]EventType, error) {
	var rows []typeRow
	if err := s.ro.NewRaw(selectType+" WHERE account_id = ? ORDER BY name", accountID).Scan(ctx, &rows); err != nil {
		return nil, s.wrap(err)
	}
	types := BuiltinEventTypes()
	for _, row := range rows {
		if !isBuiltin(row.Name) {
			types = append(types, row.eventType())
		}
	}
	slices.SortStableFunc(types, byGroup)
	return types, nil
}

// byGroup orders groups and leaves the order within a group alone.
func byGroup(a, b EventType) int {
	rank := func(e EventType) int {
		if i := slices.Index(builtin().groups, e.Group); i >= 0 {
			return i
		}
		return len(builtin().groups)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Group, b.Group))
}

func isBuiltin(name string) bool {
	_, ok := builtin().byName[name]
	return ok
}

// EventType gives one type that the account knows; CodeNotFound otherwise.
func (s *Store) EventType(ctx context.Context, accountID uuid.UUID, name string) (EventType, error) {
	if e, ok := builtin().byName[name]; ok {
		return e, nil
	}
	if CheckTypeName(name) != nil {
		return EventType{}, notFound()
	}
	var row typeRow
	if err := s.ro.NewRaw(selectType+" WHERE account_id = ? AND name = ?", accountID, name).Scan(ctx, &row); err != nil {
		return EventType{}, s.wrap(err)
	}
	return row.eventType(), nil
}

// knownTypes gives the names of all types that the account may subscribe to.
func (s *Store) knownTypes(ctx context.Context, db bun.IDB, accountID uuid.UUID) (map[string]bool, error) {
	var own []string
	if err := db.NewRaw("SELECT name FROM event_types WHERE account_id = ?", accountID).Scan(ctx, &own); err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(own)+len(builtin().types))
	for name := range builtin().byName {
		known[name] = true
	}
	for _, name := range own {
		known[name] = true
	}
	return known, nil
}

// AddEventType adds a type of the account's own: name, and if given
// description, schema and sample. One that was discovered becomes the
// account's own. CodeConflict where it is built in or there already;
// CodeInvalid for wrong input and for one type too many.
func (s *Store) AddEventType(ctx context.Context, accountID uuid.UUID, e EventType) (EventType, error) {
	e.Description = strings.TrimSpace(e.Description)
	e.Schema, e.Sample = given(e.Schema), given(e.Sample)
	if err := e.check(s.opt.Limits.EventBytes).err(); err != nil {
		return EventType{}, err
	}
	if isBuiltin(e.Name) {
		return EventType{}, conflict(fmt.Sprintf("%s is built in", e.Name))
	}
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		a, err := s.lockAccount(ctx, tx, accountID)
		if err != nil {
			return nil, err
		}
		if err := s.putEventType(ctx, tx, accountID, e, a.desk.account.Limits.EventTypes); err != nil {
			return nil, err
		}
		return []Change{accountChanged(accountID)}, bump(ctx, tx, accountID)
	})
	if err != nil {
		return EventType{}, err
	}
	return s.EventType(ctx, accountID, e.Name)
}

// given is compact JSON, or nil for what stands for nothing.
func given(text json.RawMessage) json.RawMessage {
	text = bytes.TrimSpace(text)
	if string(text) == "null" {
		return nil
	}
	return compact(text)
}

func (e EventType) check(maxSample int) faults {
	var f faults
	if err := CheckTypeName(e.Name); err != nil {
		f.add("name", err.Error())
	} else if IsOwnGroup(e.Name) && !isBuiltin(e.Name) {
		f.add("name", "the webhook.* group is Belfry's own; use another group")
	}
	if !isText(e.Description) {
		f.add("description", "must be text without control characters")
	}
	if utf8.RuneCountInString(e.Description) > maxTypeDescription {
		f.add("description", fmt.Sprintf("must have at most %d characters", maxTypeDescription))
	}
	checkObject(&f, "sample", e.Sample, maxSample)
	checkObject(&f, "schema", e.Schema, maxSchema)
	var schema any
	if json.Unmarshal(e.Schema, &schema) == nil {
		if word := strangeType(schema); word != "" {
			f.add("schema", "the type "+word+" is none of JSON's: string, number, integer, boolean, object, array or null")
		}
	}
	return f
}

// strangeType finds a type in a schema that JSON does not have, as it is written
// there; empty: there is none.
func strangeType(schema any) string {
	s, ok := schema.(map[string]any)
	if !ok {
		return ""
	}
	types, several := s["type"].([]any)
	if one, there := s["type"]; there && !several {
		types = []any{one}
	}
	for _, t := range types {
		if word, ok := t.(string); !ok || !slices.Contains(jsonTypes, word) {
			written, _ := json.Marshal(t) // it was read from JSON
			return string(written)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if word := strangeType(properties[name]); word != "" {
			return word
		}
	}
	return strangeType(s["items"])
}

var jsonTypes = []string{"string", "number", "integer", "boolean", "object", "array", "null"}

func checkObject(f *faults, field string, text json.RawMessage, most int) {
	switch {
	case text == nil:
	case len(text) > most:
		f.add(field, fmt.Sprintf("must be at most %d KiB", most>>10))
	default:
		if whole, ok := strings.CutPrefix(JSONFault(string(text)), "it must "); ok {
			f.add(field, "must "+whole)
		} else if whole != "" {
			f.add(field, "must be a JSON object; "+whole)
		}
	}
}

// putEventType writes an own type. The caller holds the account's lock, so the
// count can't be outrun.
func (s *Store) putEventType(ctx context.Context, tx bun.Tx, accountID uuid.UUID, e EventType, limit int) error {
	var sources []Source
	err := tx.NewRaw("SELECT source FROM event_types WHERE account_id = ? AND name = ?", accountID, e.Name).Scan(ctx, &sources)
	switch {
	case err != nil:
		return err
	case len(sources) == 0:
		if err := checkTypeCount(ctx, tx, accountID, "name", 1, limit); err != nil {
			return err
		}
	case sources[0] == SourceOwn:
		return conflict(fmt.Sprintf("there is an event type %s already", e.Name))
	}
	_, err = tx.NewRaw(`INSERT INTO event_types (account_id, name, description, schema, sample, source, created_at)
		VALUES (?, ?, ?, nullif(?, ''), nullif(?, ''), ?, `+s.nowSQL()+`)
		ON CONFLICT (account_id, name) DO UPDATE
		SET description = excluded.description, schema = excluded.schema, sample = excluded.sample, source = excluded.source`,
		accountID, e.Name, e.Description, string(e.Schema), string(e.Sample), string(SourceOwn)).Exec(ctx)
	return err
}

func checkTypeCount(ctx context.Context, tx bun.Tx, accountID uuid.UUID, field string, more, limit int) error {
	var n int
	if err := tx.NewRaw("SELECT count(*) FROM event_types WHERE account_id = ?", accountID).Scan(ctx, &n); err != nil {
		return err
	}
	if n+more > limit {
		return invalid(field, fmt.Sprintf("the account may have %d event types of its own and has %d; use a known type, or ask the operator for a higher limit", limit, n))
	}
	return nil
}

// discover registers the types among names that the account does not know yet.
// The caller holds the account's lock. CodeInvalid where that would be more
// types than limit; then nothing is registered.
func (s *Store) discover(ctx context.Context, tx bun.Tx, accountID uuid.UUID, names []string, limit int) error {
	known, err := s.knownTypes(ctx, tx, accountID)
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(names))), func(name string) bool { return known[name] })
	if len(fresh) == 0 {
		return nil
	}
	if err := checkTypeCount(ctx, tx, accountID, "event", len(fresh), limit); err != nil {
		return err
	}
	values := make([]string, len(fresh))
	args := make([]any, 0, 2*len(fresh))
	for i, name := range fresh {
		values[i] = "(?, ?, 'discovered', " + s.nowSQL() + ")"
		args = append(args, accountID, name)
	}
	_, err = tx.NewRaw("INSERT INTO event_types (account_id, name, source, created_at) VALUES "+
		strings.Join(values, ", ")+" ON CONFLICT (account_id, name) DO NOTHING", args...).Exec(ctx)
	return err
}

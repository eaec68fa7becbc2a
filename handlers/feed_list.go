package handlers

import (
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"belfry/views"
)

// livePart is a row of a list that is followed, or a part of a page.
type livePart struct {
	id   string // of its element
	mark uint64 // of what makes it look different, but for the time that passes
	line func(fresh bool) templ.Component
}

// markOf is a short word for how parts look.
func markOf(parts []livePart) string {
	sum := fnv.New64a()
	for _, part := range parts {
		_, _ = sum.Write([]byte(part.id + strconv.FormatUint(part.mark, 36) + " ")) // never fails
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}

func marksOf(parts []livePart) map[string]uint64 {
	marks := make(map[string]uint64, len(parts))
	for _, part := range parts {
		marks[part.id] = part.mark
	}
	return marks
}

// liveRows is a list: rows come and go.
type liveRows []livePart

func (rows liveRows) mark() string { return markOf(rows) }

func (rows liveRows) since(before liveState) *liveNews {
	known, _ := before.(liveRows)
	changes := rows.differences(known)
	if before == nil {
		changes = rows.whole()
	}
	return newsOf(changes)
}

// newsOf are the changes, if there are any.
func newsOf(changes views.RowChanges) *liveNews {
	if changes.Empty() {
		return nil
	}
	return &liveNews{body: views.LiveRows(changes)}
}

// differences tells what must change so that a page that shows the old rows shows
// these.
func (rows liveRows) differences(old liveRows) views.RowChanges {
	var changes views.RowChanges
	before, now := marksOf(old), marksOf(rows)
	whole, below := false, false
	for _, row := range rows {
		known, there := before[row.id]
		switch {
		case !there:
			changes.New = append(changes.New, row.line(true))
			whole = whole || below // it belongs in the middle
		case known != row.mark:
			changes.Changed = append(changes.Changed, views.ChangedRow{ID: row.id, Row: row.line(false)})
		}
		below = below || there
	}
	for _, row := range old {
		if _, still := now[row.id]; !still {
			changes.Gone = append(changes.Gone, row.id)
		}
	}
	if whole || len(changes.New)+len(changes.Changed) > manyRows || !slices.Equal(old.common(now), rows.common(before)) {
		return rows.whole()
	}
	return changes
}

// common are the ids of the rows that others have too, in their order.
func (rows liveRows) common(others map[string]uint64) (ids []string) {
	for _, row := range rows {
		if _, there := others[row.id]; there {
			ids = append(ids, row.id)
		}
	}
	return ids
}

func (rows liveRows) whole() views.RowChanges {
	all := make([]templ.Component, len(rows))
	for i, row := range rows {
		all[i] = row.line(false)
	}
	return views.RowChanges{All: all}
}

// liveParts is a page: its parts change, each by itself, and stay where they are.
type liveParts []livePart

func (parts liveParts) mark() string { return markOf(parts) }

func (parts liveParts) since(before liveState) *liveNews {
	known, _ := before.(liveParts)
	marks := marksOf(known)
	var changes views.RowChanges
	for _, part := range parts {
		if mark, there := marks[part.id]; !there || mark != part.mark {
			changes.Changed = append(changes.Changed, views.ChangedRow{ID: part.id, Row: part.line(false)})
		}
	}
	return newsOf(changes)
}

// livePage is a page with a list on it.
type livePage struct {
	parts liveParts
	rows  liveRows
}

func (p livePage) mark() string { return p.parts.mark() + "-" + p.rows.mark() }

func (p livePage) since(before liveState) *liveNews {
	var parts, rows liveState
	if known, ok := before.(livePage); ok {
		parts, rows = known.parts, known.rows
	}
	one, other := p.parts.since(parts), p.rows.since(rows)
	switch {
	case one == nil:
		return other
	case other == nil:
		return one
	}
	return &liveNews{body: templ.Join(one.body, other.body)}
}

// liveMark is a page of which is only told that it changed: it reads itself anew.
type liveMark string

func (m liveMark) mark() string { return string(m) }

func (m liveMark) since(before liveState) *liveNews {
	if before == liveState(m) {
		return nil
	}
	return &liveNews{event: "changed", body: templ.NopComponent}
}

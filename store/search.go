package store

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Page is a part of a list, newest first.
type Page[T listed] struct {
	List []T
	// More says that there are others beyond the list, in the direction in which
	// the page was turned.
	More bool
	// Searched is set where the search ended before the page was full: all up to
	// this id were looked at, and a page from there on may hold more.
	Searched uuid.UUID
}

// listed is what stands in lists by its id.
type listed interface{ key() uuid.UUID }

func (d Delivery) key() uuid.UUID { return d.ID }
func (e Event) key() uuid.UUID    { return e.ID }

// Next is the cursor of the page that follows; zero: there is none.
func (p *Page[T]) Next(back bool) uuid.UUID {
	switch {
	case p.Searched != uuid.Nil:
		return p.Searched
	case !p.More || len(p.List) == 0:
		return uuid.Nil
	case back:
		return p.List[0].key()
	}
	return p.List[len(p.List)-1].key()
}

// SearchedTo is when the last that was looked at was made, where Searched is set.
func (p *Page[T]) SearchedTo() time.Time { return p.Searched.Time() }

// A search that no index answers reads so many rows at most, unless the options
// say otherwise, and takes about that time at most, also where the rows have to
// come from a disk: it goes in steps that begin small, double, and stay so small
// that the first one that is not in memory does not take long.
const (
	searchRows  = 20_000
	searchFirst = 200
	searchMost  = 1000
	searchTime  = 150 * time.Millisecond
)

// nextStep is how many rows come after a step and all that were looked at in a
// time: as many as the rest of the time allows for, 0 where that is none to
// speak of.
func nextStep(step, looked int, spent time.Duration) int {
	fit := float64(looked) * float64(searchTime-spent) / float64(max(1, spent))
	if fit < searchFirst {
		return 0
	}
	return int(min(fit, float64(2*step), searchMost))
}

func (s *Store) searchRows() int {
	if s.opt.SearchRows > 0 {
		return s.opt.SearchRows
	}
	return searchRows
}

// search walks through what an index gives, in steps, and keeps the rows of R
// that match.
type search[R any] struct {
	s *Store
	narrowing
	without []string // columns that are not read
	back    bool
	at      uuid.UUID // where the next step begins
	wanted  int
	most    int // rows it looks at; 0: what the options say
	rows    []R
	ended   bool // nothing is left beyond at
}

func (w *search[R]) run(ctx context.Context) error {
	began, looked, most := time.Now(), 0, cmp.Or(w.most, w.mostRows())
	for step := searchFirst; step > 0 && !w.ended && looked < most && len(w.rows) < w.wanted; step = nextStep(step, looked, time.Since(began)) {
		step = min(step, most-looked)
		end, err := w.end(ctx, step)
		if err != nil {
			return err
		}
		if err := w.read(ctx, 0, w.wanted-len(w.rows), end); err != nil {
			return err
		}
		looked += step
		w.at, w.ended = end, end == uuid.Nil
	}
	return nil
}

// mostRows is how many rows of its own it looks at where the options say so many
// in all.
func (w *search[R]) mostRows() int {
	if w.pairs {
		return w.s.searchRows() / 2
	}
	return w.s.searchRows()
}

// end is the last of the next rows of a step; zero where there are fewer.
func (w *search[R]) end(ctx context.Context, step int) (uuid.UUID, error) {
	q, id := w.s.ro.NewSelect().Model((*R)(nil)).Column("id"), "?TableAlias.id"
	if w.failed {
		q, id = w.failures()
	}
	var ids []uuid.UUID
	err := w.sorted(w.span(q, id, uuid.Nil), id).Offset(int64(step-1)).Limit(1).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return uuid.Nil, err
	}
	return ids[0], nil
}

// failures are the failed attempts, and what of them names the delivery.
func (w *search[R]) failures() (q *bun.SelectQuery, id string) {
	return w.s.ro.NewSelect().TableExpr("attempts AS a").Column("a.delivery_id"), "a.delivery_id"
}

// read adds rows that match, up to an end or, where it is zero, to the last.
func (w *search[R]) read(ctx context.Context, offset, limit int, end uuid.UUID) error {
	var rows []R
	q := w.matching(w.s.ro.NewSelect().Model(&rows).ExcludeColumn(w.without...), end)
	err := q.Offset(int64(offset)).Limit(int64(limit)).Scan(ctx)
	w.rows = append(w.rows, rows...)
	return err
}

// span narrows to what the index gives beyond the place of the search, up to an
// end or, where it is zero, to the last.
func (w *search[R]) span(q *bun.SelectQuery, id string, end uuid.UUID) *bun.SelectQuery {
	for _, c := range w.base {
		q = q.Where(c.sql, c.args...)
	}
	if w.table != "" {
		q = q.ModelTableExpr(w.table)
	}
	ids := w.ids
	if w.at != uuid.Nil && !w.byTime {
		ids.after(w.at, w.back)
	}
	if end != uuid.Nil {
		ids.upTo(end, w.back)
	}
	if ids.from != uuid.Nil {
		q = q.Where(id+" >= ?", ids.from)
	}
	if ids.to != uuid.Nil {
		q = q.Where(id+" < ?", ids.to)
	}
	return q
}

func (w *search[R]) sorted(q *bun.SelectQuery, id string) *bun.SelectQuery {
	if w.byTime {
		return q.OrderExpr("?TableAlias.created_at DESC")
	}
	return q.OrderExpr(id + pick(w.back, " ASC", " DESC"))
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// found gives a page of the rows, newest first, whether there are more, and how
// far the search came where it ended before the page was full.
func (w *search[R]) found(limit int) (rows []R, more bool, searched uuid.UUID) {
	if len(w.rows) <= limit && len(w.rest) > 0 && !w.ended {
		searched = w.at
	}
	rows, more = trimPage(w.rows, limit, w.back)
	return rows, more, searched
}

// CountedNewest is how many rows a count looks at where no index answers it: it
// comes with every page.
const CountedNewest = 1000

// countSome counts what matches, up to atMost; where no index answers it and not
// all is asked for, among the next CountedNewest: whole says that there are no
// others, or that n is atMost. n is -1 where it would have to read events' data.
func (w *search[R]) countSome(ctx context.Context, atMost int, all bool) (n int, whole bool, err error) {
	end := uuid.Nil
	if !all && w.text {
		return -1, false, nil
	}
	if !all && len(w.rest) > 0 {
		if end, err = w.end(ctx, min(w.s.searchRows(), CountedNewest)); err != nil {
			return 0, false, err
		}
	}
	n, err = w.count(ctx, atMost, end)
	return n, end == uuid.Nil || n >= atMost, err
}

// count counts what matches, up to atMost, as far as end or, where it is zero,
// as the last.
func (w *search[R]) count(ctx context.Context, atMost int, end uuid.UUID) (n int, err error) {
	q := w.matching(w.s.ro.NewSelect().Model((*R)(nil)).ColumnExpr("1"), end)
	err = w.s.ro.NewSelect().ColumnExpr("count(*)").TableExpr("(?) AS matching", q.Limit(int64(atMost))).Scan(ctx, &n)
	return n, err
}

// matching narrows to what matches, up to an end or, where it is zero, to the
// last.
func (w *search[R]) matching(q *bun.SelectQuery, end uuid.UUID) *bun.SelectQuery {
	const id = "?TableAlias.id"
	if w.failed {
		failures, of := w.failures()
		q = q.Where(id+" "+w.s.d.oneOf(), w.span(failures, of, end))
	} else {
		q = w.span(q, id, end)
	}
	for _, c := range w.rest {
		q = q.Where(c.sql, c.args...)
	}
	return w.sorted(q, id)
}

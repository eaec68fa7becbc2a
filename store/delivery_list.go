package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// DeliveryFilter narrows a list of deliveries; zero fields ask nothing.
type DeliveryFilter struct {
	WebhookID uuid.UUID
	AgentID   string
	Event     string // exact, or a group wildcard (call.*)
	Status    []Status
	Held      bool   // pending ones only, as the filter "held" of the pages
	Error     string // a failure kind
	Code      int    // the last status code
	From, To  time.Time
	Text      string // an id (of delivery, event or webhook), or text in the event's data
	NoTests   bool
	Tests     bool // tests only, listed without cursors
	// Before is the id that ends the last page; zero: from the newest. After
	// turns the page back.
	Before, After uuid.UUID
	Limit         int // 1 to 100; 0: 20
	Offset        int // at most 10 000, with no cursor
}

// DeliveryPage is a part of a list of deliveries, newest first.
type DeliveryPage struct {
	List []Delivery
	// More says that there are others beyond the list, in the direction in which
	// the page was turned.
	More bool
	// Searched is set where the search ended before the page was full: all up to
	// this id were looked at, and a page from there on may hold more.
	Searched uuid.UUID
}

// Next is the cursor of the page that follows; zero: there is none.
func (p *DeliveryPage) Next(back bool) uuid.UUID {
	switch {
	case p.Searched != uuid.Nil:
		return p.Searched
	case !p.More || len(p.List) == 0:
		return uuid.Nil
	case back:
		return p.List[0].ID
	}
	return p.List[len(p.List)-1].ID
}

// SearchedTo is when the last delivery that was looked at was made.
func (p *DeliveryPage) SearchedTo() time.Time { return madeAt(p.Searched) }

// A search that no index answers reads so many rows at most, unless the options
// say otherwise, in steps that begin small and double; it begins no step after
// that time.
const (
	searchRows  = 20_000
	searchFirst = 200
	searchTime  = time.Second
)

func (s *Store) searchRows() int {
	if s.opt.SearchRows > 0 {
		return s.opt.SearchRows
	}
	return searchRows
}

// Deliveries lists the account's deliveries, newest first. more says whether
// there is another page in that direction, beyond the last of the list.
func (s *Store) Deliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter) (list []Delivery, more bool, err error) {
	page, err := s.SearchDeliveries(ctx, account, f)
	return page.List, page.More, err
}

// SearchDeliveries is Deliveries for filters that may have to look at many rows
// to find few: it reads 20 000 rows at most and tells how far it came.
func (s *Store) SearchDeliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter) (DeliveryPage, error) {
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	done, err := s.lists.take(ctx, account)
	if err != nil {
		return DeliveryPage{}, err
	}
	defer done()
	n, err := s.narrow(ctx, account, f)
	if err != nil {
		return DeliveryPage{}, s.wrap(err)
	}
	w := &search{s: s, narrowing: n, back: f.After != uuid.Nil, at: f.Before, wanted: f.Offset + f.Limit + 1}
	if w.back {
		w.at = f.After
	}
	if len(n.rest) == 0 {
		err = w.read(ctx, f.Offset, f.Limit+1, uuid.Nil)
	} else if err = w.run(ctx); err == nil {
		w.rows = w.rows[min(f.Offset, len(w.rows)):]
	}
	if err != nil {
		return DeliveryPage{}, s.wrap(err)
	}
	return w.page(ctx, f.Limit)
}

// search walks through what an index gives, in steps, and keeps what matches.
type search struct {
	s *Store
	narrowing
	back   bool
	at     uuid.UUID // where the next step begins
	wanted int
	rows   []deliveryRow
	ended  bool // nothing is left beyond at
}

func (w *search) run(ctx context.Context) error {
	began, looked, most := time.Now(), 0, w.s.searchRows()
	for step := searchFirst; !w.ended && looked < most && len(w.rows) < w.wanted; step *= 2 {
		if looked > 0 && time.Since(began) > searchTime {
			return nil
		}
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

// end is the last of the next rows of a step; zero where there are fewer.
func (w *search) end(ctx context.Context, step int) (uuid.UUID, error) {
	var ids []uuid.UUID
	err := w.ordered(w.s.ro.NewSelect().Model((*deliveryRow)(nil)).Column("id")).Offset(int64(step-1)).Limit(1).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return uuid.Nil, err
	}
	return ids[0], nil
}

// read adds rows that match, up to an end or, where it is zero, to the last.
func (w *search) read(ctx context.Context, offset, limit int, end uuid.UUID) error {
	var rows []deliveryRow
	q := w.ordered(w.s.ro.NewSelect().Model(&rows).ExcludeColumn("secret"))
	if end != uuid.Nil {
		q = q.Where(pick(w.back, "d.id <= ?", "d.id >= ?"), end)
	}
	for _, c := range w.rest {
		q = q.Where(c.sql, c.args...)
	}
	err := q.Offset(int64(offset)).Limit(int64(limit)).Scan(ctx)
	w.rows = append(w.rows, rows...)
	return err
}

// ordered narrows to what the index gives beyond the place of the search.
func (w *search) ordered(q *bun.SelectQuery) *bun.SelectQuery {
	for _, c := range w.base {
		q = q.Where(c.sql, c.args...)
	}
	if w.byTime {
		return q.Order("d.created_at DESC")
	}
	if w.at != uuid.Nil {
		q = q.Where(pick(w.back, "d.id > ?", "d.id < ?"), w.at)
	}
	return q.Order(pick(w.back, "d.id ASC", "d.id DESC"))
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func (w *search) page(ctx context.Context, limit int) (p DeliveryPage, err error) {
	full := len(w.rows) > limit
	if !full && len(w.rest) > 0 && !w.ended {
		p.Searched = w.at
	}
	rows, more := trimPage(w.rows, limit, w.back)
	p.More, p.List = more, make([]Delivery, len(rows))
	for i := range rows {
		p.List[i] = rows[i].delivery()
	}
	if w.byTime {
		slices.SortStableFunc(p.List, func(a, b Delivery) int { return compareIDs(b.ID, a.ID) })
	}
	return p, w.s.explain(ctx, w.s.ro, p.List)
}

// CountDeliveries counts all that the filter matches, up to atMost. Where no
// index answers the filter it reads all of the account's: CountMatching doesn't.
func (s *Store) CountDeliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter, atMost int) (int, error) {
	n, _, err := s.countDeliveries(ctx, account, f, atMost, true)
	return n, err
}

// CountMatching counts what the filter matches, up to atMost; where no index
// answers it, among the newest 20 000 rows: whole says that there are no
// others. Text in data is not counted: n is -1.
func (s *Store) CountMatching(ctx context.Context, account uuid.UUID, f DeliveryFilter, atMost int) (n int, whole bool, err error) {
	return s.countDeliveries(ctx, account, f, atMost, false)
}

func (s *Store) countDeliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter, atMost int, all bool) (n int, whole bool, err error) {
	done, err := s.lists.take(ctx, account)
	if err != nil {
		return 0, false, err
	}
	defer done()
	narrowed, err := s.narrow(ctx, account, f)
	if err != nil {
		return 0, false, s.wrap(err)
	}
	if narrowed.text && !all {
		return -1, false, nil
	}
	w, end := &search{s: s, narrowing: narrowed}, uuid.Nil
	if len(w.rest) > 0 && !all {
		if end, err = w.end(ctx, s.searchRows()); err != nil {
			return 0, false, s.wrap(err)
		}
	}
	n, err = w.count(ctx, atMost, end)
	return n, end == uuid.Nil, s.wrap(err)
}

func (w *search) count(ctx context.Context, atMost int, end uuid.UUID) (n int, err error) {
	q := w.ordered(w.s.ro.NewSelect().Model((*deliveryRow)(nil)).ColumnExpr("1"))
	for _, c := range w.rest {
		q = q.Where(c.sql, c.args...)
	}
	if end != uuid.Nil {
		q = q.Where("d.id >= ?", end)
	}
	err = w.s.ro.NewSelect().ColumnExpr("count(*)").TableExpr("(?) AS matching", q.Limit(int64(atMost))).Scan(ctx, &n)
	return n, err
}

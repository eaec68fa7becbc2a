package store

import (
	"context"
	"slices"
	"time"

	"belfry/store/uuid"
)

// DeliveryFilter narrows a list of deliveries; zero fields ask nothing.
type DeliveryFilter struct {
	WebhookID uuid.UUID
	AgentID   string
	Event     string // exact, or a group wildcard (call.*)
	Status    []Status
	Held      bool   // pending ones only, as the filter "held" of the pages
	Error     string // a failure kind, of any attempt
	Code      int    // a status code; with Error of the same attempt
	From, To  time.Time
	Text      string // an id (of delivery, event or webhook) or how one begins, or text in the event's data
	NoTests   bool
	// Tests asks for tests only; of the other fields From, To, Limit and Offset
	// count then.
	Tests bool
	// Before is the id that ends the last page; zero: from the newest. After
	// turns the page back.
	Before, After uuid.UUID
	Limit         int // 1 to 100; 0: 20
	Offset        int // at most 10 000, with no cursor
	// roughly has From and To heeded as far as ids tell the time.
	roughly bool
}

// DeliveryPage is a part of a list of deliveries, newest first.
type DeliveryPage = Page[Delivery]

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
	return s.searchDeliveries(ctx, account, f)
}

// searchDeliveries is SearchDeliveries for pages of any size.
func (s *Store) searchDeliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter) (p DeliveryPage, err error) {
	err = s.inTurn(ctx, account, func() error {
		n, err := s.narrow(ctx, account, f)
		if err != nil {
			return err
		}
		w := &search[deliveryRow]{s: s, narrowing: n, without: []string{"secret"}, back: f.After != uuid.Nil, at: f.Before, wanted: f.Offset + f.Limit + 1}
		if w.back {
			w.at = f.After
		}
		if len(n.rest) == 0 {
			err = w.read(ctx, f.Offset, f.Limit+1, uuid.Nil)
		} else if err = w.run(ctx); err == nil {
			w.rows = w.rows[min(f.Offset, len(w.rows)):]
		}
		if err != nil {
			return err
		}
		p, err = s.deliveryPage(ctx, w, f.Limit)
		return err
	})
	return p, err
}

func (s *Store) deliveryPage(ctx context.Context, w *search[deliveryRow], limit int) (p DeliveryPage, err error) {
	var rows []deliveryRow
	rows, p.More, p.Searched = w.found(limit)
	p.List = make([]Delivery, len(rows))
	for i := range rows {
		p.List[i] = rows[i].delivery()
	}
	if w.byTime {
		slices.SortStableFunc(p.List, func(a, b Delivery) int { return compareIDs(b.ID, a.ID) })
	}
	return p, s.explain(ctx, s.ro, p.List)
}

// CountDeliveries counts all that the filter matches, up to atMost. Where no
// index answers the filter it reads all of the account's: CountMatching doesn't.
func (s *Store) CountDeliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter, atMost int) (int, error) {
	n, _, err := s.countDeliveries(ctx, account, f, atMost, true)
	return n, err
}

// CountMatching counts what the filter matches, up to atMost; where no index
// answers it, among the newest 1000 rows: whole says that there are no others.
// From and To are heeded to within a moment. Text in data is not counted: n is -1.
func (s *Store) CountMatching(ctx context.Context, account uuid.UUID, f DeliveryFilter, atMost int) (n int, whole bool, err error) {
	f.roughly = true
	return s.countDeliveries(ctx, account, f, atMost, false)
}

func (s *Store) countDeliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter, atMost int, all bool) (n int, whole bool, err error) {
	err = s.inTurn(ctx, account, func() error {
		narrowed, err := s.narrow(ctx, account, f)
		if err == nil {
			w := &search[deliveryRow]{s: s, narrowing: narrowed}
			n, whole, err = w.countSome(ctx, atMost, all)
		}
		return err
	})
	return n, whole, err
}

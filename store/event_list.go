package store

import (
	"context"
	"time"

	"belfry/store/uuid"
)

// EventFilter narrows a list of events.
type EventFilter struct {
	Type    string // exact, or a group wildcard (call.*)
	AgentID string
	Text    string // an event's id or how it begins, or text in its data
	// From and To bound when it was published, To being outside; zero: no bound.
	From, To time.Time
	// Before is the id that ends the last page; zero: from the newest.
	Before uuid.UUID
	// After turns the page back: events newer than that id.
	After uuid.UUID
	Limit int // 1 to 100; 0: 20
	// DataBytes ends a page, after its first event, where the data of its events
	// would be larger; 0: never. Not for pages turned back.
	DataBytes int
}

// EventPage is a part of a list of events, newest first.
type EventPage = Page[Event]

// Events lists published events, newest first; tests are not among them. Where
// it has to look at many to find few it reads 20 000 rows at most and tells how
// far it came.
func (s *Store) Events(ctx context.Context, account uuid.UUID, f EventFilter) (EventPage, error) {
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	return s.searchEvents(ctx, account, f)
}

// searchEvents is Events for pages of any size.
func (s *Store) searchEvents(ctx context.Context, account uuid.UUID, f EventFilter) (p EventPage, err error) {
	err = s.inTurn(ctx, account, func() error {
		n, err := s.narrowEvents(ctx, account, f)
		if err != nil {
			return err
		}
		w := &search[eventRow]{s: s, narrowing: n, back: f.After != uuid.Nil, at: f.Before, wanted: f.Limit + 1}
		if w.back {
			w.at = f.After
		}
		if err := w.run(ctx); err != nil {
			return err
		}
		p = eventPage(w, f)
		return nil
	})
	return p, err
}

// narrowEvents chooses the index that leaves the least to look at, and leaves to
// the rest what it does not answer.
func (s *Store) narrowEvents(ctx context.Context, account uuid.UUID, f EventFilter) (n narrowing, err error) {
	n.from("e.account_id = ?", account)
	n.ask("NOT e.test")
	if !n.askGroup("e.type", f.Type) && f.Type != "" {
		n.from("e.type = ?", f.Type)
		n.table = s.d.indexed("events AS e", "events_type")
	}
	if f.AgentID != "" {
		n.ask("e.agent_id = ?", f.AgentID)
	}
	n.bound("e", f.From, f.To, false)
	if id, isID := parseID(f.Text); isID {
		var there bool
		there, err = s.ro.NewSelect().Model((*eventRow)(nil)).Where("account_id = ? AND id = ?", account, id).Exists(ctx)
		if err != nil || there {
			n.from("e.id = ?", id)
			return n, err
		}
	}
	short, isShort, err := s.meansAny(ctx, account, f.Text, "events")
	if isShort {
		s.narrowIDs(&n, "e.id", short)
	} else if f.Text != "" {
		n.text = true
		n.ask(s.d.blobText("e.data")+" LIKE ? ESCAPE '!'", likePattern(f.Text))
	}
	return n, err
}

func eventPage(w *search[eventRow], f EventFilter) (p EventPage) {
	var rows []eventRow
	rows, p.More, p.Searched = w.found(f.Limit)
	size := 0
	for i := range rows {
		if size += len(rows[i].Data); f.DataBytes > 0 && i > 0 && size > f.DataBytes {
			p.More, p.Searched = true, uuid.Nil
			return p
		}
		p.List = append(p.List, rows[i].event())
	}
	return p
}

// CountEvents counts the events that the filter matches, up to atMost, among
// the newest 1000: whole says that there are no others. Text in data is not
// counted: n is -1.
func (s *Store) CountEvents(ctx context.Context, account uuid.UUID, f EventFilter, atMost int) (n int, whole bool, err error) {
	err = s.inTurn(ctx, account, func() error {
		narrowed, err := s.narrowEvents(ctx, account, f)
		if err == nil {
			w := &search[eventRow]{s: s, narrowing: narrowed}
			n, whole, err = w.countSome(ctx, atMost, false)
		}
		return err
	})
	return n, whole, err
}

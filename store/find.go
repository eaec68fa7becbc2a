package store

import (
	"context"

	"belfry/store/uuid"
)

// FindByID gives the account's deliveries and events whose ids begin with the
// text, 8 digits at least, the newest first and at most so many of each. They
// come from the ranges of two indexes, however much there is.
func (s *Store) FindByID(ctx context.Context, account uuid.UUID, text string, atMost int) (list []Delivery, events []Event, err error) {
	id, ok := parseShortID(text)
	if !ok {
		return nil, nil, nil
	}
	err = s.inTurn(ctx, account, func() error {
		d := &search[deliveryRow]{s: s, without: []string{"secret"}}
		d.from("d.account_id = ?", account)
		s.narrowIDs(&d.narrowing, "d.id", id)
		if err := d.read(ctx, 0, atMost, uuid.Nil); err != nil {
			return err
		}
		e := &search[eventRow]{s: s, without: []string{"data"}}
		e.from("e.account_id = ?", account)
		s.narrowIDs(&e.narrowing, "e.id", id)
		if err := e.read(ctx, 0, atMost, uuid.Nil); err != nil {
			return err
		}
		events = eventPage(e, EventFilter{Limit: atMost}).List
		page, err := s.deliveryPage(ctx, d, atMost)
		list = page.List
		return err
	})
	return list, events, err
}

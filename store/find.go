package store

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// idPrefixDigits is how much of an id must be given to look for it: less would
// be a span of days.
const idPrefixDigits = 8

// IDRange gives the first and the last id that begin with the text, which is an
// id or 8 digits of one at least; ok says whether it is.
func IDRange(text string) (first, last uuid.UUID, ok bool) {
	digits := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(text), "-", ""))
	if len(digits) < idPrefixDigits || len(digits) > 32 {
		return first, last, false
	}
	missing := 32 - len(digits)
	low, err := hex.DecodeString(digits + strings.Repeat("0", missing))
	if err != nil {
		return first, last, false
	}
	high, err := hex.DecodeString(digits + strings.Repeat("f", missing))
	return uuid.UUID(low), uuid.UUID(high), err == nil
}

// FindByID gives the account's deliveries and events whose ids begin with the
// text, the newest first and at most so many of each. They come from the ranges
// of two indexes, however much there is.
func (s *Store) FindByID(ctx context.Context, account uuid.UUID, text string, atMost int) ([]Delivery, []Event, error) {
	first, last, ok := IDRange(text)
	if !ok {
		return nil, nil, nil
	}
	done, err := s.lists.take(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	deliveries := &search[deliveryRow]{s: s, without: []string{"secret"}}
	deliveries.from("d.account_id = ? AND d.id >= ? AND d.id <= ?", account, first, last)
	if err := deliveries.read(ctx, 0, atMost, uuid.Nil); err != nil {
		return nil, nil, s.wrap(err)
	}
	events := &search[eventRow]{s: s, without: []string{"data"}}
	events.from("e.account_id = ? AND e.id >= ? AND e.id <= ?", account, first, last)
	if err := events.read(ctx, 0, atMost, uuid.Nil); err != nil {
		return nil, nil, s.wrap(err)
	}
	page, err := s.deliveryPage(ctx, deliveries, atMost)
	if err != nil {
		return nil, nil, err
	}
	return page.List, eventPage(events, EventFilter{Limit: atMost}).List, nil
}

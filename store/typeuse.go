package store

import (
	"context"
	"encoding/json"
	"time"

	"belfry/store/uuid"
)

// TypeUse is who wants events of one type, and how many there were.
type TypeUse struct {
	// Count24h counts the events published in this hour and the 23 before it.
	Count24h int64
	// Subscribers are the webhooks whose list takes in the type, inactive ones
	// too, the oldest first.
	Subscribers []uuid.UUID
}

// EventTypeUse gives the use of each event type of the account by its name.
func (s *Store) EventTypeUse(ctx context.Context, accountID uuid.UUID) (map[string]TypeUse, error) {
	known, err := s.knownTypes(ctx, s.ro, accountID)
	if err != nil {
		return nil, s.wrap(err)
	}
	counts, err := s.typeCounts(ctx, accountID)
	if err != nil {
		return nil, err
	}
	var webhooks []struct {
		ID     uuid.UUID `bun:"id"`
		Events string    `bun:"events"`
	}
	err = s.ro.NewRaw("SELECT id, events FROM webhooks WHERE account_id = ? AND deleted_at IS NULL ORDER BY id", accountID).Scan(ctx, &webhooks)
	if err != nil {
		return nil, s.wrap(err)
	}
	use := make(map[string]TypeUse, len(known))
	for name := range known {
		use[name] = TypeUse{Count24h: counts[name]}
	}
	for _, w := range webhooks {
		var patterns []string
		if err := json.Unmarshal([]byte(w.Events), &patterns); err != nil {
			return nil, err
		}
		for name, u := range use {
			if Matches(patterns, name) {
				u.Subscribers = append(u.Subscribers, w.ID)
				use[name] = u
			}
		}
	}
	return use, nil
}

// typeCounts gives the events of the last 24 hours per type.
func (s *Store) typeCounts(ctx context.Context, accountID uuid.UUID) (map[string]int64, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return nil, err
	}
	since := now.Truncate(time.Hour).Add(-23 * time.Hour)
	var rows []struct {
		Type  string `bun:"type"`
		Count int64  `bun:"count"`
	}
	err = s.ro.NewRaw(`SELECT type, CAST(sum(count) AS bigint) AS count FROM event_counts
		WHERE account_id = ? AND hour >= ? GROUP BY type`, accountID, micros(since)).Scan(ctx, &rows)
	if err != nil {
		return nil, s.wrap(err)
	}
	counts := make(map[string]int64, len(rows))
	for _, row := range rows {
		counts[row.Type] = row.Count
	}
	return counts, nil
}

package store

import (
	"context"
	"time"

	"belfry/store/uuid"
)

// CountedDue and CountedMissed are how far the due and the missed are counted
// for pages.
const (
	CountedDue    = 10_000
	CountedMissed = 10_000
)

// Waiting is what the pending deliveries of an active webhook wait for.
type Waiting struct {
	// Due are those that would go now if nothing held them, up to CountedDue.
	Due int64
	// NextAt and LastAt are the first and the last attempt planned of the others;
	// zero: there are no others.
	NextAt, LastAt Time
}

// Waiting tells what a webhook's pending deliveries wait for.
func (s *Store) Waiting(ctx context.Context, account, webhook uuid.UUID) (w Waiting, err error) {
	if _, err := s.Webhook(ctx, account, webhook); err != nil {
		return w, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return w, err
	}
	if w.Due, err = s.countDue(ctx, webhook, now); err != nil {
		return w, err
	}
	if w.NextAt, err = s.planned(ctx, webhook, now, "ASC"); err != nil {
		return w, err
	}
	w.LastAt, err = s.planned(ctx, webhook, now, "DESC")
	return w, err
}

// planned is the first or the last attempt to come; zero: none is.
func (s *Store) planned(ctx context.Context, queue uuid.UUID, now time.Time, order string) (Time, error) {
	return s.momentOf(ctx, "SELECT next_attempt_at FROM deliveries WHERE queue_id = ? AND status = 0 AND next_attempt_at > ? ORDER BY next_attempt_at "+order+" LIMIT 1",
		queue, micros(now))
}

// momentOf reads the one time that a query gives; zero where it gives none.
func (s *Store) momentOf(ctx context.Context, query string, args ...any) (Time, error) {
	var at []int64
	err := s.ro.NewRaw(query, args...).Scan(ctx, &at)
	if err != nil || len(at) == 0 {
		return Time{}, s.wrap(err)
	}
	return Time{fromMicros(at[0])}, nil
}

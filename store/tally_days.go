package store

import (
	"context"
	"time"

	"belfry/store/uuid"
)

// daySpan is the span of tallies that sum up a day of hours, in UTC.
const daySpan = 86400

// A day is summed up once it has been over for another day: until then results
// of it may come in. Charts look no further back than summedBack.
const (
	summedAfter = int64(day / time.Microsecond)
	summedBack  = 31 * summedAfter
)

// unsummedSQL is the first hour of a queue q, from a moment on, that is in no
// summed day; 0: there is none. Days are summed up in their order.
const unsummedSQL = `coalesce((SELECT min(t.start) FROM tallies t WHERE t.queue_id = q.id AND t.span = ?
	AND t.start >= coalesce((SELECT max(d.start) + ? FROM tallies d WHERE d.queue_id = q.id AND d.span = ?), ?)), 0) AS unsummed`

// sumDay sums up the day of a queue's hour, if it has been over for long enough.
func (t *Tidier) sumDay(ctx context.Context, queue uuid.UUID, hour, now int64) error {
	width := day.Microseconds()
	start := hour / width * width
	if hour == 0 || start+width+summedAfter > now {
		return nil
	}
	_, err := t.s.db.NewRaw(`INSERT INTO tallies (queue_id, span, start, kind, code, bucket, count, last_at)
		SELECT queue_id, ?, ?, kind, code, bucket, sum(count), max(last_at) FROM tallies
		WHERE queue_id = ? AND span = ? AND start >= ? AND start < ? GROUP BY queue_id, kind, code, bucket
		ON CONFLICT (queue_id, span, start, kind, code, bucket) DO NOTHING`,
		daySpan, start, queue, hourSpan, start, start+width).Exec(ctx)
	return err
}

// daysOf reads a queue's slots since a moment: summed days as far as there are
// any, and hours that follow.
func (s *Store) daysOf(ctx context.Context, queue uuid.UUID, span int, since, now int64) ([]*slot, error) {
	read, err := s.readSlots(ctx, []uuid.UUID{queue}, daySpan, since)
	if err != nil {
		return nil, err
	}
	days := read[queue].slots
	if len(days) > 0 {
		since = max(since, days[len(days)-1].start+day.Microseconds())
	}
	hours, err := s.sinceOf(ctx, queue, span, since, now)
	return append(days, hours...), err
}

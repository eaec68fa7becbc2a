package store

import (
	"context"
	"strings"
	"time"

	"belfry/store/uuid"
)

// MakeRoom removes the oldest that is finished where the database is larger
// than its budget, as much as is too much. With nothing finished left,
// publishing is refused until there is room again; nothing accepted goes. Call
// it every few seconds.
func (t *Tidier) MakeRoom(ctx context.Context) error {
	s := t.s
	budget := s.opt.MaxDatabaseSize
	if budget <= 0 {
		return nil
	}
	size, err := s.d.databaseSize(ctx)
	if err != nil {
		return s.wrap(err)
	}
	if size <= budget {
		s.full.Store(false)
		return nil
	}
	removed, err := t.removeOldest(ctx, float64(size-budget)/float64(size))
	if err != nil {
		return s.wrap(err)
	}
	s.full.Store(removed == 0)
	return nil
}

// Full says that the database's budget is used up and publishing is refused.
func (s *Store) Full() bool { return s.full.Load() }

// Size is what the rows of the database take, in bytes; a file may be larger by
// room that is used again. budget is 0 where there is none.
func (s *Store) Size(ctx context.Context) (size, budget int64, err error) {
	size, err = s.d.databaseSize(ctx)
	return size, s.opt.MaxDatabaseSize, s.wrap(err)
}

// anyID is larger than all ids, and longAfter later than all times.
var (
	anyID     = uuid.Max
	longAfter = fromMicros(never)
)

// removeOldest removes a share of all deliveries, the oldest that are finished,
// with their events; where none are finished, events without deliveries. It
// tells how many rows went.
func (t *Tidier) removeOldest(ctx context.Context, share float64) (removed int, err error) {
	counts, err := t.s.totals(ctx)
	if err != nil {
		return 0, err
	}
	wanted := max(tidyBatch, int(share*float64(counts.Total())))
	if counts.Delivered+counts.Failed+counts.Dead > 0 {
		if removed, err = t.removeOldestDeliveries(ctx, wanted); err != nil || removed > 0 {
			return removed, err
		}
	}
	if time.Since(t.barren) < barrenFor {
		return 0, nil
	}
	removed, err = t.around(ctx, &t.roomEvent, wanted, func(most int) (int, bool, error) {
		return t.removeNextEvents(ctx, &t.roomEvent, anyID, longAfter, most)
	})
	if err == nil && removed == 0 {
		t.barren = time.Now()
	}
	return removed, err
}

// barrenFor is how long it takes until events are looked through again of which
// none could be removed.
const barrenFor = time.Minute

func (t *Tidier) removeOldestDeliveries(ctx context.Context, wanted int) (removed int, err error) {
	return t.around(ctx, &t.room, wanted, func(most int) (int, bool, error) {
		n, more, err := t.removeNext(ctx, &t.room, anyID, longAfter, most)
		if err != nil || n == 0 {
			return n, more, err
		}
		return n, more, t.follow(ctx)
	})
}

// around goes on with a walk where it stopped, and once more from its start
// where that does not suffice: what was passed may be free to go now. next
// takes how many rows are still wanted.
func (t *Tidier) around(ctx context.Context, w *walk, wanted int, next func(most int) (n int, more bool, err error)) (removed int, err error) {
	whole := w.at == uuid.Nil
	err = repeat(ctx, func() (bool, error) {
		n, more, err := next(wanted - removed)
		if removed += n; err == nil && removed < wanted && !more && !whole {
			w.at, whole, more = uuid.Nil, true, true
		}
		return more && removed < wanted, err
	})
	return removed, err
}

// follow removes what goes with the deliveries removed, as far as they were: the
// events that no delivery needs any more, what became of them in runs, and the
// idempotency keys from before then, also those of events that are still pending.
func (t *Tidier) follow(ctx context.Context) error {
	below := t.room.at
	err := repeat(ctx, func() (bool, error) {
		_, more, err := t.removeNextEvents(ctx, &t.roomEvent, below, longAfter, tidyLook)
		return more, err
	})
	if err == nil {
		err = t.removeResults(ctx, below)
	}
	if err != nil {
		return err
	}
	return t.removeKeys(ctx, below.Time())
}

// totals sums the counts of all queues.
func (s *Store) totals(ctx context.Context) (sum Summary, err error) {
	err = s.ro.NewRaw("SELECT "+totalsSQL()+" FROM queues").Scan(ctx, &sum)
	return sum, err
}

// totalsSQL are the columns of a Summary of many queues.
func totalsSQL() string {
	var columns []string
	for _, name := range []string{"pending", "processing", "delivered", "failed", "dead"} {
		columns = append(columns, sumSQL(name, name))
	}
	return strings.Join(columns, ", ")
}

// sumSQL is a column: the sum of what, 0 where there is nothing.
func sumSQL(what, name string) string {
	return "CAST(coalesce(sum(" + what + "), 0) AS bigint) AS " + name
}

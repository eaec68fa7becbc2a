package store

import (
	"context"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// peakSpan is the span of rows of tallies that hold no sum: the most requests
// of a queue that a node had under way at once within an hour.
const peakSpan = 1

// peakStarts is how often the hour of a peak begins, in microseconds.
const peakStarts = hourSpan * 1_000_000

// KeepPeaks notes how many requests of each queue this node had under way at
// once, where that is the most of the running hour.
func (s *Store) KeepPeaks(ctx context.Context, peaks map[uuid.UUID]int) error {
	if len(peaks) == 0 {
		return nil
	}
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return nil, err
		}
		ids := sortedKeys(peaks, compareIDs)
		return nil, s.d.insertBatch(ctx, tx, "tallies", `ON CONFLICT (queue_id, span, start, kind, code, bucket) DO UPDATE SET
			count = CASE WHEN excluded.count > tallies.count THEN excluded.count ELSE tallies.count END, last_at = excluded.last_at`, []column{
			idCol("queue_id", ids, func(id uuid.UUID) uuid.UUID { return id }),
			col("span", "integer", ids, func(uuid.UUID) int64 { return peakSpan }),
			col("start", "bigint", ids, func(uuid.UUID) int64 { return now / peakStarts * peakStarts }),
			col("kind", "text", ids, func(uuid.UUID) string { return "" }),
			col("code", "integer", ids, func(uuid.UUID) int64 { return 0 }),
			col("bucket", "integer", ids, func(uuid.UUID) int64 { return 0 }),
			col("count", "bigint", ids, func(id uuid.UUID) int64 { return int64(peaks[id]) }),
			col("last_at", "bigint", ids, func(uuid.UUID) int64 { return now }),
		})
	})
}

// peakOf is the most requests that any of the queues had under way at once on a
// node, since the hour of a moment.
func (s *Store) peakOf(ctx context.Context, queues []uuid.UUID, since int64) (most int64, err error) {
	err = s.ro.NewRaw("SELECT coalesce(max(count), 0) FROM tallies WHERE queue_id IN (?) AND span = ? AND start >= ?",
		bun.List(queues), peakSpan, since/peakStarts*peakStarts).Scan(ctx, &most)
	return most, err
}

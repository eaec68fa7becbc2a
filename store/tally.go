package store

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Attempts are tallied per minute, for what must be fresh, and per hour, for
// charts of days and weeks.
const (
	minuteSpan = 60
	hourSpan   = 3600
)

// bucketStep is the ratio between two steps of the response-time scale: a
// percentile read from it is at most 10 % off. Step 0 ends at 1 ms.
const bucketStep = 1.2

// bucketOf gives the step that holds a response time.
func bucketOf(d time.Duration) int {
	ms := float64(d) / float64(time.Millisecond)
	if ms <= 1 {
		return 0
	}
	return int(math.Ceil(math.Log(ms) / math.Log(bucketStep)))
}

// bucketEnd is the longest response time that a step holds.
func bucketEnd(step int) time.Duration {
	return time.Duration(math.Pow(bucketStep, float64(step)) * float64(time.Millisecond))
}

type tallyKey struct {
	queue  uuid.UUID
	span   int
	start  int64
	kind   string
	code   int
	bucket int
}

type tally struct{ count, lastAt int64 }

func compareTallies(a, b tallyKey) int {
	return cmp.Or(compareIDs(a.queue, b.queue), cmp.Compare(a.span, b.span), cmp.Compare(a.start, b.start),
		cmp.Compare(a.kind, b.kind), cmp.Compare(a.code, b.code), cmp.Compare(a.bucket, b.bucket))
}

// tally counts an attempt; kind is empty for a success.
func (w *recording) tally(r *Result) {
	at := micros(r.Attempt.StartedAt.Time)
	for _, span := range []int{minuteSpan, hourSpan} {
		size := int64(span) * time.Second.Microseconds()
		key := tallyKey{r.Job.QueueID, span, at / size * size, r.Attempt.Error, r.Attempt.StatusCode, bucketOf(r.Attempt.Duration)}
		w.tallyOne(key, at)
		if isLate(span, key.start, w.now) {
			w.tallyOne(tallyKey{queue: key.queue, span: lateSpan, start: int64(span)}, at)
		}
	}
}

func (w *recording) tallyOne(key tallyKey, at int64) {
	t := w.tallies[key]
	if t == nil {
		t = &tally{}
		w.tallies[key] = t
	}
	t.count++
	t.lastAt = max(t.lastAt, at)
}

// addTallies keeps one row of each key, with the sum and the last of the times.
const addTallies = `ON CONFLICT (queue_id, span, start, kind, code, bucket) DO UPDATE SET count = tallies.count + excluded.count,
	last_at = CASE WHEN tallies.last_at > excluded.last_at THEN tallies.last_at ELSE excluded.last_at END`

func (s *Store) writeTallies(ctx context.Context, tx bun.Tx, tallies map[tallyKey]*tally) error {
	keys := sortedKeys(tallies, compareTallies)
	return s.d.insertBatch(ctx, tx, "tallies", addTallies, []column{
		idCol("queue_id", keys, func(k tallyKey) uuid.UUID { return k.queue }),
		col("span", "integer", keys, func(k tallyKey) int64 { return int64(k.span) }),
		col("start", "bigint", keys, func(k tallyKey) int64 { return k.start }),
		col("kind", "text", keys, func(k tallyKey) string { return k.kind }),
		col("code", "integer", keys, func(k tallyKey) int64 { return int64(k.code) }),
		col("bucket", "integer", keys, func(k tallyKey) int64 { return int64(k.bucket) }),
		col("count", "bigint", keys, func(k tallyKey) int64 { return tallies[k].count }),
		col("last_at", "bigint", keys, func(k tallyKey) int64 { return tallies[k].lastAt }),
	})
}

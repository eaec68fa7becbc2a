package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/store/uuid"
)

// slot is what the attempts of a queue came to that began in one span: a minute,
// an hour or a day. It does not change once it is read.
type slot struct {
	start      int64
	ok, failed int64
	buckets    []bucketCount // response times of answers and time-outs
	kinds      []KindCount
}

type bucketCount struct {
	step  int
	count int64
}

// slotRow is how often the attempts of a slot ended in one way.
type slotRow struct {
	queue  uuid.UUID
	span   int
	start  int64
	ending KindCount // of a success, too
	steps  string    // "10:3,11:1" are three response times of step 10 and one of step 11
}

func readSlotRow(scan scanner) (r slotRow, err error) {
	var lastAt int64
	err = scan(&r.queue, &r.span, &r.start, &r.ending.Kind, &r.ending.Code, &r.ending.Count, &lastAt, &r.steps)
	r.ending.LastAt = Time{fromMicros(lastAt)}
	return r, err
}

func (l *slot) add(r *slotRow) error {
	if r.ending.Kind == "" {
		l.ok += r.ending.Count
	} else {
		l.failed += r.ending.Count
		l.kinds = append(l.kinds, r.ending)
	}
	if r.ending.Code == 0 && r.ending.Kind != "timeout" {
		return nil // nothing answered
	}
	for text := range strings.SplitSeq(r.steps, ",") {
		step, count, _ := strings.Cut(text, ":")
		b := bucketCount{}
		var err error
		if b.step, err = strconv.Atoi(step); err == nil {
			b.count, err = strconv.ParseInt(count, 10, 64)
		}
		if err != nil {
			return fmt.Errorf("read the response times %q: %w", r.steps, err)
		}
		l.count(b)
	}
	return nil
}

func (l *slot) count(more bucketCount) {
	i := slices.IndexFunc(l.buckets, func(b bucketCount) bool { return b.step == more.step })
	if i < 0 {
		l.buckets = append(l.buckets, more)
		return
	}
	l.buckets[i].count += more.count
}

// slotsRead are the slots of one queue, oldest first, and how many attempts were
// counted late when they were read.
type slotsRead struct {
	slots []*slot
	late  int64
}

// slotsOf gives what the attempts of queues came to, slot by slot, since a moment
// (now is the database's clock, all in microseconds). It reads what it does not
// remember, and of the rest what may have changed: slots that are not over, and
// all of a queue for which an attempt was counted late.
func (s *Store) slotsOf(ctx context.Context, queues []uuid.UUID, span int, since, now int64) (map[uuid.UUID][]*slot, error) {
	over := overBy(span, now)
	known, unknown, from := s.past.known(queues, span, since)
	fresh, err := s.readSlots(ctx, sortedKeys(known, compareIDs), span, min(from, over))
	if err != nil {
		return nil, err
	}
	for id, p := range known {
		read := fresh[id]
		if read.late != p.late {
			unknown = append(unknown, id)
			delete(known, id)
			continue
		}
		fresh[id] = slotsRead{append(before(p.slots, min(from, over)), read.slots...), read.late}
	}
	whole, err := s.readSlots(ctx, unknown, span, since)
	if err != nil {
		return nil, err
	}
	found := make(map[uuid.UUID][]*slot, len(queues))
	for id, p := range known {
		found[id] = s.past.keep(pastKey{id, span}, p.from, since, over, fresh[id])
	}
	for _, id := range unknown {
		found[id] = s.past.keep(pastKey{id, span}, since, since, over, whole[id])
	}
	return found, nil
}

// readSlots reads the slots of queues that begin at a moment or later.
func (s *Store) readSlots(ctx context.Context, queues []uuid.UUID, span int, since int64) (map[uuid.UUID]slotsRead, error) {
	all := make(map[uuid.UUID]slotsRead, len(queues))
	if len(queues) == 0 {
		return all, nil
	}
	// One statement, so that both parts are of one moment. Grouped as the index has
	// them; the steps as a text, as each row that comes out costs as much as ten
	// that don't.
	among := s.d.among("queue_id", "$1", "uuid")
	rows, err := rowsOf(ctx, s, nil, readSlotRow, `SELECT queue_id, span, start, kind, code, CAST(sum(count) AS bigint), max(last_at), string_agg(bucket || ':' || count, ',') FROM tallies
		WHERE `+among+` AND span = $2 AND start >= $3 GROUP BY queue_id, span, start, kind, code
		UNION ALL SELECT queue_id, span, start, kind, code, count, last_at, '' FROM tallies WHERE `+among+` AND span = $4 AND start = $5`,
		s.d.list(queues), span, since, lateSpan, int64(span))
	if err != nil {
		return nil, s.wrap(err)
	}
	for i := range rows {
		r := &rows[i]
		read := all[r.queue]
		if r.span == lateSpan {
			read.late = r.ending.Count
		} else if err := read.add(r); err != nil {
			return nil, err
		}
		all[r.queue] = read
	}
	for _, read := range all {
		slices.SortFunc(read.slots, func(a, b *slot) int { return int(a.start - b.start) })
	}
	return all, nil
}

// add counts a row in its slot, which mostly is that of the row before.
func (l *slotsRead) add(r *slotRow) error {
	for i := len(l.slots) - 1; i >= 0; i-- {
		if l.slots[i].start == r.start {
			return l.slots[i].add(r)
		}
	}
	l.slots = append(l.slots, &slot{start: r.start})
	return l.slots[len(l.slots)-1].add(r)
}

// before gives the slots that begin before a moment; what is appended to them
// leaves the others as they are.
func before(slots []*slot, moment int64) []*slot {
	return slices.Clip(slots[:firstSince(slots, moment)])
}

// firstSince is the place of the first slot that begins at a moment or later.
func firstSince(slots []*slot, moment int64) int {
	i, _ := slices.BinarySearchFunc(slots, moment, func(l *slot, at int64) int { return int(l.start - at) })
	return i
}

// overBy is the moment before which all slots are over: attempts that began in
// them are counted late from now on.
func overBy(span int, now int64) int64 {
	width := int64(span) * time.Second.Microseconds()
	return (now - overAfter.Microseconds()) / width * width
}

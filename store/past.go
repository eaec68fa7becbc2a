package store

import (
	"sync"
	"time"

	"belfry/store/uuid"
)

// lateSpan is the span of rows of tallies that hold no sum: how many attempts of
// a queue were counted when their slot was over for others, as start says of
// which span (in seconds). Whoever remembers slots reads them anew then.
const lateSpan = 2

// A slot is over, and remembered, overAfter after its end, and what is counted
// lateAfter its end or later is counted as late. The time between is for
// transactions that began before somebody read the slot as over.
const (
	overAfter = 2 * time.Minute
	lateAfter = time.Minute
)

// isLate says whether the slot of an attempt may be over for those who read.
func isLate(span int, start, now int64) bool {
	return start+int64(span)*time.Second.Microseconds()+lateAfter.Microseconds() <= now
}

// pastSlots is how many slots each of the two halves of past remembers, some
// 300 bytes each, and pastKept for how many spans it does.
const (
	pastSlots = 50_000
	pastKept  = 200
)

// past remembers slots that are over: a page of charts and health asks for the
// same hours again and again, and their tallies are many. What is asked for
// longest ago is forgotten.
type past struct {
	mu         sync.Mutex
	young, old map[pastKey]*remembered
	size       int // slots of young
}

type pastKey struct {
	queue uuid.UUID
	span  int
}

// remembered are all slots of a queue that begin from one moment on and before
// another one, oldest first.
type remembered struct {
	from, until int64
	late        int64
	slots       []*slot
}

// known gives what is remembered of queues since a moment, the others, and the
// moment from which on something is missing.
func (p *past) known(queues []uuid.UUID, span int, since int64) (known map[uuid.UUID]*remembered, unknown []uuid.UUID, from int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known = map[uuid.UUID]*remembered{}
	for _, id := range queues {
		key := pastKey{id, span}
		r := p.young[key]
		if r == nil {
			r = p.old[key]
		}
		if r == nil || r.from > since || r.until <= since {
			unknown = append(unknown, id)
			continue
		}
		if known[id] = r; from == 0 || r.until < from {
			from = r.until
		}
	}
	return known, unknown, from
}

// keep remembers those of a queue's slots, which begin at from, that are over,
// and gives those since a moment.
func (p *past) keep(key pastKey, from, since, over int64, read slotsRead) []*slot {
	width := int64(key.span) * time.Second.Microseconds()
	from = min(since, max(from, over-pastKept*width))
	slots := read.slots[firstSince(read.slots, from):]
	r := &remembered{from: from, until: over, late: read.late, slots: before(slots, over)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if was := p.young[key]; was != nil {
		p.size -= 1 + len(was.slots)
	}
	if p.size > pastSlots || p.young == nil {
		p.young, p.old, p.size = map[pastKey]*remembered{}, p.young, 0
	}
	p.young[key] = r
	p.size += 1 + len(r.slots)
	return slots[firstSince(slots, since):]
}

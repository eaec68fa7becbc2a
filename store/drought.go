package store

import (
	"sync"
	"time"

	"belfry/store/uuid"
)

// droughts remembers which accounts and queues have no token for a while, so
// that what is due there is not looked at again before, and does not stand in
// the way of others.
type droughts struct {
	mu   sync.Mutex
	ends map[uuid.UUID]time.Time
}

func (d *droughts) begin(id uuid.UUID, now time.Time, wait int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ends == nil {
		d.ends = map[uuid.UUID]time.Time{}
	}
	d.ends[id] = now.Add(time.Duration(wait) * time.Microsecond)
}

// end forgets a drought: there are tokens again before their time.
func (d *droughts) end(id uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.ends, id)
}

// longestDrought is the wait for a token at the lowest rate, one per minute. A
// longer one was told by a clock that has been set back since.
const longestDrought = time.Minute

// list gives the ids that still wait, and how long the first of them will.
func (d *droughts) list(now time.Time) (ids []uuid.UUID, first time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first = time.Minute
	for id, end := range d.ends {
		wait := end.Sub(now)
		if wait <= 0 || wait > longestDrought {
			delete(d.ends, id)
			continue
		}
		ids = append(ids, id)
		first = min(first, wait)
	}
	return ids, first
}

// here is this process's clock, moved by tests like the database's.
func (s *Store) here() time.Time {
	if s.opt.Now != nil {
		return s.opt.Now()
	}
	return time.Now()
}

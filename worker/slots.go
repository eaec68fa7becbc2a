package worker

import (
	"maps"
	"sync"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

// maxUnrecorded is how many answers may wait for the database before nothing
// new is started: it bounds the memory of a node whose database is away.
const maxUnrecorded = 4096

// slots counts the requests under way: so many for each queue, so many in all.
type slots struct {
	perQueue, total int
	// freed holds a token when a slot came free that somebody may wait for.
	freed chan struct{}

	mu         sync.Mutex
	busy       map[uuid.UUID]int
	lines      map[uuid.UUID]*line
	n          int // requests under way
	next       int // places taken in the lines
	ahead      int // how long the lines would be together
	unrecorded int
	closed     bool
	idle       chan struct{} // closed once closed is set and n and next are 0
}

func newSlots(perQueue, total int) *slots {
	return &slots{perQueue: perQueue, total: total, freed: make(chan struct{}, 1), busy: map[uuid.UUID]int{}, lines: map[uuid.UUID]*line{}, idle: make(chan struct{})}
}

// takeLocked takes a slot of the queue, if one is free.
func (s *slots) takeLocked(queue uuid.UUID) bool {
	if s.closed || s.roomLocked() <= 0 || s.busy[queue] >= s.perQueue {
		return false
	}
	s.busy[queue]++
	s.n++
	return true
}

// release gives back n slots of the queue; recorded follows for those that
// were used.
func (s *slots) release(queue uuid.UUID, n int, used bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.releaseLocked(queue, n, used)
}

func (s *slots) releaseLocked(queue uuid.UUID, n int, used bool) {
	tight := s.busy[queue] >= s.perQueue || s.roomLocked() <= 0
	if s.busy[queue] -= n; s.busy[queue] <= 0 {
		delete(s.busy, queue)
	}
	s.n -= n
	if used {
		s.unrecorded += n
	}
	s.afterLocked(tight)
}

// recorded says that n answers need no more memory.
func (s *slots) recorded(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tight := s.roomLocked() <= 0
	s.unrecorded -= n
	s.afterLocked(tight)
}

func (s *slots) afterLocked(tight bool) {
	if s.closed && s.n == 0 && s.next == 0 {
		s.endLocked()
	}
	if tight && s.roomLocked() > 0 {
		select {
		case s.freed <- struct{}{}:
		default:
		}
	}
}

func (s *slots) endLocked() {
	select {
	case <-s.idle:
	default:
		close(s.idle)
	}
}

func (s *slots) roomLocked() int { return min(s.total, maxUnrecorded-s.unrecorded) - s.n }

// full says that the queue has no free slot.
func (s *slots) full(queue uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fullLocked(queue)
}

func (s *slots) fullLocked(queue uuid.UUID) bool {
	l := s.lines[queue]
	return s.busy[queue] >= s.perQueue && (l == nil || len(l.jobs)+l.promised >= s.length(l))
}

// view tells what a claim may take: what each queue has under way or in line,
// how many more than its slots it may have, and for how many there is room.
func (s *slots) view(now time.Time) (r store.ClaimRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return r
	}
	r.InFlight, r.Ahead = maps.Clone(s.busy), map[uuid.UUID]int{}
	for queue, l := range s.lines {
		if now.Sub(l.counted) < lineEnd {
			r.Ahead[queue] = s.length(l)
		}
		r.InFlight[queue] += len(l.jobs) + l.promised
	}
	r.Max = max(0, min(s.roomLocked(), maxClaim))
	return r
}

// tight says that a queue has as much as it can take.
func (s *slots) tight() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for queue := range s.busy {
		if s.fullLocked(queue) {
			return true
		}
	}
	return s.roomLocked() <= 0
}

// underWay counts each queue's requests under way.
func (s *slots) underWay() map[uuid.UUID]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.busy)
}

// counts tells how many requests are under way, and how many answers are not
// recorded yet.
func (s *slots) counts() (underWay, unrecorded int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n, s.unrecorded
}

// close lets nobody take a slot any more.
func (s *slots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.afterLocked(false)
}

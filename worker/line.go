package worker

import (
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

// A queue whose endpoint answers fast has claimed jobs in line for its next free
// slots, so that a slot never waits for a commit: as many as it finishes within
// lineTime. Where it stops answering, they are given back after lineEnd, when
// the claimer looks next: within a second.
const (
	lineTime = 200 * time.Millisecond
	lineEnd  = 400 * time.Millisecond
	maxLine  = 768
	// maxLined is how many jobs stand in line in all: where the lines together
	// would be longer, each is shorter by as much.
	maxLined = 2048
	// fastLine is a line so long that a publish may wait for places in it.
	fastLine = 128
)

// line is what is next for a queue, and how fast it goes.
type line struct {
	jobs []store.Job
	// promised places are kept for deliveries that are being committed.
	promised int
	moved    time.Time // when the first of jobs became the first
	// done counts the requests finished since counted; ahead is what follows
	// from the last such count.
	done    int
	counted time.Time
	ahead   int
}

// finish gives back the slot of a request that was made, or passes it on to the
// next in line.
func (s *slots) finish(queue uuid.UUID, now time.Time) (next store.Job, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[queue]
	if l == nil {
		l = &line{counted: now}
		s.lines[queue] = l
	}
	s.ahead -= l.ahead
	l.count(now)
	s.ahead += l.ahead
	if len(l.jobs) > 0 && !s.closed {
		next, l.jobs, l.moved = l.jobs[0], l.jobs[1:], now
		s.next--
		s.unrecorded++
		return next, true
	}
	s.releaseLocked(queue, 1, true)
	return next, false
}

// count measures how fast the queue goes. A line grows with it at once and
// shrinks slowly: a moment without answers may be one of the database's.
func (l *line) count(now time.Time) {
	l.done++
	if took := now.Sub(l.counted); took >= lineTime/4 {
		l.ahead = min(maxLine, max(l.ahead*3/4, int(int64(l.done)*int64(lineTime)/int64(took))))
		l.done, l.counted = 0, now
	}
}

func (l *line) append(j store.Job, now time.Time) {
	if len(l.jobs) == 0 {
		l.moved = now
	}
	l.jobs = append(l.jobs, j)
}

// enter takes a slot for the job, or a place in its queue's line; then started
// is false, and the job is the line's. ok is false where there is neither.
func (s *slots) enter(j store.Job, now time.Time) (started, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.takeLocked(j.QueueID) {
		return true, true
	}
	if l := s.room(j.QueueID, now); l != nil {
		l.append(j, now)
		s.next++
		return false, true
	}
	return false, false
}

// room gives the line of a queue where it has a place left. Lines take no slots
// from others: theirs are those that their queues have.
func (s *slots) room(queue uuid.UUID, now time.Time) *line {
	l := s.lines[queue]
	if s.closed || l == nil || s.busy[queue] == 0 || s.unrecorded+s.n+s.next >= maxUnrecorded || now.Sub(l.counted) > lineEnd || len(l.jobs)+l.promised >= s.length(l) {
		return nil
	}
	return l
}

// length is how many jobs may stand in a line.
func (s *slots) length(l *line) int { return l.ahead * maxLined / max(maxLined, s.ahead) }

// rooms tells what each queue that goes fast has room for.
func (s *slots) rooms(now time.Time) map[uuid.UUID]store.Room {
	s.mu.Lock()
	defer s.mu.Unlock()
	rooms := map[uuid.UUID]store.Room{}
	for queue, l := range s.lines {
		if !s.closed && l.ahead >= fastLine && now.Sub(l.counted) <= lineEnd {
			all := s.length(l)
			rooms[queue] = store.Room{Free: s.perQueue - s.busy[queue] + all - len(l.jobs) - l.promised, All: all, PerSecond: l.ahead * int(time.Second/lineTime)}
		}
	}
	return rooms
}

// promise keeps a slot, or a place in line, for a delivery that is being
// committed.
func (s *slots) promise(queue uuid.UUID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.takeLocked(queue) {
		return true
	}
	l := s.room(queue, now)
	if l != nil {
		l.promised++
		s.next++
	}
	return l != nil
}

// unpromise gives back n promises that were not kept.
func (s *slots) unpromise(queue uuid.UUID, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[queue]; l != nil {
		places := min(n, l.promised)
		l.promised -= places
		s.next -= places
		n -= places
	}
	s.releaseLocked(queue, n, false)
}

// keep keeps a promise: it says whether the job starts now; else it is in line.
// ok is false where the line was closed meanwhile: the promise is then to be
// given back, once the job is safe.
func (s *slots) keep(j store.Job, now time.Time) (started, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[j.QueueID]
	if l == nil || l.promised == 0 {
		return true, true // a slot was promised
	}
	if s.closed {
		return false, false
	}
	l.promised--
	s.next--
	if s.takeLocked(j.QueueID) {
		return true, true
	}
	l.append(j, now)
	s.next++
	return false, true
}

// leave takes out of the lines what stood there too long, or everything, and
// forgets the pace of queues that do nothing.
func (s *slots) leave(now time.Time, all bool) (left []store.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for queue, l := range s.lines {
		if idle := now.Sub(l.counted) > lineEnd; idle && s.busy[queue] == 0 && len(l.jobs)+l.promised == 0 {
			s.shorten(l)
			delete(s.lines, queue)
		}
		if all || len(l.jobs) > 0 && now.Sub(l.moved) > lineEnd {
			left = append(left, l.jobs...)
			s.next -= len(l.jobs)
			s.shorten(l)
			l.jobs = nil
		}
	}
	s.afterLocked(false)
	return left
}

// shorten forgets a line's pace.
func (s *slots) shorten(l *line) {
	s.ahead -= l.ahead
	l.ahead = 0
}

// lined says that a job stands in a line.
func (s *slots) lined() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next > 0
}

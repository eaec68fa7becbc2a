package worker

import (
	"time"

	"github.com/google/uuid"

	"belfry/store"
)

// A queue whose endpoint answers fast has claimed jobs in line for its next free
// slots, so that a slot never waits for a commit: as many as it finishes within
// lineTime. Where it stops answering, they are given back after lineEnd.
const (
	lineTime = 50 * time.Millisecond
	lineEnd  = 250 * time.Millisecond
	maxLine  = 64
)

// line is what is next for a queue, and how fast it goes.
type line struct {
	jobs  []store.Job
	since time.Time // when the last of jobs came
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
	l.count(now)
	if len(l.jobs) > 0 && !s.closed {
		next, l.jobs = l.jobs[0], l.jobs[1:]
		s.next--
		s.unrecorded++
		return next, true
	}
	s.releaseLocked(queue, 1, true)
	return next, false
}

// count measures how fast the queue goes.
func (l *line) count(now time.Time) {
	l.done++
	if took := now.Sub(l.counted); took >= lineTime {
		l.ahead = min(maxLine, int(int64(l.done)*int64(lineTime)/int64(took)))
		l.done, l.counted = 0, now
	}
}

// enter takes a slot for the job, or a place in its queue's line; then started
// is false, and the job is the line's. ok is false where there is neither.
func (s *slots) enter(j store.Job, now time.Time) (started, ok bool) {
	if s.take(j.QueueID) {
		return true, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[j.QueueID]
	if s.closed || l == nil || s.busy[j.QueueID] == 0 || len(l.jobs) >= l.ahead {
		return false, false
	}
	l.jobs, l.since = append(l.jobs, j), now
	s.next++
	return false, true
}

// leave takes out of the lines what stood there too long, or everything, and
// forgets the pace of queues that do nothing.
func (s *slots) leave(now time.Time, all bool) (left []store.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for queue, l := range s.lines {
		if idle := now.Sub(l.counted) > lineEnd; idle && s.busy[queue] == 0 && len(l.jobs) == 0 {
			delete(s.lines, queue)
		}
		if all || len(l.jobs) > 0 && now.Sub(l.since) > lineEnd {
			left = append(left, l.jobs...)
			s.next -= len(l.jobs)
			l.jobs, l.ahead = nil, 0
		}
	}
	return left
}

// lined says that a job stands in a line.
func (s *slots) lined() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next > 0
}

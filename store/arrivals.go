package store

import (
	"sync"
	"time"

	"belfry/store/uuid"
)

// A delivery that goes straight to the senders costs less than one that waits in
// the database and is claimed, and once one waits there, all that follow for its
// webhook do. So where events come faster than they can be delivered, a call
// waits for places in the lines of its webhooks, as far as these go fast, and no
// faster than its account may: maxWait at most. Where that was not enough, nobody
// waits for the webhook until its line has been empty.
const (
	maxWait  = time.Second
	roomLook = 5 * time.Millisecond
)

// arrivals are the publish calls that came and are in no commit yet, in turn.
type arrivals struct {
	calls []*publishCall
	// look finds out what a call wants.
	look func(*publishCall)
	// behind are the queues that nobody waits for.
	behind map[uuid.UUID]bool
}

// ready takes out the calls that need not wait for room, as many as share a
// commit, and forgets those whose callers have gone.
func (a *arrivals) ready(now time.Time, rooms map[uuid.UUID]Room) []*publishCall {
	for queue := range a.behind {
		if room, fast := rooms[queue]; !fast || room.Free >= room.All {
			delete(a.behind, queue)
		}
	}
	var ready, waiting []*publishCall
	events := 0
	for _, c := range a.calls {
		switch {
		case c.ctx.Err() != nil:
		case events < maxShared && (len(rooms) == 0 || !a.waits(c, now, rooms)):
			ready = append(ready, c)
			events += len(c.Events)
		default:
			waiting = append(waiting, c)
		}
	}
	a.calls = waiting
	return ready
}

// waits says that a webhook of the call has no room for it. What the call wants
// is taken off rooms in any case, so that nobody who came later is before it.
func (a *arrivals) waits(c *publishCall, now time.Time, rooms map[uuid.UUID]Room) (waits bool) {
	if c.wants == nil {
		a.look(c)
	}
	for queue, n := range c.wants {
		room, fast := rooms[queue]
		if !fast || room.PerSecond > c.perSecond {
			continue
		}
		enough := room.Free >= min(n, room.All)
		room.Free -= n
		rooms[queue] = room
		switch {
		case enough || a.behind[queue]:
		case now.Sub(c.came) < maxWait:
			waits = true
		default:
			a.behind[queue] = true
		}
	}
	return waits
}

// lookUp finds out what a call wants, by what is remembered of its account;
// nothing where that is nothing.
func (s *Store) lookUp(c *publishCall) {
	c.wants = map[uuid.UUID]int{}
	d := s.desks.last(c.AccountID)
	if d == nil {
		return
	}
	c.perSecond = d.account.Limits.RatePerMinute / 60
	for _, e := range c.Events {
		for i := range d.webhooks {
			if reason, _ := decide(&d.webhooks[i], e.Type, e.AgentID); reason == Sent {
				c.wants[d.webhooks[i].ID]++
			}
		}
	}
}

// rooms is what fast queues have room for, in front of which nothing waits in
// the database; where that would take longer than a call may wait, the queue is
// left out.
func (s *Store) rooms() map[uuid.UUID]Room {
	hand := s.hand.Load()
	if hand == nil {
		return nil
	}
	rooms := (*hand).Rooms()
	for queue, room := range rooms {
		switch due := s.lag.of(queue); {
		case due > int64(room.PerSecond):
			delete(rooms, queue)
		case due > 0:
			rooms[queue] = Room{All: room.All, PerSecond: room.PerSecond}
		}
	}
	return rooms
}

// lag remembers how many deliveries of each queue were due in the database when
// this process saw it last.
type lag struct {
	mu  sync.Mutex
	due map[uuid.UUID]int64
}

func (l *lag) of(queue uuid.UUID) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.due[queue]
}

// saw notes queues as they are after a transaction that was at that moment.
func (l *lag) saw(queues map[uuid.UUID]*queueRow, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.due == nil {
		l.due = map[uuid.UUID]int64{}
	}
	for id, q := range queues {
		if q.Pending > 0 && !q.DueAt.IsZero() && q.DueAt.UnixMicro() <= now {
			l.due[id] = q.Pending
		} else {
			delete(l.due, id)
		}
	}
}

package outbound

import (
	"sync"
	"time"
)

// kept are the connections that no exchange uses, the newest last. Those that nobody used for idleTime are closed.
type kept struct {
	perPlace int

	mu    sync.Mutex
	idle  map[place][]*conn
	n     int
	sweep *time.Timer // runs while there are any
}

func newKept(perPlace int) *kept { return &kept{perPlace: perPlace, idle: map[place][]*conn{}} }

// take gives a connection that leads there, nil if there is none.
func (k *kept) take(p place) *conn {
	for {
		c := k.pop(p)
		if c == nil || c.fresh() {
			return c
		}
		c.drop()
	}
}

func (k *kept) pop(p place) *conn {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := k.idle[p]
	if len(list) == 0 {
		return nil
	}
	last := len(list) - 1
	c := list[last]
	list[last] = nil
	k.setLocked(p, list[:last])
	return c
}

// put keeps a connection, or closes it where there are enough that lead there. Where there are too many in all, one that
// leads elsewhere goes.
func (k *kept) put(c *conn) {
	c.since = time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.idle[c.place]) >= k.perPlace {
		c.drop()
		return
	}
	for p, list := range k.idle {
		if k.n < idleTotal {
			break
		}
		list[0].drop()
		k.setLocked(p, list[1:])
	}
	k.setLocked(c.place, append(k.idle[c.place], c))
	if k.sweep == nil {
		k.sweep = time.AfterFunc(idleTime, k.expire)
	}
}

func (k *kept) setLocked(p place, list []*conn) {
	k.n += len(list) - len(k.idle[p])
	if len(list) == 0 {
		delete(k.idle, p)
		return
	}
	k.idle[p] = list
}

// expire closes what was idle for too long.
func (k *kept) expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for p, list := range k.idle {
		old := 0
		for old < len(list) && time.Since(list[old].since) >= idleTime {
			list[old].drop()
			old++
		}
		k.setLocked(p, list[old:])
	}
	k.sweep = nil
	if k.n > 0 {
		k.sweep = time.AfterFunc(idleTime, k.expire)
	}
}

func (k *kept) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for p, list := range k.idle {
		for _, c := range list {
			c.drop()
		}
		k.setLocked(p, nil)
	}
}

package web

import (
	"container/list"
	"time"
)

// lru keeps a bounded number of values by key and forgets the least recently used, and those idle for long.
// It is not safe for concurrent use.
type lru[V any] struct {
	max   int
	keep  time.Duration
	order *list.List // of *lruEntry[V], most recently used first
	items map[string]*list.Element
}

type lruEntry[V any] struct {
	key   string
	used  time.Time
	value V
}

func newLRU[V any](max int, keep time.Duration) *lru[V] {
	return &lru[V]{max: max, keep: keep, order: list.New(), items: map[string]*list.Element{}}
}

// get returns the value of key, if it is not idle for too long, without counting as use.
func (l *lru[V]) get(key string, now time.Time) (value V, ok bool) {
	e, ok := l.items[key]
	if !ok {
		return value, false
	}
	entry := e.Value.(*lruEntry[V])
	if now.Sub(entry.used) > l.keep {
		l.drop(e)
		return value, false
	}
	return entry.value, true
}

// put sets the value of key and counts as use.
func (l *lru[V]) put(key string, value V, now time.Time) {
	if e, ok := l.items[key]; ok {
		entry := e.Value.(*lruEntry[V])
		entry.value, entry.used = value, now
		l.order.MoveToFront(e)
		return
	}
	l.items[key] = l.order.PushFront(&lruEntry[V]{key: key, used: now, value: value})
	l.trim(now)
}

func (l *lru[V]) delete(key string) {
	if e, ok := l.items[key]; ok {
		l.drop(e)
	}
}

func (l *lru[V]) trim(now time.Time) {
	for e := l.order.Back(); e != nil; e = l.order.Back() {
		if l.order.Len() <= l.max && now.Sub(e.Value.(*lruEntry[V]).used) <= l.keep {
			return
		}
		l.drop(e)
	}
}

func (l *lru[V]) drop(e *list.Element) {
	delete(l.items, e.Value.(*lruEntry[V]).key)
	l.order.Remove(e)
}

package web

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	limiterKeys = 100_000
	limiterKeep = 24 * time.Hour
	slots       = 60 // a minute in seconds
	hours       = 24
)

// Limiter counts requests per key over the last 60 seconds and says whether one more is within the key's limit. All of
// a minute's requests may come at once; the count goes by whole seconds. Keys unused for a day are forgotten, and at
// most 100 000 are known.
type Limiter struct {
	mu   sync.Mutex
	now  func() time.Time
	keys *lru[*window]
}

// NewLimiter returns a limiter by the given clock; nil means time.Now.
func NewLimiter(now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{now: now, keys: newLRU[*window](limiterKeys, limiterKeep)}
}

// Decision is what a limiter says about one request.
type Decision struct {
	// Allowed is whether the request may go on. A refused one is not counted.
	Allowed bool
	// Limit is the number of requests per minute; 0 means no limit.
	Limit int
	// Remaining is how many more may come now.
	Remaining int
	// Reset is how long it takes until the oldest counted request is forgotten, and so until more may come.
	Reset time.Duration
	// RetryAfter is how long a refused client has to wait, else 0.
	RetryAfter time.Duration
}

// Take asks for one request of the key, whose limit is perMinute; 0 or less means no limit, but is counted.
func (l *Limiter) Take(key string, perMinute int) Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	w, ok := l.keys.get(key, now)
	if !ok {
		w = &window{}
	}
	w.advance(now)
	l.keys.put(key, w, now)
	d := Decision{Allowed: perMinute <= 0 || w.total < perMinute, Limit: max(perMinute, 0)}
	if d.Allowed {
		w.count()
	} else {
		d.RetryAfter = w.until(w.total-perMinute+1, now)
	}
	d.Remaining = max(d.Limit-w.total, 0)
	d.Reset = w.until(1, now)
	return d
}

// Use is how much of a limit is used.
type Use struct {
	// Now is the number of requests in the last 60 seconds.
	Now int
	// Peak is the highest Now of the last 24 hours, by whole hours.
	Peak int
}

// Use returns how many requests of the key were let through.
func (l *Limiter) Use(key string) Use {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	w, ok := l.keys.get(key, now)
	if !ok {
		return Use{}
	}
	w.advance(now)
	return Use{Now: w.total, Peak: w.peak()}
}

// SetHeaders tells the client where it stands: RateLimit-Limit, -Remaining and -Reset (seconds) always, Retry-After
// (seconds) where the request was refused. Without a limit there is nothing to tell.
func (d Decision) SetHeaders(h http.Header) {
	if d.Limit == 0 {
		return
	}
	h.Set("RateLimit-Limit", strconv.Itoa(d.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(d.Remaining))
	h.Set("RateLimit-Reset", wholeSeconds(d.Reset))
	if !d.Allowed {
		h.Set("Retry-After", wholeSeconds(d.RetryAfter))
	}
}

// wholeSeconds rounds up: who waits that long has waited long enough.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}

// window counts by second for a minute, and keeps the highest count of each of the last 24 hours.
type window struct {
	second int64 // unix seconds of the newest slot
	slot   [slots]int
	total  int
	peaks  [hours]int
}

// advance moves the window to now. A clock that went back stands still.
func (w *window) advance(now time.Time) {
	sec := max(now.Unix(), w.second)
	for s := max(w.second, sec-slots) + 1; s <= sec; s++ {
		w.total -= w.slot[s%slots]
		w.slot[s%slots] = 0
	}
	hour := sec / 3600
	for h := max(w.second/3600, hour-hours) + 1; h <= hour; h++ {
		w.peaks[h%hours] = w.total
	}
	w.second = sec
}

func (w *window) count() {
	w.slot[w.second%slots]++
	w.total++
	h := w.second / 3600 % hours
	w.peaks[h] = max(w.peaks[h], w.total)
}

// until returns how long it takes until n of the counted requests have left the window.
func (w *window) until(n int, now time.Time) time.Duration {
	for s := w.second - slots + 1; s <= w.second; s++ {
		if n -= w.slot[(s+slots)%slots]; n <= 0 {
			return max(time.Unix(s+slots, 0).Sub(now), 0)
		}
	}
	return 0
}

func (w *window) peak() int {
	highest := 0
	for _, p := range w.peaks {
		highest = max(highest, p)
	}
	return highest
}

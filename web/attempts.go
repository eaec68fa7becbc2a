package web

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	attemptKeys = 50_000
	attemptKeep = time.Hour
	// Offices share an address, so it has more tries than one email.
	freePerEmail = 5
	freePerIP    = 20
	firstWait    = 5 * time.Second
	longestWait  = 5 * time.Minute
)

// Attempts slows down guessing of passwords. Each email and each address has some free tries; every wrong one after
// that doubles the wait until the next, from 5 s to 5 min. An hour of quiet forgets all. Who waits is not counted, so a
// stranger can delay the owner of an email but not lock them out for good.
type Attempts struct {
	mu   sync.Mutex
	now  func() time.Time
	keys *lru[failures]
}

type failures struct {
	count int
	until time.Time
}

// NewAttempts returns a slower by the given clock; nil means time.Now.
func NewAttempts(now func() time.Time) *Attempts {
	if now == nil {
		now = time.Now
	}
	return &Attempts{now: now, keys: newLRU[failures](attemptKeys, attemptKeep)}
}

// Attempt is one try to sign in.
type Attempt struct {
	// Wait is how long to wait before trying again; above 0 this try is refused and the password must not be looked at.
	Wait time.Duration

	all       *Attempts
	email, ip string
}

// Begin asks for one try. It counts as a wrong one until Succeeded is called, so that many at once gain nothing.
// ip is the client's address; addresses of one IPv6 /64 are one client. Empty email: only the address counts.
func (a *Attempts) Begin(ip, email string) *Attempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	t := &Attempt{all: a, ip: "ip " + network(ip)}
	if email = strings.ToLower(strings.TrimSpace(email)); email != "" {
		t.email = "email " + email
	}
	t.Wait = max(a.wait(t.ip, now), a.wait(t.email, now))
	if t.Wait == 0 {
		a.fail(t.ip, freePerIP, now)
		a.fail(t.email, freePerEmail, now)
	}
	return t
}

// Succeeded forgets the wrong tries of the email, and takes this one off the address's count. It does not clear the
// address, since whoever has one right password could then go on guessing others.
func (t *Attempt) Succeeded() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.all.keys.delete(t.email)
	now := t.all.now()
	if f, ok := t.all.keys.get(t.ip, now); ok && t.Wait == 0 {
		t.all.keys.put(t.ip, failures{count: max(f.count-1, 0)}, now)
	}
}

func (a *Attempts) wait(key string, now time.Time) time.Duration {
	f, _ := a.keys.get(key, now)
	return max(f.until.Sub(now), 0)
}

func (a *Attempts) fail(key string, free int, now time.Time) {
	if strings.HasSuffix(key, " ") || key == "" {
		return
	}
	f, _ := a.keys.get(key, now)
	f.count++
	if over := f.count - free; over >= 0 {
		f.until = now.Add(min(firstWait<<min(over, 10), longestWait))
	}
	a.keys.put(key, f, now)
}

// network returns what stands for the client: an IPv4 address, or the /64 of an IPv6 one, of which a client has many.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}

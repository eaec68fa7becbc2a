package handlers

import (
	"context"
	"sync"
	"time"

	"belfry/store"
)

const (
	// looksShare is how many times longer than it takes a look is paid for: what
	// pages follow, however much it is, takes less than a twentieth of one
	// processor from deliveries.
	looksShare = 20
	// longestRest is for a look that a slow database held up.
	longestRest = 100 * time.Millisecond
	// looksAhead is for how long there is no rest after looks were rare.
	looksAhead = time.Second
)

// looks lets all that is followed look in turn, and rest where the last looks are
// not paid for yet.
type looks struct {
	turn chan struct{}
	paid *payment
}

// payment is until when what was looked at is paid for.
type payment struct {
	mu    sync.Mutex
	until time.Time
	last  time.Duration // paid for the last look
}

func newLooks() looks { return looks{make(chan struct{}, 1), &payment{last: longestRest}} }

// rhythm is how often to look: not without a rest, at least every, and share times
// longer than it took.
type rhythm struct {
	every time.Duration
	share time.Duration
}

// keep looks now and after changes, in the rhythm and in turn, until ctx ends. A
// database that does not answer is asked again.
func (l looks) keep(ctx context.Context, bell *store.Listener, r rhythm, look func() error) error {
	for {
		inAdvance, ok := l.wait(ctx)
		if !ok {
			return nil
		}
		began := time.Now()
		err := look()
		took := time.Since(began)
		l.paid.settle(took, inAdvance)
		pause := max(r.every, r.share*took)
		if store.IsCode(err, store.CodeUnavailable) {
			err, pause = nil, 2*time.Second
		}
		if err != nil {
			return err
		}
		if !sleep(ctx, pause) || !heard(ctx, bell) {
			return nil
		}
	}
}

// wait pays for a look in advance, as for the one before, when it is one's turn and
// what others looked at is paid for; false: ctx is over. Who looks long does not
// hold up the next.
func (l looks) wait(ctx context.Context) (inAdvance time.Duration, ok bool) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, false
	}
	defer func() { <-l.turn }()
	if !sleep(ctx, time.Until(l.paid.due())) {
		return 0, false
	}
	return l.paid.inAdvance(), true
}

func (p *payment) due() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until
}

// inAdvance pays as much as for the last look.
func (p *payment) inAdvance() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(p.last)
	return p.last
}

// settle pays for a look that took so long, of which some was paid in advance.
func (p *payment) settle(took, inAdvance time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = min(longestRest, looksShare*took)
	p.add(p.last - inAdvance)
}

func (p *payment) add(rest time.Duration) {
	if rare := time.Now().Add(-looksAhead); p.until.Before(rare) {
		p.until = rare
	}
	p.until = p.until.Add(rest)
}

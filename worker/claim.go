package worker

import (
	"context"
	"time"

	"belfry/store"
)

const (
	// maxClaim is how many jobs one claim takes at most.
	maxClaim = 512
	// claimPause is the least time between two claims: a bell that rings for
	// what can't start now is no reason to ask again and again, and the slots
	// that come free are filled by the recorders, all at once.
	claimPause = 5 * time.Millisecond
	// callTimeout is how long one call to the database may take.
	callTimeout = 10 * time.Second
)

// claims takes due deliveries and starts them until ctx ends: woken by the
// bell, by a free slot, by the time of the next one, and by a slow poll. While
// answers come in, the recorders claim what follows them; see recorder.
func (w *Worker) claims(ctx context.Context, bell *store.Listener) {
	wait := backoff{log: w.log, doing: "claim deliveries"}
	for ctx.Err() == nil {
		w.giveBack(w.slots.leave(time.Now(), false))
		next, err := w.claim(ctx)
		if err != nil {
			wait.after(ctx, err)
			continue
		}
		wait.reset()
		if w.slots.lined() {
			next = min(next, lineEnd)
		}
		w.rest(ctx, bell, min(next, w.poll))
	}
}

// due narrows the bell to what a claim may help: a queue without a free slot
// is looked at when one comes free.
func (w *Worker) due(c store.Change) bool {
	return c.Due && !w.slots.full(c.WebhookID)
}

// claim leaves it to the recorders while they commit every few milliseconds: one
// commit for both costs half as much as two. It runs to its end whatever happens
// to ctx, so that no lease is taken that nobody knows of.
func (w *Worker) claim(ctx context.Context) (next time.Duration, err error) {
	if w.recorders.atWork(claimPause) {
		w.wanted.Store(true)
		return claimPause, nil
	}
	w.claiming.Lock()
	defer w.claiming.Unlock()
	room := w.slots.view(time.Now())
	if room.Max == 0 {
		return w.poll, nil
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	jobs, next, err := w.store.Claim(call, room)
	w.take(jobs)
	return next, err
}

// take starts claimed jobs or puts them in line, and gives back those that found
// no place: a fresh delivery was quicker, or the worker stops.
func (w *Worker) take(jobs []store.Job) {
	var mine, over []store.Job
	now := time.Now()
	for _, j := range jobs {
		switch started, ok := w.slots.enter(j, now); {
		case started:
			mine = append(mine, j)
		case !ok:
			over = append(over, j)
		}
	}
	w.startAll(mine)
	w.giveBack(over)
}

// rest waits until there may be something to claim.
func (w *Worker) rest(ctx context.Context, bell *store.Listener, next time.Duration) {
	pause := time.NewTimer(min(next, claimPause))
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return
	case <-pause.C:
	}
	long := time.NewTimer(next)
	defer long.Stop()
	select {
	case <-ctx.Done():
	case <-w.slots.freed:
	case <-long.C:
	case <-bell.Lost:
		drain(bell)
	case _, open := <-bell.C:
		if !open { // the store is closed: only ctx can end this now
			<-ctx.Done()
			return
		}
		drain(bell)
	}
}

// drain takes all that the bell has said: one look answers it all.
func drain(bell *store.Listener) {
	for {
		select {
		case _, open := <-bell.C:
			if !open {
				return
			}
		default:
			return
		}
	}
}

// giveBack returns jobs that were leased but not sent. Where that fails, or
// takes too long, their leases run out.
func (w *Worker) giveBack(jobs []store.Job) {
	call, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if err := w.store.GiveBack(call, jobs); err != nil {
		w.log.Warn("unsent deliveries could not be given back; their leases run out", "deliveries", len(jobs), "error", err)
	}
}

package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

const (
	// maxRecord is how many results one commit takes.
	maxRecord = 500
	// recordPause is how long a recorder gathers results after a commit of more
	// than a few, unless it has enough before: a commit costs as much as many
	// results, and no request waits for it.
	recordPause = 25 * time.Millisecond
	aFew        = 3
	enough      = 128
)

// recorder writes the results of some of the queues, so that recorders work
// beside each other: a transaction locks the queues that it writes.
type recorder struct {
	w       *Worker
	results chan store.Result
	// busy says that it is at work; away, that results wait because the database
	// does not answer; wrote is when it last wrote, in unix nanoseconds.
	busy, away atomic.Bool
	wrote      atomic.Int64
}

// recorders are all of a worker, each queue with one of them.
type recorders struct {
	all []*recorder

	mu sync.Mutex
	of map[uuid.UUID]*recorder
}

func newRecorders(w *Worker, n int) *recorders {
	rs := &recorders{of: map[uuid.UUID]*recorder{}}
	for range n {
		rs.all = append(rs.all, &recorder{w: w, results: make(chan store.Result, maxUnrecorded)})
	}
	return rs
}

// recorder is the queue's; queues go round.
func (rs *recorders) recorder(queue uuid.UUID) *recorder {
	if len(rs.all) == 1 {
		return rs.all[0]
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.of[queue]
	if r == nil {
		r = rs.all[len(rs.of)%len(rs.all)]
		rs.of[queue] = r
	}
	return r
}

// atWork says that a recorder writes, or did not longer ago than that.
func (rs *recorders) atWork(within time.Duration) bool {
	return slices.ContainsFunc(rs.all, func(r *recorder) bool { return r.atWork(within) })
}

func (r *recorder) atWork(within time.Duration) bool {
	return r.busy.Load() || time.Since(time.Unix(0, r.wrote.Load())) < within
}

// away says that results wait because the database does not answer.
func (rs *recorders) away() bool {
	return slices.ContainsFunc(rs.all, func(r *recorder) bool { return r.away.Load() })
}

// close lets the recorders end once they have written what they got.
func (rs *recorders) close() {
	for _, r := range rs.all {
		close(r.results)
	}
}

// run writes results until the channel is closed and empty, or ctx ends. Each
// commit takes what came since the last one began.
func (r *recorder) run(ctx context.Context) {
	var pause <-chan time.Time // nil: none
	for first := range r.results {
		batch := r.gather(first, pause)
		r.record(ctx, batch)
		r.w.slots.recorded(len(batch))
		if pause = nil; len(batch) > aFew {
			pause = time.After(recordPause)
		}
	}
}

// gather takes what comes during the pause, until it is enough, and then what
// else is there.
func (r *recorder) gather(first store.Result, pause <-chan time.Time) []store.Result {
	batch := append(make([]store.Result, 0, min(maxRecord, 1+len(r.results))), first)
	for pause != nil && len(batch) < enough {
		select {
		case result, open := <-r.results:
			if !open {
				return batch
			}
			batch = append(batch, result)
		case <-pause:
			pause = nil
		}
	}
	for len(batch) < maxRecord {
		select {
		case result, open := <-r.results:
			if !open {
				return batch
			}
			batch = append(batch, result)
		default:
			return batch
		}
	}
	return batch
}

// record tries until the database has the results: while it is away they are
// kept, and a lease that was lost meanwhile makes its result count for nothing.
// Only a result that the database refuses is given up, and only that one; its
// attempt is found interrupted when the lease runs out.
func (r *recorder) record(ctx context.Context, batch []store.Result) {
	log := r.w.log
	wait := backoff{log: log, doing: "record deliveries"}
	for {
		err := r.try(ctx, batch)
		r.away.Store(err != nil && away(err))
		switch {
		case err == nil:
			wait.reset()
			return
		case ctx.Err() != nil:
			log.Error("results were not recorded before the end; their deliveries are sent again", "deliveries", len(batch), "error", err)
			return
		case away(err):
			wait.after(ctx, err)
		case len(batch) == 1:
			log.Error("a result can't be recorded; its delivery is sent again", "delivery", batch[0].Job.DeliveryID, "error", err)
			return
		default:
			r.record(ctx, batch[:len(batch)/2])
			batch = batch[len(batch)/2:]
		}
	}
}

// try records the batch and, where a claim is wanted, claims for the slots that
// its requests left free, in one commit.
func (r *recorder) try(ctx context.Context, batch []store.Result) error {
	w := r.w
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r.busy.Store(true)
	defer r.busy.Store(false)
	var room store.ClaimRequest // none, unless a claim is wanted
	claims := w.wanted.Load() && w.claiming.TryRLock()
	if claims {
		defer w.claiming.RUnlock()
		room = w.slots.view(time.Now())
		room.Left = r.left
	}
	jobs, err := w.store.RecordAndClaim(call, batch, room)
	w.take(jobs)
	if err == nil {
		r.wrote.Store(time.Now().UnixNano())
		if claims && len(jobs) == 0 && !w.slots.tight() { // nothing is due
			w.wanted.Store(false)
		}
	}
	return err
}

// left says that a queue is left to another recorder, which is at work.
func (r *recorder) left(queue uuid.UUID) bool {
	other := r.w.recorders.recorder(queue)
	return other != r && other.atWork(claimPause)
}

// away says that the database did not answer, so that the same call may work
// later.
func away(err error) bool {
	return store.IsCode(err, store.CodeUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

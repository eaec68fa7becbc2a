package worker

import (
	"context"
	"errors"
	"time"

	"belfry/store"
)

// maxRecord is how many results one commit takes.
const maxRecord = 500

// records writes results until the channel is closed and empty, or ctx ends.
// Each commit takes what came during the last one and never waits for company.
func (w *Worker) records(ctx context.Context) {
	for first := range w.results {
		batch := w.gather(first)
		w.record(ctx, batch)
		w.slots.recorded(len(batch))
	}
}

func (w *Worker) gather(first store.Result) []store.Result {
	batch := append(make([]store.Result, 0, min(maxRecord, 1+len(w.results))), first)
	for len(batch) < maxRecord {
		select {
		case r, open := <-w.results:
			if !open {
				return batch
			}
			batch = append(batch, r)
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
func (w *Worker) record(ctx context.Context, batch []store.Result) {
	wait := backoff{log: w.log, doing: "record deliveries"}
	for {
		err := w.tryRecord(ctx, batch)
		w.recording.Store(err != nil && away(err))
		switch {
		case err == nil:
			wait.reset()
			return
		case ctx.Err() != nil:
			w.log.Error("results were not recorded before the end; their deliveries are sent again", "deliveries", len(batch), "error", err)
			return
		case away(err):
			wait.after(ctx, err)
		case len(batch) == 1:
			w.log.Error("a result can't be recorded; its delivery is sent again", "delivery", batch[0].Job.DeliveryID, "error", err)
			return
		default:
			w.record(ctx, batch[:len(batch)/2])
			batch = batch[len(batch)/2:]
		}
	}
}

// tryRecord records the batch and, where a claim is wanted, claims for the slots
// that its requests left free, in one commit.
func (w *Worker) tryRecord(ctx context.Context, batch []store.Result) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w.busy.Store(true)
	defer w.busy.Store(false)
	var room store.ClaimRequest // none, unless a claim is wanted
	claims := w.wanted.Load() && w.claiming.TryLock()
	if claims {
		defer w.claiming.Unlock()
		room = w.slots.view(time.Now())
	}
	jobs, err := w.store.RecordAndClaim(call, batch, room)
	w.take(jobs)
	if err == nil {
		w.recordedAt.Store(time.Now().UnixNano())
		if claims && len(jobs) == 0 && !w.slots.tight() { // nothing is due
			w.wanted.Store(false)
		}
	}
	return err
}

// recordedWithin says that results were written not longer ago than that.
func (w *Worker) recordedWithin(d time.Duration) bool {
	return time.Since(time.Unix(0, w.recordedAt.Load())) < d
}

// away says that the database did not answer, so that the same call may work
// later.
func away(err error) bool {
	return store.IsCode(err, store.CodeUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

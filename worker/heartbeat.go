package worker

import (
	"context"
	"time"
)

const (
	beatEvery = time.Second
	// settle is how long the database must have heard this node before the
	// silence of others counts: after it was away, all have been silent.
	settle = 6 * time.Second
)

// beats tells the other nodes every second that this one lives, and takes back
// what silent ones and lost leases left behind, at once when it starts.
func (w *Worker) beats(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	wait := backoff{log: w.log, doing: "keep this node's heartbeat"}
	since := time.Time{} // when a beat failed last; zero: never
	for {
		if err := w.beat(ctx); err != nil {
			wait.after(ctx, err)
			since = time.Now()
		} else {
			wait.reset()
			if time.Since(since) >= settle {
				w.recover(ctx)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Worker) beat(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return w.store.Beat(call)
}

// recover waits while results of this node could not be recorded: their leases
// may have run out, and they are worth more than a second attempt.
func (w *Worker) recover(ctx context.Context) {
	if w.recorders.away() {
		return
	}
	call, cancel := context.WithTimeout(ctx, callTimeout) // a call that hangs would stop the heartbeat
	defer cancel()
	n, err := w.store.Recover(call)
	if n > 0 {
		w.metrics.recovered.Add(float64(n))
		w.log.Info("took back deliveries whose node stopped", "deliveries", n)
	}
	if err != nil && ctx.Err() == nil {
		w.log.Warn("could not take back lost deliveries; trying again in a second", "error", err)
	}
}

package worker

import (
	"context"
	"time"

	"belfry/store"
)

// resends goes on with the runs that resend many deliveries, and keeps what
// became of them. It rests as long as a step took, so that runs take half of one
// connection at most.
func (w *Worker) resends(ctx context.Context) {
	bell := w.store.Changes(begun)
	defer bell.Close()
	r := w.store.NewResender()
	again := backoff{log: w.log, doing: "resend deliveries"}
	for ctx.Err() == nil {
		took := time.Now()
		next, err := r.Step(ctx)
		if err != nil {
			again.after(ctx, err)
			continue
		}
		again.reset()
		if rest := time.Since(took); next <= rest {
			sleep(ctx, rest)
			continue
		}
		waitFor(ctx, bell, next)
	}
}

// begun narrows the bell to runs that somebody began or changed, and to what
// other processes did.
func begun(c store.Change) bool {
	return c.Due && (c.Kind == store.ChangeResend || c.Kind == store.ChangeAccount)
}

// waitFor waits for a time, or less where the bell rings.
func waitFor(ctx context.Context, bell *store.Listener, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-bell.C:
	case <-bell.Lost:
	}
}

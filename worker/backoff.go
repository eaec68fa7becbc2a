package worker

import (
	"context"
	"log/slog"
	"time"
)

const (
	firstPause = 50 * time.Millisecond
	longPause  = time.Second
)

// backoff waits longer and longer between tries that fail, a second at most,
// and says so once.
type backoff struct {
	log   *slog.Logger
	doing string
	pause time.Duration
}

// after waits for the time of the next try, or for the end of ctx.
func (b *backoff) after(ctx context.Context, err error) {
	if b.pause == 0 {
		b.log.Warn("could not "+b.doing+"; trying again until it works", "error", err)
		b.pause = firstPause
	}
	sleep(ctx, b.pause)
	b.pause = min(2*b.pause, longPause)
}

// reset says that it worked.
func (b *backoff) reset() {
	if b.pause != 0 {
		b.log.Info("able to " + b.doing + " again")
		b.pause = 0
	}
}

// sleep waits for d, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

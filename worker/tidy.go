package worker

import (
	"context"
	"time"
)

const tidyEvery = time.Minute

// tidies removes once a minute what is kept long enough.
func (w *Worker) tidies(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		if err := w.store.Tidy(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("could not remove what is old; trying again in a minute", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

package worker

import (
	"context"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

const (
	// tidyEvery is the time between two runs that remove what is old, roomEvery
	// between two looks at the database's budget.
	tidyEvery = time.Minute
	roomEvery = 5 * time.Second
	// sampleEvery is how often the requests under way are counted for the peaks
	// that the Limits page shows.
	sampleEvery = time.Second
)

// tidies removes once a minute what is kept long enough, and every few seconds
// what is over the database's budget.
func (w *Worker) tidies(ctx context.Context) {
	t := w.store.NewTidier()
	tidy, room := time.NewTicker(tidyEvery), time.NewTicker(roomEvery)
	defer tidy.Stop()
	defer room.Stop()
	step := t.Tidy
	for {
		if err := step(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("could not remove what is old; trying again soon", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tidy.C:
			step = t.Tidy
		case <-room.C:
			step = t.MakeRoom
		}
	}
}

// peaks is the most requests under way since they were kept last, by queue.
type peaks map[uuid.UUID]int

// samples counts the requests under way every second and keeps the most of
// them once a minute.
func (w *Worker) samples(ctx context.Context) {
	most := peaks{}
	sample, keep := time.NewTicker(sampleEvery), time.NewTicker(tidyEvery)
	defer sample.Stop()
	defer keep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sample.C:
			w.sample(most)
		case <-keep.C:
			w.keepPeaks(ctx, most)
		}
	}
}

func (w *Worker) sample(most peaks) {
	for queue, n := range w.slots.underWay() {
		most[queue] = max(most[queue], n)
	}
}

// keepPeaks writes the peaks and begins anew; where that fails it is tried
// again a minute later.
func (w *Worker) keepPeaks(ctx context.Context, most peaks) {
	if err := w.store.KeepPeaks(ctx, most); err != nil {
		if ctx.Err() == nil && !store.IsCode(err, store.CodeUnavailable) {
			w.log.Warn("could not keep the peaks of this minute", "error", err)
		}
		return
	}
	clear(most)
}

package worker

import (
	"context"
	"time"

	"belfry/store"
)

const (
	// reconcileEvery is the time between two passes of the reconciler,
	// reconcileAgain after one that failed.
	reconcileEvery = 5 * time.Minute
	reconcileAgain = 10 * time.Second
	// reconcileRest is how many times as long as a step took nothing is looked
	// at after it, so that the reconciler takes a small share of the machine;
	// reconcileYield is the same while deliveries come and go.
	reconcileRest  = 4
	reconcileYield = 24
)

// reconciles proves at the start and every few minutes that nothing accepted
// is lost: the first pass goes through all events, later ones through the new
// ones.
func (w *Worker) reconciles(ctx context.Context) {
	r := w.store.NewReconciler()
	for ctx.Err() == nil {
		pause := reconcileEvery
		if err := w.reconcile(ctx, r); err != nil && ctx.Err() == nil {
			w.log.Warn("could not look for orphaned deliveries; trying again soon", "error", err)
			pause = reconcileAgain
		}
		sleep(ctx, pause)
	}
}

func (w *Worker) reconcile(ctx context.Context, r *store.Reconciler) error {
	for done := false; !done; {
		began := time.Now()
		var err error
		if done, err = r.Step(ctx); err != nil {
			return err
		}
		rest := time.Duration(reconcileRest)
		if w.recorders.atWork(time.Second) {
			rest = reconcileYield
		}
		sleep(ctx, rest*time.Since(began))
	}
	found, err := r.Orphans(ctx)
	if err != nil {
		return err
	}
	w.metrics.reconciled(found)
	if found.Total() > 0 {
		w.log.Error("deliveries are orphaned: run doctor, and tell Belfry's authors", "missing", found.Missing,
			"ownerless", found.Ownerless, "unseen", found.Unseen, "examples", found.Examples)
	}
	return nil
}

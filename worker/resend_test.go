package worker

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestAWorkerResendsWhatARunAsksForAndTellsHowItEnded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := answers(t, 200)
		hook := d.webhook(r.URL)
		long := time.Now().Add(-24 * time.Hour)
		storetest.Seed(t, db, storetest.Past{Account: d.account, Webhook: hook, Events: 300, From: long, To: long.Add(time.Hour), Mixed: true})
		d.work()
		run, _, err := d.store.StartResend(t.Context(), d.account, store.NewResend{By: "mira@example.com"})
		d.must(err)
		d.until("all are delivered", func() bool {
			run, err = d.store.ResendRun(t.Context(), d.account, run.ID)
			d.must(err)
			return run.Settled
		})
		if run.Resent != 30 || run.Delivered != 30 || run.Skipped != 0 || len(r.requests()) != 30 {
			t.Errorf("ended as %+v, with %d requests", run, len(r.requests()))
		}
	})
}

package worker

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestAWorkerResendsWhatARunAsksForAndAnotherGoesOnWithIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := answers(t, 200)
		hook := d.webhook(r.URL)
		long := time.Now().Add(-24 * time.Hour)
		storetest.Seed(t, db, storetest.Past{Account: d.account, Webhook: hook, Events: 300, From: long, To: long.Add(time.Hour), Mixed: true})
		run, _, err := d.store.StartResend(t.Context(), d.account, store.NewResend{Pace: 300, By: "mira@example.com"})
		d.must(err)
		now := func() store.ResendRun {
			got, err := d.store.ResendRun(t.Context(), d.account, run.ID)
			d.must(err)
			return got
		}
		first := d.work()
		d.until("some are resent", func() bool { return now().Resent > 0 })
		first.stop()
		if got := now(); got.Ended() || got.Total != 30 {
			t.Fatalf("in mid-run: %+v", got)
		}
		d.work()
		d.until("all are delivered", func() bool { return now().Settled })
		if got := now(); got.Resent != 30 || got.Delivered != 30 || got.Skipped != 0 || len(r.requests()) != 30 {
			t.Errorf("ended as %+v, with %d requests", got, len(r.requests()))
		}
	})
}

package store_test

import (
	"testing"
	"time"

	"belfry/store"
)

func TestFinishedDeliveriesGoAfterThirtyDaysAndPendingOnesStay(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		// Ids carry the real time, so the test's clock starts there.
		d.clock.at = time.Now().UTC().Truncate(time.Microsecond)
		w := d.webhook("https://a.example/", "call.*")
		done := d.publish("call.ended", `{}`)
		d.answer(200, d.claim()...)
		waiting := d.publish("call.missed", `{}`)
		must(t, d.Tidy(d.ctx))
		if n := d.summary(w).Total(); n != 2 {
			t.Fatalf("%d deliveries left at once", n)
		}
		d.clock.forward(8 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Status: []store.Status{store.Delivered}})
		must(t, err)
		log, err := d.Attempts(d.ctx, d.account, list[0].ID)
		if must(t, err); len(log) != 1 || log[0].RequestBody != nil || !log[0].BodiesRemoved || log[0].StatusCode != 200 {
			t.Errorf("after 8 days the attempt is %+v", log)
		}
		d.clock.forward(23 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		if got := d.summary(w); got != (store.Summary{Pending: 1}) {
			t.Errorf("after 31 days the summary is %+v", got)
		}
		_, err = d.Event(d.ctx, d.account, done)
		wantCode(t, err, store.CodeNotFound)
		_, err = d.Event(d.ctx, d.account, waiting)
		must(t, err)
	})
}

func TestWhatIsHeldForThirtyDaysExpires(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		d.setActive(w, false)
		d.clock.forward(29 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		if got := d.summary(w); got != (store.Summary{Pending: 1}) {
			t.Fatalf("after 29 days the summary is %+v", got)
		}
		d.clock.forward(2 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{})
		must(t, err)
		if got := d.summary(w); got != (store.Summary{Dead: 1}) || list[0].DeadReason() != "expired" {
			t.Errorf("after 31 days the summary is %+v, the delivery %+v", got, list[0])
		}
		d.setActive(w, true)
		_, err = d.Resend(d.ctx, d.account, list[0].ID)
		must(t, err)
	})
}

func TestWithNothingLeftToRemovePublishingIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		d.answer(200, d.claim()...)
		s := freshOn(t, d, func(o *store.Options) { o.MaxDatabaseSize = 1 })
		must(t, s.Tidy(d.ctx))
		must(t, s.Tidy(d.ctx))
		_, _, err := s.Publish(d.ctx, store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`)}}})
		wantCode(t, err, store.CodeFull)
	})
}

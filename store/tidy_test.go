package store_test

import (
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestFinishedDeliveriesGoAfterThirtyDaysAndPendingOnesStay(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
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

func TestAnAttemptMadeLongAfterItsDeliveryLosesItsBodiesToo(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		d.answer(500, d.claim()...)
		tidier := d.NewTidier()
		d.clock.forward(6 * 24 * time.Hour)
		d.answer(200, d.claim()...)
		d.clock.forward(2 * 24 * time.Hour)
		must(t, tidier.Tidy(d.ctx)) // passes the delivery, of which one attempt is 2 days old
		if kept := d.bodies(w); kept != 1 {
			t.Fatalf("%d attempts have their bodies after 8 days, want the late one", kept)
		}
		d.clock.forward(6 * 24 * time.Hour)
		must(t, tidier.Tidy(d.ctx))
		if kept := d.bodies(w); kept != 0 {
			t.Errorf("%d attempts still have their bodies after 14 days", kept)
		}
	})
}

// bodies counts the attempts of the webhook's newest delivery that have bodies.
func (d *desk) bodies(w store.Webhook) (kept int) {
	d.t.Helper()
	list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{WebhookID: w.ID})
	must(d.t, err)
	log, err := d.Attempts(d.ctx, d.account, list[0].ID)
	must(d.t, err)
	for _, a := range log {
		if !a.BodiesRemoved {
			kept++
		}
	}
	return kept
}

func TestWhatWasNotFinishedIsRemovedOnceItIsAndOldEnough(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		waiting := d.publish("call.ended", `{}`)
		nobody := d.publish("call.ended", `{}`)
		d.plant("DELETE FROM deliveries WHERE event_id = " + d.sqlID(nobody))
		tidier := d.NewTidier()
		d.clock.forward(31 * 24 * time.Hour)
		must(t, tidier.Tidy(d.ctx))
		_, err := d.Event(d.ctx, d.account, nobody)
		wantCode(t, err, store.CodeNotFound)
		_, err = d.Event(d.ctx, d.account, waiting)
		must(t, err)
		d.answer(200, d.claim()...)
		d.clock.forward(31 * 24 * time.Hour)
		must(t, tidier.Tidy(d.ctx))
		if n := d.summary(w).Delivered; n != 0 {
			t.Errorf("%d deliveries left", n)
		}
		_, err = d.Event(d.ctx, d.account, waiting)
		wantCode(t, err, store.CodeNotFound)
	})
}

func TestADeletedWebhookGoesWithTheLastOfItsDeliveries(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		d.answer(200, d.claim()...)
		must(t, d.DeleteWebhook(d.ctx, d.account, w.ID))
		d.clock.forward(29 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		_, err := d.Webhook(d.ctx, d.account, w.ID)
		must(t, err)
		d.clock.forward(2 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		_, err = d.Webhook(d.ctx, d.account, w.ID)
		wantCode(t, err, store.CodeNotFound)
	})
}

// fill publishes events with 8 KiB of data each and delivers the first of them.
func (d *desk) fill(events, delivered int) {
	d.t.Helper()
	all := make([]store.NewEvent, events)
	for i := range all {
		random := make([]byte, 4<<10)
		rand.Read(random)
		all[i] = store.NewEvent{Type: "call.ended", Data: []byte(`{"x":"` + hex.EncodeToString(random) + `"}`)}
	}
	_, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Events: all})
	must(d.t, err)
	for left := delivered; left > 0; {
		jobs, _, err := d.Claim(d.ctx, store.ClaimRequest{Max: min(left, 50)})
		must(d.t, err)
		d.answer(200, jobs...)
		left -= len(jobs)
		d.clock.forward(time.Minute) // for the rate
	}
	if d.db.Kind == storetest.KindPostgres {
		d.plant("ANALYZE")
	}
}

func TestOverTheBudgetTheOldestFinishedMakeRoomAndNothingElseGoes(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.fill(400, 300)
		size, _, err := d.Size(d.ctx)
		must(t, err)
		budget := size * 9 / 10
		s := freshOn(t, d, func(o *store.Options) { o.MaxDatabaseSize = budget })
		must(t, s.NewTidier().MakeRoom(d.ctx))
		left := d.summary(w)
		if left.Pending != 100 || left.Delivered == 0 || left.Delivered >= 300 || s.Full() {
			t.Errorf("a tenth too large: left %v, full: %v", left, s.Full())
		}
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Status: []store.Status{store.Delivered}, Limit: 1, Offset: int(left.Delivered) - 1})
		must(t, err)
		if older, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Before: list[0].ID}); err != nil || len(older) != 0 {
			t.Errorf("of those removed, %d older ones are left (%v)", len(older), err)
		}
		if d.db.Kind == storetest.KindSQLite { // Postgres's own statistics follow within seconds
			if left.Delivered < 200 {
				t.Errorf("much more was removed than was too much: left %v", left)
			}
			if size, _, err := d.Size(d.ctx); err != nil || size > budget {
				t.Errorf("the size is %d (%v), the budget %d", size, err, budget)
			}
		}
	})
}

func TestAFullDatabaseTakesEventsAgainOnceSomethingIsFinished(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.fill(60, 50)
		s := freshOn(t, d, func(o *store.Options) { o.MaxDatabaseSize = 1 })
		publish := func() error {
			_, _, err := s.Publish(d.ctx, store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`)}}})
			return err
		}
		tidier := s.NewTidier()
		must(t, tidier.MakeRoom(d.ctx))
		must(t, publish())
		must(t, tidier.MakeRoom(d.ctx))
		if left := d.summary(w); left != (store.Summary{Pending: 11}) || !s.Full() {
			t.Fatalf("left %v, full: %v; want what is pending", left, s.Full())
		}
		wantCode(t, publish(), store.CodeFull)
		d.answer(200, d.claim()...)
		must(t, tidier.MakeRoom(d.ctx))
		must(t, publish())
	})
}

func TestTheLimitsTellTheBudgetAndThePeaksOfADay(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		must(t, d.KeepPeaks(d.ctx, map[uuid.UUID]int{w.ID: 7}))
		must(t, d.KeepPeaks(d.ctx, map[uuid.UUID]int{w.ID: 4}))
		for range 3 {
			_, err := d.SendTest(d.ctx, d.account, store.NewTest{WebhookID: w.ID, Event: "call.ended"})
			must(t, err)
		}
		d.clock.forward(2 * time.Hour)
		u, err := d.LimitsUse(d.ctx, d.account)
		if must(t, err); u.InFlight.Peak != 7 || u.InFlight.Now != 0 || u.Tests.Peak != 3 || u.Tests.Now != 0 || u.DatabaseBudget != 0 {
			t.Errorf("after 2 hours: in flight %+v, tests %+v, budget %d", u.InFlight, u.Tests, u.DatabaseBudget)
		}
		d.clock.forward(24 * time.Hour)
		u, err = d.LimitsUse(d.ctx, d.account)
		if must(t, err); u.InFlight.Peak != 0 || u.Tests.Peak != 0 {
			t.Errorf("after a day: in flight %+v, tests %+v", u.InFlight, u.Tests)
		}
		c, err := d.Chart(d.ctx, d.account, w.ID, store.LastWeek)
		if must(t, err); c.OK+c.Failed != 0 {
			t.Errorf("the chart counts peaks as %d attempts", c.OK+c.Failed)
		}
	})
}

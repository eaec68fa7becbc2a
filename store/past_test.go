package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
)

func TestAPastIsToldByTheClockAStoreIsGiven(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		began := time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)
		var minutes atomic.Int64 // the clock goes on by a minute with each look at it
		past := freshOn(t, d, func(o *store.Options) {
			o.Now = func() time.Time { return began.Add(time.Duration(minutes.Add(1)) * time.Minute) }
		})
		events := make([]store.NewEvent, 5)
		for i := range events {
			events[i] = store.NewEvent{Type: "call.ended", Data: []byte(`{}`)}
		}
		_, _, err := past.Publish(d.ctx, store.Publication{AccountID: d.account, Events: events})
		must(t, err)
		d.clock.at = began.Add(24 * time.Hour)
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{WebhookID: w.ID})
		if must(t, err); len(list) != 5 {
			t.Fatalf("there are %d deliveries", len(list))
		}
		for i, x := range list {
			if made := x.ID.Time(); made.Sub(x.CreatedAt.Time).Abs() > time.Millisecond {
				t.Errorf("delivery %d was made at %v, and its id at %v", i, x.CreatedAt, made)
			}
			if i > 0 && !x.CreatedAt.Before(list[i-1].CreatedAt.Time) {
				t.Errorf("delivery %d is not older than the one before it", i)
			}
		}
	})
}

func TestAResultCountsFromWhenItSaysThatItEnded(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publishMany(2)
		jobs := d.claim()
		then := d.clock.now().Add(3 * time.Second)
		d.clock.forward(10 * time.Minute)
		attempt := store.Attempt{Number: 1, Node: "n", StartedAt: store.At(then.Add(-time.Second)), Duration: time.Second}
		failed := attempt
		failed.Error = "timeout"
		must(t, d.Record(d.ctx, []store.Result{
			{Job: jobs[0], Attempt: attempt, Next: store.Delivered, At: then},
			{Job: jobs[1], Attempt: failed, Next: store.Pending, Wait: time.Hour, At: then},
		}))
		for i, want := range []func(store.Delivery) bool{
			func(x store.Delivery) bool { return x.FinishedAt.Equal(then) },
			func(x store.Delivery) bool { return x.NextAttemptAt.Equal(then.Add(time.Hour)) },
		} {
			x, err := d.Delivery(d.ctx, d.account, jobs[i].DeliveryID)
			if must(t, err); !want(x) {
				t.Errorf("delivery %d ended at %v and goes on at %v, as if its answer had just come", i, x.FinishedAt, x.NextAttemptAt)
			}
		}
		if o, err := d.Overview(d.ctx, d.account, w.ID); err != nil || !o.Health.LastSuccessAt.Equal(then) {
			t.Errorf("the last success is said to be of %v (%v)", o.Health.LastSuccessAt, err)
		}
	})
}

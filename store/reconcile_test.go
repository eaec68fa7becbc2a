package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// sqlID is an id for a planted query.
func (d *desk) sqlID(id uuid.UUID) string { return storetest.ID(d.db.Kind, id.String()) }

// plant changes the database behind the store's back.
func (d *desk) plant(query string) {
	d.t.Helper()
	if _, err := storetest.Raw(d.t, d.db).Exec(query); err != nil {
		d.t.Fatal(err)
	}
}

// reconciled runs a pass to its end.
func reconciled(t *testing.T, r *store.Reconciler) store.Orphans {
	t.Helper()
	for {
		done, err := r.Step(t.Context())
		if must(t, err); done {
			break
		}
	}
	o, err := r.Orphans(t.Context())
	must(t, err)
	return o
}

func TestNothingIsOrphanedWhereAllIsWell(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/", "call.*")
		d.webhook("https://b.example/")
		paused := d.webhook("https://c.example/")
		d.setActive(paused, false)
		for range 3 {
			d.publish("call.ended", `{}`)
		}
		d.publish("message.sent", `{}`)
		must(t, d.Beat(d.ctx))
		jobs := d.claim()
		d.answer(200, jobs[0])
		d.answer(500, jobs[1])
		if o := reconciled(t, d.NewReconciler()); o.Total() != 0 || o.Events != 4 {
			t.Errorf("found %+v, want 4 events and no orphan", o)
		}
	})
}

func TestEachKindOfOrphanIsFound(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.webhook("https://b.example/")
		first := d.publish("call.ended", `{}`)
		d.publish("call.ended", `{}`)
		must(t, d.Beat(d.ctx))
		r := d.NewReconciler()
		if o := reconciled(t, r); o.Total() != 0 {
			t.Fatalf("found %+v before anything was broken", o)
		}
		d.plant("DELETE FROM deliveries WHERE event_id = " + d.sqlID(first))
		if o := reconciled(t, r); o.Missing != 2 || len(o.Examples) != 1 || o.Examples[0] != first {
			t.Errorf("with both deliveries of %s gone: %+v", first, o)
		}
		d.claim()
		d.plant("UPDATE deliveries SET lease_node = NULL WHERE status = 1")
		if o := reconciled(t, d.NewReconciler()); o.Ownerless != 2 {
			t.Errorf("with two leases of nobody: %+v", o)
		}
		d.plant("UPDATE deliveries SET status = 0, next_attempt_at = 1, lease_until = NULL")
		if o := reconciled(t, d.NewReconciler()); o.Unseen != 2 || o.Ownerless != 0 {
			t.Errorf("with two deliveries due earlier than their queues know: %+v", o)
		}
		d.plant("UPDATE deliveries SET next_attempt_at = NULL")
		if o := reconciled(t, d.NewReconciler()); o.Unseen != 2 {
			t.Errorf("with two deliveries that are never due: %+v", o)
		}
	})
}

func TestALeaseLongOverIsAnOrphanOnlyWhereANodeCouldTakeItBack(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		d.claim()
		d.clock.forward(time.Hour)
		if o := reconciled(t, d.NewReconciler()); o.Total() != 0 {
			t.Errorf("no node lives, and yet %+v", o)
		}
		must(t, d.Beat(d.ctx))
		if o := reconciled(t, d.NewReconciler()); o.Ownerless != 1 {
			t.Errorf("a node lives and leaves a lease: %+v", o)
		}
		_, err := d.Recover(d.ctx)
		must(t, err)
		if o := reconciled(t, d.NewReconciler()); o.Total() != 0 {
			t.Errorf("after the lease was taken back: %+v", o)
		}
	})
}

func TestAnOrphanThatWasFoundIsNotForgottenWhereTheDatabaseFails(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		event := d.publish("call.ended", `{}`)
		d.plant("DELETE FROM deliveries WHERE event_id = " + d.sqlID(event))
		d.clock.forward(2 * time.Minute) // a second pass sees it no more
		r := d.NewReconciler()
		if o := reconciled(t, r); o.Missing != 1 {
			t.Fatalf("found %+v, want one missing", o)
		}
		gone, cancel := context.WithCancel(d.ctx)
		cancel()
		if _, err := r.Orphans(gone); !errors.Is(err, context.Canceled) {
			t.Fatalf("looking again without a database gives %v", err)
		}
		if o := reconciled(t, r); o.Missing != 1 {
			t.Errorf("after the database failed once: %+v", o)
		}
	})
}

func TestWhatRetentionRemovedIsNoOrphan(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.webhook("https://b.example/")
		event := d.publish("call.ended", `{}`)
		jobs := d.claim()
		d.answer(200, jobs[0])
		d.clock.forward(31 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		left, err := d.EventDeliveries(d.ctx, d.account, event)
		if must(t, err); len(left) != 1 {
			t.Fatalf("%d deliveries of the event are left, want the one under way", len(left))
		}
		_, err = d.Recover(d.ctx)
		must(t, err)
		if o := reconciled(t, d.NewReconciler()); o.Missing != 0 {
			t.Errorf("found %+v", o)
		}
	})
}

func TestAPassGoesOnWhereTheLastOneEnded(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		events := make([]store.NewEvent, 500)
		for i := range events {
			events[i] = store.NewEvent{Type: "call.ended", Data: []byte(`{}`)}
		}
		_, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Events: events})
		must(t, err)
		d.clock.forward(2 * time.Minute) // nothing of these can appear late any more
		r := d.NewReconciler()
		if o := reconciled(t, r); o.Events != 500 {
			t.Fatalf("the first pass looked at %d events", o.Events)
		}
		last := d.publish("call.ended", `{}`)
		d.plant("DELETE FROM deliveries WHERE event_id = " + d.sqlID(last))
		if o := reconciled(t, r); o.Events != 501 || o.Missing != 1 {
			t.Errorf("after one more event the second pass has %+v", o)
		}
		newest := d.NewReconciler()
		must(t, newest.Newest(d.ctx, 10))
		if o := reconciled(t, newest); o.Events != 10 || o.Missing != 1 || len(o.Examples) != 1 || o.Examples[0] == uuid.Nil {
			t.Errorf("a look at the newest 10 has %+v", o)
		}
	})
}

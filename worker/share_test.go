package worker

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestSlowWebhookHoldsItsOwnSlotsOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db, func(d *desk) { d.limits.InFlight = 3 })
		slow, free := block(t)
		quick := answers(t, 200)
		a, b := d.webhook(slow.URL), d.webhook(quick.URL)
		d.work()
		d.publish(20)
		d.expect(b, store.Summary{Delivered: 20})
		slow.wait(t, 3)
		if s := d.summary(a); s.Processing != 3 || s.Pending != 17 {
			t.Errorf("the slow one has %+v", s)
		}
		for _, x := range d.deliveries(store.DeliveryFilter{WebhookID: a, Status: []store.Status{store.Pending}}) {
			if x.Held != store.HeldBusy {
				t.Errorf("held is %q", x.Held)
			}
		}
		free()
		d.expect(a, store.Summary{Delivered: 20})
	})
}

func TestNoMoreThanItsSlotsAreUnderWay(t *testing.T) {
	d := newDesk(t, storetest.SQLite(t), func(d *desk) { d.limits.InFlight = 4 })
	var now atomic.Int64
	full := make(chan struct{})
	free := sync.OnceFunc(func() { close(full) })
	defer free() // where the test fails before that
	r := receives(t, func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		if n == 4 {
			free()
		}
		if n > 4 {
			t.Errorf("%d requests at once, want 4 at most", n)
		}
		<-full // answers begin when all four are under way
	})
	id := d.webhook(r.URL)
	d.work()
	for range 10 {
		d.publish(20)
	}
	d.expect(id, store.Summary{Delivered: 200})
}

func TestRateWaitsAndFailsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db, withClock, func(d *desk) { d.limits.RatePerMinute, d.limits.InFlight = 60, 100 })
		r := answers(t, 200)
		id := d.webhook(r.URL)
		d.clock.advance(time.Hour)
		d.work()
		d.publish(60)
		d.expect(id, store.Summary{Delivered: 50, Pending: 10}) // the bucket of 50
		for _, x := range d.deliveries(store.DeliveryFilter{Status: []store.Status{store.Pending}}) {
			if x.Held != store.HeldRate || x.Attempts != 0 {
				t.Fatalf("waits as %+v", x)
			}
		}
		d.clock.advance(4 * time.Second)
		d.expect(id, store.Summary{Delivered: 54, Pending: 6})
		d.clock.advance(time.Minute)
		d.expect(id, store.Summary{Delivered: 60})
	})
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r, free := block(t)
		id := d.webhook(r.URL)
		w := d.work()
		d.publish(1)
		r.wait(t, 1)
		stopped := make(chan struct{})
		go func() { w.stop(); close(stopped) }()
		d.until("nothing more is taken", func() bool { return !d.store.HasHandover() })
		d.publish(1)
		free()
		<-stopped
		if s := d.summary(id); s != (store.Summary{Delivered: 1, Pending: 1}) {
			t.Errorf("left behind %+v", s)
		}
	})
}

func TestStopCutsShortWhatTakesTooLongAndItIsSentAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r, _ := block(t)
		id := d.webhook(r.URL)
		w := d.work(func(o *Options) { o.Grace = time.Millisecond })
		d.publish(1)
		r.wait(t, 1)
		w.stop()
		d.must(d.store.Close())
		r.status(200)
		d.store = d.open()
		d.work()
		d.expect(id, store.Summary{Delivered: 1})
		attempts, err := d.store.Attempts(t.Context(), d.account, d.only().ID)
		d.must(err)
		if len(attempts) != 2 || attempts[0].Error != store.KindInterrupted || attempts[1].Error != "" {
			t.Errorf("attempts %+v", attempts)
		}
		if got := d.only(); got.MaxAttempts != 7 {
			t.Errorf("an interruption costs a retry: %d", got.MaxAttempts)
		}
	})
}

func TestUnsentDeliveriesAreGivenBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := answers(t, 200)
		id := d.webhook(r.URL)
		w := New(Options{Store: d.store, Client: benchClient(d)})
		w.cut() // the grace is over
		d.store.SetHandover(w)
		d.publish(3)
		d.store.SetHandover(nil)
		d.expect(id, store.Summary{Processing: 3})
		w.slots.close()
		w.finish()
		d.must(w.leave(t.Context()))
		d.expect(id, store.Summary{Pending: 3})
		if n := len(r.requests()); n != 0 {
			t.Errorf("%d requests", n)
		}
		for _, x := range d.deliveries(store.DeliveryFilter{}) {
			if x.Attempts != 0 {
				t.Errorf("counts as %d attempts", x.Attempts)
			}
		}
	})
}

func TestAJobWhoseLeaseIsNearlyOverIsGivenBackUnsent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := answers(t, 200)
		id := d.webhook(r.URL)
		d.publish(1)
		jobs, _, err := d.store.Claim(t.Context(), store.ClaimRequest{Max: 10})
		d.must(err)
		jobs[0].SendBy = time.Now().Add(-time.Millisecond)
		w := New(Options{Store: d.store, Client: benchClient(d)})
		w.take(jobs)
		d.expect(id, store.Summary{Pending: 1})
		if n := len(r.requests()); n != 0 {
			t.Errorf("%d requests", n)
		}
		w.slots.close()
		w.finish()
	})
}

func TestTwoNodesShareTheWork(t *testing.T) {
	d := newDesk(t, storetest.Postgres(t), func(d *desk) { d.limits.InFlight = 1 })
	r := receives(t, func(rw http.ResponseWriter, _ *http.Request) {})
	id := d.webhook(r.URL)
	other := d.open()
	gate := make(chan struct{})
	r.now(func(http.ResponseWriter, *http.Request) { <-gate })
	d.work()
	d.workOn(other)
	d.publish(20)
	r.wait(t, 2) // with one slot each, both have one under way
	close(gate)
	d.expect(id, store.Summary{Delivered: 20})
	seen := map[string]int{}
	for _, req := range r.requests() {
		seen[req.header.Get("webhook-id")]++
	}
	if len(seen) != 20 || len(r.requests()) != 20 {
		t.Errorf("%d requests for %d deliveries", len(r.requests()), len(seen))
	}
}

func TestSilentNodeLosesItsLeases(t *testing.T) {
	d := newDesk(t, storetest.Postgres(t), withClock)
	id := d.webhook(answers(t, 200).URL)
	silent := d.open()
	d.must(silent.Beat(t.Context()))
	d.publish(1)
	jobs, _, err := silent.Claim(t.Context(), store.ClaimRequest{Max: 10, InFlight: map[uuid.UUID]int{}})
	d.must(err)
	if len(jobs) != 1 {
		t.Fatalf("%d jobs", len(jobs))
	}
	d.clock.advance(4 * time.Second)
	if n, err := d.store.Recover(t.Context()); n != 0 || err != nil {
		t.Fatalf("took %d leases of a node that lives, %v", n, err)
	}
	d.work()
	d.clock.advance(time.Second)
	d.expect(id, store.Summary{Delivered: 1})
	late := store.Result{Job: jobs[0], Attempt: store.Attempt{Number: 1, StartedAt: store.At(d.clock.Now()), Error: "status"}, Next: store.Failed}
	d.must(silent.Record(t.Context(), []store.Result{late}))
	if s := d.summary(id); s != (store.Summary{Delivered: 1}) {
		t.Errorf("a late result changed the counts to %+v", s)
	}
}

func TestFailingDatabaseIsToldFromRefusedResult(t *testing.T) {
	if !away(&store.Error{Code: store.CodeUnavailable}) || away(errors.New("value too long")) {
		t.Error("only a database that does not answer is waited for")
	}
}

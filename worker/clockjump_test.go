package worker

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// eachJump runs f on both databases for what clocks do on a bad day: they are set
// back an hour, or forward a day. The desk's jump makes it.
func eachJump(t *testing.T, f func(t *testing.T, db storetest.Database, jump time.Duration)) {
	for name, by := range map[string]time.Duration{"an hour back": -time.Hour, "a day forward": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db storetest.Database) { f(t, db, by) })
		})
	}
}

// jump sets the clock, and has this node beat, as it does every second.
func (d *desk) jump(by time.Duration) {
	d.t.Helper()
	d.must(d.store.Beat(d.t.Context()))
	d.clock.advance(by)
	d.must(d.store.Beat(d.t.Context()))
}

// goesOn waits until ok holds, with a clock that goes on.
func (d *desk) goesOn(what string, ok func() bool) {
	d.t.Helper()
	d.until(what, func() bool {
		d.clock.advance(100 * time.Millisecond)
		return ok()
	})
}

func TestAClockJumpStallsNothing(t *testing.T) {
	eachJump(t, func(t *testing.T, db storetest.Database, jump time.Duration) {
		d := newDesk(t, db, withClock, func(d *desk) { d.limits.RatePerMinute, d.limits.InFlight = 60, 100 })
		id := d.webhook(answers(t, 200).URL)
		d.work()
		d.publish(53)
		d.expect(id, store.Summary{Delivered: 50, Pending: 3}) // the bucket is empty
		d.jump(jump)
		d.goesOn("what waits for the rate is sent", func() bool { return d.summary(id) == (store.Summary{Delivered: 53}) })
		d.publish(3)
		d.goesOn("what is published then is sent", func() bool { return d.summary(id) == (store.Summary{Delivered: 56}) })
	})
}

func TestAClockJumpMakesNoStorm(t *testing.T) {
	eachJump(t, func(t *testing.T, db storetest.Database, jump time.Duration) {
		d := newDesk(t, db, withClock, func(d *desk) { d.limits.RatePerMinute, d.limits.InFlight = 60, 100 })
		r := answers(t, 200)
		id := d.webhook(r.URL)
		d.work()
		d.publish(200)
		d.expect(id, store.Summary{Delivered: 50, Pending: 150})
		d.jump(jump)
		began, most := d.clock.Now(), 50
		if jump > 0 {
			most = 100 // a day fills the bucket, and no more than that
		}
		d.goesOn("three more are sent", func() bool { return len(r.requests()) >= most+3 })
		most += 1 + int(d.clock.Now().Sub(began).Seconds())
		if n := len(r.requests()); n > most {
			t.Errorf("%d requests in all, want %d at most", n, most)
		}
	})
}

func TestAClockJumpLeavesRetriesAsFarAwayAsTheyWere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d, r, id := failing(t, db, 1)
		due := d.attempted(1).NextAttemptAt
		d.jump(-time.Hour)
		if got := d.only().NextAttemptAt; !got.Equal(due.Add(-time.Hour)) {
			t.Errorf("the retry is due at %v by the clock that was set back, want %v", got, due.Add(-time.Hour))
		}
		r.status(200)
		d.clock.advance(10 * time.Second) // the schedule says 5 s
		d.expect(id, store.Summary{Delivered: 1})
	})
}

func TestAClockJumpLetsAProbedWebhookBeProbed(t *testing.T) {
	eachJump(t, func(t *testing.T, db storetest.Database, jump time.Duration) {
		d, r, id := failing(t, db, 20)
		d.until("it is probed", func() bool {
			list, err := d.store.Overviews(t.Context(), d.account)
			d.must(err)
			return list[0].Health.State == store.HealthProbing && d.summary(id).Processing == 0
		})
		made := len(r.requests())
		d.jump(jump)
		d.clock.advance(6 * time.Second) // the first probe comes after 5 s
		r.wait(t, made+1)
	})
}

func TestAClockJumpLosesNothingThatIsUnderWay(t *testing.T) {
	eachJump(t, func(t *testing.T, db storetest.Database, jump time.Duration) {
		d := newDesk(t, db, withClock)
		r, free := block(t)
		id := d.webhook(r.URL)
		d.work()
		d.publish(3)
		r.wait(t, 3)
		d.jump(jump)
		free()
		d.expect(id, store.Summary{Delivered: 3})
		// A lease that is over by the clock may be taken back, once.
		if n := len(r.requests()); n > 6 {
			t.Errorf("%d requests for 3 deliveries, want 6 at most", n)
		}
	})
}

package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"belfry/store"
)

func TestAClockThatIsSetBackMovesWhatWaitsByAsMuchOnce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/hook")
		d.publish("call.ended", `{}`)
		d.answer(500, d.claim()...) // again in a minute
		must(t, d.Beat(d.ctx))
		d.clock.forward(-time.Hour)
		var all sync.WaitGroup
		failed := make([]error, 4)
		for i := range failed { // as the nodes of one database
			all.Go(func() { failed[i] = d.Beat(d.ctx) })
		}
		all.Wait()
		must(t, errors.Join(failed...))
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{})
		must(t, err)
		if got, want := list[0].NextAttemptAt.Time, d.clock.now().Add(time.Minute); !got.Equal(want) {
			t.Errorf("the retry comes at %v, want %v", got, want)
		}
		if jobs := d.claim(); len(jobs) != 0 {
			t.Error("it comes before its time")
		}
		d.clock.forward(time.Minute)
		if jobs := d.claim(); len(jobs) != 1 {
			t.Error("it does not come at its time")
		}
	})
}

func TestSmallStepsOfTheClockAddUp(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/hook")
		d.publish("call.ended", `{}`)
		must(t, d.Beat(d.ctx))
		for range 2 {
			d.clock.forward(-1500 * time.Millisecond)
			must(t, d.Beat(d.ctx))
		}
		if jobs := d.claim(); len(jobs) != 1 {
			t.Error("what was due 3 s ago by the clock of then waits for it")
		}
	})
}

func TestASmallStepOfTheClockIsWaitedFor(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/hook")
		d.publish("call.ended", `{}`)
		must(t, d.Beat(d.ctx))
		d.clock.forward(-time.Second)
		must(t, d.Beat(d.ctx))
		if jobs := d.claim(); len(jobs) != 0 {
			t.Error("times were moved for a second")
		}
		d.clock.forward(time.Second)
		if jobs := d.claim(); len(jobs) != 1 {
			t.Error("it is not claimed when the clock has come to where it was")
		}
	})
}

package main

import (
	"sync/atomic"
	"testing"
	"time"

	"belfry/store/storetest"
)

func TestWorstDayPostgresGoesAndComesBackAndNothingIsLost(t *testing.T) {
	t.Parallel()
	own := storetest.OwnPostgres(t, "")
	d := newWorstDay(t, own.Database, []string{steadyHook, slowHook, flakyHook}, nil)
	r := d.begin()
	for round := range sized(2, 20) {
		d.goesOn()
		if round%2 == 0 {
			own.Stop()
		} else {
			own.Crash()
		}
		d.grows("answers of 503", &d.sender.unavailable)
		d.pause(sized(200*time.Millisecond, 2*time.Second))
		own.Start()
	}
	d.goesOn()
	d.reckon(r)
}

// goesOn waits until a few more calls are accepted and a few more requests
// come.
func (d *worstDay) goesOn() {
	d.t.Helper()
	for range 3 {
		d.grows("accepted calls", &d.sender.took)
		d.grows("requests", &d.ledger.came)
	}
}

// grows waits until a count is larger than it is now.
func (d *worstDay) grows(what string, count *atomic.Int64) {
	d.t.Helper()
	was := count.Load()
	d.until("there are more "+what, func() bool { return count.Load() > was })
}

package main

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// worstDay is a database with a load on it, whatever happens to the processes.
type worstDay struct {
	t           *testing.T
	db          storetest.Database
	environment map[string]string
	key         string
	ledger      *ledger
	sender      *sender
	random      *rand.Rand
	left        map[string]bool // deliveries under way when a process was killed
}

// worstDays counts them, for an address of its own each: what one process leaves
// would be the port of another test's the next moment, and be sent to.
var worstDays atomic.Int32

// newWorstDay prepares the database; change adds settings to the environment.
func newWorstDay(t *testing.T, db storetest.Database, hooks []string, change map[string]string) *worstDay {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	d := &worstDay{t: t, db: db, ledger: newLedger(t, hooks...), random: rand.New(rand.NewPCG(seed, 0)), left: map[string]bool{}}
	d.environment, d.key = serving(t, db)
	d.environment["BELFRY_ADDR"] = fmt.Sprintf("127.0.1.%d:0", worstDays.Add(1))
	d.environment["BELFRY_TIMEOUT"] = "1s"
	d.environment["BELFRY_RETRIES"] = "50ms,100ms,200ms,400ms,800ms,1s,1s,1s"
	for name, value := range change {
		d.environment[name] = value
	}
	return d
}

// begin starts the first process and the load.
func (d *worstDay) begin() *running {
	d.t.Helper()
	r := spawn(d.t, d.environment, "serve")
	d.ledger.subscribe(r, d.key)
	d.sender = load(d.t, d.ledger, d.key, r.url)
	return r
}

// reckon ends the load and the process once all has been brought, and compares
// what sender, receiver and database know.
func (d *worstDay) reckon(r *running) {
	d.t.Helper()
	d.sender.finish(d.t)
	d.ledger.settle(d.t, r.log.String)
	b := openBooks(d.t, d.db)
	b.settle(r.log.String)
	if code := r.stop(); code != 0 {
		d.t.Errorf("exit code %d, want 0\n%s", code, r.log)
	}
	d.ledger.audit(d.t, func(delivery string) bool { return d.left[delivery] })
	d.t.Logf("attempts: %v", b.balance())
}

// pause waits for a random part of at most.
func (d *worstDay) pause(atMost time.Duration) {
	time.Sleep(time.Duration(d.random.Int64N(int64(atMost)))) // the moment has to be a random one
}

func TestWorstDayKillsLoseNothingAndRepeatOnlyWhatWasUnderWay(t *testing.T) {
	eachAtOnce(t, func(t *testing.T, db storetest.Database) {
		d := newWorstDay(t, db, []string{steadyHook, slowHook, flakyHook}, nil)
		r := d.begin()
		for range sized(3, 50) {
			d.pause(300 * time.Millisecond)
			r.kill()
			d.noteLeft()
			r = launch(t, d.environment, "serve")
			if d.random.IntN(4) == 0 { // killed while it starts
				continue
			}
			r.awaitAddress()
			d.sender.to(r.url)
		}
		if r.url == "" {
			r.awaitAddress()
			d.sender.to(r.url)
		}
		d.reckon(r)
	})
}

func TestWorstDayRestartsUnderLoadRepeatNothing(t *testing.T) {
	eachAtOnce(t, func(t *testing.T, db storetest.Database) {
		d := newWorstDay(t, db, []string{steadyHook, slowHook, flakyHook}, nil)
		r := d.begin()
		for range sized(2, 20) {
			d.pause(300 * time.Millisecond)
			if code := r.stop(); code != 0 {
				t.Errorf("exit code %d, want 0\n%s", code, r.log)
			}
			if left := leftUnderWay(t, db); len(left) > 0 {
				t.Errorf("%d deliveries are still leased to a process that ended in order", len(left))
			}
			r = spawn(t, d.environment, "serve")
			d.sender.to(r.url)
		}
		d.reckon(r)
		if n := openBooks(t, db).balance()[store.KindInterrupted]; n > 0 {
			t.Errorf("%d attempts are logged as interrupted", n)
		}
	})
}

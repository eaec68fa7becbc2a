package main

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// A lease is the time of a request and 5 seconds.
const (
	nodesTimeout = 1500 * time.Millisecond
	nodesLease   = nodesTimeout + 5*time.Second
)

func TestWorstDayNodesDieAndFreezeAndALateResultChangesNothing(t *testing.T) {
	t.Parallel()
	d := newWorstDay(t, storetest.Postgres(t), []string{steadyHook}, map[string]string{"BELFRY_TIMEOUT": nodesTimeout.String()})
	nodes := []*running{d.begin(), spawn(t, d.environment, "serve"), spawn(t, d.environment, "serve")}
	for range sized(1, 6) {
		d.freeze(nodes)
		if status, _ := get(t, nodes[2].url+"/readyz"); status != http.StatusOK {
			t.Errorf("a node that was frozen is not ready: %d", status)
		}
		nodes[1] = spawn(t, d.environment, "serve")
		d.goesOn()
	}
	for _, r := range nodes[1:] {
		if code := r.stop(); code != 0 {
			t.Errorf("exit code %d, want 0\n%s", code, r.log)
		}
	}
	d.reckon(nodes[0])
}

// freeze kills the second node and stops the third one while all their slots
// are busy with requests, which are answered then. The third one goes on when
// its leases are over: what it has to record comes late.
func (d *worstDay) freeze(nodes []*running) {
	d.t.Helper()
	d.ledger.holdBack()
	slots := store.DefaultLimits().InFlight
	d.until("all slots of three nodes are busy", func() bool { return d.ledger.held.Load() == int64(len(nodes)*slots) })
	nodes[1].kill()
	frozen := time.Now()
	nodes[2].signal(syscall.SIGSTOP)
	if was := len(d.left); d.noteLeft() < was+2*slots {
		d.t.Errorf("%d deliveries were under way, want all of %d slots of the dead and the frozen node", len(d.left)-was, 2*slots)
	}
	d.ledger.letGo()
	d.goesOn()
	d.until("the leases of the frozen node are over", func() bool { return time.Since(frozen) > nodesLease+time.Second/2 })
	nodes[2].signal(syscall.SIGCONT)
}

// noteLeft takes what is under way now for what may come again, and gives the
// number of all that may.
func (d *worstDay) noteLeft() int {
	d.t.Helper()
	for _, id := range leftUnderWay(d.t, d.db) {
		d.left[id] = true
	}
	return len(d.left)
}

// until looks again and again whether ok holds, which no signal tells.
func (d *worstDay) until(what string, ok func() bool) {
	d.t.Helper()
	look, limit := time.NewTicker(2*time.Millisecond), time.After(soon)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit:
			d.t.Fatalf("waited in vain until %s", what)
		}
	}
}

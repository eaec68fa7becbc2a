package store_test

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestTheOtherNodesHearOfTheLastChangeBeforeAStoreIsClosed(t *testing.T) {
	t.Parallel()
	d := openDesk(t, storetest.Postgres(t), store.Limits{})
	other := freshOn(t, d, func(*store.Options) {})
	heard := other.Changes(func(c store.Change) bool { return c.Kind == store.ChangeEvent && c.AccountID == d.account })
	defer heard.Close()
	// One that came shows that the other one listens.
	d.until(heard, func() { d.publish("call.started", `{}`) })
	last := d.publish("call.ended", `{}`)
	must(t, d.Close())
	for {
		select {
		case c := <-heard.C:
			if c.ID == last {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the other node was not told")
		}
	}
}

func TestTheOtherNodesAreToldOfManyChangesAtOnce(t *testing.T) {
	t.Parallel()
	d := openDesk(t, storetest.Postgres(t), store.Limits{})
	d.webhook("https://one.example.com/", "call.ended")
	other := freshOn(t, d, func(*store.Options) {})
	heard := other.Changes(func(c store.Change) bool { return c.Kind == store.ChangeDelivery && c.AccountID == d.account })
	defer heard.Close()
	d.until(heard, func() { d.publish("call.ended", `{}`) })
	d.publishMany(100)
	for {
		select {
		case c := <-heard.C:
			if c.ID == uuid.Nil {
				if !c.Due {
					t.Error("it was not told that some are due")
				}
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it was not told that there are many")
		}
	}
}

// until does something until the listener hears of it.
func (d *desk) until(l *store.Listener, do func()) {
	d.t.Helper()
	for range 100 {
		do()
		select {
		case <-l.C:
			return
		case <-time.After(time.Second / 2):
		}
	}
	d.t.Fatal("the listener never heard of it")
}

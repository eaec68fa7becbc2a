package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

// senders takes deliveries over, as many as there is room for.
type senders struct {
	mu    sync.Mutex
	rooms map[uuid.UUID]store.Room
	jobs  int
}

func (h *senders) set(queue uuid.UUID, free int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rooms[queue] = store.Room{Free: free, All: 8, PerSecond: 640}
}

func (h *senders) Reserve(queue uuid.UUID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	room, known := h.rooms[queue]
	room.Free--
	h.rooms[queue] = room
	return !known || room.Free >= 0
}

func (h *senders) Release(uuid.UUID, int) {}

func (h *senders) Deliver(jobs []store.Job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.jobs += len(jobs)
}

func (h *senders) Rooms() map[uuid.UUID]store.Room {
	h.mu.Lock()
	defer h.mu.Unlock()
	rooms := map[uuid.UUID]store.Room{}
	for queue, room := range h.rooms {
		rooms[queue] = room
	}
	return rooms
}

// crowded is a desk of so many deliveries a second, with a webhook for call.ended
// that goes fast and has no room, and another one.
func crowded(d *desk, perSecond int) (h *senders, fast, other store.Webhook) {
	rate := 60 * perSecond
	must(d.t, d.SetAccountLimits(d.ctx, d.account, store.AccountLimits{RatePerMinute: &rate}))
	fast, other = d.webhook("https://fast.example/", "call.ended"), d.webhook("https://other.example/", "message.sent")
	d.publish("message.sent", `{}`) // now the account is known
	d.answer(200, d.claim()...)
	h = &senders{rooms: map[uuid.UUID]store.Room{}}
	h.set(fast.ID, 0)
	d.SetHandover(h)
	return h, fast, other
}

// beginsToPublish publishes n events of call.ended; the channel is closed once
// they are accepted.
func (d *desk) beginsToPublish(n int) chan struct{} {
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		d.publishMany(n)
	}()
	return accepted
}

// unheld is longer than a call takes that waits for nothing, and shorter than
// one waits for room.
const unheld = 700 * time.Millisecond

func (d *desk) isAccepted(accepted chan struct{}) {
	d.t.Helper()
	select {
	case <-accepted:
	case <-time.After(unheld):
		d.t.Fatal("the call still waits")
	}
}

func (d *desk) isWaiting(accepted chan struct{}) {
	d.t.Helper()
	select {
	case <-accepted:
		d.t.Fatal("nobody waits for room")
	case <-time.After(30 * time.Millisecond):
	}
}

func TestACallWaitsForPlacesInTheLinesOfItsWebhooks(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		h, fast, other := crowded(d, 1000)
		accepted := d.beginsToPublish(5)
		d.publish("message.sent", `{}`) // does not wait for the fast one
		d.isWaiting(accepted)
		h.set(fast.ID, 5)
		d.isAccepted(accepted)
		if s := d.summary(fast); s != (store.Summary{Processing: 5}) || d.summary(other).Processing != 1 || h.jobs != 6 {
			t.Errorf("%+v of the fast webhook; %d are handed over", s, h.jobs)
		}
	})
}

func TestACallWaitsForRoomASecondAtMost(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		h, fast, _ := crowded(d, 1000)
		began := time.Now()
		<-d.beginsToPublish(5)
		if took := time.Since(began); took < time.Second {
			t.Errorf("the call waited %v for room", took)
		}
		if s := d.summary(fast); s != (store.Summary{Pending: 5}) {
			t.Errorf("%+v", s)
		}
		d.isAccepted(d.beginsToPublish(1)) // nobody waits for what does not come

		d.SetHandover(nil)
		d.answer(200, d.claim()...)
		h.set(fast.ID, 8)
		d.SetHandover(h)
		d.isAccepted(d.beginsToPublish(8))
		accepted := d.beginsToPublish(1)
		d.isWaiting(accepted) // for the line was empty meanwhile
		h.set(fast.ID, 1)
		d.isAccepted(accepted)
	})
}

func TestAnAccountWaitsForItsRateNotForRoom(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		_, fast, _ := crowded(d, 100)
		d.isAccepted(d.beginsToPublish(5))
		if s := d.summary(fast); s != (store.Summary{Pending: 5}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhatACallerGaveUpIsNotPublished(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		h, fast, _ := crowded(d, 1000)
		ctx, cancel := context.WithCancel(d.ctx)
		gone := make(chan error)
		go func() {
			_, _, err := d.Publish(ctx, store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`)}}})
			gone <- err
		}()
		select {
		case err := <-gone:
			t.Fatalf("nobody waits for room: %v", err)
		case <-time.After(30 * time.Millisecond):
		}
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		h.set(fast.ID, 8)
		d.isAccepted(d.beginsToPublish(1))
		if s := d.summary(fast); s != (store.Summary{Processing: 1}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestNobodyWaitsBehindALongBacklog(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		h, fast, _ := crowded(d, 1000)
		d.SetHandover(nil)
		d.publishMany(400)
		d.publishMany(300)
		d.SetHandover(h)
		d.isAccepted(d.beginsToPublish(1))
		if s := d.summary(fast); s != (store.Summary{Pending: 701}) {
			t.Errorf("%+v", s)
		}
	})
}

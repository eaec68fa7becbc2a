package worker

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// pace is how many requests fast finishes within the line's time.
const pace = 10

// fast gives slots of a queue that may have as many jobs in line as its pace;
// one request is under way in its one slot.
func fast(t *testing.T) (s *slots, queue uuid.UUID, now time.Time) {
	t.Helper()
	s, queue, now = newSlots(1, 100), uuid.New(), time.Now()
	for range pace + 1 {
		takeSlot(t, s, queue, now)
		s.finish(queue, now)
		s.recorded(1)
		now = now.Add(lineTime / pace)
	}
	takeSlot(t, s, queue, now)
	return s, queue, now
}

func takeSlot(t *testing.T, s *slots, queue uuid.UUID, now time.Time) {
	t.Helper()
	if started, _ := s.enter(store.Job{QueueID: queue}, now); !started {
		t.Fatal("no slot")
	}
}

func TestAQueueWithoutAPaceHasNoLine(t *testing.T) {
	s, queue, now := newSlots(1, 100), uuid.New(), time.Now()
	takeSlot(t, s, queue, now)
	if _, ok := s.enter(store.Job{QueueID: queue}, now); ok {
		t.Error("a job stands in line though nothing was ever finished")
	}
}

func TestALineIsAsLongAsThePaceAndGoesInOrder(t *testing.T) {
	s, queue, now := fast(t)
	room := s.view(now)
	if room.Ahead[queue] != pace || room.InFlight[queue] != 1 {
		t.Fatalf("the claim may take %d ahead of %d", room.Ahead[queue], room.InFlight[queue])
	}
	for i := 1; ; i++ {
		started, ok := s.enter(store.Job{QueueID: queue, Attempt: i}, now)
		if started {
			t.Fatal("a job started without a slot")
		}
		if !ok {
			if i != pace+1 {
				t.Errorf("the line is full with %d", i-1)
			}
			break
		}
	}
	for want := 1; want <= pace; want++ {
		if next, ok := s.finish(queue, now); !ok || next.Attempt != want {
			t.Fatalf("next is %d (%v), want %d", next.Attempt, ok, want)
		}
	}
	if _, ok := s.finish(queue, now); ok {
		t.Error("an empty line has a next job")
	}
	if n, _ := s.counts(); n != 0 {
		t.Errorf("%d slots are still taken", n)
	}
}

func TestALineGrowsAtOnceAndShrinksSlowly(t *testing.T) {
	l, now := &line{counted: time.Now()}, time.Now()
	answers := func(n int) {
		for i := range n {
			if i == n-1 {
				now = now.Add(lineTime / 4)
			}
			l.count(now)
		}
	}
	for _, c := range []struct{ answers, ahead int }{{25, 100}, {75, 300}, {1, 225}, {1, 168}, {60, 240}, {1000, maxLine}} {
		if answers(c.answers); l.ahead < c.ahead-1 || l.ahead > c.ahead {
			t.Errorf("after %d answers in a quarter of the time %d may stand in line, want %d", c.answers, l.ahead, c.ahead)
		}
	}
}

func TestRoomIsToldOfWhatGoesFast(t *testing.T) {
	s, queue, now := newSlots(16, 2048), uuid.New(), time.Now()
	for range 200 {
		takeSlot(t, s, queue, now)
		now = now.Add(lineTime / 200)
		s.finish(queue, now)
	}
	ahead := s.view(now).Ahead[queue]
	for range 16 + 5 {
		if !s.promise(queue, now) {
			t.Fatal("no promise")
		}
	}
	if got := s.rooms(now)[queue]; got != (store.Room{Free: ahead - 5, All: ahead, PerSecond: 5 * ahead}) {
		t.Errorf("%+v with 5 in a line of %d", got, ahead)
	}
	if rooms := s.rooms(now.Add(2 * lineEnd)); len(rooms) != 0 {
		t.Errorf("%v of a queue that stands still", rooms)
	}
	slow, queue, now := fast(t)
	if rooms := slow.rooms(now); len(rooms) != 0 {
		t.Errorf("%v of queue %s, which is slow", rooms, queue)
	}
}

func TestFullLinesLeaveSlotsToOthers(t *testing.T) {
	s, now := newSlots(16, 100), time.Now()
	queues := make([]uuid.UUID, 4)
	for i := range queues {
		queues[i] = uuid.New()
		for _, at := range append(slices.Repeat([]time.Time{now}, maxLine), now.Add(lineTime/4)) {
			takeSlot(t, s, queues[i], now)
			s.finish(queues[i], at)
			s.recorded(1)
		}
		takeSlot(t, s, queues[i], now)
	}
	for _, queue := range queues {
		for {
			if _, ok := s.enter(store.Job{QueueID: queue}, now); !ok {
				break
			}
		}
	}
	if s.next != maxLined {
		t.Errorf("%d stand in line, want %d", s.next, maxLined)
	}
	takeSlot(t, s, uuid.New(), now) // has a slot for another one
	if len(s.leave(now, true)) != maxLined || s.next != 0 || s.ahead != 0 {
		t.Errorf("%d in line and %d ahead are not forgotten", s.next, s.ahead)
	}
}

func TestWhatStandsInLineTooLongLeavesIt(t *testing.T) {
	s, queue, now := fast(t)
	s.enter(store.Job{QueueID: queue}, now)
	if left := s.leave(now.Add(lineEnd/2), false); len(left) != 0 || !s.lined() {
		t.Error("it left too early")
	}
	later := now.Add(lineEnd + time.Millisecond)
	if left := s.leave(later, false); len(left) != 1 || s.lined() {
		t.Errorf("%d left", len(left))
	}
	if _, ok := s.enter(store.Job{QueueID: queue}, later); ok {
		t.Error("a queue that stands still has a line again")
	}
}

func TestAPromisedPlaceIsKeptOrGivenBack(t *testing.T) {
	s, queue, now := fast(t)
	for range pace {
		if !s.promise(queue, now) {
			t.Fatal("no promise")
		}
	}
	if s.promise(queue, now) {
		t.Error("more was promised than there are places")
	}
	s.unpromise(queue, pace-1)
	if started, ok := s.keep(store.Job{QueueID: queue, Attempt: 7}, now); started || !ok {
		t.Error("the promise of a place was not kept")
	}
	if next, ok := s.finish(queue, now); !ok || next.Attempt != 7 {
		t.Error("the promised job is not next")
	}
}

func TestClosingWaitsForPromisesAndSendsNothingMore(t *testing.T) {
	s, queue, now := fast(t)
	s.promise(queue, now)
	s.enter(store.Job{QueueID: queue}, now)
	s.close()
	if left := s.leave(now, true); len(left) != 1 {
		t.Errorf("%d left the line", len(left))
	}
	if _, ok := s.finish(queue, now); ok {
		t.Error("a closed queue goes on")
	}
	select {
	case <-s.idle:
		t.Error("a promise is forgotten")
	default:
	}
	if _, ok := s.keep(store.Job{QueueID: queue}, now); ok {
		t.Error("a closed line took a job")
	}
	s.unpromise(queue, 1)
	<-s.idle
}

func TestAnEndpointThatStopsAnsweringHoldsNoMoreThanItsSlots(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db, func(d *desk) { d.limits.InFlight = 2 })
		const quick, all = 300, 600
		var seen atomic.Int64
		blocked := make(chan struct{})
		r := receives(t, func(http.ResponseWriter, *http.Request) {
			if seen.Add(1) > quick {
				<-blocked
			}
		})
		free := sync.OnceFunc(func() { close(blocked) })
		defer free() // where the test fails before that
		id := d.webhook(r.URL)
		d.work()
		for range all / 100 {
			d.publish(100)
		}
		d.expect(id, store.Summary{Delivered: quick, Processing: 2, Pending: all - quick - 2})
		free()
		d.expect(id, store.Summary{Delivered: all})
	})
}

package handlers

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// look looks once, which takes so long, and says after how long it began.
func (l looks) look(ctx context.Context, took time.Duration) (waited time.Duration, ok bool) {
	began := time.Now()
	inAdvance, ok := l.wait(ctx)
	waited = time.Since(began)
	if ok {
		time.Sleep(took)
		l.paid.settle(took, inAdvance)
	}
	return waited, ok
}

func TestHoweverManyThingsAreFollowedTheyTakeATwentiethOfAProcessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const things, took, span = 200, 2 * time.Millisecond, time.Minute
		l, began := newLooks(), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), span)
		defer cancel()
		var mu sync.Mutex
		var all sync.WaitGroup
		looked, least := 0, 1000
		for range things {
			all.Go(func() {
				n := 0
				for ok := true; ok; n++ {
					_, ok = l.look(ctx, took)
				}
				mu.Lock()
				defer mu.Unlock()
				looked, least = looked+n-1, min(least, n-1)
			})
		}
		all.Wait()
		ahead := int(looksAhead/took/looksShare) + 1
		if most := int(time.Since(began)/took/looksShare) + ahead; looked > most || looked < most*9/10 {
			t.Errorf("%d looks in a minute, want %d", looked, most)
		}
		if least < looked/things-1 {
			t.Errorf("of %d looks somebody got %d", looked, least)
		}
	})
}

func TestOneThingThatIsFollowedNeverWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLooks()
		for range 1000 {
			if waited, _ := l.look(t.Context(), 8*time.Millisecond); waited > 0 {
				t.Fatalf("it waits %v", waited)
			}
			time.Sleep(liveEvery)
		}
	})
}

func TestWhoLooksLongHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLooks()
		var long sync.WaitGroup
		defer long.Wait()
		long.Go(func() { l.look(t.Context(), time.Hour) })
		synctest.Wait()
		if waited, ok := l.look(t.Context(), 0); !ok || waited > longestRest {
			t.Errorf("the next waits %v", waited)
		}
	})
}

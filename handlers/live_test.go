package handlers

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"belfry/web"
)

func TestThoseWhoFollowPagesLookOneAfterTheOtherWithARest(t *testing.T) {
	const visitors, took = 4, time.Millisecond
	l, began := newLooks(), time.Now()
	var looking atomic.Int32
	var all sync.WaitGroup
	for range visitors {
		all.Go(func() {
			_, err := l.next(t.Context(), func(context.Context) (web.Message, error) {
				if looking.Add(1) > 1 {
					t.Error("two look at once")
				}
				time.Sleep(took) // what a look costs
				looking.Add(-1)
				return nil, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if least := visitors*took + (visitors-1)*looksShare*took; time.Since(began) < least {
		t.Errorf("%d looks took %v, want %v at least", visitors, time.Since(began), least)
	}
	l <- struct{}{} // the rest is over
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.next(gone, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who left still waits: %v", err)
	}
}

package web

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

func TestAKeyHasItsRequestsPerMinuteAndNotOneMore(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	for i := range 10 {
		if d := l.Take("a", 10); !d.Allowed || d.Remaining != 9-i || d.Limit != 10 {
			t.Fatalf("request %d: %+v", i+1, d)
		}
	}
	d := l.Take("a", 10)
	if d.Allowed || d.Remaining != 0 || d.RetryAfter <= 0 || d.RetryAfter > time.Minute {
		t.Fatalf("%+v", d)
	}
	if !l.Take("b", 10).Allowed {
		t.Error("another key is refused")
	}
	clock.add(d.RetryAfter - time.Nanosecond)
	if l.Take("a", 10).Allowed {
		t.Error("allowed too early")
	}
	clock.add(time.Nanosecond)
	if !l.Take("a", 10).Allowed {
		t.Error("Retry-After was too short")
	}
}

func TestNoMinuteHoldsMoreThanTheLimit(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	var allowed []time.Time
	for range 3000 {
		if l.Take("a", 100).Allowed {
			allowed = append(allowed, clock.now())
		}
		clock.add(100 * time.Millisecond)
	}
	for i := 100; i < len(allowed); i++ {
		if span := allowed[i].Sub(allowed[i-100]); span < 59*time.Second {
			t.Fatalf("101 requests in %v", span)
		}
	}
	if len(allowed) < 500 {
		t.Errorf("%d in five minutes, want 500", len(allowed))
	}
}

func TestAClientThatPacesItselfIsNeverRefused(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	for i := range 5000 {
		if d := l.Take("a", 1000); !d.Allowed {
			t.Fatalf("request %d: %+v", i, d)
		}
		clock.add(60 * time.Millisecond)
	}
}

func TestTheClientIsToldWhereItStands(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	l.Take("a", 2)
	clock.add(10500 * time.Millisecond)
	for _, want := range []map[string]string{
		{"RateLimit-Limit": "2", "RateLimit-Remaining": "0", "RateLimit-Reset": "50", "Retry-After": ""},
		{"RateLimit-Limit": "2", "RateLimit-Remaining": "0", "RateLimit-Reset": "50", "Retry-After": "50"},
	} {
		h := http.Header{}
		l.Take("a", 2).SetHeaders(h)
		for name, value := range want {
			if got := h.Get(name); got != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
	}
}

func TestALimitMayChangeAtAnyTime(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	for range 5 {
		l.Take("a", 10)
		clock.add(time.Second)
	}
	d := l.Take("a", 3)
	if d.Allowed || d.RetryAfter != 57*time.Second {
		t.Errorf("with a limit of 3 the third must leave first: %+v", d)
	}
	if !l.Take("a", 6).Allowed {
		t.Error("a higher limit does not count at once")
	}
	h := http.Header{}
	if d := l.Take("a", 0); !d.Allowed {
		t.Error("0 is a limit")
	} else if d.SetHeaders(h); len(h) != 0 {
		t.Error(h)
	}
}

func TestUseTellsNowAndThePeakOfADay(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	for range 7 {
		l.Take("a", 5)
	}
	if got := l.Use("a"); got != (Use{Now: 5, Peak: 5}) {
		t.Errorf("%+v: refused requests do not count", got)
	}
	clock.add(time.Minute)
	l.Take("a", 5)
	if got := l.Use("a"); got != (Use{Now: 1, Peak: 5}) {
		t.Errorf("%+v", got)
	}
	clock.add(23 * time.Hour)
	l.Take("a", 5)
	if got := l.Use("a"); got != (Use{Now: 1, Peak: 5}) {
		t.Errorf("%+v", got)
	}
	clock.add(2 * time.Hour)
	if got := l.Use("a"); got != (Use{Now: 0, Peak: 1}) {
		t.Errorf("%+v", got)
	}
	if got := l.Use("unknown"); got != (Use{}) {
		t.Errorf("%+v", got)
	}
}

func TestIdleKeysAreForgottenAndTheirNumberIsBounded(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	l.Take("idle", 1)
	clock.add(limiterKeep + time.Second)
	for i := range limiterKeys + 10 {
		l.Take(fmt.Sprint(i), 1)
	}
	if n := len(l.keys.items); n != limiterKeys || l.keys.order.Len() != n {
		t.Errorf("%d keys", n)
	}
	if l.Take("0", 1).Allowed == false {
		t.Error("the oldest was kept")
	}
	if l.Take(fmt.Sprint(limiterKeys+9), 1).Allowed {
		t.Error("the newest was forgotten")
	}
}

func TestAClockThatGoesBackBreaksNothing(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	l.Take("a", 2)
	clock.add(-time.Hour)
	if !l.Take("a", 2).Allowed || l.Take("a", 2).Allowed {
		t.Error("the count is lost")
	}
}

func TestManyAtOnceGetNoMoreThanTheLimit(t *testing.T) {
	clock := newClock()
	l := NewLimiter(clock.now)
	var wg sync.WaitGroup
	var mu sync.Mutex
	allowed := 0
	for range 100 {
		wg.Go(func() {
			if l.Take("a", 10).Allowed {
				mu.Lock()
				allowed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if allowed != 10 {
		t.Errorf("%d were allowed", allowed)
	}
}

func TestWrongTriesForAnEmailGrowSlowerAndSlower(t *testing.T) {
	clock := newClock()
	a := NewAttempts(clock.now)
	for i := range 5 {
		if w := a.Begin(fmt.Sprintf("10.0.0.%d", i), "Owner@example.com ").Wait; w != 0 {
			t.Fatalf("try %d waits %v", i+1, w)
		}
	}
	for _, want := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
		w := a.Begin("10.0.1.1", " owner@EXAMPLE.com").Wait
		if w != want*time.Second {
			t.Fatalf("waits %v, want %v s", w, want)
		}
		clock.add(w)
		if a.Begin("10.0.1.1", "owner@example.com").Wait != 0 {
			t.Fatal("the wait was too short")
		}
	}
}

func TestWaitingTriesAreNotCounted(t *testing.T) {
	clock := newClock()
	a := NewAttempts(clock.now)
	for range 100 {
		a.Begin("10.0.0.1", "o@example.com")
	}
	if w := a.Begin("10.0.0.2", "o@example.com").Wait; w != 5*time.Second {
		t.Errorf("a stranger's hundred tries delay by %v", w)
	}
}

func TestARightPasswordForgetsTheWrongOnesOfTheEmail(t *testing.T) {
	clock := newClock()
	a := NewAttempts(clock.now)
	for range 4 {
		a.Begin("10.0.0.1", "o@example.com")
	}
	a.Begin("10.0.0.1", "o@example.com").Succeeded()
	for i := range 5 {
		if w := a.Begin("10.0.0.1", "o@example.com").Wait; w != 0 {
			t.Fatalf("try %d waits %v", i+1, w)
		}
	}
}

func TestAnAddressThatTriesManyEmailsIsSlowed(t *testing.T) {
	for name, ip := range map[string]func(i int) string{
		"IPv4": func(int) string { return "10.0.0.1" },
		"/64":  func(i int) string { return fmt.Sprintf("2001:db8::%x", i+1) },
	} {
		clock := newClock()
		a := NewAttempts(clock.now)
		for i := range freePerIP {
			if w := a.Begin(ip(i), fmt.Sprintf("u%d@example.com", i)).Wait; w != 0 {
				t.Fatalf("%s: try %d waits %v", name, i+1, w)
			}
		}
		if a.Begin(ip(99), "new@example.com").Wait == 0 {
			t.Errorf("%s: not slowed", name)
		}
		if a.Begin("2001:db8:1::1", "other@example.com").Wait != 0 {
			t.Errorf("%s: others are slowed too", name)
		}
	}
}

func TestAnOwnAccountDoesNotBuyMoreGuesses(t *testing.T) {
	clock := newClock()
	a := NewAttempts(clock.now)
	guesses := 0
	for i := range 100 {
		if a.Begin("10.0.0.1", fmt.Sprintf("u%d@example.com", i)).Wait == 0 {
			guesses++
		}
		if own := a.Begin("10.0.0.1", "own@example.com"); own.Wait == 0 {
			own.Succeeded()
		}
	}
	if guesses > freePerIP {
		t.Errorf("%d guesses", guesses)
	}
}

func TestAnHourOfQuietForgetsWrongTries(t *testing.T) {
	clock := newClock()
	a := NewAttempts(clock.now)
	for range 6 {
		a.Begin("10.0.0.1", "o@example.com")
	}
	clock.add(time.Hour + time.Second)
	for range 5 {
		if w := a.Begin("10.0.0.1", "o@example.com").Wait; w != 0 {
			t.Fatalf("waits %v", w)
		}
	}
}

func TestWithoutAnEmailOnlyTheAddressCounts(t *testing.T) {
	a := NewAttempts(newClock().now)
	for range 6 {
		a.Begin("10.0.0.1", "")
	}
	if w := a.Begin("10.0.0.2", " ").Wait; w != 0 {
		t.Errorf("waits %v", w)
	}
}

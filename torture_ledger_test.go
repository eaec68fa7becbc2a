package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"belfry/worker/signature"
)

// The endpoints of a ledger, by the path of their URL. The flaky one refuses
// the first attempt of some deliveries; the slow one takes 30 ms for some.
const (
	steadyHook = "/steady"
	slowHook   = "/slow"
	flakyHook  = "/flaky"
)

// ledger holds both ends of a load against each other: the events that the
// program accepted from a sender, and the requests that its endpoints got.
type ledger struct {
	*httptest.Server
	gate  // of the steady hook
	hooks []string
	came  atomic.Int64 // requests
	held  atomic.Int64 // requests that wait at the gate

	mu       sync.Mutex
	secrets  map[string]string    // by hook; what arrives there has to verify
	accepted map[string]bool      // ids of events
	arrivals map[string][]request // by hook and id
	brought  map[string]bool      // hook and id: answered with 200
	open     map[string]bool      // hook and id: accepted, and not brought yet
	faults   []string
	grown    chan struct{} // holds a token when something was brought
}

// request is one request as the endpoint saw it.
type request struct {
	delivery string // webhook-id
	attempt  int
	status   int // what was answered
}

// newLedger serves the hooks until the test ends.
func newLedger(t *testing.T, hooks ...string) *ledger {
	t.Helper()
	l := &ledger{
		hooks: hooks, secrets: map[string]string{}, accepted: map[string]bool{}, arrivals: map[string][]request{},
		brought: map[string]bool{}, open: map[string]bool{}, grown: make(chan struct{}, 1),
	}
	l.Server = httptest.NewServer(http.HandlerFunc(l.receive))
	t.Cleanup(l.Close)
	t.Cleanup(l.letGo)
	return l
}

// subscribe registers the ledger's hooks as webhooks of all events.
func (l *ledger) subscribe(r *running, key string) {
	r.t.Helper()
	for _, hook := range l.hooks {
		secret := r.addWebhook(key, l.URL+hook)
		l.mu.Lock()
		l.secrets[hook] = secret
		l.mu.Unlock()
	}
}

func (l *ledger) receive(w http.ResponseWriter, req *http.Request) {
	body, id, err := readEvent(req)
	if err != nil {
		return
	}
	a, hook := requestOf(req), req.URL.Path
	if hook == slowHook && len(id)%4 == 0 {
		time.Sleep(30 * time.Millisecond) // what this endpoint is for
	}
	if hook == flakyHook && a.attempt == 1 && a.delivery[len(a.delivery)-1] <= '2' {
		a.status = http.StatusInternalServerError
	}
	if hook == steadyHook && !l.hold(req) {
		a.status = 0
	}
	l.note(hook, id, a, signature.Verify(req.Header, body, l.secretOf(hook)))
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
}

// hold counts a request for as long as the gate holds it back.
func (l *ledger) hold(req *http.Request) bool {
	l.held.Add(1)
	defer l.held.Add(-1)
	return l.wait(req)
}

func requestOf(req *http.Request) request {
	attempt, _ := strconv.Atoi(req.Header.Get("X-Webhook-Attempt"))
	return request{delivery: req.Header.Get("webhook-id"), attempt: attempt, status: http.StatusOK}
}

func (l *ledger) secretOf(hook string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.secrets[hook]
}

func (l *ledger) note(hook, id string, a request, bad error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.came.Add(1)
	key := hook + " " + id
	if bad != nil {
		l.faults = append(l.faults, fmt.Sprintf("%s does not verify: %v", key, bad))
	}
	l.arrivals[key] = append(l.arrivals[key], a)
	if a.status != http.StatusOK {
		return
	}
	l.brought[key] = true
	delete(l.open, key)
	select {
	case l.grown <- struct{}{}:
	default:
	}
}

// accept notes that the program answered for these events.
func (l *ledger) accept(ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		l.accepted[id] = true
		for _, hook := range l.hooks {
			if key := hook + " " + id; !l.brought[key] {
				l.open[key] = true
			}
		}
	}
}

// fault notes what must not happen.
func (l *ledger) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// settle waits until all that was accepted has been brought: the test fails
// where nothing more comes for long.
func (l *ledger) settle(t *testing.T, explain func() string) {
	t.Helper()
	for {
		accepted, open := l.counts()
		if open == 0 {
			return
		}
		select {
		case <-l.grown:
		case <-time.After(soon):
			t.Fatalf("%d requests for %d accepted events never came, such as %q\n%s", open, accepted, l.anyOpen(), explain())
		}
	}
}

func (l *ledger) counts() (accepted, open int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted), len(l.open)
}

func (l *ledger) anyOpen() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.open {
		return key
	}
	return ""
}

// audit compares both ends once everything has settled: what was accepted came
// to each hook, as one delivery, each attempt once, and again only where the
// endpoint had refused it or excused says that its outcome was lost.
func (l *ledger) audit(t *testing.T, excused func(delivery string) bool) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fault := range l.faults[:min(len(l.faults), 10)] {
		t.Error(fault)
	}
	if want := len(l.accepted) * len(l.hooks); len(l.arrivals) != want {
		t.Errorf("%d events were accepted, so %d deliveries have to come; %d came", len(l.accepted), want, len(l.arrivals))
	}
	repeats := 0
	for key, list := range l.arrivals {
		if fault := faultOf(list, excused); fault != "" {
			t.Errorf("%s %s: %+v", key, fault, list)
		}
		repeats += len(list) - 1
	}
	t.Logf("%d events accepted, %d deliveries brought, %d requests more than that", len(l.accepted), len(l.arrivals), repeats)
	if len(l.accepted) == 0 {
		t.Error("nothing was accepted, so nothing was tried")
	}
}

// faultOf says what is wrong with the arrivals of one delivery; empty: nothing.
func faultOf(list []request, excused func(delivery string) bool) string {
	seen := map[int]bool{}
	for i, a := range list {
		switch {
		case a.delivery != list[0].delivery:
			return "came as two deliveries"
		case seen[a.attempt]:
			return "came twice as the same attempt"
		case i < len(list)-1 && a.status == http.StatusOK && !excused(a.delivery):
			return "came again though its outcome was known"
		}
		seen[a.attempt] = true
	}
	return ""
}

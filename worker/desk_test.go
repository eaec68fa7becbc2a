package worker

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
	"belfry/worker/outbound"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

const testSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// clock is a database's clock that a test moves on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// desk is a store with an account, as a test needs it.
type desk struct {
	t       testing.TB
	db      storetest.Database
	clock   *clock // nil: the database's own
	limits  store.Limits
	store   *store.Store
	account uuid.UUID
}

// withClock has the time stand still but for advance.
func withClock(d *desk) { d.clock = newClock() }

func newDesk(t testing.TB, db storetest.Database, change ...func(*desk)) *desk {
	t.Helper()
	d := &desk{t: t, db: db}
	d.limits.RatePerMinute = 1_000_000
	for _, f := range change {
		f(d)
	}
	d.store = d.open()
	a, err := d.store.EnsureDefaultAccount(t.Context())
	d.must(err)
	d.account = a.ID
	return d
}

// open opens the desk's database as another process would.
func (d *desk) open() *store.Store {
	d.t.Helper()
	s := d.connect()
	d.must(s.Migrate(d.t.Context()))
	return s
}

// connect opens the database and trusts its schema.
func (d *desk) connect() *store.Store {
	d.t.Helper()
	targets, err := outbound.Parse("127.0.0.0/8")
	d.must(err)
	opt := store.Options{
		DatabaseURL: d.db.URL, DataDir: d.db.Dir, SecretKey: strings.Repeat("k", 32), Serve: true,
		Limits: d.limits, Targets: targets, Log: slog.New(slog.DiscardHandler),
	}
	if d.clock != nil {
		opt.Now = d.clock.Now
	}
	s, err := store.Open(d.t.Context(), opt)
	d.must(err)
	d.t.Cleanup(func() { s.Close() })
	return s
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// webhook adds a webhook for all events.
func (d *desk) webhook(url string, change ...func(*store.NewWebhook)) uuid.UUID {
	d.t.Helper()
	n := store.NewWebhook{URL: url, Active: true, Secret: store.SecretChoice{Own: testSecret}}
	for _, f := range change {
		f(&n)
	}
	w, _, _, err := d.store.CreateWebhook(d.t.Context(), d.account, n)
	d.must(err)
	return w.ID
}

// publish publishes n events.
func (d *desk) publish(n int) {
	d.t.Helper()
	events := make([]store.NewEvent, n)
	for i := range events {
		events[i] = store.NewEvent{Type: "call.ended", Data: []byte(`{"call_id":"call_1"}`)}
	}
	_, _, err := d.store.Publish(d.t.Context(), store.Publication{AccountID: d.account, Events: events, Batch: true})
	d.must(err)
}

// running is a worker under way.
type running struct {
	*Worker
	stop func() // ends it, and waits until it has left
}

// work runs a worker on the desk's store until the test ends.
func (d *desk) work(change ...func(*Options)) *running { return d.workOn(d.store, change...) }

func (d *desk) workOn(s *store.Store, change ...func(*Options)) *running {
	d.t.Helper()
	opt := Options{
		Store: s, Log: slog.New(slog.DiscardHandler), Jitter: func() float64 { return 0.5 },
		Client: outbound.New(outbound.Options{Targets: s.Targets(), Timeout: s.Limits().Timeout, UserAgent: "Belfry/test"}),
	}
	for _, f := range change {
		f(&opt)
	}
	w := New(opt)
	w.poll = 10 * time.Millisecond // a clock that stands still wakes nobody
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	r := &running{Worker: w, stop: sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			d.t.Errorf("the worker ended with %v", err)
		}
	})}
	d.t.Cleanup(r.stop)
	d.until("the worker takes deliveries", func() bool { return s.HasHandover() })
	return r
}

// until waits until ok holds, looking again whenever the bell rings.
func (d *desk) until(what string, ok func() bool) {
	d.t.Helper()
	bell := d.store.Changes(nil)
	defer bell.Close()
	end := time.After(patience)
	for !ok() {
		select {
		case <-bell.C:
		case <-time.After(20 * time.Millisecond): // what changes without a bell
		case <-end:
			d.t.Fatalf("waited in vain: %s; %s", what, d.state())
		}
	}
}

func (d *desk) state() string {
	var out strings.Builder
	for _, x := range d.deliveries(store.DeliveryFilter{}) {
		out.WriteString("\n" + x.Status.String() + " " + x.Held + " " + x.LastDetail + " next " + x.NextAttemptAt.String())
	}
	return out.String()
}

func (d *desk) deliveries(f store.DeliveryFilter) []store.Delivery {
	d.t.Helper()
	f.Limit = 100
	list, _, err := d.store.Deliveries(context.Background(), d.account, f)
	d.must(err)
	return list
}

// summary counts a webhook's deliveries.
func (d *desk) summary(webhook uuid.UUID) store.Summary {
	d.t.Helper()
	s, err := d.store.Summary(context.Background(), d.account, webhook)
	d.must(err)
	return s
}

// expect waits until the webhook's counts are these.
func (d *desk) expect(webhook uuid.UUID, want store.Summary) {
	d.t.Helper()
	d.until("counts", func() bool { return d.summary(webhook) == want })
}

// request is one POST that a receiver got.
type request struct {
	header http.Header
	body   []byte
}

// receiver is an endpoint that answers as it is told and keeps what it got.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	got    []request
	came   chan struct{} // a token for each request
}

// answers is an endpoint with this status.
func answers(t testing.TB, status int) *receiver {
	return receives(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) })
}

func receives(t testing.TB, answer http.HandlerFunc) *receiver {
	r := &receiver{answer: answer, came: make(chan struct{}, 10_000)}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP keeps the request and answers.
func (r *receiver) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.got = append(r.got, request{req.Header.Clone(), body})
	answer := r.answer
	r.mu.Unlock()
	r.came <- struct{}{}
	answer(rw, req)
}

// now has the endpoint answer otherwise.
func (r *receiver) now(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) status(status int) {
	r.now(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) })
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.got...)
}

// wait waits for n more requests.
func (r *receiver) wait(t testing.TB, n int) {
	t.Helper()
	end := time.After(patience)
	for range n {
		select {
		case <-r.came:
		case <-end:
			t.Fatalf("waited in vain for %d requests; %d came in all", n, len(r.requests()))
		}
	}
}

// block is an endpoint that answers only when free is called.
func block(t testing.TB) (r *receiver, free func()) {
	gate := make(chan struct{})
	r = receives(t, func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-gate:
		case <-req.Context().Done():
		}
	})
	free = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(free)
	return r, free
}

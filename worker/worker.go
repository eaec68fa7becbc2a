// Package worker holds the verbs of delivery: claim, POST, record, retry,
// tidy. It stands on the store alone: what pages and other nodes do reaches it
// through the bell.
package worker

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/worker/outbound"
)

const (
	defaultSenders = 2048
	defaultGrace   = 15 * time.Second
	pollEvery      = time.Second
	cutTime        = time.Second // for requests cut short to come to their end
)

// Options is what New takes.
type Options struct {
	Store  *store.Store
	Client *outbound.Client
	// Log gets one line for each attempt; nil: slog.Default.
	Log *slog.Logger
	// Senders is how many requests may be under way in all; 0: 2048. How many
	// a webhook may have is a limit of the store.
	Senders int
	// Grace is how long requests may go on once the worker is to stop; 0: 15 s.
	Grace time.Duration
	// Jitter gives numbers from 0 to 1 that spread retries; nil: at random.
	// Requests call it from many goroutines.
	Jitter func() float64
	// InboxDelay is how long a slow test inbox takes to answer; 0:
	// store.InboxDelay.
	InboxDelay time.Duration
}

// Worker delivers what the store holds. Make it with New.
type Worker struct {
	store   measured
	client  *outbound.Client
	log     *slog.Logger
	grace   time.Duration
	poll    time.Duration
	jitter  func() float64
	delay   time.Duration // of a slow test inbox
	waits   []time.Duration
	slots   *slots
	metrics *metrics

	jobs      chan store.Job
	recorders *recorders
	senders   sync.WaitGroup
	// claiming lets one claim at a time fill the slots of a queue: recorders claim
	// beside each other, each for its own queues, and the claimer alone, for all.
	claiming sync.RWMutex
	// wanted says that the claimer leaves claiming to the recorders.
	wanted atomic.Bool
	// posting is the context of requests; it ends when the grace is over.
	posting context.Context
	cut     context.CancelFunc

	// stop ends the senders.
	stop chan struct{}

	mu     sync.Mutex
	ended  bool        // nothing is started any more
	unsent []store.Job // leased, and too late to be sent
}

// New returns a worker that does nothing until Run.
func New(o Options) *Worker {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Senders <= 0 {
		o.Senders = defaultSenders
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	w := &Worker{
		client: o.Client, log: o.Log, grace: o.Grace, poll: pollEvery, jitter: o.Jitter, delay: cmp.Or(o.InboxDelay, store.InboxDelay),
		waits: o.Store.Limits().Retries, slots: newSlots(o.Store.Limits().InFlight, min(o.Senders, maxUnrecorded)),
		jobs: make(chan store.Job), stop: make(chan struct{}),
	}
	w.recorders = newRecorders(w, o.Store.Writers())
	w.metrics = newMetrics(w.slots, o.Store)
	w.store = measured{o.Store, w.metrics}
	w.posting, w.cut = context.WithCancel(context.Background())
	return w
}

// Collector gives the worker's numbers to Prometheus.
func (w *Worker) Collector() prometheus.Collector { return w.metrics }

// Run delivers until ctx ends, and then stops in order: it claims no more, lets
// what is under way finish within the grace, records it, gives back what was
// not sent and leaves. It may be called once.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.beat(ctx); err != nil && ctx.Err() == nil {
		w.log.Warn("the database does not answer; deliveries start when it does", "error", err)
	}
	bell := w.store.Changes(w.due)
	defer bell.Close()
	w.store.SetHandover(w)

	var claiming, upkeep, recording sync.WaitGroup
	keep, endUpkeep := context.WithCancel(context.WithoutCancel(ctx))
	keepRecording, endRecording := context.WithCancel(context.WithoutCancel(ctx))
	defer endRecording()
	claiming.Go(func() { w.claims(ctx, bell) })
	claiming.Go(func() { w.tidies(ctx) })
	claiming.Go(func() { w.reconciles(ctx) })
	claiming.Go(func() { w.samples(ctx) })
	claiming.Go(func() { w.resends(ctx) })
	upkeep.Go(func() { w.beats(keep) })
	for _, r := range w.recorders.all {
		recording.Go(func() { r.run(keepRecording) })
	}

	<-ctx.Done()
	w.store.SetHandover(nil)
	w.slots.close()
	claiming.Wait()
	w.keepUnsent(w.slots.leave(time.Now(), true)...)
	w.finish()
	w.endRecords(endRecording, &recording)
	endUpkeep()
	upkeep.Wait()
	return w.leave(context.WithoutCancel(ctx))
}

// finish waits for the requests under way, cutting them short after the grace.
// A publish that holds a slot and still waits for the database then is not
// waited for any longer.
func (w *Worker) finish() {
	over := time.AfterFunc(w.grace, w.cut)
	defer over.Stop()
	defer w.cut()
	select {
	case <-w.slots.idle:
	case <-time.After(w.grace + cutTime):
	}
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	close(w.stop)
	w.senders.Wait()
	w.client.CloseIdle()
}

// endRecords lets the recorders write what is left, for one call's time at most.
func (w *Worker) endRecords(end context.CancelFunc, recording *sync.WaitGroup) {
	over := time.AfterFunc(callTimeout, end)
	defer over.Stop()
	w.recorders.close()
	recording.Wait()
}

// leave gives back what was not sent and signs off.
func (w *Worker) leave(ctx context.Context) error {
	w.mu.Lock()
	unsent := w.unsent
	w.mu.Unlock()
	w.giveBack(unsent)
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return w.store.Leave(call)
}

// Reserve implements store.Handover.
func (w *Worker) Reserve(queue uuid.UUID) bool { return w.slots.promise(queue, time.Now()) }

// Rooms implements store.Handover.
func (w *Worker) Rooms() map[uuid.UUID]store.Room { return w.slots.rooms(time.Now()) }

// Release implements store.Handover.
func (w *Worker) Release(queue uuid.UUID, n int) { w.slots.unpromise(queue, n) }

// Deliver implements store.Handover. Jobs that come when the worker has ended
// are left to their leases.
func (w *Worker) Deliver(jobs []store.Job) {
	var mine []store.Job
	now := time.Now()
	for _, j := range jobs {
		switch started, ok := w.slots.keep(j, now); {
		case started:
			mine = append(mine, j)
		case !ok:
			w.keepUnsent(j)
			w.slots.unpromise(j.QueueID, 1)
		}
	}
	w.startAll(mine)
}

// startAll sends jobs that hold a slot.
func (w *Worker) startAll(jobs []store.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	for _, j := range jobs {
		w.start(j)
	}
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/worker"
	"belfry/worker/outbound"
)

// demoSeed makes every demo tell the same past.
const demoSeed = 20

// history tells a store the past of the sample account: events are published and
// results recorded as they would have been, at the times of its clock.
type history struct {
	st      *store.Store
	teller  *worker.Worker
	clock   *pastClock
	rand    *rand.Rand
	account uuid.UUID
	source  *eventSource
	steps   []demoStep
	hooks   map[uuid.UUID]*demoReceiver
	ids     map[string]uuid.UUID // by path
	due     map[uuid.UUID]time.Time
	fresh   []store.Job
}

// demoStep is what an admin did so long ago.
type demoStep struct {
	ago time.Duration
	do  func(ctx context.Context, h *history) error
}

// tellPast fills the database that c names with the sample account, its people
// and webhooks, whose receivers stand there, and that much of their past. It
// gives the account and the password to sign in with.
func tellPast(ctx context.Context, c *config, at netip.AddrPort, past time.Duration) (account uuid.UUID, password string, err error) {
	clock := newPastClock(time.Now().UTC(), past, demoSeed)
	opt := c.storeOptions()
	opt.Now = clock.Now
	opt.Limits.RatePerMinute = 10_000_000 // the past was not told at once, as it is here
	st, err := store.Open(ctx, opt)
	if err != nil {
		return account, "", err
	}
	defer st.Close()
	if err := st.Migrate(ctx); err != nil {
		return account, "", err
	}
	h := newHistory(st, clock)
	if password, err = h.people(ctx); err != nil {
		return account, "", err
	}
	h.steps = demoSteps(at)
	return h.account, password, h.tell(ctx)
}

func newHistory(st *store.Store, clock *pastClock) *history {
	h := &history{
		st: st, clock: clock, rand: rand.New(rand.NewPCG(demoSeed, 2)), source: newEventSource(rand.New(rand.NewPCG(demoSeed, 3))),
		hooks: map[uuid.UUID]*demoReceiver{}, ids: map[string]uuid.UUID{}, due: map[uuid.UUID]time.Time{},
	}
	h.teller = worker.New(worker.Options{Store: st, Client: outbound.New(outbound.Options{UserAgent: "Belfry/" + version()}), Jitter: h.rand.Float64})
	st.SetHandover(h)
	return h
}

// Reserve, Release, Deliver and Rooms make a store hand its fresh deliveries
// over: all can be made at once.
func (h *history) Reserve(uuid.UUID) bool          { return true }
func (h *history) Release(uuid.UUID, int)          {}
func (h *history) Deliver(jobs []store.Job)        { h.fresh = append(h.fresh, jobs...) }
func (h *history) Rooms() map[uuid.UUID]store.Room { return nil }

// people makes the account and who signs in to it.
func (h *history) people(ctx context.Context) (password string, err error) {
	account, err := h.st.EnsureDefaultAccount(ctx)
	if err != nil {
		return "", err
	}
	h.account, password = account.ID, demoPassword()
	_, err = h.st.AddUser(ctx, account.ID, demoEmail, store.RoleOwner, password)
	return password, err
}

// tell goes through the past in small pieces, the smaller the nearer they are.
func (h *history) tell(ctx context.Context) error {
	for {
		ago := h.clock.ago()
		for len(h.steps) > 0 && h.steps[0].ago >= ago {
			if err := h.steps[0].do(ctx, h); err != nil {
				return err
			}
			h.steps = h.steps[1:]
		}
		if ago <= 0 {
			return nil
		}
		if err := h.publish(ctx, pieceOf(ago)); err != nil {
			return err
		}
		if err := h.attempt(ctx); err != nil {
			return err
		}
		if err := h.st.NoteSize(ctx); err != nil {
			return err
		}
	}
}

// pieceOf is how many events are told at once so long ago.
func pieceOf(ago time.Duration) int {
	switch {
	case ago < 10*time.Minute:
		return 3
	case ago < 2*time.Hour:
		return 8
	case ago < 6*time.Hour || troubled(ago):
		return 16
	}
	return 120
}

func (h *history) publish(ctx context.Context, n int) error {
	events := make([]store.NewEvent, n)
	for i := range events {
		events[i] = h.source.next(h.clock.Now())
	}
	return h.clock.run(n, func() error {
		_, _, err := h.st.Publish(ctx, store.Publication{AccountID: h.account, Events: events, Batch: true})
		return err
	})
}

// attempt makes what was handed over and what is due by now, until nothing is.
func (h *history) attempt(ctx context.Context) error {
	jobs := h.fresh
	h.fresh = nil
	for {
		if err := h.record(ctx, jobs); err != nil {
			return err
		}
		var err error
		ahead := map[uuid.UUID]int{}
		for id := range h.hooks {
			ahead[id] = 1000
		}
		if jobs, _, err = h.st.Claim(ctx, store.ClaimRequest{Max: 1000, Ahead: ahead}); err != nil || len(jobs) == 0 {
			return err
		}
	}
}

// record tells what came of the jobs, in the order in which they ended.
func (h *history) record(ctx context.Context, jobs []store.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	results := make([]store.Result, len(jobs))
	for i := range jobs {
		j := &jobs[i]
		receiver := h.hooks[j.WebhookID]
		if receiver == nil {
			return fmt.Errorf("the past has a delivery of the webhook %s, which it does not know", j.WebhookID)
		}
		start := h.startOf(j, receiver, i)
		var err error
		if results[i], err = h.teller.Tell(j, receiver.past(start, h.clock.end.Sub(start), j.DeliveryID, h.rand)); err != nil {
			return err
		}
		delete(h.due, j.DeliveryID)
		if results[i].Next == store.Pending {
			h.due[j.DeliveryID] = results[i].At.Add(results[i].Wait)
		}
	}
	slices.SortStableFunc(results, func(a, b store.Result) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return h.st.Record(ctx, results)
}

// startOf is when an attempt began: when it was due, or now where it is a probe or
// had to wait for an endpoint that was away; i is its place among those claimed.
func (h *history) startOf(j *store.Job, r *demoReceiver, i int) time.Time {
	start := j.OccurredAt
	if due := h.due[j.DeliveryID]; due.After(start) {
		start = due
	}
	if j.Attempt > 1 || start.Before(h.clock.Now().Add(-time.Minute)) {
		if ago := h.clock.end.Sub(start); r.away(ago) || r.away(ago-time.Minute) {
			start = h.clock.Now().Add(time.Duration(i) * 60 * time.Millisecond)
		}
	}
	if now := h.clock.Now(); start.After(now) {
		start = now
	}
	start = start.Add(time.Millisecond + time.Duration(h.rand.IntN(3000))*time.Microsecond)
	return start.Truncate(time.Microsecond)
}

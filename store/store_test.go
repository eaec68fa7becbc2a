package store_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// names resolves every name to a public address.
type names struct{}

func (names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
}

// clock is a database clock that a test moves.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) forward(d time.Duration) { c.at = c.at.Add(d) }

// desk is a fresh store with its first account.
type desk struct {
	*store.Store
	t       *testing.T
	ctx     context.Context
	account uuid.UUID
	clock   *clock
	db      storetest.Database
}

// each runs f on a fresh desk of either database.
func each(t *testing.T, f func(t *testing.T, d *desk)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) { f(t, openDesk(t, db, store.Limits{})) })
}

func openDesk(t *testing.T, db storetest.Database, limits store.Limits) *desk {
	t.Helper()
	c := newClock()
	s := freshStore(t, db, func(o *store.Options) { o.Resolver, o.Limits, o.Now = names{}, limits, c.now })
	return &desk{s, t, t.Context(), defaultAccount(t, s).ID, c, db}
}

// webhook adds an active webhook for these events.
func (d *desk) webhook(url string, events ...string) store.Webhook {
	d.t.Helper()
	w, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: url, Events: events, Active: true})
	must(d.t, err)
	return w
}

// publish publishes one event and gives its id.
func (d *desk) publish(event, data string) uuid.UUID {
	d.t.Helper()
	accepted, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: event, Data: []byte(data)}}})
	must(d.t, err)
	return accepted[0].ID
}

// publishMany publishes a batch of n events.
func (d *desk) publishMany(n int) {
	d.t.Helper()
	events := make([]store.NewEvent, n)
	for i := range events {
		events[i] = store.NewEvent{Type: "call.ended", Data: []byte(`{}`)}
	}
	_, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Batch: true, Events: events})
	must(d.t, err)
}

// claim leases all that is due.
func (d *desk) claim() []store.Job {
	d.t.Helper()
	jobs, _, err := d.Claim(d.ctx, store.ClaimRequest{Max: 100})
	must(d.t, err)
	return jobs
}

// answer records what an endpoint answered: 200 delivers, others try again in
// a minute, or fail where no attempt is left.
func (d *desk) answer(code int, jobs ...store.Job) {
	d.t.Helper()
	var results []store.Result
	for _, j := range jobs {
		r := store.Result{Job: j, Next: store.Delivered, Attempt: store.Attempt{
			Number: j.Attempt, Node: "n", StartedAt: store.At(d.clock.now()),
			Duration: 20 * time.Millisecond, StatusCode: code, URL: j.Endpoint.URL, Request: []store.Header{{Name: "X-A", Value: "b"}},
		}}
		if code != 200 {
			r.Attempt.Error, r.Attempt.Detail, r.Next, r.Wait = "status", "the endpoint answered", store.Pending, time.Minute
			if j.Attempt >= j.MaxAttempts {
				r.Next = store.Failed
			}
		}
		if code == 410 {
			r.Attempt.Error, r.Next = "gone", store.Dead
		}
		results = append(results, r)
	}
	must(d.t, d.Record(d.ctx, results))
}

func (d *desk) summary(w store.Webhook) store.Summary {
	d.t.Helper()
	n, err := d.Summary(d.ctx, d.account, w.ID)
	must(d.t, err)
	return n
}

// freshOn opens the desk's database a second time.
func freshOn(t *testing.T, d *desk, change func(*store.Options)) *store.Store {
	t.Helper()
	return freshStore(t, d.db, func(o *store.Options) { o.Resolver, o.Now = names{}, d.clock.now }, change)
}

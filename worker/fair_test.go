package worker

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// gets has a webhook get these types of event.
func gets(events ...string) func(*store.NewWebhook) {
	return func(n *store.NewWebhook) { n.Events = events }
}

// publishTo publishes n events of a type for an account.
func (d *desk) publishTo(account uuid.UUID, event string, n int) {
	d.t.Helper()
	events := make([]store.NewEvent, n)
	for i := range events {
		events[i] = store.NewEvent{Type: event, Data: []byte(`{}`)}
	}
	_, _, err := d.store.Publish(d.t.Context(), store.Publication{AccountID: account, Events: events, Batch: true})
	d.must(err)
}

// rated is an account with 10 requests a second, a webhook that gets started
// calls, and one that gets ended calls and refuses every other request.
func rated(t *testing.T, db storetest.Database) (d *desk, started, ended uuid.UUID) {
	d = newDesk(t, db, withClock, func(d *desk) { d.limits.RatePerMinute, d.limits.InFlight = 600, 100 })
	var n atomic.Int64
	refusing := receives(t, func(rw http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 0 {
			rw.WriteHeader(http.StatusInternalServerError)
		}
	})
	started, ended = d.webhook(answers(t, 200).URL, gets("call.started")), d.webhook(refusing.URL, gets("call.ended"))
	d.work()
	return d, started, ended
}

// retrying tells how many deliveries of a webhook wait for another attempt.
func (d *desk) retrying(webhook uuid.UUID) (n int) {
	for _, x := range d.deliveries(store.DeliveryFilter{WebhookID: webhook, Status: []store.Status{store.Pending}}) {
		if x.Attempts > 0 {
			n++
		}
	}
	return n
}

func TestRetriesAreNotStarvedByFirstAttempts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d, started, ended := rated(t, db)
		d.publishTo(d.account, "call.ended", 20)
		d.until("half are to be tried again", func() bool { return d.retrying(ended) == 10 })
		d.publishTo(d.account, "call.started", 400)
		d.clock.advance(5 * time.Second)
		d.goesOn("retries are sent beside more first attempts than the rate allows", func() bool {
			d.publishTo(d.account, "call.started", 2)
			return d.summary(ended).Delivered >= 15
		})
		if s := d.summary(started); s.Pending == 0 {
			t.Errorf("nothing was in the way: %+v", s)
		}
	})
}

func TestFirstAttemptsAreNotStarvedByRetries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d, started, ended := rated(t, db)
		d.publishTo(d.account, "call.ended", 300)
		d.goesOn("there are many retries", func() bool { return d.retrying(ended) >= 50 })
		d.clock.advance(5 * time.Second)
		d.publishTo(d.account, "call.started", 20)
		d.goesOn("first attempts are sent beside them", func() bool { return d.summary(started) == (store.Summary{Delivered: 20}) })
		if d.retrying(ended) == 0 {
			t.Error("nothing was in the way")
		}
	})
}

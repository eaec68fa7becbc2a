package worker

import (
	"net/http"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// only gives the one delivery there is.
func (d *desk) only() store.Delivery {
	d.t.Helper()
	list := d.deliveries(store.DeliveryFilter{Event: "call.*"})
	if len(list) != 1 {
		d.t.Fatalf("%d deliveries", len(list))
	}
	return list[0]
}

// attempted waits until the only delivery has had n attempts recorded.
func (d *desk) attempted(n int) store.Delivery {
	d.t.Helper()
	d.until("an attempt is recorded", func() bool { return d.only().Attempts == n })
	return d.only()
}

// failing is a desk with a clock at work on n events for a webhook whose endpoint
// answers 500.
func failing(t *testing.T, db storetest.Database, n int) (d *desk, r *receiver, webhook uuid.UUID) {
	t.Helper()
	d, r = newDesk(t, db, withClock), answers(t, 500)
	webhook = d.webhook(r.URL)
	d.work()
	d.publish(n)
	return d, r, webhook
}

func TestFailedAttemptsFollowTheSchedule(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d, r, id := failing(t, db, 1)
		for i, wait := range d.store.Limits().Retries {
			got := d.attempted(i + 1)
			if got.Status != store.Pending || !got.NextAttemptAt.Equal(d.clock.Now().Add(wait)) || got.LastError != "status" || got.LastStatusCode != 500 {
				t.Fatalf("after attempt %d: %+v, want pending for %v", i+1, got, wait)
			}
			d.clock.advance(wait - time.Microsecond)
			if n := len(r.requests()); n != i+1 {
				t.Fatalf("%d requests before the time of the next", n)
			}
			d.clock.advance(time.Microsecond)
		}
		if got := d.attempted(6); got.Status != store.Failed || got.FinishedAt.IsZero() {
			t.Errorf("after the last attempt: %+v", got)
		}
		d.expect(id, store.Summary{Failed: 1})

		r.status(200)
		_, err := d.store.Resend(t.Context(), d.account, d.only().ID)
		d.must(err)
		d.expect(id, store.Summary{Delivered: 1})
		if got := d.only(); got.Attempts != 7 || got.MaxAttempts != 12 {
			t.Errorf("after the resend: %+v", got)
		}
		ids := map[string]bool{}
		for _, req := range r.requests() {
			ids[req.header.Get("webhook-id")] = true
		}
		if len(ids) != 1 {
			t.Errorf("%d ids for one delivery", len(ids))
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db, withClock)
		r := receives(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
		})
		d.webhook(r.URL)
		d.work()
		d.publish(1)
		if got := d.attempted(1); !got.NextAttemptAt.Equal(d.clock.Now().Add(time.Hour)) {
			t.Errorf("next at %v", got.NextAttemptAt)
		}
	})
}

func TestGoneDeactivatesAndTells(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r, told := answers(t, 410), answers(t, 200)
		id := d.webhook(r.URL)
		listener := d.webhook(told.URL, func(n *store.NewWebhook) { n.Events = []string{"webhook.disabled"} })
		d.work()
		d.publish(1)
		d.expect(id, store.Summary{Dead: 1})
		d.expect(listener, store.Summary{Delivered: 1})
		w, err := d.store.Webhook(t.Context(), d.account, id)
		d.must(err)
		if w.Active || w.DisabledReason != store.ReasonGone {
			t.Errorf("the webhook is %+v", w)
		}
		if got := told.requests()[0].header.Get("X-Webhook-Event"); got != "webhook.disabled" {
			t.Errorf("told %s", got)
		}
	})
}

func TestWhatIsHeldGoesOnAfterResuming(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d, r, id := failing(t, db, 1)
		d.attempted(1)
		d.active(id, false)
		d.clock.advance(time.Hour)
		d.publish(1) // makes no delivery, but is remembered
		if got := d.only(); got.Held != store.HeldInactive || !got.NextAttemptAt.IsZero() {
			t.Errorf("held is %q, next %v", got.Held, got.NextAttemptAt)
		}
		r.status(200)
		d.active(id, true)
		d.expect(id, store.Summary{Delivered: 1})
		if n, err := d.store.CountMissed(t.Context(), d.account, id, time.Time{}); err != nil || n != 1 {
			t.Fatalf("%d missed, %v", n, err)
		}
		if n, err := d.store.SendMissed(t.Context(), d.account, id, time.Time{}); err != nil || n != 1 {
			t.Fatalf("%d sent, %v", n, err)
		}
		d.expect(id, store.Summary{Delivered: 2})
	})
}

// active pauses or resumes a webhook.
func (d *desk) active(webhook [16]byte, active bool) {
	d.t.Helper()
	_, _, err := d.store.UpdateWebhook(d.t.Context(), d.account, webhook, store.WebhookPatch{Active: &active, By: "a@example.com"})
	d.must(err)
}

func TestFailingWebhookIsProbedAndRecovers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db, withClock)
		r, told := answers(t, 500), answers(t, 200)
		id := d.webhook(r.URL)
		listener := d.webhook(told.URL, func(n *store.NewWebhook) { n.Events = []string{"webhook.recovered"} })
		d.work()
		d.publish(12)
		r.wait(t, 12)
		d.until("all are recorded", func() bool { return d.summary(id).Pending == 12 })
		d.clock.advance(4 * time.Second)
		for _, x := range d.deliveries(store.DeliveryFilter{WebhookID: id}) {
			if x.Held != store.HeldProbing {
				t.Fatalf("held is %q", x.Held)
			}
		}
		d.clock.advance(time.Second) // the first probe
		r.wait(t, 1)
		d.until("the probe is recorded", func() bool { return d.summary(id).Processing == 0 })
		oldest := d.deliveries(store.DeliveryFilter{WebhookID: id})[11]
		if oldest.Attempts != 2 {
			t.Errorf("the oldest has %d attempts", oldest.Attempts)
		}
		d.clock.advance(59 * time.Second)
		r.status(200)
		d.clock.advance(time.Second) // the second one succeeds, and all follow
		d.expect(id, store.Summary{Delivered: 12})
		d.expect(listener, store.Summary{Delivered: 1})
		if n := len(r.requests()); n != 12+1+12 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestDeleteWhileUnderWayIsDeadAndLogged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r, free := block(t)
		id := d.webhook(r.URL)
		w := d.work()
		d.publish(1)
		r.wait(t, 1)
		d.must(d.store.DeleteWebhook(t.Context(), d.account, id))
		d.expect(id, store.Summary{Dead: 1})
		free()
		d.until("the attempt is logged", func() bool {
			attempts, err := d.store.Attempts(t.Context(), d.account, d.only().ID)
			d.must(err)
			return len(attempts) == 1 && attempts[0].StatusCode == 200
		})
		w.stop()
		if got := d.only(); got.Status != store.Dead || !got.WebhookDeleted {
			t.Errorf("the delivery is %+v", got)
		}
		d.expect(id, store.Summary{Dead: 1})
	})
}

package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"belfry/store"
)

// fail lets the next n attempts of the webhook's deliveries fail.
func (d *desk) fail(n int) {
	d.t.Helper()
	for failed := 0; failed < n; {
		jobs := d.claim()
		if len(jobs) == 0 {
			d.clock.forward(time.Minute)
			continue
		}
		d.answer(500, jobs...)
		failed += len(jobs)
	}
}

func (d *desk) health(w store.Webhook) store.Health {
	d.t.Helper()
	o, err := d.Overview(d.ctx, d.account, w.ID)
	must(d.t, err)
	d.standsAsListed()
	return o.Health
}

// standsAsListed checks that what every page tells of the webhooks is what their
// list tells.
func (d *desk) standsAsListed() {
	d.t.Helper()
	list, err := d.Conditions(d.ctx, d.account)
	must(d.t, err)
	n, err := d.Standing(d.ctx, d.account)
	must(d.t, err)
	if want := store.StandingOf(list); n != want {
		d.t.Errorf("pages tell %+v, the list %+v", n, want)
	}
}

func TestAFailingWebhookIsProbedAloneUntilOneSuccess(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/", "call.*")
		watch := d.webhook("https://watch.example/", "webhook.*")
		for range 9 {
			d.publish("call.ended", `{}`)
		}
		d.fail(9)
		failing := d.health(w).Since
		if h := d.health(w); h.State != store.HealthFailing || h.Kind != "status" || h.Code != 500 || h.Times != 9 {
			t.Errorf("after 9 failures: %+v", h)
		}
		d.publish("call.ended", `{}`)
		d.fail(1)
		h := d.health(w)
		if h.State != store.HealthProbing || h.NextTry.Sub(d.clock.now()) != 5*time.Second {
			t.Fatalf("after 10 failures: %+v", h)
		}
		d.publish("call.ended", `{}`)
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{WebhookID: w.ID, Limit: 1})
		must(t, err)
		if list[0].Held != store.HeldProbing || list[0].HeldUntil != h.NextTry {
			t.Errorf("a delivery behind the probe is %+v", list[0])
		}
		oldest, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{WebhookID: w.ID, Limit: 100})
		must(t, err)
		for i, wait := range []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute, 15 * time.Minute, 15 * time.Minute, 15 * time.Minute, 15 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
			d.clock.forward(wait - time.Second)
			if jobs := d.claim(); len(jobs) != 0 {
				t.Fatalf("a probe %s before its time", time.Second)
			}
			d.clock.forward(time.Second)
			next, err := d.NextProbe(d.ctx, d.account, w.ID)
			must(t, err)
			jobs := d.claim()
			if len(jobs) == 1 && (next.Next != jobs[0].DeliveryID || next.Since.IsZero() || next.UnderWay || next.Newest != (i%2 == 1)) {
				t.Errorf("the probe was said to be %+v, and is %+v", next, jobs[0])
			}
			if during, err := d.NextProbe(d.ctx, d.account, w.ID); err != nil || !during.UnderWay {
				t.Errorf("while it is tried: %+v %v", during, err)
			}
			if want := []store.Delivery{oldest[len(oldest)-1], oldest[0]}[i%2]; len(jobs) != 1 || jobs[0].DeliveryID != want.ID {
				t.Fatalf("after %s the probe is %+v, want the oldest and the newest by turns, alone", wait, jobs)
			}
			if more := d.claim(); len(more) != 0 {
				t.Fatalf("a second request beside the probe: %+v", more)
			}
			d.answer(500, jobs...)
		}
		// The probes used up the oldest one's attempts.
		if n := d.summary(w); n.Failed != 1 {
			t.Errorf("summary is %+v", n)
		}
		d.clock.forward(15 * time.Minute)
		probe, err := d.NextProbe(d.ctx, d.account, w.ID)
		must(t, err)
		d.answer(200, d.claim()...)
		if next, err := d.NextProbe(d.ctx, d.account, w.ID); err != nil || next != (store.Probe{}) {
			t.Errorf("after a success: %+v %v", next, err)
		}
		if h := d.health(w); h.FailuresInRow != 0 || h.State == store.HealthProbing {
			t.Errorf("after a success: %+v", h)
		}
		jobs := d.claim()
		if len(jobs) < 2 {
			t.Errorf("after the recovery %d are claimed", len(jobs))
		}
		told := 0
		for _, j := range jobs {
			if j.WebhookID == watch.ID && j.Event == "webhook.recovered" {
				told++
				var of struct {
					Failing time.Time `json:"failing_since"`
					Probing time.Time `json:"probing_since"`
				}
				must(t, json.Unmarshal(j.Data, &of))
				if !of.Probing.Equal(probe.Since.Time) || !of.Failing.Equal(failing.Time) {
					t.Errorf("it recovered from %+v, want failing since %v and probing since %v", of, failing, probe.Since)
				}
			}
		}
		if told != 1 {
			t.Errorf("webhook.recovered was told %d times", told)
		}
	})
}

func TestASuccessInBetweenDoesNotMoveTheBeginningOfTheTrouble(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/", "call.*")
		began := d.clock.now()
		for _, code := range []int{500, 500, 500, 200, 500, 500} {
			d.publish("call.ended", `{}`)
			d.answer(code, d.claim()[0])
			d.clock.forward(6 * time.Minute)
		}
		if h := d.health(w); h.State != store.HealthFailing || h.Since.Sub(began).Abs() > 5*time.Minute {
			t.Errorf("failing since %v, want about %v: %+v", h.Since, began, h)
		}
	})
}

func TestThreeDaysWithoutASuccessDeactivate(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/", "call.*")
		watch := d.webhook("https://watch.example/", "webhook.disabled")
		for range 10 {
			d.publish("call.ended", `{}`)
		}
		d.fail(19)
		d.clock.forward(73 * time.Hour)
		got, err := d.Webhook(d.ctx, d.account, w.ID)
		if must(t, err); !got.Active {
			t.Fatal("deactivated before the 20th failure")
		}
		d.fail(1)
		got, err = d.Webhook(d.ctx, d.account, w.ID)
		if must(t, err); got.Active || got.DisabledReason != store.ReasonFailing {
			t.Fatalf("the webhook is %+v", got)
		}
		jobs := d.claim()
		if len(jobs) != 1 || jobs[0].WebhookID != watch.ID || jobs[0].Event != "webhook.disabled" {
			t.Errorf("claimed %+v", jobs)
		}
		d.setActive(w, true)
		if h := d.health(w); h.FailuresInRow != 0 {
			t.Errorf("after reactivation: %+v", h)
		}
	})
}

func TestGoneDeactivatesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		jobs := d.claim()
		d.answer(410, jobs...)
		got, err := d.Webhook(d.ctx, d.account, w.ID)
		must(t, err)
		delivery, err := d.Delivery(d.ctx, d.account, jobs[0].DeliveryID)
		must(t, err)
		if got.Active || got.DisabledReason != store.ReasonGone || delivery.Status != store.Dead || delivery.DeadReason() != "gone" {
			t.Errorf("webhook %+v, delivery %+v", got, delivery)
		}
		again, err := d.Resend(d.ctx, d.account, delivery.ID)
		if must(t, err); again.Status != store.Pending || again.Held != store.HeldInactive || again.MaxAttempts != 12 {
			t.Errorf("resent: %+v", again)
		}
	})
}

func TestTestsTouchNeitherSummaryNorHealth(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/", "call.ended")
		d.setActive(w, false)
		for _, code := range []int{500, 410} {
			sent, err := d.SendTest(d.ctx, d.account, store.NewTest{WebhookID: w.ID, Event: "message.received"})
			must(t, err)
			jobs := d.claim()
			if len(jobs) != 1 || !jobs[0].Test || jobs[0].MaxAttempts != 1 || jobs[0].Endpoint.Secret == "" {
				t.Fatalf("claimed %+v", jobs)
			}
			d.answer(code, jobs...)
			_, err = d.Resend(d.ctx, d.account, sent.ID)
			wantCode(t, err, store.CodeConflict)
		}
		got, err := d.Webhook(d.ctx, d.account, w.ID)
		must(t, err)
		if h := d.health(w); d.summary(w).Total() != 0 || h.Failed != 0 || got.DisabledReason != store.ReasonManual {
			t.Errorf("summary %+v, health %+v, webhook %+v", d.summary(w), h, got)
		}
		for range 18 {
			_, err := d.SendTest(d.ctx, d.account, store.NewTest{URL: "https://free.example/", Event: "call.ended"})
			must(t, err)
		}
		_, err = d.SendTest(d.ctx, d.account, store.NewTest{URL: "https://free.example/", Event: "call.ended"})
		wantCode(t, err, store.CodeRate)
		if j := d.claim()[0]; j.Endpoint.URL != "https://free.example/" || j.Endpoint.Secret != "" {
			t.Errorf("a free test goes to %+v", j.Endpoint)
		}
	})
}

func TestALostAttemptIsLoggedAndCostsNoRetryThreeTimes(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		for lost := 1; lost <= 4; lost++ {
			jobs := d.claim()
			if len(jobs) != 1 || jobs[0].Attempt != lost {
				t.Fatalf("claimed %+v, want attempt %d", jobs, lost)
			}
			if n, err := d.Recover(d.ctx); err != nil || n != 0 {
				t.Fatalf("took back %d (%v) while the lease holds", n, err)
			}
			d.clock.forward(16 * time.Second)
			if n, err := d.Recover(d.ctx); err != nil || n != 1 {
				t.Fatalf("took back %d (%v)", n, err)
			}
			d.answer(200, jobs...) // too late
			got, err := d.Delivery(d.ctx, d.account, jobs[0].DeliveryID)
			must(t, err)
			if want := 6 + min(lost, 3); got.Status != store.Pending || got.Attempts != lost || got.MaxAttempts != want || got.LastError != store.KindInterrupted {
				t.Errorf("after %d lost attempts: %+v", lost, got)
			}
		}
		last := d.claim()
		if last[0].Attempt-last[0].ScheduleStart-last[0].Spared != 2 {
			t.Errorf("three free interruptions moved the schedule on: %+v", last[0])
		}
		d.answer(200, last...)
		if n, h := d.summary(w), d.health(w); n != (store.Summary{Delivered: 1}) || h.Failed != 0 {
			t.Errorf("summary %+v, health %+v", n, h)
		}
	})
}

func TestAnsweringAgainIsPossibleAsOftenAsResent(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		jobs := d.claim()
		_, err := d.Resend(d.ctx, d.account, jobs[0].DeliveryID)
		wantCode(t, err, store.CodeConflict)
		d.answer(500, jobs...)
		now, err := d.Resend(d.ctx, d.account, jobs[0].DeliveryID)
		if must(t, err); now.MaxAttempts != 6 {
			t.Errorf("a pending one resent is %+v", now)
		}
		jobs = d.claim()
		d.answer(200, jobs...)
		_, err = d.Resend(d.ctx, d.account, jobs[0].DeliveryID)
		must(t, err)
		jobs = d.claim()
		if len(jobs) != 1 || jobs[0].Attempt != 3 || jobs[0].MaxAttempts != 12 || jobs[0].ScheduleStart != 2 {
			t.Errorf("claimed %+v", jobs)
		}
		if got := d.summary(w); got != (store.Summary{Processing: 1}) {
			t.Errorf("summary is %+v", got)
		}
		must(t, d.GiveBack(d.ctx, jobs))
		if again := d.claim(); len(again) != 1 || again[0].Attempt != 3 {
			t.Errorf("after giving back: %+v", again)
		}
	})
}

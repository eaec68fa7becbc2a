package store_test

import (
	"testing"
	"time"

	"belfry/store"
)

func TestAPublishedEventIsClaimedOnceAndRecorded(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/hook", "call.*")
		event := d.publish("call.ended", `{"call_id":"c1", "n":1.50}`)
		jobs := d.claim()
		if len(jobs) != 1 || jobs[0].EventID != event || jobs[0].Endpoint.URL != w.URL || jobs[0].Attempt != 1 {
			t.Fatalf("claimed %+v", jobs)
		}
		if string(jobs[0].Data) != `{"call_id":"c1","n":1.50}` {
			t.Errorf("data is %s", jobs[0].Data)
		}
		if again := d.claim(); len(again) != 0 {
			t.Errorf("claimed again: %+v", again)
		}
		d.answer(200, jobs...)
		if got, want := d.summary(w), (store.Summary{Delivered: 1}); got != want {
			t.Errorf("summary is %+v, want %+v", got, want)
		}
		got, err := d.Delivery(d.ctx, d.account, jobs[0].DeliveryID)
		must(t, err)
		if got.Status != store.Delivered || got.Attempts != 1 || got.LastStatusCode != 200 || got.DeliveredAt.IsZero() {
			t.Errorf("delivery is %+v", got)
		}
		log, err := d.Attempts(d.ctx, d.account, got.ID)
		must(t, err)
		if len(log) != 1 || log[0].StatusCode != 200 || string(log[0].RequestBody) != `{"event":"call.ended","timestamp":"2026-03-01T12:00:00Z","data":{"call_id":"c1","n":1.50}}` {
			t.Errorf("attempts are %+v, body %s", log, log[0].RequestBody)
		}
		e, err := d.Event(d.ctx, d.account, event)
		must(t, err)
		if len(e.Verdicts) != 1 || e.Verdicts[0] != (store.Verdict{WebhookID: w.ID, Reason: store.Sent, DeliveryID: got.ID}) {
			t.Errorf("verdicts are %+v", e.Verdicts)
		}
	})
}

func TestADeliveryResentWithoutEndIsReadByItsNewestAttempts(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/hook")
		d.publish("call.ended", `{}`)
		for n := 1; n <= store.AttemptsListed+2; n++ {
			jobs := d.claim()
			if len(jobs) != 1 || jobs[0].Attempt != n {
				t.Fatalf("claimed %+v, want attempt %d", jobs, n)
			}
			d.answer(200, jobs...)
			_, err := d.Resend(d.ctx, d.account, jobs[0].DeliveryID)
			must(t, err)
			d.clock.forward(time.Second)
		}
		job := d.claim()[0]
		log, err := d.Attempts(d.ctx, d.account, job.DeliveryID)
		must(t, err)
		if len(log) != store.AttemptsListed || log[0].Number != 3 || log[len(log)-1].Number != store.AttemptsListed+2 {
			t.Errorf("%d attempts are read, from %d to %d", len(log), log[0].Number, log[len(log)-1].Number)
		}
	})
}

func TestARetryWaitsForItsTimeAndALateResultChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/hook")
		d.publish("call.ended", `{}`)
		first := d.claim()
		d.answer(500, first...)
		if jobs := d.claim(); len(jobs) != 0 {
			t.Fatalf("claimed before its time: %+v", jobs)
		}
		d.answer(200, first...) // the lease is gone
		if got, want := d.summary(w), (store.Summary{Pending: 1}); got != want {
			t.Fatalf("after a late result the summary is %+v", got)
		}
		d.clock.forward(time.Minute)
		second := d.claim()
		if len(second) != 1 || second[0].Attempt != 2 {
			t.Fatalf("claimed %+v", second)
		}
		d.answer(200, second...)
		if got, want := d.summary(w), (store.Summary{Delivered: 1}); got != want {
			t.Errorf("summary is %+v", got)
		}
	})
}

func TestRecordingClaimsWhatFollowsInTheSameCommit(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/hook")
		d.publish("call.ended", `{}`)
		first := d.claim()
		d.publish("call.ended", `{}`)
		result := store.Result{Job: first[0], Next: store.Delivered, Attempt: store.Attempt{Number: 1, Node: "n", StartedAt: store.At(d.clock.now()), StatusCode: 200}}
		next, err := d.RecordAndClaim(d.ctx, []store.Result{result}, store.ClaimRequest{Max: 10})
		must(t, err)
		if len(next) != 1 || next[0].DeliveryID == first[0].DeliveryID {
			t.Fatalf("claimed %+v", next)
		}
		if got, want := d.summary(w), (store.Summary{Delivered: 1, Processing: 1}); got != want {
			t.Errorf("summary is %+v, want %+v", got, want)
		}
	})
}

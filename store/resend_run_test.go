package store_test

import (
	"fmt"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

// failMany publishes n events and has every delivery of them fail, with one that
// arrives after each few, lest webhooks be probed.
func (d *desk) failMany(n int) {
	d.t.Helper()
	for n > 0 {
		some := min(n, 8)
		n -= some
		d.publishMany(some)
		jobs := d.claim()
		for i := range jobs {
			jobs[i].MaxAttempts = jobs[i].Attempt // the last one
		}
		d.answer(500, jobs...)
		d.clock.forward(time.Minute) // the rate's bucket is full again
		d.publishMany(1)
		d.answer(200, d.claim()...)
	}
}

// start begins a run over what failed, or what f asks for.
func (d *desk) start(pace int, f store.DeliveryFilter) store.ResendRun {
	d.t.Helper()
	run, _, err := d.StartResend(d.ctx, d.account, store.NewResend{Filter: f, Pace: pace, By: "mira@example.com"})
	must(d.t, err)
	return run
}

// step makes one step of a Resender, a moment later.
func (d *desk) step(r *store.Resender) {
	d.t.Helper()
	d.clock.forward(time.Second)
	_, err := r.Step(d.ctx)
	must(d.t, err)
}

func (d *desk) run(id uuid.UUID) store.ResendRun {
	d.t.Helper()
	run, err := d.ResendRun(d.ctx, d.account, id)
	must(d.t, err)
	return run
}

// steps makes steps until the run has ended, and tells how many there were.
func (d *desk) steps(r *store.Resender, id uuid.UUID) (n int) {
	d.t.Helper()
	for run := d.run(id); !run.Ended(); run = d.run(id) {
		if n++; n > 1000 {
			d.t.Fatalf("the run does not end: %+v", run)
		}
		d.step(r)
	}
	return n
}

func TestARunResendsEachThatFailedOnceAndKeepsHowItEnded(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.failMany(12)
		d.clock.forward(time.Second)
		preview, err := d.PreviewResend(d.ctx, d.account, store.DeliveryFilter{})
		must(t, err)
		if preview.Count != 12 || !preview.All || len(preview.Targets) != 1 || preview.Targets[0].WebhookID != w.ID || preview.Skipped() != 0 {
			t.Fatalf("preview %+v", preview)
		}
		run := d.start(0, store.DeliveryFilter{})
		if run.Total != 12 || !run.Counted || run.State != store.ResendRunning || run.Left() != 12 {
			t.Fatalf("began as %+v", run)
		}
		d.clock.forward(time.Second)
		d.failMany(2) // too late for the run
		r := d.NewResender()
		d.steps(r, run.ID)
		if n := d.summary(w); n.Pending != 12 || n.Failed != 2 {
			t.Fatalf("after the run: %+v", n)
		}
		jobs := d.claim()
		d.answer(200, jobs[:6]...)
		for i := range jobs {
			jobs[i].MaxAttempts = jobs[i].Attempt
		}
		d.answer(500, jobs[6:9]...)
		d.answer(410, jobs[9:10]...)
		d.step(r)
		got := d.run(run.ID)
		if got.State != store.ResendFinished || got.Resent != 12 || got.Skipped != 0 || got.Delivered != 6 || got.Failed != 3 || got.Dead != 1 || got.Waiting() != 2 {
			t.Errorf("ended as %+v", got)
		}
		for outcome, want := range map[string]int{"": 12, store.OutcomeDelivered: 6, store.OutcomeFailed: 3, store.OutcomeDead: 1, store.OutcomeWaiting: 2, store.OutcomeSkipped: 0} {
			list, more, err := d.ResendResults(d.ctx, d.account, run.ID, outcome, uuid.Nil, 100)
			must(t, err)
			if len(list) != want || more {
				t.Errorf("%d results %q, want %d", len(list), outcome, want)
			}
		}
		if check, err := d.CheckCounts(d.ctx, time.Minute); err != nil {
			t.Errorf("counts: %+v %v", check, err)
		}
	})
}

func TestOneRunOfAnAccountIsOpenAtATime(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.failMany(3)
		run := d.start(1, store.DeliveryFilter{})
		again := func() error {
			_, _, err := d.StartResend(d.ctx, d.account, store.NewResend{})
			return err
		}
		if err := again(); !store.IsCode(err, store.CodeConflict) {
			t.Errorf("a second one: %v", err)
		}
		if _, err := d.ChangeResend(d.ctx, d.account, run.ID, store.ResendPaused, "ann@example.com"); err != nil {
			t.Fatal(err)
		}
		if err := again(); !store.IsCode(err, store.CodeConflict) {
			t.Errorf("a second one beside a paused one: %v", err)
		}
		cancelled, err := d.ChangeResend(d.ctx, d.account, run.ID, store.ResendCancelled, "ann@example.com")
		must(t, err)
		if !cancelled.Ended() || cancelled.ChangedBy != "ann@example.com" || cancelled.CreatedBy != "mira@example.com" || cancelled.EndedAt.IsZero() {
			t.Errorf("cancelled %+v", cancelled)
		}
		if _, err := d.ChangeResend(d.ctx, d.account, run.ID, store.ResendRunning, ""); !store.IsCode(err, store.CodeConflict) {
			t.Errorf("going on with a cancelled one: %v", err)
		}
		if err := again(); err != nil {
			t.Errorf("after it was cancelled: %v", err)
		}
	})
}

func TestAPausedRunGoesOnWhereItStoppedAlsoAfterARestart(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.failMany(40)
		run := d.start(120, store.DeliveryFilter{}) // two a second
		r := d.NewResender()
		d.step(r)
		half := d.run(run.ID).Resent
		if half == 0 || half == 40 {
			t.Fatalf("a step resends %d of 40", half)
		}
		_, err := d.ChangeResend(d.ctx, d.account, run.ID, store.ResendPaused, "ann@example.com")
		must(t, err)
		for range 3 {
			d.step(r)
		}
		if got := d.run(run.ID); got.Resent != half || got.State != store.ResendPaused {
			t.Fatalf("goes on while paused: %+v", got)
		}
		_, err = d.ChangeResend(d.ctx, d.account, run.ID, store.ResendRunning, "ann@example.com")
		must(t, err)
		d.steps(freshOn(t, d, func(*store.Options) {}).NewResender(), run.ID) // another process
		if got := d.run(run.ID); got.Resent != 40 || got.Skipped != 0 {
			t.Errorf("after a restart: %+v", got)
		}
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{WebhookID: w.ID, Status: []store.Status{store.Pending}, Limit: 100})
		must(t, err)
		for _, delivery := range list {
			if delivery.MaxAttempts != 12 {
				t.Errorf("%s has %d attempts, want 6 more than 6", delivery.ID, delivery.MaxAttempts)
			}
		}
	})
}

func TestTwoNodesAtOneRunResendNothingTwice(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.failMany(32)
		run := d.start(240, store.DeliveryFilter{})
		a, b := d.NewResender(), freshOn(t, d, func(*store.Options) {}).NewResender()
		for !ended(d, run.ID) {
			d.clock.forward(300 * time.Millisecond)
			done := make(chan error, 2)
			for _, r := range []*store.Resender{a, b} {
				go func() { _, err := r.Step(d.ctx); done <- err }()
			}
			must(t, <-done)
			must(t, <-done)
		}
		if got := d.run(run.ID); got.Resent != 32 || got.Skipped != 0 {
			t.Errorf("ended as %+v", got)
		}
		if check, err := d.CheckCounts(d.ctx, time.Minute); err != nil {
			t.Errorf("counts: %+v %v", check, err)
		}
	})
}

func ended(d *desk, id uuid.UUID) bool {
	run := d.run(id)
	return run.Ended()
}

func TestARunKeepsItsPace(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.failMany(30)
		run := d.start(60, store.DeliveryFilter{})
		r := d.NewResender()
		for range 15 {
			d.step(r)
		}
		if n := d.run(run.ID).Resent; n < 15 || n > 21 {
			t.Errorf("%d in 15 s, want 60 a minute", n)
		}
	})
}

func TestARunSkipsWhatHasNoWebhookAndWhatWasResentMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		keep, gone := d.webhook("https://a.example/"), d.webhook("https://b.example/")
		d.failMany(5)
		must(t, d.DeleteWebhook(d.ctx, d.account, gone.ID))
		preview, err := d.PreviewResend(d.ctx, d.account, store.DeliveryFilter{})
		must(t, err)
		if preview.Count != 10 || preview.Skipped() != 5 {
			t.Errorf("preview %+v", preview)
		}
		if _, err := d.PreviewResend(d.ctx, d.account, store.DeliveryFilter{WebhookID: gone.ID}); !store.IsCode(err, store.CodeGone) {
			t.Errorf("of a deleted webhook alone: %v", err)
		}
		run := d.start(0, store.DeliveryFilter{})
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{WebhookID: keep.ID, Status: []store.Status{store.Failed}})
		must(t, err)
		_, err = d.Resend(d.ctx, d.account, list[0].ID)
		must(t, err)
		r := d.NewResender()
		d.steps(r, run.ID)
		if got := d.run(run.ID); got.Resent != 4 || got.Skipped != 5 || got.Total != 9 || got.Left() != 0 {
			t.Errorf("ended as %+v", got)
		}
	})
}

func TestARunHeedsItsFilter(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		one, two := d.webhook("https://a.example/", "call.*"), d.webhook("https://b.example/", "message.*")
		d.failMany(4)
		d.publish("message.sent", `{"agent_id":"berlin","text":"ü 100%"}`)
		jobs := d.claim()
		jobs[0].MaxAttempts = 1
		d.answer(404, jobs...)
		for name, c := range map[string]struct {
			f    store.DeliveryFilter
			want int
		}{
			"all": {store.DeliveryFilter{}, 5}, "webhook": {store.DeliveryFilter{WebhookID: one.ID}, 4}, "agent": {store.DeliveryFilter{AgentID: "berlin"}, 1},
			"group": {store.DeliveryFilter{Event: "message.*"}, 1}, "code": {store.DeliveryFilter{Code: 404}, 1}, "text": {store.DeliveryFilter{Text: "100%"}, 1},
			"two": {store.DeliveryFilter{WebhookID: two.ID, Error: "status"}, 1}, "dead": {store.DeliveryFilter{Status: []store.Status{store.Dead}}, 0},
			"time": {store.DeliveryFilter{To: d.clock.now().Add(-time.Hour)}, 0},
		} {
			p, err := d.PreviewResend(d.ctx, d.account, c.f)
			must(t, err)
			run := d.start(0, c.f)
			if p.Count != c.want || run.Total != c.want {
				t.Errorf("%s: %d match, the run takes on %d, want %d", name, p.Count, run.Total, c.want)
			}
			if fmt.Sprint(run.Filter.WebhookID, run.Filter.Text) != fmt.Sprint(c.f.WebhookID, c.f.Text) {
				t.Errorf("%s: the run forgot %+v", name, run.Filter)
			}
			_, err = d.ChangeResend(d.ctx, d.account, run.ID, store.ResendCancelled, "")
			must(t, err)
		}
		for _, f := range []store.DeliveryFilter{{Status: []store.Status{store.Pending}}, {Held: true}, {From: d.clock.now(), To: d.clock.now()}} {
			if _, err := d.PreviewResend(d.ctx, d.account, f); !store.IsCode(err, store.CodeInvalid) {
				t.Errorf("%+v: %v", f, err)
			}
		}
	})
}

func TestNobodySeesTheRunsOfOthers(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.failMany(1)
		run := d.start(1, store.DeliveryFilter{})
		other, err := d.AddAccount(d.ctx, "other")
		must(t, err)
		if _, err := d.ResendRun(d.ctx, other.ID, run.ID); !store.IsCode(err, store.CodeNotFound) {
			t.Errorf("found: %v", err)
		}
		if _, _, err := d.ResendResults(d.ctx, other.ID, run.ID, "", uuid.Nil, 10); !store.IsCode(err, store.CodeNotFound) {
			t.Errorf("results: %v", err)
		}
		if _, err := d.ChangeResend(d.ctx, other.ID, run.ID, store.ResendCancelled, ""); !store.IsCode(err, store.CodeNotFound) {
			t.Errorf("cancelled: %v", err)
		}
		if _, _, err := d.StartResend(d.ctx, other.ID, store.NewResend{}); err != nil {
			t.Errorf("another account must wait: %v", err)
		}
	})
}

func TestOldRunsGoWithTheRest(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.failMany(3)
		run := d.start(0, store.DeliveryFilter{})
		r := d.NewResender()
		d.steps(r, run.ID)
		jobs := d.claim()
		d.answer(200, jobs[1:]...)
		d.step(r)
		must(t, d.Tidy(d.ctx))
		results := func() int {
			list, _, err := d.ResendResults(d.ctx, d.account, run.ID, "", uuid.Nil, 10)
			must(t, err)
			return len(list)
		}
		if got := d.run(run.ID); got.Delivered != 2 || got.Settled || results() != 3 {
			t.Fatalf("ended as %+v", got)
		}
		must(t, freshOn(t, d, func(o *store.Options) { o.MaxDatabaseSize = 1 }).NewTidier().MakeRoom(d.ctx))
		if n := results(); n != 1 || d.run(run.ID).Delivered != 2 {
			t.Errorf("after the database made room %d of its deliveries are listed, want the one under way", n)
		}
		d.answer(200, jobs[0])
		d.step(r)
		if !d.run(run.ID).Settled {
			t.Error("it never settles once the last is delivered")
		}
		d.clock.forward(31 * 24 * time.Hour)
		must(t, d.Tidy(d.ctx))
		if _, err := d.ResendRun(d.ctx, d.account, run.ID); !store.IsCode(err, store.CodeNotFound) {
			t.Errorf("still there: %v", err)
		}
	})
}

func TestARunCountsWhatAPreviewCouldNotAndGoesToTheEnd(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.failMany(40)
		d.Store = freshOn(t, d, func(o *store.Options) { o.SearchRows = 15 })
		run, preview, err := d.StartResend(d.ctx, d.account, store.NewResend{Filter: store.DeliveryFilter{Code: 500}})
		must(t, err)
		if preview.All || preview.Count == 0 || preview.Count >= 40 || run.Counted || run.Total != 0 {
			t.Fatalf("preview %+v, run %+v", preview, run)
		}
		r := d.NewResender()
		for got := run; !got.Counted; got = d.run(run.ID) {
			if got.Resent > 0 {
				t.Fatalf("resends before it has counted: %+v", got)
			}
			d.step(r)
		}
		if got := d.run(run.ID); got.Total != 40 {
			t.Errorf("counted %d, want 40", got.Total)
		}
		d.steps(r, run.ID)
		if got := d.run(run.ID); got.Resent != 40 || got.Skipped != 0 {
			t.Errorf("ended as %+v", got)
		}
	})
}

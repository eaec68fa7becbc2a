package worker

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// model is what a delivery ought to be, told without a database.
type model struct {
	status         store.Status
	attempts, most int
	start          int // of the schedule
	inARow         int // interruptions
	next           time.Time
	job            *store.Job // of the lease, by whomever
	lost           bool       // the lease is of a process that is gone
}

// life drives one webhook's deliveries and their model side by side.
type life struct {
	*desk
	hook            uuid.UUID
	active, deleted bool
	all             map[uuid.UUID]*model
	order           []uuid.UUID
	probing         bool
	inARow          int // failures of the webhook
}

func TestDeliveryFollowsItsModel(t *testing.T) {
	checks := "15"
	if testing.Short() {
		checks = "3"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db, withClock, func(d *desk) { d.limits.InFlight, d.limits.MaxWebhooks = 1000, 10_000 })
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			account, err := d.store.AddAccount(t.Context(), fmt.Sprintf("life-%d", n))
			d.must(err)
			d.account = account.ID
			l := &life{desk: d, active: true, all: map[uuid.UUID]*model{}}
			l.hook = d.webhook(fmt.Sprintf("http://127.0.0.1:9/%d", n))
			rt.Repeat(map[string]func(*rapid.T){"": l.check, "step": l.step})
			l.leaveNothing()
		})
	})
}

// step takes one of the steps that can be taken now.
func (l *life) step(rt *rapid.T) {
	steps := map[string]func(*rapid.T){
		"publish": l.publishSome, "claim": l.claimSome, "succeed": l.succeed, "fail": l.fail, "gone": l.gone,
		"give back": l.returnOne, "crash": l.crash, "crash loop": l.crashLoop, "pause or resume": l.turn, "delete": l.remove,
		"resend": l.resend, "wait": l.pass,
	}
	often, rarely := []string{"claim", "crash", "crash loop", "wait"}, []string{}
	if !l.deleted {
		often, rarely = append(often, "publish", "pause or resume"), append(rarely, "delete")
	}
	if len(l.those(held)) > 0 {
		often, rarely = append(often, "succeed", "fail"), append(rarely, "gone")
	}
	if len(l.those(leased)) > 0 {
		often = append(often, "give back")
	}
	if len(l.order) > 0 {
		often = append(often, "resend")
	}
	steps[rapid.SampledFrom(append(slices.Repeat(often, 4), rarely...)).Draw(rt, "step")](rt)
}

// leaveNothing ends a check, so that the next one finds no lease of it.
func (l *life) leaveNothing() {
	if !l.deleted {
		l.must(l.store.DeleteWebhook(context.Background(), l.account, l.hook))
	}
}

func (l *life) publishSome(rt *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(rt, "events")
	l.publish(n)
	if !l.active {
		return
	}
	for _, d := range l.deliveries(store.DeliveryFilter{Event: "call.ended"}) {
		if l.all[d.ID] == nil {
			l.all[d.ID] = &model{status: store.Pending, most: 6, next: l.clock.Now()}
			l.order = append(l.order, d.ID)
		}
	}
}

// claimSome may lease only what is due, and leases all that is asked for.
func (l *life) claimSome(rt *rapid.T) {
	room := rapid.IntRange(1, 5).Draw(rt, "room")
	due := 0
	for _, m := range l.all {
		if m.status == store.Pending && !m.next.After(l.clock.Now()) {
			due++
		}
	}
	jobs, _, err := l.store.Claim(l.t.Context(), store.ClaimRequest{Max: room})
	l.must(err)
	taken := 0
	for _, j := range jobs {
		m := l.all[j.DeliveryID]
		if m == nil { // one of Belfry's own events or of an earlier account
			rt.Fatalf("claimed %s of webhook %s, which is none of ours", j.DeliveryID, j.WebhookID)
		}
		taken++
		if m.status != store.Pending || !l.active || l.deleted || j.Attempt != m.attempts+1 || j.MaxAttempts != m.most || j.ScheduleStart != m.start {
			rt.Fatalf("claimed %+v for %+v", j, m)
		}
		if !l.probing && m.next.After(l.clock.Now()) {
			rt.Fatalf("claimed %v before its time", m.next.Sub(l.clock.Now()))
		}
		m.status, m.job, m.lost = store.Processing, &j, false
	}
	switch {
	case !l.active || l.deleted:
		due = 0
	case l.probing:
		due = min(due, 1)
	}
	if want := min(due, room); !l.probing && taken != want {
		rt.Fatalf("claimed %d, want %d", taken, want)
	}
	if l.probing && taken > 1 {
		rt.Fatalf("%d probes at once", taken)
	}
}

// those are the deliveries of which something is true, oldest first.
func (l *life) those(ok func(*model) bool) (ids []uuid.UUID) {
	for _, id := range l.order {
		if ok(l.all[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

// pick draws one of those.
func (l *life) pick(rt *rapid.T, ok func(*model) bool) (uuid.UUID, *model) {
	id := rapid.SampledFrom(l.those(ok)).Draw(rt, "which")
	return id, l.all[id]
}

func anyOne(*model) bool { return true }

func held(m *model) bool { return m.job != nil && !m.lost }

func leased(m *model) bool { return held(m) && m.status == store.Processing }

// record records an outcome and moves the model the same way.
func (l *life) record(rt *rapid.T, kind string, next func(*model) store.Status) {
	_, m := l.pick(rt, held)
	r := store.Result{Job: *m.job, Attempt: store.Attempt{Number: m.job.Attempt, StartedAt: store.At(l.clock.Now()), Error: kind, StatusCode: 500}, Next: next(m)}
	if r.Next == store.Pending {
		r.Wait = 5 * time.Second
	}
	l.must(l.store.Record(l.t.Context(), []store.Result{r}))
	m.job, m.inARow = nil, 0
	m.attempts++
	if l.deleted {
		m.status = store.Dead
		return
	}
	m.status, m.next = r.Next, l.clock.Now().Add(r.Wait)
	switch {
	case kind == "":
		l.probing, l.inARow = false, 0
	case r.Next == store.Dead:
		l.active, l.probing = false, false
		l.inARow++
	default:
		l.inARow++
		l.probing = l.probing || l.inARow >= 10
	}
}

func (l *life) succeed(rt *rapid.T) {
	l.record(rt, "", func(*model) store.Status { return store.Delivered })
}

func (l *life) fail(rt *rapid.T) {
	l.record(rt, "status", func(m *model) store.Status {
		if m.job.Attempt >= m.job.MaxAttempts {
			return store.Failed
		}
		return store.Pending
	})
}

func (l *life) gone(rt *rapid.T) {
	l.record(rt, "gone", func(*model) store.Status { return store.Dead })
}

func (l *life) returnOne(rt *rapid.T) {
	_, m := l.pick(rt, leased)
	l.must(l.store.GiveBack(l.t.Context(), []store.Job{*m.job}))
	m.job, m.status, m.next = nil, store.Pending, l.clock.Now()
}

// crash loses the process with all its leases; the next one takes them back.
func (l *life) crash(rt *rapid.T) {
	l.must(l.store.Close())
	l.clock.advance(6 * time.Second)
	l.store = l.connect()
	n, err := l.store.Recover(l.t.Context())
	l.must(err)
	lost := 0
	for _, id := range l.order {
		m := l.all[id]
		if m.job == nil {
			continue
		}
		m.lost = true
		if m.status != store.Processing {
			continue
		}
		lost++
		m.interrupt(l.clock.Now())
	}
	if n != lost {
		rt.Fatalf("took back %d, want %d", n, lost)
	}
}

// crashLoop loses one process after the other.
func (l *life) crashLoop(rt *rapid.T) {
	for range rapid.IntRange(2, 6).Draw(rt, "times") {
		l.claimSome(rt)
		l.check(rt)
		l.crash(rt)
		l.check(rt)
	}
}

// interrupt costs an attempt, but no retry until the fourth in a row.
func (m *model) interrupt(now time.Time) {
	m.job, m.status, m.next = nil, store.Pending, now
	m.attempts++
	if m.inARow < 3 {
		m.most++
	}
	m.inARow++
	if m.attempts >= m.most {
		m.status = store.Failed
	}
}

// turn pauses the webhook, or resumes it.
func (l *life) turn(*rapid.T) {
	l.active = !l.active
	l.desk.active(l.hook, l.active)
	if l.active {
		l.probing, l.inARow = false, 0
	}
}

func (l *life) remove(*rapid.T) {
	l.must(l.store.DeleteWebhook(l.t.Context(), l.account, l.hook))
	l.deleted = true
	for _, m := range l.all {
		if !m.status.Finished() {
			m.status = store.Dead
		}
	}
}

func (l *life) resend(rt *rapid.T) {
	id, m := l.pick(rt, anyOne)
	_, err := l.store.Resend(l.t.Context(), l.account, id)
	if l.deleted || m.status == store.Processing {
		if !store.IsCode(err, store.CodeConflict) {
			rt.Fatalf("resent a %v one: %v", m.status, err)
		}
		return
	}
	l.must(err)
	if m.status.Finished() {
		m.most, m.start = m.most+6, m.attempts
	}
	m.status, m.next, m.inARow = store.Pending, l.clock.Now(), 0
}

func (l *life) pass(rt *rapid.T) {
	l.clock.advance(time.Duration(rapid.IntRange(1, 8).Draw(rt, "seconds")) * time.Second)
}

// check holds the database against the model: every delivery, and the counts.
func (l *life) check(rt *rapid.T) {
	listed := map[uuid.UUID]store.Delivery{} // those that fit one page: a read each would take most of the test's time
	for _, d := range l.deliveries(store.DeliveryFilter{WebhookID: l.hook}) {
		listed[d.ID] = d
	}
	var want store.Summary
	for _, id := range l.order {
		m := l.all[id]
		got, found := listed[id]
		if !found {
			var err error
			got, err = l.store.Delivery(context.Background(), l.account, id)
			l.must(err)
		}
		if got.Status != m.status || got.Attempts != m.attempts || got.MaxAttempts != m.most || got.ScheduleStart != m.start {
			rt.Fatalf("%s is %v after %d of %d (from %d), want %+v", id, got.Status, got.Attempts, got.MaxAttempts, got.ScheduleStart, m)
		}
		switch m.status {
		case store.Pending:
			want.Pending++
		case store.Processing:
			want.Processing++
		case store.Delivered:
			want.Delivered++
		case store.Failed:
			want.Failed++
		case store.Dead:
			want.Dead++
		}
	}
	if got := l.summary(l.hook); got != want {
		rt.Fatalf("counts %+v, want %+v", got, want)
	}
}

package worker

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"belfry/store"
	"belfry/store/storetest"
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
			// Where a step says Skip it can't be taken now, and rapid draws another:
			// no test is skipped by it.
			rt.Repeat(map[string]func(*rapid.T){
				"":        l.check,
				"publish": l.publishSome, "claim": l.claimSome, "succeed": l.succeed, "fail": l.fail, "gone": l.gone,
				"give back": l.returnOne, "crash": l.crash, "crash loop": l.crashLoop, "pause": l.pause, "resume": l.resume, "delete": l.remove,
				"resend": l.resend, "wait": l.pass,
			})
			l.leaveNothing()
		})
	})
}

// leaveNothing ends a check, so that the next one finds no lease of it.
func (l *life) leaveNothing() {
	if !l.deleted {
		l.must(l.store.DeleteWebhook(context.Background(), l.account, l.hook))
	}
}

func (l *life) publishSome(rt *rapid.T) {
	if l.deleted {
		rt.Skip()
	}
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

// pick draws a delivery of that status, or skips.
func (l *life) pick(rt *rapid.T, ok func(*model) bool) (uuid.UUID, *model) {
	var ids []uuid.UUID
	for _, id := range l.order {
		if ok(l.all[id]) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		rt.Skip()
	}
	i := rapid.IntRange(0, len(ids)-1).Draw(rt, "which")
	return ids[i], l.all[ids[i]]
}

func held(m *model) bool { return m.job != nil && !m.lost }

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
	if rapid.IntRange(0, 3).Draw(rt, "rarely") > 0 {
		rt.Skip()
	}
	l.record(rt, "gone", func(*model) store.Status { return store.Dead })
}

func (l *life) returnOne(rt *rapid.T) {
	_, m := l.pick(rt, func(m *model) bool { return held(m) && m.status == store.Processing })
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

func (l *life) pause(rt *rapid.T)  { l.turn(rt, false) }
func (l *life) resume(rt *rapid.T) { l.turn(rt, true) }

func (l *life) turn(rt *rapid.T, on bool) {
	if l.deleted || l.active == on {
		rt.Skip()
	}
	l.desk.active(l.hook, on)
	l.active = on
	if on {
		l.probing, l.inARow = false, 0
	}
}

func (l *life) remove(rt *rapid.T) {
	if l.deleted || rapid.IntRange(0, 5).Draw(rt, "rarely") > 0 {
		rt.Skip()
	}
	l.must(l.store.DeleteWebhook(l.t.Context(), l.account, l.hook))
	l.deleted = true
	for _, m := range l.all {
		if !m.status.Finished() {
			m.status = store.Dead
		}
	}
}

func (l *life) resend(rt *rapid.T) {
	id, m := l.pick(rt, func(*model) bool { return true })
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

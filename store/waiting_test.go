package store_test

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

func TestWhatWaitsSaysHowMuchIsDueAndWhenTheOthersGo(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		if got, err := d.Waiting(d.ctx, d.account, w.ID); err != nil || got != (store.Waiting{}) {
			t.Errorf("where nothing waits: %+v, %v", got, err)
		}
		d.publish("call.ended", `{}`)
		d.answer(500, d.claim()...)
		first := d.clock.now().Add(time.Minute)
		d.clock.forward(30 * time.Second)
		d.publish("call.ended", `{}`)
		d.answer(500, d.claim()...)
		d.publishMany(3)
		got, err := d.Waiting(d.ctx, d.account, w.ID)
		must(t, err)
		if got.Due != 3 || !got.NextAt.Equal(first) || !got.LastAt.Equal(first.Add(30*time.Second)) {
			t.Errorf("waiting: %+v, want 3 due, the others from %v on", got, first)
		}
		other, err := d.AddAccount(d.ctx, "other")
		must(t, err)
		_, err = d.Waiting(d.ctx, other.ID, w.ID)
		wantCode(t, err, store.CodeNotFound)
	})
}

func TestMissedEventsAreToldWithTheirTimeAndCanBeDismissed(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w, keeps := d.webhook("https://a.example/"), d.webhook("https://b.example/")
		d.setActive(w, false)
		d.setActive(keeps, false)
		began := d.clock.now()
		d.publish("call.ended", `{}`)
		d.clock.forward(time.Hour)
		d.publishMany(2)
		d.setActive(w, true)
		got, err := d.Missed(d.ctx, d.account, w.ID)
		must(t, err)
		if got.Count != 3 || !got.First.Equal(began) || !got.Last.Equal(began.Add(time.Hour)) {
			t.Errorf("missed: %+v", got)
		}
		if n, err := d.DismissMissed(d.ctx, d.account, w.ID); err != nil || n != 3 {
			t.Errorf("dismissed %d, %v", n, err)
		}
		if got, err := d.Missed(d.ctx, d.account, w.ID); err != nil || got != (store.Missed{}) {
			t.Errorf("after that %+v, %v are missed", got, err)
		}
		if n, err := d.SendMissed(d.ctx, d.account, w.ID, time.Time{}); err != nil || n != 0 {
			t.Errorf("what was dismissed is sent: %d, %v", n, err)
		}
		if got, err := d.Missed(d.ctx, d.account, keeps.ID); err != nil || got.Count != 3 {
			t.Errorf("another webhook's missed events went with them: %+v, %v", got, err)
		}
		_, err = d.DismissMissed(d.ctx, uuid.New(), w.ID)
		wantCode(t, err, store.CodeNotFound)
	})
}

func TestEachKindOfFailureHasItsLastExample(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w, other := d.webhook("https://a.example/", "call.*"), d.webhook("https://b.example/", "message.*")
		fail := func(event string, code int, kind, detail string, answer ...store.Header) uuid.UUID {
			d.publish(event, `{}`)
			j := d.claim()[0]
			must(t, d.Record(d.ctx, []store.Result{{Job: j, Next: store.Pending, Wait: 100 * time.Hour, Attempt: store.Attempt{
				Number: j.Attempt, Node: "n", StartedAt: store.At(d.clock.now()), StatusCode: code, Error: kind, Detail: detail, Response: answer,
				Request: []store.Header{{Name: "X-A", Value: "b"}},
			}}}))
			return j.DeliveryID
		}
		fail("call.ended", 0, "tls", "an older one")
		tls := fail("call.ended", 0, "tls", "the certificate expired on 26 Feb 2026")
		moved := fail("call.ended", 301, "redirect", "moved", store.Header{Name: "Location", Value: "https://new.example/"})
		fail("message.sent", 0, "tls", "of another webhook")
		fail("message.sent", 0, "dns", "of another webhook")
		got, err := d.LastFailures(d.ctx, d.account, w.ID, []store.KindCount{{Kind: "tls"}, {Kind: "redirect", Code: 301}, {Kind: "redirect", Code: 302}, {Kind: "dns"}})
		must(t, err)
		want := []store.LastFailure{{DeliveryID: tls, Detail: "the certificate expired on 26 Feb 2026"}, {DeliveryID: moved, Detail: "moved", MovedTo: "https://new.example/"}, {}, {}}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("example %d is %+v, want %+v", i, got[i], want[i])
			}
		}
		d.clock.forward(100 * time.Hour)
		d.answer(200, d.claim()...)
		if again, err := d.LastFailures(d.ctx, d.account, w.ID, []store.KindCount{{Kind: "tls"}, {Kind: "redirect", Code: 301}}); err != nil || again[0] != want[0] || again[1] != want[1] {
			t.Errorf("once they are delivered the examples are %+v, %v", again, err)
		}
		_, err = d.LastFailures(d.ctx, uuid.New(), other.ID, []store.KindCount{{Kind: "dns"}})
		wantCode(t, err, store.CodeNotFound)
	})
}

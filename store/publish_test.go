package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestEveryWebhookGetsAVerdict(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		all := d.webhook("https://all.example/")
		calls := d.webhook("https://calls.example/", "call.*")
		messages := d.webhook("https://messages.example/", "message.received")
		mine := d.bound("https://mine.example/", "ada")
		other := d.bound("https://other.example/", "bob")
		paused := d.webhook("https://paused.example/")
		d.setActive(paused, false)

		about := func(data, agent string) map[uuid.UUID]store.Reason {
			accepted, _, err := d.Publish(d.ctx, store.Publication{
				AccountID: d.account,
				Events:    []store.NewEvent{{Type: "call.ended", Data: []byte(data), AgentID: agent}},
			})
			must(t, err)
			e, err := d.Event(d.ctx, d.account, accepted[0].ID)
			must(t, err)
			reasons := map[uuid.UUID]store.Reason{}
			for _, v := range e.Verdicts {
				reasons[v.WebhookID] = v.Reason
				if (v.Reason == store.Sent) != (v.DeliveryID != uuid.Nil) {
					t.Errorf("verdict %+v and its delivery disagree", v)
				}
			}
			return reasons
		}
		want := map[uuid.UUID]store.Reason{all.ID: store.Sent, calls.ID: store.Sent, messages.ID: store.NotSubscribed, paused.ID: store.WasInactive}
		for _, c := range []struct {
			data, agent string
			mine, other store.Reason
		}{
			{`{}`, "", store.NoAgent, store.NoAgent},
			{`{}`, "ada", store.Sent, store.OtherAgent},
			{`{"agent_id":"bob"}`, "", store.OtherAgent, store.Sent},
			{`{"agent_id":"bob"}`, "ada", store.Sent, store.OtherAgent},
			{`{"from_agent_id":"bob"}`, "", store.NoAgent, store.NoAgent},
			{`{"agent_id":7}`, "", store.NoAgent, store.NoAgent},
			{`{"Agent_ID":"bob","x":{"agent_id":"bob"}}`, "", store.NoAgent, store.NoAgent},
		} {
			want[mine.ID], want[other.ID] = c.mine, c.other
			if got := about(c.data, c.agent); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s about %q: verdicts %v, want %v", c.data, c.agent, got, want)
			}
		}
	})
}

func TestTheSameKeyAndRequestGiveTheSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		call := func(body string) ([]store.Accepted, bool, error) {
			return d.Publish(d.ctx, store.Publication{
				AccountID: d.account, IdempotencyKey: "k-1",
				Events: []store.NewEvent{{Type: "call.ended", Data: []byte(body)}},
			})
		}
		var wg sync.WaitGroup
		answers, fresh := make(chan string, 20), make(chan bool, 20)
		for range 20 {
			wg.Go(func() {
				accepted, replayed, err := call(`{"n":1}`)
				if err != nil {
					t.Error(err)
					return
				}
				answers <- fmt.Sprint(accepted)
				fresh <- !replayed
			})
		}
		wg.Wait()
		close(answers)
		close(fresh)
		first, made := <-answers, 0
		for a := range answers {
			if a != first {
				t.Errorf("answers differ: %s and %s", a, first)
			}
		}
		for f := range fresh {
			if f {
				made++
			}
		}
		if made != 1 || d.summary(w).Total() != 1 {
			t.Errorf("%d calls were fresh, %d deliveries made; want one of each", made, d.summary(w).Total())
		}
		if _, _, err := call(`{"n":2}`); !store.IsCode(err, store.CodeConflict) {
			t.Errorf("another request under the same key gives %v", err)
		}
	})
}

func TestARefusedRequestIsNotRemembered(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		p := store.Publication{AccountID: d.account, IdempotencyKey: "k", Events: []store.NewEvent{{Type: "webhook.test", Data: []byte(`{}`)}}}
		if _, _, err := d.Publish(d.ctx, p); !store.IsCode(err, store.CodeInvalid) {
			t.Fatalf("publishing Belfry's own type gives %v", err)
		}
		p.Events[0].Type = "call.ended"
		_, replayed, err := d.Publish(d.ctx, p)
		if must(t, err); replayed {
			t.Error("the refused request was remembered")
		}
	})
}

func TestABatchIsAllOrNothingAndNamesTheIndex(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		good, bad := store.NewEvent{Type: "call.ended", Data: []byte(`{}`)}, store.NewEvent{Type: "Call", Data: []byte(`[]`)}
		_, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Batch: true, Events: []store.NewEvent{good, bad}})
		wantFields(t, err, "[1].event", "[1].data")
		if n := d.summary(w).Total(); n != 0 {
			t.Errorf("a refused batch made %d deliveries", n)
		}
		good.Data = fmt.Appendf(nil, `{"x":"%0*d"}`, 256<<10, 1)
		_, _, err = d.Publish(d.ctx, store.Publication{AccountID: d.account, Batch: true, Events: []store.NewEvent{good}})
		wantCode(t, err, store.CodeTooLarge)
	})
}

func TestConcurrentCallersShareCommitsAndLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				_, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: "call.ended", Data: fmt.Appendf(nil, `{"n":%d}`, i)}}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := d.summary(w); got != (store.Summary{Pending: 200}) {
			t.Errorf("summary is %+v", got)
		}
	})
}

func TestAnUnknownTypeIsDiscoveredAndCanBeSubscribedTo(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		_, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: "https://a.example/", Events: []string{"order.payed"}})
		wantFields(t, err, "events")
		d.publish("order.paid", `{}`)
		w := d.webhook("https://a.example/", "order.paid")
		d.publish("order.paid", `{}`)
		if n := d.summary(w).Total(); n != 1 {
			t.Errorf("the webhook got %d deliveries", n)
		}
	})
}

func TestTwoAtOnceCantMakeAnEleventhWebhook(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		var wg sync.WaitGroup
		refused := make(chan error, 20)
		for i := range 20 {
			wg.Go(func() {
				_, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: fmt.Sprintf("https://a.example/%d", i), Active: i%2 == 0})
				if err != nil {
					refused <- err
				}
			})
		}
		wg.Wait()
		close(refused)
		n := 0
		for err := range refused {
			n++
			wantCode(t, err, store.CodeQuota)
		}
		list, err := d.Webhooks(d.ctx, d.account)
		if must(t, err); len(list) != 10 || n != 10 {
			t.Fatalf("%d webhooks made, %d refused", len(list), n)
		}
		must(t, d.DeleteWebhook(d.ctx, d.account, list[0].ID))
		d.webhook("https://a.example/more") // a deleted one does not count
	})
}

func TestTheAccountsRateMakesDeliveriesWaitNotFail(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		for range 3 {
			d.publishMany(500)
		}
		sent := 0
		for start := d.clock.now(); d.clock.now().Sub(start) < time.Minute; d.clock.forward(time.Second) {
			for jobs := d.claim(); len(jobs) > 0; jobs = d.claim() {
				sent += len(jobs)
				d.answer(200, jobs...)
			}
		}
		if sent < 1000 || sent > 1050 {
			t.Errorf("%d requests in a minute, want 1000 to 1050", sent)
		}
		if n := d.summary(w); n.Failed+n.Dead != 0 || n.Delivered != int64(sent) || n.Total() != 1500 {
			t.Errorf("summary is %+v", n)
		}
		d.claim() // takes what the last step refilled
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Status: []store.Status{store.Pending}, Limit: 1})
		must(t, err)
		if list[0].Held != store.HeldRate || !list[0].NextAttemptAt.IsZero() || list[0].Attempts != 0 {
			t.Errorf("a waiting delivery is %+v", list[0])
		}
	})
}

func TestWhatIsGivenBackUnsentSpendsNothingOfTheRate(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.publishMany(100)
		takeAll := func() (jobs []store.Job) {
			for more := d.claim(); len(more) > 0; more = d.claim() {
				jobs = append(jobs, more...)
			}
			return jobs
		}
		jobs := takeAll()
		if len(jobs) != 50 {
			t.Fatalf("claimed %d at once, want 50", len(jobs))
		}
		must(t, d.GiveBack(d.ctx, jobs[:20]))
		if jobs = takeAll(); len(jobs) != 20 {
			t.Errorf("claimed %d after 20 were given back", len(jobs))
		}
		must(t, d.GiveBack(d.ctx, jobs[:1]))
		must(t, d.GiveBack(d.ctx, jobs[:1])) // pending: there is nothing to give back
		if again := takeAll(); len(again) != 1 {
			t.Errorf("claimed %d after one was given back", len(again))
		}
	})
}

func TestAnEventOfAnotherAccountDoesNotExist(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		event := d.publish("call.ended", `{}`)
		job := d.claim()[0]
		other, err := d.AddAccount(d.ctx, "other")
		must(t, err)
		for name, call := range map[string]func() error{
			"webhook":  func() error { _, err := d.Webhook(d.ctx, other.ID, w.ID); return err },
			"update":   func() error { _, _, err := d.UpdateWebhook(d.ctx, other.ID, w.ID, store.WebhookPatch{}); return err },
			"rotate":   func() error { _, _, err := d.RotateSecret(d.ctx, other.ID, w.ID, store.SecretChoice{}, 0); return err },
			"delete":   func() error { return d.DeleteWebhook(d.ctx, other.ID, w.ID) },
			"summary":  func() error { _, err := d.Summary(d.ctx, other.ID, w.ID); return err },
			"chart":    func() error { _, err := d.Chart(d.ctx, other.ID, w.ID, store.LastDay); return err },
			"event":    func() error { _, err := d.Event(d.ctx, other.ID, event); return err },
			"delivery": func() error { _, err := d.Delivery(d.ctx, other.ID, job.DeliveryID); return err },
			"resend":   func() error { _, err := d.Resend(d.ctx, other.ID, job.DeliveryID); return err },
			"missed":   func() error { _, err := d.SendMissed(d.ctx, other.ID, w.ID, time.Time{}); return err },
			"test": func() error {
				_, err := d.SendTest(d.ctx, other.ID, store.NewTest{WebhookID: w.ID, Event: "call.ended"})
				return err
			},
		} {
			if err := call(); !store.IsCode(err, store.CodeNotFound) {
				t.Errorf("%s of another account gives %v", name, err)
			}
		}
		list, _, err := d.Deliveries(d.ctx, other.ID, store.DeliveryFilter{WebhookID: w.ID})
		if must(t, err); len(list) != 0 {
			t.Errorf("another account sees %d deliveries", len(list))
		}
		log, err := d.Attempts(d.ctx, other.ID, job.DeliveryID)
		if must(t, err); len(log) != 0 {
			t.Errorf("another account sees %d attempts", len(log))
		}
	})
}

func TestASecondProcessOnOneSQLiteFileRefusesToServe(t *testing.T) {
	db := storetest.SQLite(t)
	serve := func(o *store.Options) { o.Serve = true }
	freshStore(t, db, serve)
	if _, err := store.Open(t.Context(), store.Options{DataDir: db.Dir, SecretKey: testKey, Serve: true}); err == nil {
		t.Fatal("a second process serves the same file")
	}
	freshStore(t, db) // a command beside it is welcome
}

package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/store"
)

// bound adds an active webhook for one agent's events.
func (d *desk) bound(url, agent string) store.Webhook {
	d.t.Helper()
	w, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: url, AgentID: agent, Active: true})
	must(d.t, err)
	return w
}

func (d *desk) setActive(w store.Webhook, active bool) {
	d.t.Helper()
	_, _, err := d.UpdateWebhook(d.ctx, d.account, w.ID, store.WebhookPatch{Active: &active, By: "ada@example.com"})
	must(d.t, err)
}

func TestTheSameEndpointIsRegisteredOnce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		a := d.webhook("https://a.example/")
		d.bound("https://a.example/", "ada") // another agent is another endpoint
		b := d.webhook("https://b.example/")
		_, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: a.URL})
		wantCode(t, err, store.CodeConflict)
		_, _, err = d.UpdateWebhook(d.ctx, d.account, b.ID, store.WebhookPatch{URL: &a.URL})
		wantCode(t, err, store.CodeConflict)
		must(t, d.DeleteWebhook(d.ctx, d.account, a.ID))
		d.webhook("https://a.example/")
	})
}

func TestTheConflictNamesTheWebhookThatHasTheEndpoint(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		n := store.NewWebhook{URL: "https://Hooks.Example:443/in", AgentID: "ada", Description: "Orders desk", Active: true}
		has, _, _, err := d.CreateWebhook(d.ctx, d.account, n)
		must(t, err)
		if has.URL != n.URL {
			t.Errorf("kept as %s, want it as it was typed: %s", has.URL, n.URL)
		}
		for _, same := range []string{n.URL, "https://hooks.example/in", "https://hooks.example./in"} {
			_, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: same, AgentID: "ada"})
			wantCode(t, err, store.CodeConflict)
			var refused *store.Error
			if errors.As(err, &refused); refused.Webhook != has.ID || !strings.Contains(refused.Detail, "Orders desk") || !strings.Contains(refused.Detail, has.ID.String()) {
				t.Errorf("%s: %+v does not name the webhook", same, refused)
			}
		}
		upper := "https://HOOKS.example/in"
		again, _, err := d.UpdateWebhook(d.ctx, d.account, has.ID, store.WebhookPatch{URL: &upper})
		if must(t, err); again.URL != upper {
			t.Errorf("its own URL in another notation became %s", again.URL)
		}
	})
}

func TestPausingHoldsAndResumingGoesOnAtHalfTheRate(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		for range 6 {
			d.publishMany(50)
			d.clock.forward(time.Millisecond)
		}
		d.setActive(w, false)
		if jobs := d.claim(); len(jobs) != 0 {
			t.Fatalf("claimed %d of a paused webhook", len(jobs))
		}
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Limit: 1})
		must(t, err)
		if list[0].Held != store.HeldInactive || !list[0].NextAttemptAt.IsZero() {
			t.Errorf("a held delivery is %+v", list[0])
		}
		d.clock.forward(time.Hour)
		d.setActive(w, true)
		sent, last := 0, time.Time{} // of one moment no order is promised
		for start := d.clock.now(); d.clock.now().Sub(start) < 15*time.Second; d.clock.forward(time.Second) {
			for jobs := d.claim(); len(jobs) > 0; jobs = d.claim() {
				for _, j := range jobs {
					if j.OccurredAt.Before(last) {
						t.Fatalf("what happened at %s goes after %s", j.OccurredAt, last)
					}
				}
				last = slices.MaxFunc(jobs, func(a, b store.Job) int { return a.OccurredAt.Compare(b.OccurredAt) }).OccurredAt
				sent += len(jobs)
				d.answer(200, jobs...)
			}
		}
		if sent < 120 || sent > 155 { // a quarter of 500, and the bucket of 25
			t.Errorf("%d went on within 15 s", sent)
		}
	})
}

func TestEventsMissedWhileInactiveCanBeSentLater(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/", "call.*")
		d.setActive(w, false)
		d.publish("call.ended", `{"n":1}`)
		d.publish("message.sent", `{}`)
		d.clock.forward(time.Hour)
		d.publish("call.ended", `{"n":2}`)
		if n := d.summary(w).Total(); n != 0 {
			t.Fatalf("an inactive webhook got %d deliveries", n)
		}
		_, err := d.SendMissed(d.ctx, d.account, w.ID, time.Time{})
		wantCode(t, err, store.CodeConflict)
		d.setActive(w, true)
		count := func(since time.Time) int {
			n, err := d.CountMissed(d.ctx, d.account, w.ID, since)
			must(t, err)
			return n
		}
		if all, late := count(time.Time{}), count(d.clock.now().Add(-time.Minute)); all != 2 || late != 1 {
			t.Errorf("%d missed, %d of them lately; want 2 and 1", all, late)
		}
		n, err := d.SendMissed(d.ctx, d.account, w.ID, time.Time{})
		if must(t, err); n != 2 || count(time.Time{}) != 0 {
			t.Errorf("%d sent, %d left", n, count(time.Time{}))
		}
		jobs := d.claim()
		if len(jobs) != 2 || string(jobs[0].Data) != `{"n":1}` {
			t.Errorf("claimed %+v", jobs)
		}
	})
}

func TestDeletingIsPermanentAndWhatWaitsIsDead(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		under := d.claim()
		d.publish("call.ended", `{}`)
		must(t, d.DeleteWebhook(d.ctx, d.account, w.ID))
		if got := d.summary(w); got != (store.Summary{Dead: 2}) {
			t.Errorf("summary is %+v", got)
		}
		d.answer(200, under...) // still logged
		got, err := d.Delivery(d.ctx, d.account, under[0].DeliveryID)
		must(t, err)
		if got.Status != store.Dead || got.Attempts != 1 || got.DeadReason() != "deleted" {
			t.Errorf("the one under way is %+v", got)
		}
		if got := d.summary(w); got != (store.Summary{Dead: 2}) {
			t.Errorf("summary is %+v", got)
		}
		w, err = d.Webhook(d.ctx, d.account, w.ID)
		if must(t, err); w.HasSecret || w.DeletedAt.IsZero() {
			t.Errorf("the deleted webhook is %+v", w)
		}
		on := true
		_, _, err = d.UpdateWebhook(d.ctx, d.account, w.ID, store.WebhookPatch{Active: &on})
		wantCode(t, err, store.CodeGone)
		wantCode(t, d.DeleteWebhook(d.ctx, d.account, w.ID), store.CodeGone)
		_, err = d.Resend(d.ctx, d.account, under[0].DeliveryID)
		wantCode(t, err, store.CodeConflict)
	})
}

func TestRotationOverlapsUntilItsEndOrASwitch(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w, old, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: "https://a.example/", Active: true})
		must(t, err)
		secrets := func() [2]string {
			d.publish("call.ended", `{}`)
			jobs := d.claim()
			d.answer(200, jobs...)
			a, b := jobs[0].Endpoint.Secrets(d.clock.now())
			return [2]string{a, b}
		}
		rotate := func(overlap time.Duration) (string, error) {
			secret, _, err := d.RotateSecret(d.ctx, d.account, w.ID, store.SecretChoice{}, overlap)
			return secret, err
		}
		if got := secrets(); got != [2]string{old, ""} {
			t.Fatalf("before: %v", got)
		}
		second, err := rotate(24 * time.Hour)
		must(t, err)
		if got := secrets(); got != [2]string{old, second} {
			t.Errorf("within the overlap: %v", got)
		}
		_, err = rotate(time.Hour)
		wantCode(t, err, store.CodeConflict)
		d.clock.forward(25 * time.Hour)
		if got := secrets(); got != [2]string{second, ""} {
			t.Errorf("after the overlap: %v", got)
		}
		third, err := rotate(time.Hour)
		must(t, err)
		_, err = d.SwitchSecret(d.ctx, d.account, w.ID)
		must(t, err)
		if got := secrets(); got != [2]string{third, ""} {
			t.Errorf("after the switch: %v", got)
		}
		now, err := rotate(0)
		must(t, err)
		if got := secrets(); got != [2]string{now, ""} {
			t.Errorf("without an overlap: %v", got)
		}
	})
}

func TestAStaleEditIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		one, two := "one", "two"
		_, _, err := d.UpdateWebhook(d.ctx, d.account, w.ID, store.WebhookPatch{Description: &one, Version: w.Version})
		must(t, err)
		_, _, err = d.UpdateWebhook(d.ctx, d.account, w.ID, store.WebhookPatch{Description: &two, Version: w.Version})
		wantCode(t, err, store.CodeConflict)
	})
}

func TestHeaderValuesAreMaskedAndKeptWhereTheirMaskComesBack(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{
			URL: "https://a.example/", Active: true,
			Headers: []store.Header{{Name: "X-Env", Value: "super-secret-prod"}, {Name: "X-Old", Value: "gone"}},
		})
		must(t, err)
		if w.Headers[0].Value != "••••prod" || w.Headers[1].Value != "••••" {
			t.Errorf("shown: %v", w.Headers)
		}
		headers := []store.Header{{Name: "X-Env", Value: "••••prod"}, {Name: "X-New", Value: "v"}}
		_, _, err = d.UpdateWebhook(d.ctx, d.account, w.ID, store.WebhookPatch{Headers: &headers})
		must(t, err)
		d.publish("call.ended", `{}`)
		got := d.claim()[0].Endpoint.Headers
		if len(got) != 2 || got[0].Value != "super-secret-prod" || got[1].Value != "v" {
			t.Errorf("sent: %v", got)
		}
		for _, name := range []string{"Host", "Content-Type", "connection", "X-Webhook-Event", "webhook-id", "a b", "User-Agent"} {
			_, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: "https://b.example/", Headers: []store.Header{{Name: name, Value: "v"}}})
			wantFields(t, err, "headers."+name)
		}
	})
}

func TestAgentsAreThoseOfWebhooksAndOfTheNewestDeliveries(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		_, _, _, err := d.CreateWebhook(d.ctx, d.account, store.NewWebhook{URL: "https://b.example/", AgentID: "berlin", Active: true})
		must(t, err)
		for range 2 {
			_, _, err = d.Publish(d.ctx, store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`), AgentID: "paris"}}})
			must(t, err)
		}
		agents, err := d.RecentAgents(d.ctx, d.account)
		must(t, err)
		slices.Sort(agents)
		if !slices.Equal(agents, []string{"berlin", "paris"}) {
			t.Errorf("the agents are %q", agents)
		}
		other, err := d.AddAccount(d.ctx, "other")
		must(t, err)
		if agents, err := d.RecentAgents(d.ctx, other.ID); err != nil || len(agents) != 0 {
			t.Errorf("another account has %q (%v)", agents, err)
		}
	})
}

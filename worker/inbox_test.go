package worker

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestWhatGoesToTheTestInboxIsSignedRecordedAndVerified(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		id := d.webhook(store.InboxURL)
		d.work()
		d.publish(1)
		d.until("the delivery arrived", func() bool {
			return len(d.deliveries(store.DeliveryFilter{Status: []store.Status{store.Delivered}})) == 1
		})
		list, err := d.store.InboxRequests(t.Context(), d.account)
		d.must(err)
		if len(list) != 1 || list[0].Verified != store.VerifiedBySecret || list[0].WebhookID != id || list[0].Attempt != 1 || list[0].StatusCode != 200 {
			t.Fatalf("the inbox holds %+v", list)
		}
		attempts, err := d.store.Attempts(t.Context(), d.account, list[0].DeliveryID)
		d.must(err)
		if len(attempts) != 1 || attempts[0].StatusCode != 200 || string(attempts[0].RequestBody) != string(list[0].Body) {
			t.Errorf("the log holds %+v", attempts)
		}
		_, _, err = d.store.RotateSecret(t.Context(), d.account, id, store.SecretChoice{}, time.Hour)
		d.must(err)
		d.must(d.store.SetInboxAnswer(t.Context(), d.account, store.InboxFail))
		d.publish(1)
		d.until("the second attempt failed", func() bool {
			list, err = d.store.InboxRequests(t.Context(), d.account)
			d.must(err)
			return len(list) == 2 && d.deliveries(store.DeliveryFilter{})[0].LastStatusCode == 500
		})
		if list[0].Verified != store.VerifiedByBoth || list[0].StatusCode != 500 {
			t.Errorf("during a rotation the inbox holds %+v", list[0])
		}
	})
}

func TestTheTestInboxAnswersAsChosen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		const delay = 40 * time.Millisecond
		d := newDesk(t, db)
		id := d.webhook(store.InboxURL)
		d.work(func(o *Options) { o.InboxDelay = delay })
		send := func(answer string, status store.Status) store.Delivery {
			t.Helper()
			d.must(d.store.SetInboxAnswer(t.Context(), d.account, answer))
			d.publish(1)
			d.until("the inbox answered "+answer, func() bool { return d.deliveries(store.DeliveryFilter{})[0].Status == status })
			return d.deliveries(store.DeliveryFilter{})[0]
		}
		if slow := send(store.InboxSlow, store.Delivered); slow.LastStatusCode != 200 || slow.LastDuration < delay {
			t.Errorf("slow gave %d after %v", slow.LastStatusCode, slow.LastDuration)
		}
		if gone := send(store.InboxGone, store.Dead); gone.LastStatusCode != 410 {
			t.Errorf("410 gave %d", gone.LastStatusCode)
		}
		w, err := d.store.Webhook(t.Context(), d.account, id)
		d.must(err)
		if w.Active || w.DisabledReason != store.ReasonGone {
			t.Errorf("after a 410 the webhook is active: %t, because of %q", w.Active, w.DisabledReason)
		}
		if list, err := d.store.InboxRequests(t.Context(), d.account); err != nil || len(list) != 2 || list[0].StatusCode != 410 || list[1].StatusCode != 200 {
			t.Errorf("the inbox holds %+v, %v", list, err)
		}
	})
}

func TestASlowTestInboxMayTakeLongerThanARequest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db, func(d *desk) { d.limits.Timeout = 30 * time.Millisecond })
		d.webhook(store.InboxURL)
		d.must(d.store.SetInboxAnswer(t.Context(), d.account, store.InboxSlow))
		d.work()
		d.publish(1)
		d.until("the attempt timed out", func() bool { return d.deliveries(store.DeliveryFilter{})[0].LastError == "timeout" })
	})
}

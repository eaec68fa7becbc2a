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

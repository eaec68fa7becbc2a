package worker

import (
	"net/http"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// TestAnswersAreRecordedBesideAWebhookThatIsLocked holds a webhook's queue, as
// another node does while it records, and lets another webhook's answer come.
func TestAnswersAreRecordedBesideAWebhookThatIsLocked(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	d := newDesk(t, db)
	slow, free := block(t)
	takes := func(events string) func(*store.NewWebhook) {
		return func(n *store.NewWebhook) { n.Events = []string{events} }
	}
	locked := d.webhook(slow.URL, takes("call.*"))
	other := d.webhook(answers(t, http.StatusOK).URL, takes("message.*"))
	d.work()
	d.publish(1)
	slow.wait(t, 1)

	raw := storetest.Raw(t, db)
	tx, err := raw.BeginTx(t.Context(), nil)
	d.must(err)
	defer tx.Rollback()
	_, err = tx.Exec("SELECT id FROM queues WHERE webhook_id = $1 FOR UPDATE", locked)
	d.must(err)
	free()
	d.until("the answer waits for its queue", func() bool {
		var waiting int
		d.must(raw.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting))
		return waiting > 0
	})

	_, _, err = d.store.Publish(t.Context(), store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: "message.sent", Data: []byte(`{}`)}}})
	d.must(err)
	delivered := func(webhook uuid.UUID) func() bool {
		return func() bool {
			n, err := d.store.Summary(t.Context(), d.account, webhook)
			d.must(err)
			return n.Delivered == 1
		}
	}
	d.until("the other webhook's delivery is delivered", delivered(other))
	d.must(tx.Rollback())
	d.until("the locked webhook's delivery is delivered", delivered(locked))
}

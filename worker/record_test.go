package worker

import (
	"net/http"
	"testing"
	"time"

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

func TestARecorderGathersDuringAPauseUntilItHasEnough(t *testing.T) {
	result := store.Result{}
	fresh := func(n int) *recorder {
		r := &recorder{results: make(chan store.Result, 2*maxRecord)}
		for range n {
			r.results <- result
		}
		return r
	}
	forever := make(chan time.Time)
	over := make(chan time.Time)
	close(over)
	for what, c := range map[string]struct {
		came  int
		pause <-chan time.Time
		want  int
	}{
		"no pause: what came":              {2, nil, 3},
		"a pause that is over: what came":  {5, over, 6},
		"enough ends a pause":              {enough - 1, forever, enough},
		"all that came, where it is more":  {enough + 50, forever, enough + 51},
		"no more than one commit may take": {2 * maxRecord, forever, maxRecord},
	} {
		if got := len(fresh(c.came).gather(result, c.pause)); got != c.want {
			t.Errorf("%s: gathered %d, want %d", what, got, c.want)
		}
	}

	r, pause, gathered := fresh(0), make(chan time.Time), make(chan int)
	go func() { gathered <- len(r.gather(result, pause)) }()
	for range 3 {
		r.results <- result
	}
	pause <- time.Now()
	if got := <-gathered; got != 4 {
		t.Errorf("gathered %d of the 4 that came during the pause", got)
	}

	r, gathered = fresh(0), make(chan int)
	go func() { gathered <- len(r.gather(result, forever)) }()
	close(r.results) // the worker ends
	if got := <-gathered; got != 1 {
		t.Errorf("gathered %d at the end, want 1", got)
	}
}

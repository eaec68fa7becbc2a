package store_test

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestManyRowsAreWrittenAsOneIs(t *testing.T) {
	d := openDesk(t, storetest.Postgres(t), store.Limits{})
	d.bound("https://a.example/", "agent é")
	e := store.NewEvent{Type: "call.ended", AgentID: "agent é", Data: []byte(`{"n":1}`), Timestamp: d.clock.now()}
	many := make([]store.NewEvent, 100)
	for i := range many {
		many[i] = e
	}
	for _, events := range [][]store.NewEvent{{e}, many} {
		_, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Batch: true, Events: events})
		must(t, err)
		var jobs []store.Job
		for len(jobs) < len(events) {
			jobs = append(jobs, d.claim()...)
			d.clock.forward(time.Second) // more than 50 at once are beyond the account's rate
		}
		d.answer(500, jobs...)
	}
	db := storetest.Raw(t, d.db)
	for table, own := range map[string]string{
		"events": "{id,created_at}", "deliveries": "{id,event_id,created_at,next_attempt_at,last_attempt_at}", "attempts": "{delivery_id,started_at}",
	} {
		var rows, kinds int
		must(t, db.QueryRow("SELECT count(*), count(DISTINCT to_jsonb(t) - $1::text[]) FROM "+table+" t", own).Scan(&rows, &kinds))
		if rows != 1+len(many) || kinds != 1 {
			t.Errorf("%s: %d rows of %d kinds, want %d of one", table, rows, kinds, 1+len(many))
		}
	}
}

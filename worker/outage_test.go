package worker

import (
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

// TestADatabaseThatComesBackGetsTheAnswersThatCameMeanwhile takes Postgres away
// while requests are under way, answers them, and brings it back: what they came
// to is recorded, what waits goes on, and nothing is sent twice for nothing.
func TestADatabaseThatComesBackGetsTheAnswersThatCameMeanwhile(t *testing.T) {
	own := storetest.OwnPostgres(t, "")
	const slots, events = 4, 20
	d := newDesk(t, own.Database, func(d *desk) { d.limits.InFlight = slots })
	r, free := block(t)
	id := d.webhook(r.URL)
	w := d.work()
	d.publish(events)
	r.wait(t, slots)
	own.Crash()
	free()
	d.until("the results can't be recorded", func() bool { return w.recorders.away() })
	own.Start()
	d.until("all are delivered", func() bool {
		n, err := d.store.Summary(t.Context(), d.account, id) // an error, as long as a connection of before is used
		return err == nil && n == (store.Summary{Delivered: events})
	})
	sent := map[string]int{}
	for _, req := range r.requests() {
		sent[req.header.Get("webhook-id")]++
	}
	// Only where the database was away for longer than a node may be silent are
	// those that were under way sent again.
	if most := events + slots; len(sent) != events || len(r.requests()) > most {
		t.Errorf("%d requests for %d deliveries, want %d at most for %d", len(r.requests()), len(sent), most, events)
	}
}

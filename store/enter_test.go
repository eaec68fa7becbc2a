package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// crossing holds back what a test brings about at the same moment on Postgres.
type crossing struct {
	*desk
	raw *sql.DB
	all sync.WaitGroup
}

func openCrossing(t *testing.T) *crossing {
	t.Helper()
	t.Parallel()
	db := storetest.Postgres(t)
	c := &crossing{desk: openDesk(t, db, store.Limits{}), raw: storetest.Raw(t, db)}
	t.Cleanup(c.all.Wait)
	return c
}

// hold keeps the webhook's queue locked, as recording its answers does, until
// free is called.
func (c *crossing) hold(w store.Webhook) (free func()) {
	c.t.Helper()
	tx, err := c.raw.BeginTx(c.ctx, nil)
	must(c.t, err)
	_, err = tx.Exec("SELECT id FROM queues WHERE webhook_id = $1 FOR UPDATE", w.ID)
	must(c.t, err)
	free = sync.OnceFunc(func() { must(c.t, tx.Rollback()) })
	c.t.Cleanup(free)
	return free
}

// begin runs f beside the test, and returns when n transactions wait for a lock.
func (c *crossing) begin(n int, f func() error) {
	c.t.Helper()
	c.all.Go(func() {
		if err := f(); err != nil {
			c.t.Error(err)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		var waiting int
		must(c.t, c.raw.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting))
		if waiting >= n {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d transactions wait, want %d", waiting, n)
		}
	}
}

func (c *crossing) claimOne() error {
	_, _, err := c.Claim(c.ctx, store.ClaimRequest{Max: 1})
	return err
}

func TestAPublishDoesNotWaitForAClaimOfAnotherWebhook(t *testing.T) {
	c := openCrossing(t)
	busy, quick := c.webhook("https://a.example/", "call.*"), c.webhook("https://b.example/", "message.*")
	c.publish("call.ended", `{}`)
	free := c.hold(busy)
	c.begin(1, c.claimOne)
	soon, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	_, _, err := c.Publish(soon, store.Publication{AccountID: c.account, Events: []store.NewEvent{{Type: "message.sent", Data: []byte(`{}`)}}})
	must(t, err)
	if n := c.summary(quick).Total(); n != 1 {
		t.Errorf("the other webhook got %d deliveries", n)
	}
	free()
	c.all.Wait()
}

func TestAChangeWaitsForWhatIsUnderWayAndComesBeforeWhatIsPublishedLater(t *testing.T) {
	c := openCrossing(t)
	w := c.webhook("https://a.example/")
	c.publish("call.ended", `{}`)
	free := c.hold(w)
	c.begin(1, c.claimOne)
	c.begin(2, func() error {
		paused := false
		_, _, err := c.UpdateWebhook(c.ctx, c.account, w.ID, store.WebhookPatch{Active: &paused})
		return err
	})
	var accepted []store.Accepted
	c.begin(3, func() (err error) {
		accepted, _, err = c.Publish(c.ctx, store.Publication{AccountID: c.account, Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`)}}})
		return err
	})
	free()
	c.all.Wait()
	if accepted[0].Deliveries != 0 {
		t.Errorf("%d deliveries to a webhook that was paused before", accepted[0].Deliveries)
	}
	if got := c.summary(w); got != (store.Summary{Processing: 1}) {
		t.Errorf("the log holds %+v", got)
	}
}

func TestTwoNodesGiveOneAnswerToOneIdempotencyKey(t *testing.T) {
	c := openCrossing(t)
	w := c.webhook("https://a.example/")
	nodes := []*store.Store{c.Store, freshOn(t, c.desk, func(*store.Options) {})}
	for round := range 20 {
		var ids [2]uuid.UUID
		for i, node := range nodes {
			c.all.Go(func() {
				accepted, _, err := node.Publish(c.ctx, store.Publication{
					AccountID: c.account, IdempotencyKey: fmt.Sprint(round), Events: []store.NewEvent{{Type: fmt.Sprintf("new.type%d", round), Data: []byte(`{}`)}},
				})
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = accepted[0].ID
			})
		}
		c.all.Wait()
		if ids[0] != ids[1] {
			t.Errorf("one key has the answers %v", ids)
		}
	}
	if n := c.summary(w).Total(); n != 20 {
		t.Errorf("%d deliveries of 20 events", n)
	}
}

func TestWhatTwoNodesSpendAtOnceIsOwed(t *testing.T) {
	c := openCrossing(t)
	const perSecond, seconds = 20, 60
	limits := store.Limits{RatePerMinute: 60 * perSecond}
	var nodes []*store.Store
	for range 2 {
		nodes = append(nodes, freshOn(t, c.desk, func(o *store.Options) { o.Limits = limits }))
	}
	for i := range 4 {
		c.webhook(fmt.Sprintf("https://%d.example/", i))
	}
	for range 5 {
		c.publishMany(100)
	}
	started := make(chan int, 2*seconds)
	for range seconds {
		c.clock.forward(time.Second)
		for _, node := range nodes {
			c.all.Go(func() {
				jobs, _, err := node.Claim(c.ctx, store.ClaimRequest{Max: 1000})
				if err != nil {
					t.Error(err)
				}
				started <- len(jobs)
			})
		}
		c.all.Wait()
	}
	close(started)
	total := 0
	for n := range started {
		total += n
	}
	if least, most := perSecond*seconds, perSecond*seconds+2*limits.RateBurst(); total < least || total > most {
		t.Errorf("%d requests in %d seconds, want %d to %d", total, seconds, least, most)
	}
}

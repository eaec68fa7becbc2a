package store

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/store/storetest"
	"belfry/store/uuid"
)

// use is something that pages, the API, publishers or the worker do.
type use struct {
	name string
	do   func(ctx context.Context) error
	most int // rows it may read on Postgres; 0: 2500
	// by is the index that SQLite must look in, as it does not count rows; empty:
	// not asked.
	by string
	// not is an index that SQLite must not look in; empty: not asked.
	not string
}

func (g *grown) list(f DeliveryFilter) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := g.SearchDeliveries(ctx, g.account, f)
		return err
	}
}

func (g *grown) count(f DeliveryFilter) func(context.Context) error {
	return func(ctx context.Context) error {
		_, _, err := g.CountMatching(ctx, g.account, f, 1000)
		return err
	}
}

func (g *grown) neighbours(f DeliveryFilter, id uuid.UUID) func(context.Context) error {
	return func(ctx context.Context) error {
		_, _, err := g.Neighbours(ctx, g.account, f, id)
		return err
	}
}

// lists are what pages and API ask of the log: each filter by itself, and some
// together.
func (g *grown) lists() []use {
	middle := idAt(g.from.Add(g.to.Sub(g.from) / 2))
	uses := []use{
		{name: "all", do: g.list(DeliveryFilter{}), by: "deliveries_account (account_id=?)"},
		{name: "older", do: g.list(DeliveryFilter{Before: middle}), by: "deliveries_account (account_id=? AND id<?)"},
		{name: "newer", do: g.list(DeliveryFilter{After: middle}), by: "deliveries_account (account_id=? AND id>?)"},
		{name: "older neighbour", do: g.neighbours(DeliveryFilter{}, middle), by: "deliveries_account (account_id=? AND id<?)"},
		{name: "newer neighbour", do: g.neighbours(DeliveryFilter{WebhookID: g.webhook}, middle), by: "deliveries_webhook (webhook_id=? AND id>?)"},
		{name: "by offset", do: g.list(DeliveryFilter{WebhookID: g.webhook, Offset: 1000, Limit: 100}), by: "deliveries_webhook (webhook_id=?)"},
		{name: "since an hour", do: g.list(DeliveryFilter{From: g.to.Add(-time.Hour)}), by: "deliveries_account (account_id=? AND id>?)"},
		{name: "of a day long ago", do: g.list(DeliveryFilter{From: g.from, To: g.from.Add(24 * time.Hour)}), by: "deliveries_account (account_id=? AND id>? AND id<?)"},
		{name: "agent of a time", do: g.list(DeliveryFilter{From: g.from, To: g.to, AgentID: "nobody"}), most: 4 * grownSearch},
		{name: "agent of a time, older", do: g.list(DeliveryFilter{From: g.from, To: g.to, Before: middle, AgentID: "nobody"}), most: 4 * grownSearch},
		{name: "webhook", do: g.list(DeliveryFilter{WebhookID: g.webhook}), by: "deliveries_webhook (webhook_id=?)"},
		{name: "webhook of nobody", do: g.list(DeliveryFilter{WebhookID: newID()}), by: "deliveries_webhook (webhook_id=?)"},
		{name: "type", do: g.list(DeliveryFilter{Event: "call.ended"}), by: "deliveries_type (account_id=? AND event_type=?)"},
		{name: "type that never was", do: g.list(DeliveryFilter{Event: "call.never"}), by: "deliveries_type (account_id=? AND event_type=?)"},
		{name: "older of a type", do: g.list(DeliveryFilter{Event: "call.ended", Before: middle}), by: "deliveries_type (account_id=? AND event_type=? AND id<?)"},
		{name: "type of a time", do: g.list(DeliveryFilter{Event: "call.never", From: g.from, To: g.to}), by: "deliveries_type (account_id=? AND event_type=? AND id>? AND id<?)", not: "deliveries_account"},
		{name: "count of a type of a time", do: g.count(DeliveryFilter{Event: "call.never", From: g.from, To: g.to}), by: "deliveries_type (account_id=? AND event_type=? AND id>? AND id<?)", not: "deliveries_account"},
		{name: "text that is an id", do: g.list(DeliveryFilter{Text: middle.String()}), by: "deliveries_event (event_id=?)"},
		{name: "text that an id begins with", do: g.list(DeliveryFilter{Text: middle.String()[:13]}), by: "deliveries_account (account_id=? AND id>? AND id<?)"},
		{name: "text that is a webhook", do: g.list(DeliveryFilter{Text: g.webhook.String()}), by: "deliveries_webhook (webhook_id=?)"},
		{name: "error", do: g.list(DeliveryFilter{Error: "status"}), by: "attempts_error (error=?)"},
		{name: "error that never was", do: g.list(DeliveryFilter{Error: "dns"}), by: "attempts_error (error=?)"},
		{name: "older of an error", do: g.list(DeliveryFilter{Error: "status", Before: middle}), by: "attempts_error (error=? AND delivery_id<?"},
		{name: "older of an error, turned back", do: g.list(DeliveryFilter{Error: "status", After: middle}), by: "attempts_error (error=? AND delivery_id>?"},
		{name: "tests", do: g.list(DeliveryFilter{Tests: true}), by: "deliveries_tests (queue_id=?)"},
		{name: "count of failed ones of a type", do: g.count(DeliveryFilter{Event: "call.ended", Status: []Status{Failed}}), most: 2 * CountedNewest},
		{name: "recent agents", do: func(ctx context.Context) error {
			_, err := g.RecentAgents(ctx, g.account)
			return err
		}, by: "deliveries_account (account_id=?)"},
		{name: "count of all", do: g.count(DeliveryFilter{})},
		{name: "count of a type", do: g.count(DeliveryFilter{Event: "call.ended"})},
		{name: "count of tests of a minute", do: g.count(DeliveryFilter{Tests: true, From: g.to}), by: "deliveries_tests (queue_id=? AND created_at>?)"},
	}
	byStatus := map[Status]string{Pending: "deliveries_account_pending", Processing: "deliveries_leased", Failed: "deliveries_account_failed", Dead: "deliveries_account_dead"}
	byWebhook := map[Status]string{Pending: "deliveries_pending", Processing: "deliveries_leased", Failed: "deliveries_failed", Dead: "deliveries_dead"}
	for _, status := range []Status{Pending, Processing, Failed, Dead} {
		uses = append(uses,
			use{name: status.String(), do: g.list(DeliveryFilter{Status: []Status{status}}), by: byStatus[status]},
			use{name: status.String() + " of a webhook", do: g.list(DeliveryFilter{WebhookID: g.webhook, Status: []Status{status}}), by: byWebhook[status]},
			use{name: "older " + status.String() + " of a webhook", do: g.list(DeliveryFilter{WebhookID: g.webhook, Status: []Status{status}, Before: middle})},
			use{name: "count of " + status.String(), do: g.count(DeliveryFilter{Status: []Status{status}}), most: 3500})
	}
	return append(uses, g.searches(middle)...)
}

// searches are lists that no index answers. They step through ids and then read
// the same rows; text in data reads the events besides.
func (g *grown) searches(middle uuid.UUID) (uses []use) {
	for name, f := range map[string]DeliveryFilter{
		"delivered": {Status: []Status{Delivered}}, "agent": {AgentID: "nobody"}, "code": {Code: 418}, "error and code": {Error: "status", Code: 418}, "group of types": {Event: "call.never*"}, "held": {Held: true},
		"webhook and error": {WebhookID: newID(), Error: "status"}, "status and agent": {Status: []Status{Failed}, AgentID: "nobody"},
		"time and agent": {From: g.from, AgentID: "nobody"}, "webhook and type": {WebhookID: g.webhook, Event: "call.never"},
		"text in data": {Text: "nowhere"}, "text in data, turned back": {Text: "nowhere", After: idAt(g.from)},
	} {
		uses = append(uses, use{name: name, do: g.list(f), most: 4 * grownSearch})
		if f.Text == "" {
			uses = append(uses, use{name: "count of " + name, do: g.count(f), most: 3 * grownSearch}, use{name: "neighbours in " + name, do: g.neighbours(f, middle), most: 3 * 2 * neighbourRows})
		}
	}
	return uses
}

// some is the id in a column of one of the webhook's deliveries.
func (g *grown) some(column string) (id uuid.UUID) {
	g.must(g.ro.NewRaw("SELECT "+column+" FROM deliveries WHERE webhook_id = ? ORDER BY id LIMIT 1 OFFSET 100", g.webhook).Scan(g.t.Context(), &id))
	return id
}

// nextProbe asks for the next probe of the webhook, at a step of its probing.
func (g *grown) nextProbe(step int) func(context.Context) error {
	return func(ctx context.Context) error {
		probing := func(on bool) error {
			_, err := g.Store.db.NewRaw("UPDATE queues SET probing = ?, probing_since = 1, probe_at = 1, probe_step = ? WHERE id = ?", on, step, g.webhook).Exec(ctx)
			return err
		}
		if err := probing(true); err != nil {
			return err
		}
		if _, err := g.NextProbe(ctx, g.account, g.webhook); err != nil {
			return err
		}
		return probing(false)
	}
}

// pagesUse are the other things that pages and API show.
func (g *grown) pagesUse() []use {
	delivery := g.some("id")
	return []use{
		{name: "delivery", do: func(ctx context.Context) error { _, err := g.Delivery(ctx, g.account, delivery); return err }},
		{name: "attempts", do: func(ctx context.Context) error { _, err := g.Attempts(ctx, g.account, delivery); return err }, by: "sqlite_autoindex_attempts_1 (delivery_id=?)"},
		{name: "overviews", do: func(ctx context.Context) error {
			all, err := g.Overviews(ctx, g.account)
			if err == nil {
				_, err = g.Strip(ctx, g.account, all)
			}
			return err
		}, by: "deliveries_account_failed_at (account_id=? AND finished_at>?)"},
		{name: "standing", do: func(ctx context.Context) error { _, err := g.Standing(ctx, g.account); return err }},
		{
			name: "chart", do: func(ctx context.Context) error { _, err := g.Chart(ctx, g.account, g.webhook, LastMonth); return err },
			by: "tallies USING PRIMARY KEY (queue_id=? AND span=? AND start>?)", not: "USE TEMP B-TREE FOR GROUP",
		},
		{name: "count of a webhook", do: func(ctx context.Context) error {
			_, err := g.CountOfWebhook(ctx, g.account, g.webhook, Failed)
			return err
		}},
		{name: "limits", do: func(ctx context.Context) error { _, err := g.LimitsUse(ctx, g.account); return err }, by: "deliveries_tests (queue_id=? AND created_at>?)"},
		{name: "missed", do: func(ctx context.Context) error {
			_, err := g.CountMissed(ctx, g.account, g.webhook, g.from)
			return err
		}},
		{name: "missed, for a page", do: func(ctx context.Context) error { _, err := g.Missed(ctx, g.account, g.webhook); return err }},
		{name: "what waits", do: func(ctx context.Context) error { _, err := g.Waiting(ctx, g.account, g.webhook); return err }, by: "deliveries_due (queue_id=? AND next_attempt_at>?)"},
		{name: "next probe, oldest", do: g.nextProbe(0)},
		{name: "next probe, newest", do: g.nextProbe(1)},
		{name: "last failures", do: func(ctx context.Context) error {
			_, err := g.LastFailures(ctx, g.account, g.webhook, []KindCount{{Kind: "status", Code: 500}, {Kind: "timeout", Code: 500}, {Kind: "gone", Code: 1}})
			return err
		}, by: "attempts_error (error=?)"},
		{name: "event types", do: func(ctx context.Context) error { _, err := g.EventTypes(ctx, g.account); return err }},
		{name: "backlog", do: func(ctx context.Context) error { _, err := g.Backlog(ctx); return err }, by: "deliveries_account_pending (account_id=?)"},
	}
}

// eventsUse are the lists of events.
func (g *grown) eventsUse() []use {
	event := g.some("event_id")
	list := func(f EventFilter) func(context.Context) error {
		return func(ctx context.Context) error {
			page, err := g.Events(ctx, g.account, f)
			if err != nil {
				return err
			}
			return g.NameDeliveries(ctx, page.List)
		}
	}
	return []use{
		{name: "event", do: func(ctx context.Context) error { _, err := g.Event(ctx, g.account, event); return err }, by: "deliveries_event (event_id=?)"},
		{name: "events", do: list(EventFilter{}), by: "events_account (account_id=?)"},
		{name: "their deliveries", do: list(EventFilter{}), by: "deliveries_event (event_id=?)"},
		{name: "older events", do: list(EventFilter{Before: event}), by: "events_account (account_id=? AND id<?)"},
		{name: "newer events", do: list(EventFilter{After: event}), by: "events_account (account_id=? AND id>?)"},
		{name: "events since an hour", do: list(EventFilter{From: g.to.Add(-time.Hour)}), by: "events_account (account_id=? AND id>?)"},
		{name: "count of events", do: func(ctx context.Context) error {
			_, _, err := g.CountEvents(ctx, g.account, EventFilter{}, 1000)
			return err
		}, most: 3 * grownSearch, by: "events_account (account_id=?)"},
		{name: "events of a type", do: list(EventFilter{Type: "call.missed"}), by: "events_type (account_id=? AND type=?)"},
		{name: "events of a type and a time", do: list(EventFilter{Type: "call.never", From: g.from, To: g.to}), by: "events_type (account_id=? AND type=? AND id>? AND id<?)", not: "events_account"},
		{name: "events of a type that never was", do: list(EventFilter{Type: "call.never"}), by: "events_type (account_id=? AND type=?)"},
		{name: "event by its id", do: list(EventFilter{Text: event.String()}), by: "sqlite_autoindex_events_1 (id=?)"},
		{name: "event by how its id begins", do: list(EventFilter{Text: event.String()[:13]}), by: "events_account (account_id=? AND id>? AND id<?)"},
		{name: "events of nobody", do: list(EventFilter{AgentID: "nobody"}), most: 3 * grownSearch},
		{name: "events of a group of types", do: list(EventFilter{Type: "call.never*"}), most: 3 * grownSearch},
		{name: "events of a type and nobody", do: list(EventFilter{Type: "call.ended", AgentID: "nobody"}), most: 3 * grownSearch, by: "events_type (account_id=? AND type=?)"},
		{name: "events with a text", do: list(EventFilter{Text: "nowhere"}), most: 3 * grownSearch},
		{name: "events with a text, turned back", do: list(EventFilter{Text: "nowhere", After: idAt(g.from)}), most: 3 * grownSearch},
	}
}

// engineUse is what publishers and the worker do, in an order in which each has
// something to do.
func (g *grown) engineUse() []use {
	var jobs []Job
	var test Delivery
	return []use{
		{name: "publish", by: "idempotency_keys_1 (account_id=? AND key=?)", do: func(ctx context.Context) error {
			_, _, err := g.Publish(ctx, Publication{AccountID: g.account, IdempotencyKey: newID().String(), Events: []NewEvent{{Type: "call.ended", Data: []byte(`{}`)}, {Type: "call.ended", Data: []byte(`{}`)}}})
			return err
		}},
		{name: "beat", do: g.Beat},
		{name: "claim", by: "deliveries_due (queue_id=? AND next_attempt_at>? AND next_attempt_at<?)", do: func(ctx context.Context) (err error) {
			jobs, _, err = g.Claim(ctx, ClaimRequest{Max: 4})
			if len(jobs) != 4 {
				g.t.Errorf("claimed %d", len(jobs))
			}
			return err
		}},
		{name: "give back", do: func(ctx context.Context) error { return g.GiveBack(ctx, jobs[:1]) }},
		{name: "record and claim", do: func(ctx context.Context) error {
			var results []Result
			for _, j := range jobs[1:3] {
				results = append(results, Result{Job: j, Next: Pending, Wait: time.Hour, Attempt: Attempt{StartedAt: At(time.Now()), Error: "status", StatusCode: 500}})
			}
			_, err := g.RecordAndClaim(ctx, results, ClaimRequest{Max: 1})
			return err
		}},
		{name: "recover", do: func(ctx context.Context) error { _, err := g.Recover(ctx); return err }},
		{name: "test", by: "deliveries_tests (queue_id=? AND created_at>?)", do: func(ctx context.Context) (err error) {
			test, err = g.SendTest(ctx, g.account, NewTest{WebhookID: g.webhook, Event: "call.ended"})
			return err
		}},
		{name: "look at a test", do: func(ctx context.Context) error { _, err := g.Delivery(ctx, g.account, test.ID); return err }},
		{name: "resend", do: func(ctx context.Context) error { _, err := g.Resend(ctx, g.account, jobs[1].DeliveryID); return err }},
		{name: "reconcile", do: g.reconcileOnce, most: 3 * grownEvents},
		{name: "tidy", do: g.Tidy, most: 2 * grownEvents},
		{name: "pause", do: func(ctx context.Context) error {
			off := false
			_, _, err := g.UpdateWebhook(ctx, g.account, g.webhook, WebhookPatch{Active: &off})
			return err
		}},
		{name: "delete", do: func(ctx context.Context) error { return g.DeleteWebhook(ctx, g.account, g.webhook) }, most: 3 * grownEvents, not: "deliveries_webhook"},
		{name: "peaks", do: func(ctx context.Context) error { return g.KeepPeaks(ctx, map[uuid.UUID]int{g.webhook: 3}) }},
	}
}

func (g *grown) reconcileOnce(ctx context.Context) error {
	r := g.NewReconciler()
	for done := false; !done; {
		var err error
		if done, err = r.Step(ctx); err != nil {
			return err
		}
	}
	_, err := r.Orphans(ctx)
	return err
}

// TestNoPlanReadsMoreThanItNeeds reads the plan of every query that pages and
// claims use, in a database that has grown: none goes through the whole of
// deliveries, events or attempts, and none reads many rows for few.
func TestNoPlanReadsMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		g := newGrown(t, db)
		for _, uses := range [][]use{g.lists(), g.pagesUse(), g.eventsUse(), g.resendUse(), g.engineUse()} {
			for _, u := range uses {
				g.check(u)
			}
		}
	})
}

// TestPlansMadeInAnEmptyDatabaseHoldAsItGrows: what runs with every event is
// planned once, by what the tables hold then, which is nothing on the first day.
func TestPlansMadeInAnEmptyDatabaseHoldAsItGrows(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	g := openGrown(t, db)
	g.addWebhook(0)
	_, err := storetest.Raw(t, db).Exec("VACUUM ANALYZE")
	g.must(err)
	calls := 0
	publish := func() {
		calls++
		_, _, err := g.Publish(t.Context(), Publication{AccountID: g.account, IdempotencyKey: strconv.Itoa(calls), Events: []NewEvent{{Type: "call.ended", Data: []byte(`{}`)}}})
		g.must(err)
	}
	deliver := func() {
		jobs, _, err := g.Claim(t.Context(), ClaimRequest{Max: 4})
		g.must(err)
		var results []Result
		for _, j := range jobs {
			results = append(results, Result{Job: j, Next: Delivered, Attempt: Attempt{StartedAt: At(time.Now()), StatusCode: 200}})
		}
		g.must(g.Record(t.Context(), results))
	}
	publish()
	deliver()
	for range 300 {
		publish()
	}
	g.check(use{name: "publish", most: 10, do: func(context.Context) error { publish(); return nil }})
	g.check(use{name: "claim and record", most: 40, do: func(context.Context) error { deliver(); return nil }})
}

func (g *grown) check(u use) {
	g.t.Helper()
	var err error
	plans := g.reader.during(func() { err = u.do(g.t.Context()) })
	if err != nil {
		g.t.Fatalf("%s: %v", u.name, err)
	}
	if len(plans) == 0 {
		g.t.Errorf("%s: no plan was read", u.name)
	}
	g.checkIndex(u, plans)
	most, reads := u.most, 0
	if most == 0 {
		most = 2500
	}
	for _, p := range plans {
		reads += p.reads
		if len(p.scans) > 0 {
			g.t.Errorf("%s scans %v:\n%s\n%s", u.name, p.scans, p.query, p.text)
		}
	}
	if reads > most {
		g.t.Errorf("%s reads %d rows, want %d at most", u.name, reads, most)
		for _, p := range plans {
			if p.reads > 100 {
				g.t.Logf("%d rows: %s\n%s", p.reads, p.query, p.text)
			}
		}
	}
}

func (g *grown) checkIndex(u use, plans []plan) {
	g.t.Helper()
	if g.db.Kind != storetest.KindSQLite {
		return
	}
	text := ""
	for _, p := range plans {
		text += p.text
	}
	if !strings.Contains(text, u.by) {
		g.t.Errorf("%s does not look in %s:\n%s", u.name, u.by, text)
	}
	if u.not != "" && strings.Contains(text, u.not+" ") {
		g.t.Errorf("%s looks in %s:\n%s", u.name, u.not, text)
	}
}

package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Handover takes fresh deliveries straight to the senders. The worker
// implements it; a process without a worker has none.
type Handover interface {
	// Reserve asks for a free slot for one delivery of the queue.
	Reserve(queue uuid.UUID) bool
	// Release gives back reserved slots that are not used.
	Release(queue uuid.UUID, n int)
	// Deliver sends jobs whose slots are reserved. It does not block.
	Deliver(jobs []Job)
	// Rooms tells what queues have room for whose endpoints answer so fast that
	// a fresh delivery does better to wait for a place than in the database.
	Rooms() map[uuid.UUID]Room
}

// Room is what a queue can take on: Free deliveries now, of All that may stand
// in line for it, and the pace at which it finishes them.
type Room struct{ Free, All, PerSecond int }

// SetHandover makes fresh deliveries go straight to h; nil ends that.
func (s *Store) SetHandover(h Handover) {
	if h == nil {
		s.hand.Store(nil)
		return
	}
	s.hand.Store(&h)
}

// fanout gathers the rows of one transaction that makes deliveries, and writes
// them in one statement a table.
type fanout struct {
	s          *Store
	hand       *Handover // the one that slots were reserved with; nil: none
	now        int64
	states     map[uuid.UUID]*accountState
	queues     map[uuid.UUID]*queueRow
	delta      map[uuid.UUID]*queueDelta
	counts     map[typeHour]int64
	events     []*eventRow
	deliveries []*deliveryRow
	missed     []missedRow
	answers    []*answerRow
	jobs       []Job
	reserved   map[uuid.UUID]int
	changes    []Change
}

type typeHour struct {
	account uuid.UUID
	name    string
	hour    int64
}

type missedRow struct{ webhook, event uuid.UUID }

// queueDelta is what a transaction changes in a queue's counts; due is the
// earliest next attempt it adds, 0 for none.
type queueDelta struct {
	pending, processing, delivered, failed, dead, due int64
}

func (s *Store) newFanout(now int64, states map[uuid.UUID]*accountState) *fanout {
	return &fanout{
		s: s, hand: s.hand.Load(), now: now, states: states, delta: map[uuid.UUID]*queueDelta{},
		counts: map[typeHour]int64{}, reserved: map[uuid.UUID]int{},
	}
}

// release gives back the slots reserved by a transaction that did not commit.
func (f *fanout) release() {
	for queue, n := range f.reserved {
		(*f.hand).Release(queue, n)
	}
	f.reserved = map[uuid.UUID]int{}
}

// deliver hands over what was leased on the way in; call it after the commit.
func (f *fanout) deliver() {
	for queue, d := range f.delta {
		if q := f.queues[queue]; q != nil {
			q.apply(d)
		}
	}
	f.s.lag.saw(f.queues, f.now)
	if len(f.jobs) > 0 {
		(*f.hand).Deliver(f.jobs)
	}
}

// event adds one event with a delivery for each webhook that gets it, and
// tells how many that are.
func (f *fanout) event(a *accountState, e NewEvent) (uuid.UUID, int) {
	f.now = f.s.moment(f.now)
	row := &eventRow{
		ID: f.s.idOf(f.now), AccountID: a.AccountID, Type: e.Type, AgentID: e.AgentID,
		OccurredAt: At(e.Timestamp), Data: e.Data, CreatedAt: Time{fromMicros(f.now)},
	}
	if row.OccurredAt.IsZero() {
		row.OccurredAt = row.CreatedAt
	}
	sent := 0
	verdicts := make([]Verdict, len(a.desk.webhooks))
	for i := range a.desk.webhooks {
		w := &a.desk.webhooks[i]
		reason, missed := decide(w, e.Type, e.AgentID)
		verdicts[i] = Verdict{WebhookID: w.ID, Reason: reason}
		if missed {
			f.missed = append(f.missed, missedRow{w.ID, row.ID})
		}
		if reason == Sent {
			sent++
			f.delivery(a, row, w)
		}
	}
	row.Verdicts = packVerdicts(verdicts)
	f.events = append(f.events, row)
	f.counts[typeHour{a.AccountID, e.Type, f.now / time.Hour.Microseconds() * time.Hour.Microseconds()}]++
	return row.ID, sent
}

// delivery adds the delivery of an event to one of the account's webhooks.
func (f *fanout) delivery(a *accountState, e *eventRow, w *Webhook) {
	f.add(a, e, &deliveryRow{QueueID: w.ID, WebhookID: w.ID, MaxAttempts: a.desk.account.Limits.MaxAttempts()}, a.desk.endpoints[w.ID])
}

// add completes a delivery, leased where it can start now, else pending.
func (f *fanout) add(a *accountState, e *eventRow, d *deliveryRow, endpoint *Endpoint) {
	d.ID, d.AccountID, d.EventID, d.EventType, d.AgentID, d.Test = f.s.idOf(f.now), a.AccountID, e.ID, e.Type, e.AgentID, e.Test
	d.NextAttemptAt, d.CreatedAt = Time{fromMicros(f.now)}, Time{fromMicros(f.now)}
	f.deliveries = append(f.deliveries, d)
	f.changes = append(f.changes, Change{Kind: ChangeDelivery, AccountID: a.AccountID, ID: d.ID, WebhookID: d.WebhookID})
	q := f.of(d.QueueID)
	if !f.start(a, d) {
		q.pending++
		q.due = earlier(q.due, f.now)
		f.changes[len(f.changes)-1].Due = true
		return
	}
	q.processing++
	f.jobs = append(f.jobs, d.job(e, endpoint))
}

// start leases the delivery to this node if its queue waits for nothing and a
// slot and a token are free.
func (f *fanout) start(a *accountState, d *deliveryRow) bool {
	q := f.queues[d.QueueID]
	if f.hand == nil || q == nil || q.Paused || q.Deleted || q.Probing || a.tokens() < 1 {
		return false
	}
	if !q.DueAt.IsZero() && q.DueAt.UnixMicro() <= f.now || f.of(d.QueueID).pending > 0 {
		return false
	}
	if !(*f.hand).Reserve(d.QueueID) {
		return false
	}
	f.reserved[d.QueueID]++
	a.spend(1)
	d.Status, d.LeaseNode, d.LeaseUntil = Processing, f.s.node, At(fromMicros(f.now).Add(f.s.lease()))
	return true
}

func (f *fanout) of(queue uuid.UUID) *queueDelta {
	if f.delta[queue] == nil {
		f.delta[queue] = &queueDelta{}
	}
	return f.delta[queue]
}

func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// leaseSlack is for what comes before and after a request.
const leaseSlack = 5 * time.Second

// lease is how long a node holds a delivery: the time-out of the request and
// what it takes to begin it and to record what came of it.
func (s *Store) lease() time.Duration { return s.opt.Limits.Timeout + leaseSlack }

// longFanout is how many deliveries are worth writing beside a transaction that
// has their queues locked. Fewer wait first: what comes meanwhile shares the next
// commit.
const longFanout = 100

// write puts everything into the database.
func (f *fanout) write(ctx context.Context, tx bun.Tx) error {
	lock, rows := []step{f.lockQueues}, []step{f.writeEvents, f.writeDeliveries, f.writeMissed}
	steps := append(lock, rows...)
	if len(f.deliveries) >= longFanout {
		steps = append(rows, lock...)
	}
	for _, step := range append(steps, f.writeAnswers, f.writeCounts, f.applyDeltas, f.keepRates) {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// step writes a part of a fan-out.
type step func(context.Context, bun.Tx) error

func (f *fanout) applyDeltas(ctx context.Context, tx bun.Tx) error {
	return f.s.applyDeltas(ctx, tx, f.delta)
}

func (f *fanout) keepRates(ctx context.Context, tx bun.Tx) error {
	return f.s.keepRates(ctx, tx, f.states)
}

// lockQueues takes the locks in the order in which all others take them.
func (f *fanout) lockQueues(ctx context.Context, tx bun.Tx) error {
	lock := f.s.d.forUpdate()
	if lock == "" || len(f.delta) == 0 {
		return nil
	}
	return f.s.d.exec(ctx, tx, "SELECT id FROM queues WHERE "+f.s.d.among("id", "$1", "uuid")+" ORDER BY id"+lock, f.s.d.list(sortedKeys(f.delta, compareIDs)))
}

func (f *fanout) writeEvents(ctx context.Context, tx bun.Tx) error {
	rows := f.events
	return f.s.d.insertBatch(ctx, tx, "events", "", []column{
		idCol("id", rows, func(e *eventRow) uuid.UUID { return e.ID }),
		idCol("account_id", rows, func(e *eventRow) uuid.UUID { return e.AccountID }),
		col("type", "text", rows, func(e *eventRow) string { return e.Type }),
		col("agent_id", "text", rows, func(e *eventRow) *string { return orNull(e.AgentID) }),
		col("occurred_at", "bigint", rows, func(e *eventRow) int64 { return micros(e.OccurredAt.Time) }),
		col("data", "bytea", rows, func(e *eventRow) []byte { return e.Data }),
		col("verdicts", "bytea", rows, func(e *eventRow) []byte { return e.Verdicts }),
		col("test", "boolean", rows, func(e *eventRow) bool { return e.Test }),
		col("created_at", "bigint", rows, func(e *eventRow) int64 { return micros(e.CreatedAt.Time) }),
	})
}

func (f *fanout) writeDeliveries(ctx context.Context, tx bun.Tx) error {
	rows := f.deliveries
	return f.s.d.insertBatch(ctx, tx, "deliveries", "", []column{
		idCol("id", rows, func(d *deliveryRow) uuid.UUID { return d.ID }),
		idCol("account_id", rows, func(d *deliveryRow) uuid.UUID { return d.AccountID }),
		idCol("queue_id", rows, func(d *deliveryRow) uuid.UUID { return d.QueueID }),
		idCol("webhook_id", rows, func(d *deliveryRow) uuid.UUID { return d.WebhookID }),
		idCol("event_id", rows, func(d *deliveryRow) uuid.UUID { return d.EventID }),
		col("event_type", "text", rows, func(d *deliveryRow) string { return d.EventType }),
		col("agent_id", "text", rows, func(d *deliveryRow) *string { return orNull(d.AgentID) }),
		col("test", "boolean", rows, func(d *deliveryRow) bool { return d.Test }),
		col("url", "text", rows, func(d *deliveryRow) *string { return orNull(d.URL) }),
		col("secret", "bytea", rows, func(d *deliveryRow) []byte { return d.Secret }),
		col("status", "smallint", rows, func(d *deliveryRow) int64 { return int64(d.Status) }),
		col("max_attempts", "integer", rows, func(d *deliveryRow) int64 { return int64(d.MaxAttempts) }),
		col("next_attempt_at", "bigint", rows, func(d *deliveryRow) int64 { return micros(d.NextAttemptAt.Time) }),
		col("lease_node", "text", rows, func(d *deliveryRow) *string { return orNull(d.LeaseNode) }),
		col("lease_until", "bigint", rows, func(d *deliveryRow) *int64 { return timeOrNull(d.LeaseUntil) }),
		col("created_at", "bigint", rows, func(d *deliveryRow) int64 { return micros(d.CreatedAt.Time) }),
	})
}

func (f *fanout) writeMissed(ctx context.Context, tx bun.Tx) error {
	return f.s.d.insertBatch(ctx, tx, "missed_events", "", []column{
		idCol("webhook_id", f.missed, func(m missedRow) uuid.UUID { return m.webhook }),
		idCol("event_id", f.missed, func(m missedRow) uuid.UUID { return m.event }),
	})
}

func (f *fanout) writeAnswers(ctx context.Context, tx bun.Tx) error {
	return f.s.d.insertBatch(ctx, tx, "idempotency_keys", "", []column{
		idCol("account_id", f.answers, func(a *answerRow) uuid.UUID { return a.account }),
		col("key", "text", f.answers, func(a *answerRow) string { return a.key }),
		col("request_hash", "bytea", f.answers, func(a *answerRow) []byte { return a.requestHash }),
		col("answer", "bytea", f.answers, func(a *answerRow) []byte { return a.answer }),
		col("created_at", "bigint", f.answers, func(*answerRow) int64 { return f.now }),
	})
}

func (f *fanout) writeCounts(ctx context.Context, tx bun.Tx) error {
	keys := sortedKeys(f.counts, func(a, b typeHour) int {
		return cmp.Or(compareIDs(a.account, b.account), cmp.Compare(a.name, b.name))
	})
	return f.s.d.insertBatch(ctx, tx, "event_counts", "ON CONFLICT (account_id, type, hour) DO UPDATE SET count = event_counts.count + excluded.count", []column{
		idCol("account_id", keys, func(k typeHour) uuid.UUID { return k.account }),
		col("type", "text", keys, func(k typeHour) string { return k.name }),
		col("hour", "bigint", keys, func(k typeHour) int64 { return k.hour }),
		col("count", "bigint", keys, func(k typeHour) int64 { return f.counts[k] }),
	})
}

// applyDeltas adds to the counts of queues that are locked.
func (s *Store) applyDeltas(ctx context.Context, tx bun.Tx, deltas map[uuid.UUID]*queueDelta) error {
	type row struct {
		id uuid.UUID
		*queueDelta
	}
	rows := make([]row, 0, len(deltas))
	for _, id := range sortedKeys(deltas, compareIDs) {
		rows = append(rows, row{id, deltas[id]})
	}
	return s.d.updateBatch(ctx, tx, "queues", `pending = t.pending + v.pending, processing = t.processing + v.processing,
		delivered = t.delivered + v.delivered, failed = t.failed + v.failed, dead = t.dead + v.dead,
		due_at = CASE WHEN v.due IS NULL OR t.due_at < v.due THEN t.due_at ELSE v.due END`, []column{
		idCol("id", rows, func(r row) uuid.UUID { return r.id }),
		col("pending", "bigint", rows, func(r row) int64 { return r.pending }),
		col("processing", "bigint", rows, func(r row) int64 { return r.processing }),
		col("delivered", "bigint", rows, func(r row) int64 { return r.delivered }),
		col("failed", "bigint", rows, func(r row) int64 { return r.failed }),
		col("dead", "bigint", rows, func(r row) int64 { return r.dead }),
		col("due", "bigint", rows, func(r row) *int64 { return orNull(r.due) }),
	})
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

func sortedKeys[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}

// column is one column of many rows, for statements that take arrays. pg is
// the type of an element on Postgres.
type column struct {
	name, pg string
	values   any
	at       func(i int) any
	n        int
}

func col[R, V any](name, pg string, rows []R, value func(R) V) column {
	values := make([]V, len(rows))
	for i, r := range rows {
		values[i] = value(r)
	}
	return column{name, pg, values, func(i int) any { return values[i] }, len(values)}
}

// idCol is a column of ids; a zero one is NULL. A row's is bound as its bytes,
// which a driver takes without asking what they are.
func idCol[R any](name string, rows []R, value func(R) uuid.UUID) column {
	c := col(name, "uuid", rows, value)
	values := c.values.([]uuid.UUID)
	c.at = func(i int) any {
		if values[i] == uuid.Nil {
			return nil
		}
		return values[i][:]
	}
	return c
}

// orNull is NULL for what is empty or 0.
func orNull[V comparable](value V) *V {
	var none V
	if value == none {
		return nil
	}
	return &value
}

func timeOrNull(t Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Result is what came of one job, and what is to happen next.
type Result struct {
	Job     Job
	Attempt Attempt // Request holds masked headers; RequestBody is not kept
	// BodySignature is the signature member of the request's body; empty: none.
	BodySignature string
	// Next is Pending (again at NextAttemptAt), Delivered, Failed or Dead. A
	// Dead one was answered 410: its webhook is deactivated.
	Next Status
	// Wait is the time from now to the next attempt, when Next is Pending.
	Wait time.Duration
	// At is when the answer came; zero: now. A past is told with it.
	At time.Time
	// kept is Attempt as the log keeps it, once Keep made it.
	kept *attemptRow
}

// Keep writes Attempt down as the log keeps it. Record does so where nobody did
// before, while others wait for the database; what is changed afterwards is not
// seen.
func (r *Result) Keep() {
	row := keepAttempt(r)
	r.kept = &row
}

func (r *Result) attempt() attemptRow {
	if r.kept == nil {
		r.Keep()
	}
	return *r.kept
}

// recordRow is one result in the form the dialects write.
type recordRow struct {
	id         uuid.UUID
	queue      uuid.UUID
	at         int64 // when it ended
	attempt    int   // the number of the attempt that is recorded
	deleted    bool
	status     Status
	next       int64 // 0: none
	finished   int64 // 0: not finished
	startedAt  int64
	statusCode int
	err        string
	detail     string
	durationUs int64
}

// Record writes what came of many jobs in one commit: attempts, statuses,
// counts, tallies and health. A result counts only where the lease is still
// this node's; a late one changes nothing.
func (s *Store) Record(ctx context.Context, results []Result) error {
	_, err := s.RecordAndClaim(ctx, results, ClaimRequest{})
	return err
}

// RecordAndClaim records as Record does and, in the same commit, claims as
// Claim does: where there is a backlog, what a node finished and what it takes
// on next cost one commit, not two.
func (s *Store) RecordAndClaim(ctx context.Context, results []Result, r ClaimRequest) (jobs []Job, err error) {
	if len(results) == 0 {
		return nil, nil
	}
	var due, accounts []uuid.UUID
	if r.Max > 0 {
		if due, accounts, err = s.dueQueues(ctx, r); err != nil {
			return nil, s.wrap(err)
		}
	}
	touched := map[uuid.UUID]bool{}
	for _, r := range results {
		touched[r.Job.QueueID] = true
	}
	for _, id := range due {
		touched[id] = true
	}
	ids := sortedKeys(touched, compareIDs)
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		jobs = nil
		states, queues, err := s.enterQueues(ctx, tx, accounts, ids)
		if err != nil {
			return nil, err
		}
		now, err := s.clockOf(ctx, tx, queues)
		if err != nil {
			return nil, err
		}
		changes, err := s.record(ctx, tx, now, queues, results)
		if err == nil && len(due) > 0 {
			jobs, err = s.claim(ctx, tx, r, states, queues)
		}
		s.lag.saw(queues, now)
		return append(changes, changesOf(jobs)...), err
	})
	if err != nil {
		return nil, err // not leased, or nobody knows
	}
	return jobs, nil
}

// clockOf is the clock as it was when the queues were read.
func (s *Store) clockOf(ctx context.Context, tx bun.Tx, queues map[uuid.UUID]*queueRow) (now int64, err error) {
	for _, q := range queues {
		now = max(now, q.now)
	}
	if now == 0 {
		return s.clock(ctx, tx)
	}
	return now, nil
}

func (s *Store) clock(ctx context.Context, tx bun.Tx) (now int64, err error) {
	if s.opt.Now != nil || s.d.oneNode() {
		return s.here().UnixMicro(), nil
	}
	rows, err := rowsOf(ctx, s, &tx, func(scan scanner) (us int64, err error) { return us, scan(&us) }, "SELECT "+s.d.nowSQL())
	if err != nil {
		return 0, err
	}
	return rows[0], nil
}

func (s *Store) record(ctx context.Context, tx bun.Tx, now int64, queues map[uuid.UUID]*queueRow, results []Result) ([]Change, error) {
	rows := make([]recordRow, len(results))
	for i := range results {
		rows[i] = results[i].row(now, queues[results[i].Job.QueueID])
	}
	ours, err := s.d.recordRows(ctx, tx, s.node, rows)
	if err != nil {
		return nil, err
	}
	w := &recording{s: s, now: now, queues: queues, deltas: map[uuid.UUID]*queueDelta{}, tallies: map[tallyKey]*tally{}, health: map[uuid.UUID]*health{}}
	for i := range results {
		if ours[i] {
			w.add(&results[i], &rows[i])
		}
	}
	return w.write(ctx, tx)
}

func (r *Result) row(now int64, q *queueRow) recordRow {
	if !r.At.IsZero() {
		now = micros(r.At)
	}
	row := recordRow{
		id: r.Job.DeliveryID, at: now, queue: r.Job.QueueID, attempt: r.Job.Attempt, status: r.Next, deleted: q != nil && q.Deleted,
		startedAt: micros(r.Attempt.StartedAt.Time), statusCode: r.Attempt.StatusCode, err: r.Attempt.Error,
		detail: r.Attempt.Detail, durationUs: r.Attempt.Duration.Microseconds(),
	}
	if row.deleted {
		row.status = Dead
	}
	if row.status == Pending {
		row.next = now + r.Wait.Microseconds()
	} else {
		row.finished = now
	}
	return row
}

// recording gathers what one Record writes besides the deliveries themselves.
type recording struct {
	s        *Store
	now      int64
	queues   map[uuid.UUID]*queueRow
	deltas   map[uuid.UUID]*queueDelta
	tallies  map[tallyKey]*tally
	health   map[uuid.UUID]*health
	attempts []attemptRow
	changes  []Change
}

func (w *recording) add(r *Result, row *recordRow) {
	j := &r.Job
	w.attempts = append(w.attempts, r.attempt())
	w.changes = append(w.changes, Change{Kind: ChangeDelivery, AccountID: j.AccountID, ID: j.DeliveryID, WebhookID: j.WebhookID, Due: row.status == Pending})
	q := w.queues[row.queue]
	if q == nil {
		return
	}
	if !q.Deleted {
		w.count(row)
	}
	w.tally(r)
	if !j.Test && !q.Deleted {
		alone := q.Processing+w.deltas[row.queue].processing == 0
		w.healthOf(q).hear(r, row.at, alone)
	}
}

func (w *recording) count(row *recordRow) {
	d := w.deltas[row.queue]
	if d == nil {
		d = &queueDelta{}
		w.deltas[row.queue] = d
	}
	d.processing--
	d.move(row.status, row.next)
}

// move counts a delivery into a status.
func (d *queueDelta) move(to Status, due int64) {
	switch to {
	case Pending:
		d.pending++
		d.due = earlier(d.due, due)
	case Delivered:
		d.delivered++
	case Failed:
		d.failed++
	case Dead:
		d.dead++
	}
}

// apply brings a row to what applyDeltas made of it in the database.
func (q *queueRow) apply(d *queueDelta) {
	q.Pending += d.pending
	q.Processing += d.processing
	q.Delivered += d.delivered
	q.Failed += d.failed
	q.Dead += d.dead
	if d.due != 0 && (q.DueAt.IsZero() || d.due < q.DueAt.UnixMicro()) {
		q.DueAt = Time{fromMicros(d.due)}
	}
}

func keepAttempt(r *Result) attemptRow {
	a := &r.Attempt
	row := attemptRow{
		DeliveryID: r.Job.DeliveryID, Number: r.Job.Attempt, Node: a.Node, StartedAt: a.StartedAt, DurationUs: a.Duration.Microseconds(),
		StatusCode: a.StatusCode, Error: a.Error, Detail: a.Detail, RemoteAddress: a.RemoteAddress, Protocol: a.Protocol,
		DNSUs: a.Phases.DNS.Microseconds(), ConnectUs: a.Phases.Connect.Microseconds(), TLSUs: a.Phases.TLS.Microseconds(),
		FirstByteUs: a.Phases.FirstByte.Microseconds(), Reused: a.Phases.Reused, URL: a.URL,
		ResponseBody: a.ResponseBody, Truncated: a.Truncated,
	}
	if a.Request != nil {
		row.RequestHeaders = packRequest(r.Job.DeliveryID, r.BodySignature, a.Request)
	}
	row.ResponseHeaders = packHeaders(a.Response)
	return row
}

func (w *recording) write(ctx context.Context, tx bun.Tx) ([]Change, error) {
	if err := w.s.writeAttempts(ctx, tx, w.attempts); err != nil {
		return nil, err
	}
	if err := w.s.writeTallies(ctx, tx, w.tallies); err != nil {
		return nil, err
	}
	if err := w.s.applyDeltas(ctx, tx, w.deltas); err != nil {
		return nil, err
	}
	for id, d := range w.deltas {
		w.queues[id].apply(d) // for the claim that may follow
	}
	ids := sortedKeys(w.health, compareIDs)
	rows := make([]*queueRow, len(ids))
	for i, id := range ids {
		rows[i] = w.health[id].q
	}
	if err := w.s.keepHealth(ctx, tx, rows); err != nil {
		return nil, err
	}
	for _, id := range ids {
		changes, err := w.health[id].follow(ctx, tx, w.s, w.now)
		if err != nil {
			return nil, err
		}
		w.changes = append(w.changes, changes...)
	}
	return w.changes, nil
}

func (s *Store) writeAttempts(ctx context.Context, tx bun.Tx, rows []attemptRow) error {
	return s.d.insertBatch(ctx, tx, "attempts", "", []column{
		idCol("delivery_id", rows, func(a attemptRow) uuid.UUID { return a.DeliveryID }),
		col("number", "integer", rows, func(a attemptRow) int64 { return int64(a.Number) }),
		col("node", "text", rows, func(a attemptRow) string { return a.Node }),
		col("started_at", "bigint", rows, func(a attemptRow) int64 { return micros(a.StartedAt.Time) }),
		col("duration_us", "bigint", rows, func(a attemptRow) int64 { return a.DurationUs }),
		col("status_code", "integer", rows, func(a attemptRow) *int64 { return orNull(int64(a.StatusCode)) }),
		col("error", "text", rows, func(a attemptRow) *string { return orNull(a.Error) }),
		col("detail", "text", rows, func(a attemptRow) *string { return orNull(a.Detail) }),
		col("remote_address", "text", rows, func(a attemptRow) *string { return orNull(a.RemoteAddress) }),
		col("protocol", "text", rows, func(a attemptRow) *string { return orNull(a.Protocol) }),
		col("dns_us", "bigint", rows, func(a attemptRow) int64 { return a.DNSUs }),
		col("connect_us", "bigint", rows, func(a attemptRow) int64 { return a.ConnectUs }),
		col("tls_us", "bigint", rows, func(a attemptRow) int64 { return a.TLSUs }),
		col("first_byte_us", "bigint", rows, func(a attemptRow) int64 { return a.FirstByteUs }),
		col("reused", "boolean", rows, func(a attemptRow) bool { return a.Reused }),
		col("url", "text", rows, func(a attemptRow) *string { return orNull(a.URL) }),
		col("request_headers", "text", rows, func(a attemptRow) *string { return orNull(a.RequestHeaders) }),
		col("response_headers", "text", rows, func(a attemptRow) *string { return orNull(a.ResponseHeaders) }),
		col("response_body", "bytea", rows, func(a attemptRow) []byte { return a.ResponseBody }),
		col("truncated", "boolean", rows, func(a attemptRow) bool { return a.Truncated }),
	})
}

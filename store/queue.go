package store

import (
	"context"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// queueRow is the running state of a webhook, or of an account's tests.
type queueRow struct {
	bun.BaseModel      `bun:"table:queues,alias:q"`
	ID                 uuid.UUID
	AccountID          uuid.UUID
	WebhookID          uuid.UUID `bun:",nullzero"`
	Paused, Deleted    bool
	DueAt              Time `bun:",nullzero"`
	ServedAt           int64
	Pending            int64
	Processing         int64
	Delivered          int64
	Failed             int64
	Dead               int64
	FailuresInRow      int64
	FailedSinceSuccess int64
	FailingSince       Time `bun:",nullzero"`
	LastSuccessAt      Time `bun:",nullzero"`
	LastAttemptAt      Time `bun:",nullzero"`
	Probing            bool
	ProbingSince       Time `bun:",nullzero"`
	ProbeStep          int64
	ProbeAt            Time `bun:",nullzero"`
	ResumedAt          Time `bun:",nullzero"`
	ResumeUsedUntil    int64

	// now is the database's clock when the row was read.
	now int64
}

// queueColumns are the columns that readQueue reads, after the clock.
const queueColumns = `, q.id, q.account_id, q.webhook_id, q.paused, q.deleted, q.due_at, q.served_at, q.pending, q.processing, q.delivered, q.failed, q.dead,
	q.failures_in_row, q.failed_since_success, q.failing_since, q.last_success_at, q.last_attempt_at,
	q.probing, q.probing_since, q.probe_step, q.probe_at, q.resumed_at, q.resume_used_until`

func readQueue(scan scanner) (*queueRow, error) {
	var q queueRow
	err := scan(&q.now, &q.ID, &q.AccountID, &q.WebhookID, &q.Paused, &q.Deleted, &q.DueAt, &q.ServedAt, &q.Pending, &q.Processing, &q.Delivered, &q.Failed, &q.Dead,
		&q.FailuresInRow, &q.FailedSinceSuccess, &q.FailingSince, &q.LastSuccessAt, &q.LastAttemptAt,
		&q.Probing, &q.ProbingSince, &q.ProbeStep, &q.ProbeAt, &q.ResumedAt, &q.ResumeUsedUntil)
	return &q, err
}

// selectQueues reads the queues in whose column stands one of the ids bound to $1.
func (s *Store) selectQueues(column string) string {
	return "SELECT " + s.d.nowOr("$2") + queueColumns + " FROM queues q WHERE " + s.d.among("q."+column, "$1", "uuid")
}

// selectLocked locks the queues whose ids are bound to $1, in their order.
func (s *Store) selectLocked() string {
	return s.selectQueues("id") + " ORDER BY q.id" + s.d.forUpdate()
}

// queuesOf reads the queues of the accounts, without locking them; tx may be
// nil.
func (s *Store) queuesOf(ctx context.Context, tx *bun.Tx, accounts []uuid.UUID) (map[uuid.UUID]*queueRow, error) {
	rows, err := rowsOf(ctx, s, tx, readQueue, s.selectQueues("account_id"), s.d.list(accounts), s.nowArg())
	return byQueue(rows), err
}

// lockQueues locks queues in the order of their ids: every transaction that
// changes deliveries already there takes this lock first.
func (s *Store) lockQueues(ctx context.Context, tx bun.Tx, ids []uuid.UUID) (map[uuid.UUID]*queueRow, error) {
	rows, err := rowsOf(ctx, s, &tx, readQueue, s.selectLocked(), s.d.list(ids), s.nowArg())
	return byQueue(rows), err
}

// askQueues reads queues by the end of the transaction's next query.
func (s *Store) askQueues(ctx context.Context, tx bun.Tx, query string, ids []uuid.UUID) (map[uuid.UUID]*queueRow, error) {
	queues := map[uuid.UUID]*queueRow{}
	err := s.d.ask(ctx, tx, func(scan scanner) error {
		q, err := readQueue(scan)
		queues[q.ID] = q
		return err
	}, query, s.d.list(ids), s.nowArg())
	return queues, err
}

func byQueue(rows []*queueRow) map[uuid.UUID]*queueRow {
	queues := make(map[uuid.UUID]*queueRow, len(rows))
	for _, q := range rows {
		queues[q.ID] = q
	}
	return queues
}

// Summary counts what the log still holds, by status.
type Summary struct {
	Pending, Processing, Delivered, Failed, Dead int64
}

// Total is the sum of all five.
func (s Summary) Total() int64 {
	return s.Pending + s.Processing + s.Delivered + s.Failed + s.Dead
}

// Of is the count of one status.
func (s Summary) Of(status Status) int64 {
	return [...]int64{s.Pending, s.Processing, s.Delivered, s.Failed, s.Dead}[status]
}

func (q *queueRow) summary() Summary {
	return Summary{q.Pending, q.Processing, q.Delivered, q.Failed, q.Dead}
}

// Summary counts a webhook's deliveries, tests left out.
func (s *Store) Summary(ctx context.Context, account, webhook uuid.UUID) (Summary, error) {
	var q queueRow
	err := s.ro.NewSelect().Model(&q).Where("account_id = ? AND webhook_id = ?", account, webhook).Scan(ctx)
	return q.summary(), s.wrap(err)
}

// CountOfWebhook counts all of a webhook's deliveries that the log holds, of
// these statuses where any is named. Unlike Summary it counts tests too.
func (s *Store) CountOfWebhook(ctx context.Context, account, webhook uuid.UUID, statuses ...Status) (int64, error) {
	summary, err := s.Summary(ctx, account, webhook)
	if err != nil {
		return 0, err
	}
	tests := s.ro.NewSelect().Model((*deliveryRow)(nil)).Where("queue_id = ? AND test AND webhook_id = ?", account, webhook)
	total := summary.Total()
	if len(statuses) > 0 {
		tests, total = tests.Where("status IN (?)", bun.List(statuses)), 0
		for _, status := range statuses {
			total += summary.Of(status)
		}
	}
	n, err := tests.Count(ctx)
	return total + int64(n), s.wrap(err)
}

package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

const (
	// resendBatch is how many deliveries one commit of a run resends at most.
	resendBatch = 100
	// resendPulse is the time between two steps of a run that keeps its pace, and
	// between two looks at what became of the deliveries of runs; resendIdle that
	// between two looks for runs where there are none.
	resendPulse = time.Second
	resendIdle  = 10 * time.Second
	// resendMost is how many runs one step looks at.
	resendMost = 1000
)

// Resender goes on with the runs of all accounts and keeps what became of their
// deliveries. One goroutine at a time uses it; several nodes may have one each:
// a run's row is locked while it moves on, and moves on only from the place at
// which the node saw it.
type Resender struct {
	s *Store
	// looked is how far the waiting deliveries of a run were looked through.
	looked map[uuid.UUID]uuid.UUID
}

// NewResender gives a Resender that has looked at nothing yet.
func (s *Store) NewResender() *Resender { return &Resender{s, map[uuid.UUID]uuid.UUID{}} }

// Step moves each run on by one batch at most. next is how long it is until
// there is more to do, if nobody begins a run or goes on with one.
func (r *Resender) Step(ctx context.Context) (next time.Duration, err error) {
	var rows []resendRow
	if err := r.s.ro.NewSelect().Model(&rows).Where("NOT r.settled").Order("r.used_until").Limit(resendMost).Scan(ctx); err != nil {
		return resendPulse, r.s.wrap(err)
	}
	next = resendIdle
	var failed []error
	known := map[uuid.UUID]uuid.UUID{}
	for i := range rows {
		wait, err := r.move(ctx, &rows[i])
		if err != nil {
			failed = append(failed, r.s.wrap(err))
			wait = resendPulse
		}
		next = min(next, wait)
		known[rows[i].ID] = r.looked[rows[i].ID]
	}
	r.looked = known
	return next, errors.Join(failed...)
}

// move does what is next for one run.
func (r *Resender) move(ctx context.Context, row *resendRow) (time.Duration, error) {
	more := false
	var err error
	switch {
	case row.State == ResendRunning && !row.Counted:
		more, err = r.s.countResend(ctx, row)
	case row.State == ResendRunning:
		more, err = r.s.resendSome(ctx, row)
	}
	if err != nil {
		return resendPulse, err
	}
	if err := r.settle(ctx, row); err != nil || !more {
		return resendPulse, err
	}
	return 0, nil
}

// resendSome resends the next deliveries of a run, as many as its pace allows.
// more says that there is something to do at once.
func (s *Store) resendSome(ctx context.Context, row *resendRow) (more bool, err error) {
	now, err := s.Now(ctx)
	if err != nil {
		return false, err
	}
	a, err := s.account(ctx, s.ro, row.AccountID)
	if err != nil {
		return false, err
	}
	pace := row.bucket(a.Limits.RatePerMinute)
	// Where the clock was set back the bucket is as good as just used.
	used := min(row.UsedUntil, now.UnixMicro()+pace.interval)
	free := int(min(pace.free(used, now.UnixMicro()), resendBatch))
	if free == 0 {
		return false, nil
	}
	w, err := s.searchResend(ctx, row, row.Position)
	if err != nil {
		return false, err
	}
	w.wanted = free
	if err := w.run(ctx); err != nil {
		return false, err
	}
	b := batch{row: row, found: w.rows, to: w.at, used: pace.use(used, now.UnixMicro(), int64(len(w.rows)))}
	switch {
	case len(w.rows) == free:
		b.to = w.rows[free-1].ID
	case w.ended:
		b.to, b.last = row.Position, true
	}
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) { return s.resendBatch(ctx, tx, &b) })
	return err == nil && !b.last && (free == resendBatch || len(b.found) < free), err
}

// bucket keeps the pace of a run, which holds what five seconds refill.
func (r *resendRow) bucket(rate int) bucket {
	pace := r.Pace
	if pace == 0 || pace > rate {
		pace = rate
	}
	return perMinute(pace, max(1, int64(pace)/12))
}

// batch is a step of a run: what was found, and where the run stands after it.
type batch struct {
	row   *resendRow
	found []deliveryRow
	to    uuid.UUID
	used  int64
	last  bool
}

// resendBatch resends a batch and moves the run on, in one transaction: whatever
// happens, nothing is resent twice and nothing is left out.
func (s *Store) resendBatch(ctx context.Context, tx bun.Tx, b *batch) ([]Change, error) {
	row, err := s.lockResend(ctx, tx, b.row.ID)
	if err != nil {
		return nil, err
	}
	if row.State != ResendRunning || row.Position != b.row.Position {
		return nil, nil // another node was faster, or it was paused meanwhile
	}
	resent, err := s.restartFinished(ctx, tx, b.found, row.CreatedAt)
	if err != nil {
		return nil, err
	}
	if err := s.keepResent(ctx, tx, row.ID, b.found, resent); err != nil {
		return nil, err
	}
	row.Position, row.UsedUntil = b.to, b.used
	row.Resent += len(resent)
	row.Skipped += len(b.found) - len(resent)
	if b.last {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return nil, err
		}
		row.State, row.EndedAt, row.Total = ResendFinished, Time{fromMicros(now)}, row.Resent+row.Skipped
	}
	_, err = tx.NewUpdate().Model(row).Column("position", "used_until", "resent", "skipped", "state", "ended_at", "total").WherePK().Exec(ctx)
	changes := row.changes(false)
	for id, d := range resent {
		changes = append(changes, Change{Kind: ChangeDelivery, AccountID: d.AccountID, ID: id, WebhookID: d.WebhookID, Due: true})
	}
	return changes, err
}

// restartFinished resends those of the deliveries that are still as they were
// when the run began, and have a webhook to go to.
func (s *Store) restartFinished(ctx context.Context, tx bun.Tx, found []deliveryRow, began Time) (map[uuid.UUID]deliveryRow, error) {
	if len(found) == 0 {
		return nil, nil
	}
	seen := map[uuid.UUID]bool{}
	ids := make([]uuid.UUID, len(found))
	for i := range found {
		seen[found[i].QueueID], ids[i] = true, found[i].ID
	}
	queues, err := s.lockQueues(ctx, tx, sortedKeys(seen, compareIDs))
	if err != nil {
		return nil, err
	}
	var rows []deliveryRow
	if err := tx.NewSelect().Model(&rows).ExcludeColumn("secret").Where("d.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	resent, list := map[uuid.UUID]deliveryRow{}, rows[:0]
	for _, d := range rows {
		if d.Status.Finished() && !d.FinishedAt.After(began.Time) && d.resendable(queues[d.QueueID]) == nil {
			resent[d.ID] = d
			list = append(list, d)
		}
	}
	return resent, s.restart(ctx, tx, list...)
}

// keepResent notes the deliveries of a batch.
func (s *Store) keepResent(ctx context.Context, tx bun.Tx, run uuid.UUID, found []deliveryRow, resent map[uuid.UUID]deliveryRow) error {
	if len(found) == 0 {
		return nil
	}
	return s.d.insertBatch(ctx, tx, "resend_deliveries", "", []column{
		idCol("resend_id", found, func(deliveryRow) uuid.UUID { return run }),
		idCol("delivery_id", found, func(d deliveryRow) uuid.UUID { return d.ID }),
		col("outcome", "text", found, func(d deliveryRow) string {
			if _, ok := resent[d.ID]; ok {
				return OutcomeWaiting
			}
			return OutcomeSkipped
		}),
	})
}

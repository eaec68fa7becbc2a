package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Resend sends a finished delivery again, with new attempts and the schedule
// from its start; a pending one goes now. CodeConflict while it is under way,
// for a test, and where the webhook was deleted.
func (s *Store) Resend(ctx context.Context, account, id uuid.UUID) (Delivery, error) {
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		var queue uuid.UUID
		if err := tx.NewRaw("SELECT queue_id FROM deliveries WHERE id = ? AND account_id = ?", id, account).Scan(ctx, &queue); err != nil {
			return nil, err
		}
		queues, err := s.lockQueues(ctx, tx, []uuid.UUID{queue})
		if err != nil {
			return nil, err
		}
		var d deliveryRow
		if err := tx.NewSelect().Model(&d).Where("id = ?", id).Scan(ctx); err != nil {
			return nil, err
		}
		if err := d.resendable(queues[queue]); err != nil {
			return nil, err
		}
		return []Change{{Kind: ChangeDelivery, AccountID: account, ID: id, WebhookID: d.WebhookID, Due: true}}, s.restart(ctx, tx, d)
	})
	if err != nil {
		return Delivery{}, err
	}
	list, err := s.deliveries(ctx, s.db, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("id = ?", id) })
	if err != nil || len(list) == 0 {
		return Delivery{}, orNotFound(err)
	}
	return list[0], nil
}

func (r *deliveryRow) resendable(q *queueRow) error {
	switch {
	case r.Test:
		return conflict("a test is not sent again; send a new test")
	case q == nil || q.Deleted:
		return conflict("its webhook was deleted, so there is nowhere to send it")
	case r.Status == Processing:
		return conflict("an attempt is under way; wait for its outcome")
	}
	return nil
}

// restart makes deliveries due now, whose queues are locked; finished ones get a
// new set of attempts.
func (s *Store) restart(ctx context.Context, tx bun.Tx, rows ...deliveryRow) error {
	now, err := s.clock(ctx, tx)
	if err != nil {
		return err
	}
	var finished, waiting []uuid.UUID
	deltas := map[uuid.UUID]*queueDelta{}
	for i := range rows {
		d := &rows[i]
		if deltas[d.QueueID] == nil {
			deltas[d.QueueID] = &queueDelta{due: now}
		}
		if d.Status == Pending {
			waiting = append(waiting, d.ID)
			continue
		}
		finished = append(finished, d.ID)
		deltas[d.QueueID].restart(d.Status)
	}
	if err := restartRows(ctx, tx, "next_attempt_at = ?", now, waiting); err != nil {
		return err
	}
	again := fmt.Sprintf(`status = 0, next_attempt_at = ?, max_attempts = max_attempts + %d, schedule_start = attempts, spared = 0,
		lease_node = NULL, lease_until = NULL, delivered_at = NULL, finished_at = NULL`, s.opt.Limits.MaxAttempts())
	if err := restartRows(ctx, tx, again, now, finished); err != nil {
		return err
	}
	return s.applyDeltas(ctx, tx, deltas)
}

func restartRows(ctx context.Context, tx bun.Tx, set string, now int64, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.NewRaw("UPDATE deliveries SET "+set+", interrupted = 0 WHERE id IN (?)", now, bun.List(ids)).Exec(ctx)
	return err
}

// restart counts a delivery out of the status in which it had ended.
func (d *queueDelta) restart(from Status) {
	d.pending++
	switch from {
	case Delivered:
		d.delivered--
	case Failed:
		d.failed--
	case Dead:
		d.dead--
	}
}

package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
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
		return []Change{{Kind: ChangeDelivery, AccountID: account, ID: id, WebhookID: d.WebhookID, Due: true}}, s.restart(ctx, tx, &d)
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

// restart makes a delivery due now; a finished one gets a new set of attempts.
func (s *Store) restart(ctx context.Context, tx bun.Tx, d *deliveryRow) error {
	now, err := s.clock(ctx, tx)
	if err != nil {
		return err
	}
	more := 0
	if d.Status.Finished() {
		more = s.opt.Limits.MaxAttempts()
	}
	_, err = tx.NewRaw(`UPDATE deliveries SET status = 0, next_attempt_at = ?, max_attempts = max_attempts + ?,
		schedule_start = CASE WHEN ? > 0 THEN attempts ELSE schedule_start END, interrupted = 0, spared = CASE WHEN ? > 0 THEN 0 ELSE spared END,
		lease_node = NULL, lease_until = NULL, delivered_at = NULL, finished_at = NULL WHERE id = ?`, now, more, more, more, d.ID).Exec(ctx)
	if err != nil {
		return err
	}
	delta := &queueDelta{pending: 1, due: now}
	switch d.Status {
	case Pending:
		delta.pending = 0
	case Delivered:
		delta.delivered = -1
	case Failed:
		delta.failed = -1
	case Dead:
		delta.dead = -1
	}
	return s.applyDeltas(ctx, tx, map[uuid.UUID]*queueDelta{d.QueueID: delta})
}

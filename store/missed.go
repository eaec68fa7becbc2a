package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// missedBatch is how many missed events one commit turns into deliveries.
const missedBatch = 500

// CountMissed tells how many events of the kept time the webhook would have
// got while it was inactive, since a moment (zero: all).
func (s *Store) CountMissed(ctx context.Context, account, webhook uuid.UUID, since time.Time) (int, error) {
	if _, err := s.liveWebhook(ctx, account, webhook); err != nil {
		return 0, err
	}
	var n int
	err := s.ro.NewRaw(`SELECT count(*) FROM missed_events m JOIN events e ON e.id = m.event_id
		WHERE m.webhook_id = ? AND e.created_at >= ?`, webhook, micros(since)).Scan(ctx, &n)
	return n, s.wrap(err)
}

// SendMissed makes deliveries of the events the webhook missed while it was
// inactive, oldest first and paced like everything resumed. It tells how many.
func (s *Store) SendMissed(ctx context.Context, account, webhook uuid.UUID, since time.Time) (int, error) {
	w, err := s.liveWebhook(ctx, account, webhook)
	if err != nil {
		return 0, err
	}
	if !w.Active {
		return 0, conflict("the webhook is inactive; reactivate it first, then send what it missed")
	}
	total := 0
	for {
		n, err := s.sendMissedSome(ctx, account, webhook, since)
		total += n
		if err != nil || n < missedBatch {
			return total, err
		}
	}
}

func (s *Store) liveWebhook(ctx context.Context, account, id uuid.UUID) (Webhook, error) {
	w, err := s.Webhook(ctx, account, id)
	if err == nil && !w.DeletedAt.IsZero() {
		err = errDeleted()
	}
	return w, err
}

func (s *Store) sendMissedSome(ctx context.Context, account, webhook uuid.UUID, since time.Time) (int, error) {
	var rows []eventRow
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		a, err := s.lockAccount(ctx, tx, account)
		if err != nil {
			return nil, err
		}
		rows = nil
		err = tx.NewSelect().Model(&rows).Where("id IN (SELECT event_id FROM missed_events WHERE webhook_id = ?) AND created_at >= ?", webhook, micros(since)).
			Order("id").Limit(missedBatch).Scan(ctx)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		f := s.newFanout(a.Now, map[uuid.UUID]*accountState{account: a})
		ids := make([]uuid.UUID, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
			f.delivery(a, &rows[i], &Webhook{ID: webhook})
		}
		if _, err := tx.NewRaw("DELETE FROM missed_events WHERE webhook_id = ? AND event_id IN (?)", webhook, bun.List(ids)).Exec(ctx); err != nil {
			return nil, err
		}
		if _, err := tx.NewRaw("UPDATE queues SET resumed_at = ? WHERE id = ?", a.Now, webhook).Exec(ctx); err != nil {
			return nil, err
		}
		return f.changes, f.write(ctx, tx)
	})
	return len(rows), err
}

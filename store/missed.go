package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
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

// Missed are the events that a webhook would have got while it was inactive.
type Missed struct {
	Count       int  // up to CountedMissed
	First, Last Time // when the first and the last of them came in; zero: there are none
}

// Missed tells how many events of the kept time the webhook missed and when,
// reading no more than it counts.
func (s *Store) Missed(ctx context.Context, account, webhook uuid.UUID) (m Missed, err error) {
	if _, err := s.liveWebhook(ctx, account, webhook); err != nil {
		return m, err
	}
	err = s.ro.NewRaw("SELECT count(*) FROM (SELECT 1 FROM missed_events WHERE webhook_id = ? LIMIT ?) AS missed", webhook, CountedMissed).Scan(ctx, &m.Count)
	if err != nil || m.Count == 0 {
		return m, s.wrap(err)
	}
	if m.First, err = s.missedAt(ctx, webhook, "ASC"); err == nil {
		m.Last, err = s.missedAt(ctx, webhook, "DESC")
	}
	return m, err
}

func (s *Store) missedAt(ctx context.Context, webhook uuid.UUID, order string) (Time, error) {
	return s.momentOf(ctx, "SELECT created_at FROM events WHERE id = (SELECT event_id FROM missed_events WHERE webhook_id = ? ORDER BY event_id "+order+" LIMIT 1)", webhook)
}

// DismissMissed forgets the events that the webhook missed, so that they are
// offered no longer, and tells how many. The events themselves stay.
func (s *Store) DismissMissed(ctx context.Context, account, webhook uuid.UUID) (int, error) {
	if _, err := s.liveWebhook(ctx, account, webhook); err != nil {
		return 0, err
	}
	total := 0
	for {
		var n int64
		err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
			res, err := tx.NewRaw(`DELETE FROM missed_events WHERE webhook_id = ? AND event_id IN
				(SELECT event_id FROM missed_events WHERE webhook_id = ? ORDER BY event_id LIMIT ?)`, webhook, webhook, missedBatch).Exec(ctx)
			if err != nil {
				return nil, err
			}
			n, err = res.RowsAffected()
			return []Change{{Kind: ChangeWebhook, AccountID: account, ID: webhook, WebhookID: webhook}}, err
		})
		total += int(n)
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

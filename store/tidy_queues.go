package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// How long the tallies of minutes and hours are kept, and how much more may
// gather before it is removed at once.
const (
	keepMinutes  = 48 * time.Hour
	keepHours    = 400 * 24 * time.Hour
	keepPeaks    = 48 * time.Hour
	gatherMinute = time.Hour
	gatherHour   = 24 * time.Hour
)

// tidyQueues sums up a day of the next 100 queues and removes what they need no
// longer: old tallies and missed events, and the queues themselves of webhooks deleted so long ago that
// nothing of theirs is left.
func (t *Tidier) tidyQueues(ctx context.Context, now time.Time) error {
	var rows []struct {
		ID                         uuid.UUID
		Minute, Hour, Peak, Missed bool
		Empty                      bool
		Unsummed                   int64
	}
	missedTo, kept := idAt(now.Add(-t.s.opt.Limits.Retention)), micros(now.Add(-t.s.opt.Limits.Retention))
	old := "EXISTS (SELECT 1 FROM tallies t WHERE t.queue_id = q.id AND t.span = ? AND t.start < ?)"
	err := t.s.ro.NewRaw(`SELECT q.id, `+old+` AS minute, `+old+` AS hour, `+old+` AS peak,
			EXISTS (SELECT 1 FROM missed_events m WHERE m.webhook_id = q.id AND m.event_id < ?) AS missed,
			`+unsummedSQL+`,
			q.deleted AND q.pending + q.processing + q.delivered + q.failed + q.dead = 0 AND EXISTS (SELECT 1 FROM webhooks w WHERE w.id = q.id AND w.deleted_at < ?)
				AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = q.id) AS empty
		FROM queues q WHERE q.id > ? ORDER BY q.id LIMIT ?`,
		minuteSpan, micros(now.Add(-keepMinutes-gatherMinute)), hourSpan, micros(now.Add(-keepHours-gatherHour)), peakSpan, micros(now.Add(-keepPeaks-gatherHour)),
		missedTo, hourSpan, day.Microseconds(), daySpan, micros(now)-summedBack, kept, t.queues.at, tidyBatch).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	for _, q := range rows {
		steps := []struct {
			due bool
			do  func() error
		}{
			{q.Minute, func() error { return t.removeTallies(ctx, q.ID, minuteSpan, now.Add(-keepMinutes)) }},
			{q.Hour, func() error { return t.removeTallies(ctx, q.ID, hourSpan, now.Add(-keepHours)) }},
			{q.Peak, func() error { return t.removeTallies(ctx, q.ID, peakSpan, now.Add(-keepPeaks)) }},
			{q.Hour, func() error { return t.removeTallies(ctx, q.ID, daySpan, now.Add(-keepHours)) }},
			{q.Unsummed > 0, func() error { return t.sumDay(ctx, q.ID, q.Unsummed, micros(now)) }},
			{q.Missed, func() error { return t.removeMissed(ctx, q.ID, missedTo) }},
			{q.Empty, func() error { return t.removeWebhook(ctx, q.ID, now) }},
		}
		for _, step := range steps {
			if step.due {
				if err := step.do(); err != nil {
					return err
				}
			}
		}
	}
	t.queues.at = uuid.Nil
	if len(rows) == tidyBatch {
		t.queues.at = rows[len(rows)-1].ID
	}
	return nil
}

// removeTallies removes a queue's tallies of a span up to a moment, those of
// two hours (of minutes), five days (of hours) or one day (of peaks) in one
// commit.
func (t *Tidier) removeTallies(ctx context.Context, queue uuid.UUID, span int, before time.Time) error {
	width := int64(span) * 120 * time.Second.Microseconds()
	if span == peakSpan {
		width = day.Microseconds()
	}
	return repeat(ctx, func() (bool, error) {
		var first []int64
		err := t.s.ro.NewRaw("SELECT start FROM tallies WHERE queue_id = ? AND span = ? AND start < ? ORDER BY start LIMIT 1", queue, span, micros(before)).Scan(ctx, &first)
		if err != nil || len(first) == 0 {
			return false, err
		}
		_, err = t.s.db.NewRaw("DELETE FROM tallies WHERE queue_id = ? AND span = ? AND start < ?", queue, span, min(micros(before), first[0]+width)).Exec(ctx)
		return true, err
	})
}

// removeMissed forgets what a webhook missed before the events that are kept.
func (t *Tidier) removeMissed(ctx context.Context, webhook, below uuid.UUID) error {
	return repeat(ctx, func() (bool, error) {
		res, err := t.s.db.NewRaw(`DELETE FROM missed_events WHERE webhook_id = ? AND event_id IN
			(SELECT event_id FROM missed_events WHERE webhook_id = ? AND event_id < ? ORDER BY event_id LIMIT ?)`, webhook, webhook, below, tidyBatch).Exec(ctx)
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		return n == tidyBatch, err
	})
}

// removeWebhook removes a deleted webhook of which the log holds nothing more.
func (t *Tidier) removeWebhook(ctx context.Context, id uuid.UUID, now time.Time) error {
	for _, span := range []int{minuteSpan, hourSpan, daySpan, peakSpan, lateSpan} {
		if err := t.removeTallies(ctx, id, span, now.Add(gatherHour)); err != nil {
			return err
		}
	}
	return t.s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		for _, query := range []string{"DELETE FROM queues WHERE id = ?", "DELETE FROM webhooks WHERE id = ?"} {
			if _, err := tx.NewRaw(query, id).Exec(ctx); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// removeCounts removes, once a day, the counts of events by type and hour that
// are older than all charts.
func (t *Tidier) removeCounts(ctx context.Context, now time.Time) error {
	if now.Sub(t.counts) < gatherHour {
		return nil
	}
	before := micros(now.Add(-keepHours))
	var rows []struct {
		AccountID uuid.UUID
		Type      string
	}
	err := t.s.ro.NewRaw("SELECT account_id, type FROM event_counts GROUP BY account_id, type HAVING min(hour) < ?", before).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := t.s.db.NewRaw("DELETE FROM event_counts WHERE account_id = ? AND type = ? AND hour < ?", r.AccountID, r.Type, before).Exec(ctx); err != nil {
			return err
		}
	}
	t.counts = now
	return nil
}

// removeKeys forgets the idempotency keys from before then, also those of events
// that are still pending.
func (t *Tidier) removeKeys(ctx context.Context, before time.Time) error {
	return repeat(ctx, func() (bool, error) {
		res, err := t.s.db.NewRaw(`DELETE FROM idempotency_keys WHERE (account_id, key) IN
			(SELECT account_id, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)`, micros(before), tidyBatch).Exec(ctx)
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		return n == tidyBatch, err
	})
}

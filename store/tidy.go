package store

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// tidyBatch is how many rows one commit of tidying touches, so that nobody
// waits long for it.
const tidyBatch = 500

// How long the tallies of minutes and hours are kept.
const (
	keepMinutes = 48 * time.Hour
	keepHours   = 400 * 24 * time.Hour
)

// Tidy removes what is kept no longer: finished deliveries and their events,
// bodies of attempts, tallies, sessions and tokens. What is pending is never
// removed; what was held too long becomes dead. Call it every minute or so;
// several nodes may.
func (s *Store) Tidy(ctx context.Context) error {
	now, err := s.Now(ctx)
	if err != nil {
		return err
	}
	l := s.opt.Limits
	steps := []func() error{
		func() error { return s.sweepAllDeleted(ctx) },
		func() error { return s.expireHeld(ctx, now.Add(-l.HeldFor)) },
		func() error { return s.removeFinished(ctx, now.Add(-l.Retention)) },
		func() error { return s.removeEvents(ctx, now.Add(-l.Retention)) },
		func() error { return s.removeBodies(ctx, now.Add(-l.RetentionBodies)) },
		func() error { return s.removeOld(ctx, now) },
		func() error { return s.tidySessions(ctx, now.UnixMicro()) },
		func() error { return s.tidyFormTokens(ctx, now.UnixMicro()) },
		func() error { return s.fitBudget(ctx, now) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return s.wrap(err)
		}
	}
	return nil
}

// repeat runs a step until it has less than a batch left to do.
func repeat(ctx context.Context, step func() (int, error)) error {
	for {
		n, err := step()
		if err != nil || n < tidyBatch || ctx.Err() != nil {
			return err
		}
	}
}

// idAt is the smallest id made at a moment or later (RFC 9562, section 5.7).
func idAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16)
	id[6], id[8] = 0x70, 0x80
	return id
}

func (s *Store) sweepAllDeleted(ctx context.Context) error {
	var ids []uuid.UUID
	err := s.ro.NewRaw(`SELECT q.id FROM queues q WHERE q.deleted AND EXISTS
		(SELECT 1 FROM deliveries d WHERE d.queue_id = q.id AND d.status = 0)`).Scan(ctx, &ids)
	for _, id := range ids {
		for n := sweepBatch; n == sweepBatch && err == nil; {
			n, err = s.sweepDeleted(ctx, id)
		}
	}
	return err
}

// expireHeld makes dead what waits for a webhook inactive since before then.
func (s *Store) expireHeld(ctx context.Context, since time.Time) error {
	var ids []uuid.UUID
	err := s.ro.NewRaw("SELECT w.id FROM webhooks w JOIN queues q ON q.id = w.id WHERE NOT w.active AND w.deleted_at IS NULL AND w.active_since < ? AND q.pending > 0",
		micros(since)).Scan(ctx, &ids)
	for _, id := range ids {
		if err == nil {
			err = repeat(ctx, func() (int, error) { return s.expireSome(ctx, id) })
		}
	}
	return err
}

func (s *Store) expireSome(ctx context.Context, queue uuid.UUID) (int, error) {
	var n int64
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		queues, err := s.lockQueues(ctx, tx, []uuid.UUID{queue})
		if err != nil || queues[queue] == nil || !queues[queue].Paused {
			return nil, err
		}
		now, err := s.clock(ctx, tx)
		if err != nil {
			return nil, err
		}
		res, err := tx.NewRaw(`UPDATE deliveries SET status = ?, finished_at = ?, next_attempt_at = NULL, last_detail = ?
			WHERE id IN (SELECT id FROM deliveries WHERE webhook_id = ? AND status = 0 AND NOT test ORDER BY id LIMIT ?)`,
			Dead, now, "held too long while the webhook was inactive", queue, tidyBatch).Exec(ctx)
		if err != nil {
			return nil, err
		}
		if n, err = res.RowsAffected(); err != nil {
			return nil, err
		}
		change := Change{Kind: ChangeWebhook, AccountID: queues[queue].AccountID, ID: queue, WebhookID: queue}
		return []Change{change}, s.applyDeltas(ctx, tx, map[uuid.UUID]*queueDelta{queue: {pending: -n, dead: n}})
	})
	return int(n), err
}

func (s *Store) removeFinished(ctx context.Context, before time.Time) error {
	return repeat(ctx, func() (int, error) { return s.removeSome(ctx, before) })
}

// removeSome removes a batch of the oldest deliveries that finished before
// then, with their attempts, and takes them out of the counts.
func (s *Store) removeSome(ctx context.Context, before time.Time) (int, error) {
	var rows []deliveryRow
	err := s.ro.NewSelect().Model(&rows).Column("id", "queue_id", "status").
		Where("id < ? AND status >= ? AND finished_at < ?", idAt(before), Delivered, micros(before)).Order("id").Limit(tidyBatch).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	byQueue := map[uuid.UUID][]uuid.UUID{}
	for _, r := range rows {
		byQueue[r.QueueID] = append(byQueue[r.QueueID], r.ID)
	}
	order := sortedKeys(byQueue, compareIDs)
	return len(rows), s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		if _, err := s.lockQueues(ctx, tx, order); err != nil {
			return nil, err
		}
		deltas := map[uuid.UUID]*queueDelta{}
		for _, queue := range order {
			deltas[queue] = &queueDelta{}
			if err := s.removeOf(ctx, tx, byQueue[queue], deltas[queue]); err != nil {
				return nil, err
			}
		}
		if err := s.keepRemoved(ctx, tx, rows[len(rows)-1].ID); err != nil {
			return nil, err
		}
		return nil, s.applyDeltas(ctx, tx, deltas)
	})
}

// removedSetting names the note of how far deliveries were removed: an event
// with a smaller id may lack what its verdicts speak of.
const removedSetting = "deliveries_removed_to"

func (s *Store) keepRemoved(ctx context.Context, tx bun.Tx, id uuid.UUID) error {
	_, err := tx.NewRaw(`INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name)
		DO UPDATE SET value = CASE WHEN excluded.value > settings.value THEN excluded.value ELSE settings.value END`, removedSetting, id.String()).Exec(ctx)
	return err
}

// removedTo is the newest delivery ever removed; zero: none was.
func (s *Store) removedTo(ctx context.Context) (uuid.UUID, error) {
	text, err := s.setting(ctx, s.ro, removedSetting)
	if IsCode(err, CodeNotFound) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.Parse(text)
}

// removeOf removes those that are still finished now that the queue is locked.
func (s *Store) removeOf(ctx context.Context, tx bun.Tx, ids []uuid.UUID, d *queueDelta) error {
	var gone []struct {
		ID     uuid.UUID
		Status Status
	}
	err := tx.NewRaw("DELETE FROM deliveries WHERE id IN (?) AND status >= ? RETURNING id, status", bun.List(ids), Delivered).Scan(ctx, &gone)
	if err != nil || len(gone) == 0 {
		return err
	}
	removed := make([]uuid.UUID, len(gone))
	for i, g := range gone {
		removed[i] = g.ID
		switch g.Status {
		case Delivered:
			d.delivered--
		case Failed:
			d.failed--
		case Dead:
			d.dead--
		}
	}
	_, err = tx.NewRaw("DELETE FROM attempts WHERE delivery_id IN (?)", bun.List(removed)).Exec(ctx)
	return err
}

// removeEvents removes old events that no delivery needs any more.
func (s *Store) removeEvents(ctx context.Context, before time.Time) error {
	return repeat(ctx, func() (int, error) {
		res, err := s.db.NewRaw(`DELETE FROM events WHERE id IN (SELECT e.id FROM events e WHERE e.id < ? AND e.created_at < ?
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id) ORDER BY e.id LIMIT ?)`, idAt(before), micros(before), tidyBatch).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		return int(n), err
	})
}

// removeBodies takes the bodies out of old attempts, going on where the last
// run stopped.
func (s *Store) removeBodies(ctx context.Context, before time.Time) error {
	return repeat(ctx, func() (int, error) {
		done, err := s.setting(ctx, s.db, "bodies_removed_to")
		if err != nil && !IsCode(err, CodeNotFound) {
			return 0, err
		}
		if done == "" {
			done = uuid.Nil.String()
		}
		var ids []uuid.UUID
		err = s.ro.NewRaw("SELECT DISTINCT delivery_id FROM attempts WHERE delivery_id > ? AND delivery_id < ? ORDER BY delivery_id LIMIT ?",
			done, idAt(before), tidyBatch).Scan(ctx, &ids)
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
			_, err := tx.NewRaw("UPDATE attempts SET response_body = NULL, bodies_removed = ? WHERE delivery_id IN (?) AND started_at < ?",
				true, bun.List(ids), micros(before)).Exec(ctx)
			if err != nil {
				return nil, err
			}
			return nil, s.setSetting(ctx, tx, "bodies_removed_to", ids[len(ids)-1].String())
		})
		return len(ids), err
	})
}

// removeOld removes tallies, counts, idempotency keys and missed events past
// their time.
func (s *Store) removeOld(ctx context.Context, now time.Time) error {
	kept := micros(now.Add(-s.opt.Limits.Retention))
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"DELETE FROM tallies WHERE span = ? AND start < ?", []any{minuteSpan, micros(now.Add(-keepMinutes))}},
		{"DELETE FROM tallies WHERE span = ? AND start < ?", []any{hourSpan, micros(now.Add(-keepHours))}},
		{"DELETE FROM event_counts WHERE hour < ?", []any{micros(now.Add(-keepHours))}},
		{"DELETE FROM idempotency_keys WHERE created_at < ?", []any{kept}},
		{"DELETE FROM missed_events WHERE event_id < ?", []any{idAt(fromMicros(kept))}},
	} {
		if _, err := s.db.NewRaw(step.query, step.args...).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// budgetBatches bounds what one run removes: the database's own count of what
// it holds follows a little later.
const budgetBatches = 20

// fitBudget notes the database's size and, over the budget, removes the oldest
// that is finished. With nothing finished left, publishing is refused.
func (s *Store) fitBudget(ctx context.Context, now time.Time) error {
	size, err := s.d.databaseSize(ctx)
	if err != nil {
		return err
	}
	if err := s.noteSize(ctx, s.db, now.UnixMicro(), size); err != nil {
		return err
	}
	budget := s.opt.MaxDatabaseSize
	full := false
	for batch := 0; budget > 0 && size > budget && !full && batch < budgetBatches; batch++ {
		n, err := s.removeSome(ctx, now)
		if err == nil && n > 0 {
			err = s.removeEvents(ctx, now)
		}
		if err != nil {
			return err
		}
		full = n == 0
		if size, err = s.d.databaseSize(ctx); err != nil {
			return err
		}
	}
	s.full.Store(full)
	return nil
}

// Full says that the database's budget is used up and publishing is refused.
func (s *Store) Full() bool { return s.full.Load() }

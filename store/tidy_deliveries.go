package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

const (
	// leftAgain is when what was left behind is looked at again: deliveries
	// that were not finished, and their events.
	leftAgain = time.Hour
	// bodiesAgain is when attempts are looked at again that were made after
	// their delivery was passed.
	bodiesAgain = 24 * time.Hour
)

// removeFinished removes deliveries that finished before then, with their
// attempts.
func (t *Tidier) removeFinished(ctx context.Context, now, before time.Time) error {
	t.finished.begin(now, leftAgain)
	return repeat(ctx, func() (bool, error) {
		_, more, err := t.removeNext(ctx, &t.finished, idAt(before), before, tidyLook)
		return more, err
	})
}

// removeNext looks at the next deliveries of a walk that are smaller than an
// id, 1000 at most, and removes those that finished before then, most of them
// at most. It tells how many it removed, and whether there are more to look at.
func (t *Tidier) removeNext(ctx context.Context, w *walk, below uuid.UUID, before time.Time, most int) (removed int, more bool, err error) {
	var rows []deliveryRow
	err = t.s.ro.NewSelect().Model(&rows).Column("id", "queue_id", "status", "finished_at").
		Where("id > ? AND id < ?", w.at, below).Order("id").Limit(tidyLook).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	queues, last := map[uuid.UUID]uuid.UUID{}, uuid.Nil
	var old []uuid.UUID
	for i := range rows {
		if len(old) == most {
			break
		}
		last = rows[i].ID
		if rows[i].Status.Finished() && rows[i].FinishedAt.Before(before) {
			old = append(old, rows[i].ID)
			queues[rows[i].ID] = rows[i].QueueID
		}
	}
	err = batches(ctx, old, func(ids []uuid.UUID) error { return t.s.removeDeliveries(ctx, ids, queues) })
	if err == nil {
		w.at = last
	}
	return len(old), len(rows) == tidyLook || last != rows[len(rows)-1].ID, err
}

// removeDeliveries removes those of the deliveries that are still finished,
// with their attempts, and takes them out of the counts.
func (s *Store) removeDeliveries(ctx context.Context, ids []uuid.UUID, queueOf map[uuid.UUID]uuid.UUID) error {
	deltas := map[uuid.UUID]*queueDelta{}
	for _, id := range ids {
		deltas[queueOf[id]] = nil
	}
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		order := sortedKeys(deltas, compareIDs)
		if _, err := s.lockQueues(ctx, tx, order); err != nil {
			return nil, err
		}
		for _, queue := range order {
			deltas[queue] = &queueDelta{}
		}
		if err := removeFinishedOf(ctx, tx, ids, deltas); err != nil {
			return nil, err
		}
		if err := s.keepRemoved(ctx, tx, ids[len(ids)-1]); err != nil {
			return nil, err
		}
		return nil, s.applyDeltas(ctx, tx, deltas)
	})
}

// removeFinishedOf removes those that are still finished now that their queues
// are locked.
func removeFinishedOf(ctx context.Context, tx bun.Tx, ids []uuid.UUID, deltas map[uuid.UUID]*queueDelta) error {
	var gone []struct {
		ID, QueueID uuid.UUID
		Status      Status
	}
	err := tx.NewRaw("DELETE FROM deliveries WHERE id IN (?) AND status >= ? RETURNING id, queue_id, status", bun.List(ids), Delivered).Scan(ctx, &gone)
	if err != nil || len(gone) == 0 {
		return err
	}
	removed := make([]uuid.UUID, len(gone))
	for i, g := range gone {
		removed[i] = g.ID
		switch d := deltas[g.QueueID]; g.Status {
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
	return s.settingID(ctx, removedSetting)
}

func (s *Store) settingID(ctx context.Context, name string) (uuid.UUID, error) {
	text, err := s.setting(ctx, s.ro, name)
	if IsCode(err, CodeNotFound) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.Parse(text)
}

// removeEvents removes events from before then that no delivery needs any more.
func (t *Tidier) removeEvents(ctx context.Context, now, before time.Time) error {
	t.events.begin(now, leftAgain)
	return repeat(ctx, func() (bool, error) {
		_, more, err := t.removeNextEvents(ctx, &t.events, idAt(before), before, tidyLook)
		return more, err
	})
}

// removeNextEvents looks at the next events of a walk that are smaller than an
// id, 1000 at most, and removes those that were made before then and have no
// deliveries, until it removed as many as asked for.
func (t *Tidier) removeNextEvents(ctx context.Context, w *walk, below uuid.UUID, before time.Time, most int) (removed int, more bool, err error) {
	var ids []uuid.UUID
	err = t.s.ro.NewRaw("SELECT id FROM events WHERE id > ? AND id < ? ORDER BY id LIMIT ?", w.at, below, tidyLook).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return 0, false, err
	}
	more = len(ids) == tidyLook
	err = repeat(ctx, func() (bool, error) {
		n := min(len(ids), tidyBatch)
		res, err := t.s.db.NewRaw(`DELETE FROM events WHERE id IN (?) AND created_at < ? AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = events.id)`,
			bun.List(ids[:n]), micros(before)).Exec(ctx)
		if err != nil {
			return false, err
		}
		gone, err := res.RowsAffected()
		removed += int(gone)
		w.at, ids = ids[n-1], ids[n:]
		return len(ids) > 0 && removed < most, err
	})
	return removed, more || len(ids) > 0, err
}

// bodiesSetting names the note of how far bodies were removed.
const bodiesSetting = "bodies_removed_to"

// removeBodies takes the bodies out of attempts made before then, going on
// where the last run stopped, and once a day from the start: attempts may be
// made long after their delivery.
func (t *Tidier) removeBodies(ctx context.Context, now, before time.Time) (err error) {
	t.bodies.begin(now, bodiesAgain)
	if !t.stored {
		if t.bodies.at, err = t.s.settingID(ctx, bodiesSetting); err != nil {
			return err
		}
		t.stored = true
	}
	began := t.bodies.at
	err = repeat(ctx, func() (bool, error) { return t.removeNextBodies(ctx, before) })
	if err != nil || t.bodies.at == began {
		return err
	}
	return t.s.setSetting(ctx, t.s.db, bodiesSetting, t.bodies.at.String())
}

func (t *Tidier) removeNextBodies(ctx context.Context, before time.Time) (more bool, err error) {
	var rows []struct {
		DeliveryID    uuid.UUID
		StartedAt     int64
		BodiesRemoved bool
	}
	err = t.s.ro.NewRaw("SELECT delivery_id, started_at, bodies_removed FROM attempts WHERE delivery_id > ? AND delivery_id < ? ORDER BY delivery_id, number LIMIT ?",
		t.bodies.at, idAt(before), tidyLook).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	var ids []uuid.UUID
	for _, r := range rows {
		if !r.BodiesRemoved && r.StartedAt < micros(before) && (len(ids) == 0 || ids[len(ids)-1] != r.DeliveryID) {
			ids = append(ids, r.DeliveryID)
		}
	}
	err = batches(ctx, ids, func(ids []uuid.UUID) error {
		_, err := t.s.db.NewRaw("UPDATE attempts SET response_body = NULL, bodies_removed = ? WHERE delivery_id IN (?) AND started_at < ? AND NOT bodies_removed",
			true, bun.List(ids), micros(before)).Exec(ctx)
		return err
	})
	if err == nil {
		t.bodies.at = rows[len(rows)-1].DeliveryID
	}
	return len(rows) == tidyLook, err
}

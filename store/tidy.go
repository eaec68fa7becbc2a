package store

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

const (
	// tidyBatch is how many rows one commit of tidying touches, so that nobody
	// waits long for it; tidyLook how many one query looks at.
	tidyBatch = 100
	tidyLook  = 1000
	// tidyRest is how many times as long as a commit took nothing is touched
	// after it, restMost the longest rest.
	tidyRest = 2
	restMost = 100 * time.Millisecond
)

// Tidier removes what is kept no longer: finished deliveries and their events,
// bodies of attempts, tallies, sessions and tokens. What is pending is never
// removed; what was held too long becomes dead. It works in small commits with
// rests between, and remembers how far it looked, so that a run costs what
// there is to remove and not what there is. One goroutine at a time uses it;
// several nodes may have one each.
type Tidier struct {
	s         *Store
	finished  walk      // over deliveries, for retention
	events    walk      // over events, for retention
	bodies    walk      // over attempts
	queues    walk      // over queues, for their tallies
	room      walk      // over deliveries, for the budget
	roomEvent walk      // over events, for the budget
	counts    time.Time // when counts were looked through
	barren    time.Time // when no event could be removed for the budget
	stored    bool      // bodies begins where an earlier process stopped
}

// NewTidier gives a Tidier that has looked at nothing yet.
func (s *Store) NewTidier() *Tidier { return &Tidier{s: s} }

// Tidy removes once what is kept no longer.
func (s *Store) Tidy(ctx context.Context) error { return s.NewTidier().Tidy(ctx) }

// Tidy removes what is kept no longer. Call it every minute or so.
func (t *Tidier) Tidy(ctx context.Context) error {
	s := t.s
	now, err := s.Now(ctx)
	if err != nil {
		return err
	}
	kept := now.Add(-s.opt.Limits.Retention)
	steps := []func() error{
		func() error { return s.sweepAllDeleted(ctx) },
		func() error { return t.expireHeld(ctx, now.Add(-s.opt.Limits.HeldFor)) },
		func() error { return t.removeFinished(ctx, now, kept) },
		func() error { return t.removeEvents(ctx, now, kept) },
		func() error { return t.removeBodies(ctx, now, now.Add(-s.opt.Limits.RetentionBodies)) },
		func() error { return t.removeKeys(ctx, kept) },
		func() error { return t.removeResends(ctx, kept) },
		func() error { return t.tidyQueues(ctx, now) },
		func() error { return t.removeCounts(ctx, now) },
		func() error { return s.tidySessions(ctx, now.UnixMicro()) },
		func() error { return s.tidyFormTokens(ctx, now.UnixMicro()) },
		func() error { return s.tidyInbox(ctx, now.Add(-s.opt.Limits.RetentionBodies).UnixMicro()) },
		func() error { return s.NoteSize(ctx) },
		func() error { return t.MakeRoom(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return s.wrap(err)
		}
	}
	return nil
}

// walk is how far a table was looked through, in the order of its ids. What is
// left behind because it may not go yet is looked at again by the next round.
type walk struct {
	at    uuid.UUID
	round time.Time // when the round began; zero: none did
}

// begin starts a new round where the last one began that long ago.
func (w *walk) begin(now time.Time, every time.Duration) {
	if w.round.IsZero() || now.Sub(w.round) >= every {
		w.at, w.round = uuid.Nil, now
	}
}

// repeat runs a step until it finds nothing more to do, and rests between. The
// step tells whether there is more.
func repeat(ctx context.Context, step func() (more bool, err error)) error {
	for {
		began := time.Now()
		more, err := step()
		if err != nil || !more {
			return err
		}
		if err := rest(ctx, min(restMost, tidyRest*time.Since(began))); err != nil {
			return err
		}
	}
}

// rest waits; its error is that ctx ended.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// batches calls do with tidyBatch ids after the other, and rests between.
func batches(ctx context.Context, ids []uuid.UUID, do func(ids []uuid.UUID) error) error {
	return repeat(ctx, func() (bool, error) {
		n := min(len(ids), tidyBatch)
		if n == 0 {
			return false, nil
		}
		err := do(ids[:n])
		ids = ids[n:]
		return len(ids) > 0, err
	})
}

// idAt is the smallest id made at a moment or later (RFC 9562, section 5.7).
func idAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(max(0, at.UnixMilli()))<<16)
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
func (t *Tidier) expireHeld(ctx context.Context, since time.Time) error {
	var ids []uuid.UUID
	err := t.s.ro.NewRaw("SELECT w.id FROM webhooks w JOIN queues q ON q.id = w.id WHERE NOT w.active AND w.deleted_at IS NULL AND w.active_since < ? AND q.pending > 0",
		micros(since)).Scan(ctx, &ids)
	for _, id := range ids {
		if err == nil {
			err = repeat(ctx, func() (bool, error) {
				n, err := t.s.expireSome(ctx, id)
				return n == tidyBatch, err
			})
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

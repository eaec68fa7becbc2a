package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// nodeSilence is how long a node may be silent before its leases are free.
const nodeSilence = 5 * time.Second

// recoverBatch is how many lost deliveries one commit takes back.
const recoverBatch = 500

// freeInterruptions is how many attempts lost in a row cost no retry.
const freeInterruptions = 3

// Beat tells the other nodes that this one lives, and heeds that the clock was
// set back. Nodes that were silent for an hour are forgotten.
func (s *Store) Beat(ctx context.Context) error {
	if err := s.heedClock(ctx); err != nil {
		return err
	}
	now := s.nowSQL()
	// A clock that is set back right here must not hide it from the next beat.
	_, err := s.db.NewRaw(`INSERT INTO nodes (id, name, started_at, beat_at) VALUES (?, ?, `+now+`, `+now+`)
		ON CONFLICT (id) DO UPDATE SET beat_at = CASE WHEN excluded.beat_at > nodes.beat_at THEN excluded.beat_at ELSE nodes.beat_at END`, s.node, s.opt.NodeName).Exec(ctx)
	if err == nil {
		_, err = s.db.NewRaw("DELETE FROM nodes WHERE beat_at < "+now+" - ?", time.Hour.Microseconds()).Exec(ctx)
	}
	return s.wrap(err)
}

// Leave says that this node has given everything back.
func (s *Store) Leave(ctx context.Context) error {
	_, err := s.db.NewRaw("DELETE FROM nodes WHERE id = ?", s.node).Exec(ctx)
	return s.wrap(err)
}

// Recover takes back the deliveries whose lease ran out or whose node fell
// silent: the lost attempt is logged as interrupted and made again. It tells
// how many there were.
func (s *Store) Recover(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := s.recoverSome(ctx)
		total += n
		if err != nil || n < recoverBatch {
			return total, err
		}
	}
}

func (s *Store) recoverSome(ctx context.Context) (int, error) {
	lost, err := s.lostDeliveries(ctx)
	if err != nil || len(lost) == 0 {
		return 0, s.wrap(err)
	}
	seen := map[uuid.UUID]bool{}
	for _, d := range lost {
		seen[d.QueueID] = true
	}
	results := make([]Result, 0, len(lost))
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return nil, err
		}
		queues, err := s.lockQueues(ctx, tx, sortedKeys(seen, compareIDs))
		if err != nil {
			return nil, err
		}
		names, err := nodeNames(ctx, tx)
		if err != nil {
			return nil, err
		}
		results = results[:0]
		for i := range lost {
			r, ok, err := s.takeBack(ctx, tx, &lost[i], queues[lost[i].QueueID], now)
			if err != nil {
				return nil, err
			}
			if name := names[lost[i].LeaseNode]; name != "" {
				r.Attempt.Node = name
			}
			if ok {
				results = append(results, r)
			}
		}
		return s.recordLost(ctx, tx, now, queues, results)
	})
	return len(lost), err
}

// nodeNames gives the names of the nodes that beat within the last hour.
func nodeNames(ctx context.Context, tx bun.Tx) (map[string]string, error) {
	var rows []struct{ ID, Name string }
	err := tx.NewRaw("SELECT id, name FROM nodes").Scan(ctx, &rows)
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, err
}

// lostDeliveries finds what nobody works on any more. On SQLite one process
// serves, so every lease of another one is lost.
func (s *Store) lostDeliveries(ctx context.Context) ([]deliveryRow, error) {
	var rows []deliveryRow
	now := s.nowSQL()
	q := s.ro.NewSelect().Model(&rows).Where("status = 1").Limit(recoverBatch)
	if s.d.oneNode() {
		q = q.Where("(lease_until < "+now+" OR lease_node <> ?)", s.node)
	} else {
		q = q.Where("(lease_until < "+now+" OR lease_node <> ? AND lease_node NOT IN (SELECT id FROM nodes WHERE beat_at > "+now+" - ?))",
			s.node, nodeSilence.Microseconds())
	}
	return rows, q.Scan(ctx)
}

// takeBack makes a lost delivery pending again, or failed where interruptions
// used up its attempts.
func (s *Store) takeBack(ctx context.Context, tx bun.Tx, d *deliveryRow, q *queueRow, now int64) (Result, bool, error) {
	next, grace := Pending, 1
	if d.Interrupted >= freeInterruptions {
		grace = 0
	}
	if d.Attempts+1 >= d.MaxAttempts+grace {
		next = Failed
	}
	if q == nil || q.Deleted {
		next = Dead
	}
	res, err := tx.NewRaw(`UPDATE deliveries SET status = ?, attempts = attempts + 1, max_attempts = max_attempts + ?, interrupted = interrupted + 1, spared = spared + ?,
		next_attempt_at = ?, lease_node = NULL, lease_until = NULL, last_error = ?, last_detail = ?, last_status_code = NULL, last_attempt_at = ?, finished_at = ?
		WHERE id = ? AND status = 1 AND lease_node = ? AND attempts = ?`,
		next, grace, grace, now, KindInterrupted, interruptedDetail, now, Time{fromMicros(finishedAt(next, now))}, d.ID, d.LeaseNode, d.Attempts).Exec(ctx)
	if err != nil {
		return Result{}, false, err
	}
	n, err := res.RowsAffected()
	r := Result{
		Job: Job{DeliveryID: d.ID, QueueID: d.QueueID, WebhookID: d.WebhookID, AccountID: d.AccountID, Attempt: d.Attempts + 1, Test: d.Test},
		Attempt: Attempt{
			Number: d.Attempts + 1, Node: d.LeaseNode, StartedAt: Time{fromMicros(now)}, Error: KindInterrupted,
			Detail: interruptedDetail,
		},
		Next: next,
	}
	return r, n == 1, err
}

const interruptedDetail = "Belfry stopped before the outcome was known; the request may or may not have arrived"

// finishedAt is now for a finished status, else the zero time's microseconds.
func finishedAt(status Status, now int64) int64 {
	if status.Finished() {
		return now
	}
	return time.Time{}.UnixMicro()
}

// recordLost logs the interrupted attempts and moves the counts.
func (s *Store) recordLost(ctx context.Context, tx bun.Tx, now int64, queues map[uuid.UUID]*queueRow, results []Result) ([]Change, error) {
	deltas := map[uuid.UUID]*queueDelta{}
	var attempts []attemptRow
	var changes []Change
	for i := range results {
		r := &results[i]
		attempts = append(attempts, r.attempt())
		changes = append(changes, Change{Kind: ChangeDelivery, AccountID: r.Job.AccountID, ID: r.Job.DeliveryID, WebhookID: r.Job.WebhookID, Due: true})
		if q := queues[r.Job.QueueID]; q == nil || q.Deleted {
			continue
		}
		d := deltas[r.Job.QueueID]
		if d == nil {
			d = &queueDelta{}
			deltas[r.Job.QueueID] = d
		}
		d.processing--
		d.move(r.Next, now)
	}
	if err := s.writeAttempts(ctx, tx, attempts); err != nil {
		return nil, err
	}
	return changes, s.applyDeltas(ctx, tx, deltas)
}

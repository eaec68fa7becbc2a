package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

const (
	// reconcileBatch is how many events or queues one step looks at.
	reconcileBatch = 200
	// orphansMost is how far orphans of one kind are counted.
	orphansMost = 1000
	// lateCommit is how long after its id was made an event may appear: that
	// much is looked at again by the next pass.
	lateCommit = time.Minute
	// leaseGrace is how long a lease may be over before somebody must have
	// taken it back: nodes look every second.
	leaseGrace = time.Minute
)

// Orphans counts what was accepted and nobody would come for any more, each
// kind up to 1000. All are 0 as long as Belfry keeps its promises.
type Orphans struct {
	// Missing deliveries, of 1000 events at most: their event's verdict says
	// sent, and they are not there.
	Missing int
	// Ownerless deliveries are under way, for no node that lives.
	Ownerless int
	// Unseen deliveries are pending, and their queue does not know of them.
	Unseen int
	// Events is how many events were looked at to find this.
	Events int
	// Examples are ids of some: events of missing deliveries, else deliveries.
	Examples []uuid.UUID
}

// Total is the sum of all kinds.
func (o Orphans) Total() int { return o.Missing + o.Ownerless + o.Unseen }

func (o *Orphans) example(ids ...uuid.UUID) {
	o.Examples = append(o.Examples, ids[:min(len(ids), max(0, 10-len(o.Examples)))]...)
}

// Reconciler proves that each accepted event has its deliveries, each lease an
// owner and each queue what is pending in it. It goes through the events in
// small steps, and in later passes through the new ones only. One goroutine at
// a time uses it.
type Reconciler struct {
	s       *Store
	at      uuid.UUID // events up to here are proved
	events  int
	missing map[uuid.UUID]int // events that lack so many deliveries
}

// NewReconciler begins at the oldest event there is.
func (s *Store) NewReconciler() *Reconciler {
	return &Reconciler{s: s, missing: map[uuid.UUID]int{}}
}

// Newest has it begin so many events before the newest one.
func (r *Reconciler) Newest(ctx context.Context, events int) error {
	var first []uuid.UUID
	err := r.s.ro.NewRaw("SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?", events).Scan(ctx, &first)
	if len(first) == 1 {
		r.at = first[0]
	}
	return r.s.wrap(err)
}

// Step looks at the next 200 events. done says that all there are were looked
// at; a step after that begins the next pass.
func (r *Reconciler) Step(ctx context.Context) (done bool, err error) {
	var events []eventRow
	err = r.s.ro.NewSelect().Model(&events).Column("id", "verdicts").Where("id > ?", r.at).Order("id").Limit(reconcileBatch).Scan(ctx)
	if err != nil {
		return false, r.s.wrap(err)
	}
	missing, err := r.prove(ctx, events)
	if err != nil {
		return false, r.s.wrap(err)
	}
	r.note(missing)
	if len(events) > 0 {
		r.at = events[len(events)-1].ID
	}
	r.events += len(events)
	if len(events) == reconcileBatch {
		return false, nil
	}
	now, err := r.s.Now(ctx)
	if seen := idAt(now.Add(-lateCommit)); compareIDs(seen, r.at) < 0 {
		r.at = seen
	}
	return true, err
}

// prove gives those of the events that lack deliveries which their verdicts
// speak of, with how many.
func (r *Reconciler) prove(ctx context.Context, events []eventRow) (map[uuid.UUID]int, error) {
	lacking, err := r.lacking(ctx, events)
	if err != nil || len(lacking) == 0 {
		return nil, err
	}
	// Looked up last: what was removed before the deliveries were read is
	// within it.
	removed, err := r.s.removedTo(ctx)
	maps.DeleteFunc(lacking, func(id uuid.UUID, _ int) bool { return compareIDs(id, removed) <= 0 })
	return lacking, err
}

// note keeps what is missing, of as many events as orphans are counted.
func (r *Reconciler) note(missing map[uuid.UUID]int) {
	for id, n := range missing {
		if len(r.missing) < orphansMost {
			r.missing[id] = n
		}
	}
}

// lacking counts what each event lacks of the deliveries it should have.
func (r *Reconciler) lacking(ctx context.Context, events []eventRow) (map[uuid.UUID]int, error) {
	type pair struct{ EventID, WebhookID uuid.UUID }
	sent, ids := map[pair]bool{}, []uuid.UUID{}
	for i := range events {
		before := len(sent)
		for _, v := range unpackVerdicts(events[i].Verdicts) {
			if v.Reason == Sent {
				sent[pair{events[i].ID, v.WebhookID}] = true
			}
		}
		if len(sent) > before {
			ids = append(ids, events[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var there []pair
	err := r.s.ro.NewRaw("SELECT event_id, webhook_id FROM deliveries WHERE event_id IN (?) AND NOT test", bun.List(ids)).Scan(ctx, &there)
	for _, p := range there {
		delete(sent, p)
	}
	lacking := map[uuid.UUID]int{}
	for p := range sent {
		lacking[p.EventID]++
	}
	return lacking, err
}

// Orphans tells what the passes so far found and is still so, and looks at all
// leases and queues as they are now.
func (r *Reconciler) Orphans(ctx context.Context) (Orphans, error) {
	if err := r.again(ctx); err != nil {
		return Orphans{}, r.s.wrap(err)
	}
	o := Orphans{Events: r.events}
	for _, id := range sortedKeys(r.missing, compareIDs) {
		o.Missing += r.missing[id]
		o.example(id)
	}
	ownerless, err := r.s.ownerless(ctx)
	if err != nil {
		return o, r.s.wrap(err)
	}
	o.Ownerless = len(ownerless)
	o.example(ownerless...)
	unseen, err := r.s.unseen(ctx)
	o.Unseen = len(unseen)
	o.example(unseen...)
	return o, r.s.wrap(err)
}

// again proves the events that lacked deliveries once more: retention may have
// removed them meanwhile. Where it fails, what was found before still stands.
func (r *Reconciler) again(ctx context.Context) error {
	for ids := range slices.Chunk(sortedKeys(r.missing, compareIDs), reconcileBatch) {
		var events []eventRow
		err := r.s.ro.NewSelect().Model(&events).Column("id", "verdicts").Where("id IN (?)", bun.List(ids)).Scan(ctx)
		if err != nil {
			return err
		}
		missing, err := r.prove(ctx, events)
		if err != nil {
			return err
		}
		for _, id := range ids {
			delete(r.missing, id)
		}
		r.note(missing)
	}
	return nil
}

// ownerless finds leases that nobody can end: without a node or a time, or,
// while any node lives, long over. Without a node the next one to start takes
// them back.
func (s *Store) ownerless(ctx context.Context) (ids []uuid.UUID, err error) {
	now := s.nowSQL()
	err = s.ro.NewRaw(`SELECT id FROM deliveries WHERE status = 1 AND (lease_node IS NULL OR lease_until IS NULL OR
		lease_until < `+now+` - ? AND EXISTS (SELECT 1 FROM nodes WHERE beat_at > `+now+` - ?)) LIMIT ?`,
		leaseGrace.Microseconds(), nodeSilence.Microseconds(), orphansMost).Scan(ctx, &ids)
	return ids, err
}

// unseen finds pending deliveries that are due before their queue knows it, or
// never.
func (s *Store) unseen(ctx context.Context) ([]uuid.UUID, error) {
	var found []uuid.UUID
	for at := uuid.Nil; len(found) < orphansMost; {
		var rows []struct {
			ID     uuid.UUID
			Unseen bool
		}
		err := s.ro.NewRaw(`SELECT q.id, NOT q.deleted AND (
				EXISTS (SELECT 1 FROM deliveries d WHERE d.queue_id = q.id AND d.status = 0 AND d.next_attempt_at < coalesce(q.due_at, ?)) OR
				(SELECT d.id FROM deliveries d WHERE d.queue_id = q.id AND d.status = 0 AND d.next_attempt_at IS NULL ORDER BY d.next_attempt_at LIMIT 1) IS NOT NULL) AS unseen
			FROM queues q WHERE q.id > ? ORDER BY q.id LIMIT ?`, never, at, reconcileBatch).Scan(ctx, &rows)
		if err != nil {
			return found, err
		}
		for _, row := range rows {
			at = row.ID
			if row.Unseen {
				more, err := s.unseenOf(ctx, row.ID, orphansMost-len(found))
				if err != nil {
					return found, err
				}
				found = append(found, more...)
			}
		}
		if len(rows) < reconcileBatch {
			break
		}
	}
	return found, nil
}

// never is later than any moment that is kept.
const never = 1<<63 - 1

func (s *Store) unseenOf(ctx context.Context, queue uuid.UUID, most int) (ids []uuid.UUID, err error) {
	err = s.ro.NewRaw(`SELECT d.id FROM queues q JOIN deliveries d ON d.queue_id = q.id AND d.status = 0
		WHERE q.id = ? AND (d.next_attempt_at IS NULL OR d.next_attempt_at < coalesce(q.due_at, ?)) LIMIT ?`, queue, never, most).Scan(ctx, &ids)
	return ids, err
}

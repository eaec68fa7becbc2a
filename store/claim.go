package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Job is one delivery leased to this node: all that its next POST needs.
type Job struct {
	DeliveryID, QueueID, AccountID, EventID uuid.UUID
	WebhookID                               uuid.UUID // zero for a test to a free URL
	Endpoint                                *Endpoint
	Event                                   string
	OccurredAt                              time.Time
	Data                                    []byte
	Test                                    bool
	// Attempt is the number of the attempt to be made: 1, 2, …
	Attempt, MaxAttempts, ScheduleStart int
	// Spared counts lost attempts since the schedule began that don't move it on.
	Spared int
	// SendBy is until when its request may begin, by this process's clock: a
	// result of a later one could come after the lease is over.
	SendBy time.Time
}

// ClaimRequest says how much a node can take.
type ClaimRequest struct {
	// Max is how many jobs in all.
	Max int
	// InFlight tells how many requests of a queue are under way on this node;
	// a queue that is missing has none.
	InFlight map[uuid.UUID]int
	// Ahead tells how many more than its slots a queue may have, because they
	// come free faster than a claim is made.
	Ahead map[uuid.UUID]int
	// Left says that a queue is left to others; nil: none is.
	Left func(queue uuid.UUID) bool
}

// free is how many more of a queue the node can take.
func (r *ClaimRequest) free(queue uuid.UUID, slots int) int64 {
	return int64(slots + r.Ahead[queue] - r.InFlight[queue])
}

// maxQueues is how many queues one claim serves; the others come next.
const maxQueues = 64

// take is what a claim wants from one queue.
type take struct {
	queue *queueRow
	n     int64
}

// claimed is one delivery that a claim leased, with the event's part of it.
type claimed struct {
	deliveryRow
	OccurredAt Time
	Data       []byte
}

// claimColumns are the columns that readClaimed reads.
const claimColumns = `d.id, d.account_id, d.queue_id, d.webhook_id, d.event_id, d.event_type, d.test, coalesce(d.url, ''), d.secret,
	d.attempts, d.max_attempts, d.schedule_start, d.spared, e.occurred_at, e.data`

func readClaimed(scan scanner) (claimed, error) {
	var c claimed
	err := scan(&c.ID, &c.AccountID, &c.QueueID, &c.WebhookID, &c.EventID, &c.EventType, &c.Test, &c.URL, &c.Secret,
		&c.Attempts, &c.MaxAttempts, &c.ScheduleStart, &c.Spared, &c.OccurredAt, &c.Data)
	return c, err
}

// Claim leases due deliveries to this node, queue by queue in turn, as far as
// slots and the accounts' rates allow. next is how long the worker may sleep
// before something is due, if the bell stays silent.
func (s *Store) Claim(ctx context.Context, r ClaimRequest) (jobs []Job, next time.Duration, err error) {
	ids, accounts, err := s.dueQueues(ctx, r)
	if err != nil {
		return nil, 0, s.wrap(err)
	}
	if len(ids) == 0 {
		next, err = s.nextDue(ctx, r)
		return nil, next, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		jobs = nil
		states, queues, err := s.enterQueues(ctx, tx, accounts, ids)
		if err != nil {
			return nil, err
		}
		now, err := s.clockOf(ctx, tx, queues)
		if err != nil {
			return nil, err
		}
		jobs, err = s.claim(ctx, tx, r, states, queues)
		s.lag.saw(queues, now)
		return changesOf(jobs), err
	})
	if err != nil {
		return nil, 0, err
	}
	next, err = s.nextDue(ctx, r)
	return jobs, next, err
}

func changesOf(jobs []Job) []Change {
	changes := make([]Change, len(jobs))
	for i, j := range jobs {
		changes[i] = Change{Kind: ChangeDelivery, AccountID: j.AccountID, ID: j.DeliveryID, WebhookID: j.WebhookID}
	}
	return changes
}

// claimable narrows to queues that may be served, but for those in the list
// bound to $1 and the accounts in it. A probed queue is served one delivery at a
// time over all nodes.
func (s *Store) claimable() string {
	return ` FROM queues q WHERE NOT q.paused AND NOT q.deleted AND q.due_at IS NOT NULL AND NOT (q.probing AND q.processing > 0)
		AND NOT ` + s.d.among("q.id", "$1", "uuid") + ` AND NOT ` + s.d.among("q.account_id", "$1", "uuid")
}

// dueSQL is when a queue may be served next.
const dueSQL = "CASE WHEN q.probing THEN q.probe_at ELSE q.due_at END"

// dueQueues lists the queues that have something due, in the order in which
// they were served last, and their accounts.
func (s *Store) dueQueues(ctx context.Context, r ClaimRequest) (ids, accounts []uuid.UUID, err error) {
	type queueOf struct{ id, account uuid.UUID }
	read := func(scan scanner) (q queueOf, err error) { return q, scan(&q.id, &q.account) }
	not, _ := s.notNow(r)
	rows, err := rowsOf(ctx, s, nil, read, "SELECT q.id, q.account_id"+s.claimable()+" AND "+dueSQL+" <= "+s.d.nowOr("$2")+" ORDER BY q.served_at LIMIT $3 + 0",
		not, s.nowArg(), maxQueues)
	seen := map[uuid.UUID]bool{}
	for _, row := range rows {
		if r.Left != nil && r.Left(row.id) {
			continue
		}
		ids = append(ids, row.id)
		if !seen[row.account] {
			seen[row.account] = true
			accounts = append(accounts, row.account)
		}
	}
	return ids, accounts, err
}

// notNow lists the queues that have no slot, and the queues and accounts that
// wait for a token; first is how long it is until one of the latter may go on.
func (s *Store) notNow(r ClaimRequest) (list any, first time.Duration) {
	ids, first := s.dry.list(s.here())
	for id := range r.InFlight {
		if r.free(id, s.opt.Limits.InFlight) <= 0 {
			ids = append(ids, id)
		}
	}
	return s.d.list(ids), first
}

// nextDue tells how long it is until a queue has something to claim.
func (s *Store) nextDue(ctx context.Context, r ClaimRequest) (time.Duration, error) {
	not, first := s.notNow(r)
	read := func(scan scanner) (us int64, err error) { return us, scan(&us) }
	rows, err := rowsOf(ctx, s, nil, read, "SELECT coalesce(min("+dueSQL+") - "+s.d.nowOr("$2")+", $3)"+s.claimable(), not, s.nowArg(), time.Minute.Microseconds())
	if err != nil {
		return 0, s.wrap(err)
	}
	return max(time.Millisecond, min(first, time.Duration(rows[0])*time.Microsecond)), nil
}

func (s *Store) claim(ctx context.Context, tx bun.Tx, r ClaimRequest, states map[uuid.UUID]*accountState, queues map[uuid.UUID]*queueRow) ([]Job, error) {
	takes := s.share(r, states, queues)
	if len(takes) == 0 {
		return nil, nil
	}
	now := states[takes[0].queue.AccountID].Now
	until := fromMicros(now).Add(s.lease())
	rows, err := s.d.claimRows(ctx, tx, takes, now, until.UnixMicro(), s.node)
	if err != nil {
		return nil, err
	}
	taken := map[uuid.UUID]int64{}
	jobs := make([]Job, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		endpoint, err := s.endpointOf(&row.deliveryRow, states[row.AccountID].desk)
		if err != nil {
			return nil, err
		}
		taken[row.QueueID]++
		states[row.AccountID].spend(1)
		jobs = append(jobs, row.job(&eventRow{OccurredAt: row.OccurredAt, Data: row.Data}, endpoint))
	}
	if err := s.keepClaim(ctx, tx, takes, taken, states, now); err != nil {
		return nil, err
	}
	for _, t := range takes {
		t.queue.take(taken[t.queue.ID], t.n)
	}
	return jobs, nil
}

// share splits each account's tokens evenly among its queues, within the free
// slots of each.
func (s *Store) share(r ClaimRequest, states map[uuid.UUID]*accountState, queues map[uuid.UUID]*queueRow) []take {
	byAccount := map[uuid.UUID][]*queueRow{}
	for _, q := range queues {
		if a := states[q.AccountID]; a != nil && q.claimable(a.Now) {
			byAccount[q.AccountID] = append(byAccount[q.AccountID], q)
		}
	}
	var takes []take
	room := int64(r.Max)
	for _, list := range byAccount {
		slices.SortFunc(list, func(x, y *queueRow) int { return cmp.Compare(x.ServedAt, y.ServedAt) })
	}
	accounts := sortedKeys(byAccount, compareIDs)
	slices.SortStableFunc(accounts, func(x, y uuid.UUID) int { return cmp.Compare(byAccount[x][0].ServedAt, byAccount[y][0].ServedAt) })
	for at, account := range accounts {
		list, a := byAccount[account], states[account]
		others := int64(len(accounts) - at)
		tokens := min(a.tokens(), (room+others-1)/others)
		here := fromMicros(min(a.Now, s.here().UnixMicro())) // the clock may have gone on meanwhile
		if a.tokens() == 0 {
			s.dry.begin(account, here, a.rate().wait(a.used, a.Now))
		}
		for i, q := range list {
			left := int64(len(list) - i)
			allowed := q.allowed(a)
			if allowed == 0 {
				s.dry.begin(q.ID, here, q.resumeRate(a).wait(q.ResumeUsedUntil, a.Now))
			}
			n := min((tokens+left-1)/left, r.free(q.ID, s.opt.Limits.InFlight), allowed)
			if n > 0 {
				takes = append(takes, take{q, n})
				tokens -= n
				room -= n
			}
		}
	}
	return takes
}

func (q *queueRow) claimable(now int64) bool {
	if q.Paused || q.Deleted || q.DueAt.IsZero() {
		return false
	}
	if q.Probing {
		return q.Processing == 0 && q.ProbeAt.UnixMicro() <= now
	}
	return q.DueAt.UnixMicro() <= now
}

// allowed is one while probing, and half the account's rate while what was
// held is being resumed.
func (q *queueRow) allowed(a *accountState) int64 {
	switch {
	case q.Probing:
		return 1
	case !q.ResumedAt.IsZero():
		return q.resumeRate(a).free(q.ResumeUsedUntil, a.Now)
	}
	return rateBurst * 1000
}

func (q *queueRow) resumeRate(a *accountState) bucket {
	return perMinute(max(1, a.desk.account.Limits.RatePerMinute/2), rateBurst/2)
}

// endpointOf finds where a delivery goes; a test to a free URL brings its own.
func (s *Store) endpointOf(r *deliveryRow, d *desk) (*Endpoint, error) {
	if r.WebhookID != uuid.Nil {
		if e := d.endpoints[r.WebhookID]; e != nil {
			return e, nil
		}
		return &Endpoint{Account: d.account.Name, URL: r.URL, HeaderPrefix: d.account.HeaderPrefix}, nil
	}
	secret, err := s.openText(place("test", r.ID), r.Secret)
	return &Endpoint{Account: d.account.Name, URL: r.URL, HeaderPrefix: d.account.HeaderPrefix, Secret: secret}, err
}

// keepClaim writes what the claim means for queues and accounts. due_at moves
// up to the earliest one left; a resumed queue with nothing due any more is
// through.
func (s *Store) keepClaim(ctx context.Context, tx bun.Tx, takes []take, taken map[uuid.UUID]int64, states map[uuid.UUID]*accountState, now int64) error {
	n := func(t take) int64 { return taken[t.queue.ID] }
	for _, t := range takes {
		if q := t.queue; !q.ResumedAt.IsZero() {
			q.ResumeUsedUntil = q.resumeRate(states[q.AccountID]).use(q.ResumeUsedUntil, now, n(t))
		}
	}
	err := s.d.updateBatch(ctx, tx, "queues", `pending = t.pending - v.n, processing = t.processing + v.n, served_at = v.now,
		resume_used_until = v.resume_used, resumed_at = CASE WHEN v.n < v.wanted THEN NULL ELSE t.resumed_at END,
		due_at = (SELECT min(d.next_attempt_at) FROM deliveries d WHERE d.queue_id = t.id AND d.status = 0 AND d.next_attempt_at >= v.low)`, []column{
		idCol("id", takes, func(t take) uuid.UUID { return t.queue.ID }),
		col("n", "bigint", takes, n),
		col("wanted", "bigint", takes, func(t take) int64 { return t.n }),
		col("now", "bigint", takes, func(take) int64 { return now }),
		col("resume_used", "bigint", takes, func(t take) int64 { return t.queue.ResumeUsedUntil }),
		col("low", "bigint", takes, func(t take) int64 { return s.lowWater(t.queue) }),
	})
	if err != nil {
		return err
	}
	return s.keepRates(ctx, tx, states)
}

// take brings a row to what keepClaim made of it, as far as that is known.
func (q *queueRow) take(taken, wanted int64) {
	q.Pending -= taken
	q.Processing += taken
	if taken < wanted {
		q.DueAt = Time{}
	}
}

// lowWater is where the search for what is due begins: nothing pending is
// earlier, and index entries of rows long claimed are not read again.
func (s *Store) lowWater(q *queueRow) int64 { return micros(q.DueAt.Time) }

// GiveBack returns jobs that were leased but not sent, as pending; no attempt
// is counted, and none of the account's rate is spent.
func (s *Store) GiveBack(ctx context.Context, jobs []Job) error {
	if len(jobs) == 0 {
		return nil
	}
	ids, accounts := map[uuid.UUID][]uuid.UUID{}, map[uuid.UUID]bool{}
	for _, j := range jobs {
		ids[j.QueueID] = append(ids[j.QueueID], j.DeliveryID)
		accounts[j.AccountID] = true
	}
	order := sortedKeys(ids, compareIDs)
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		states, queues, err := s.enterQueues(ctx, tx, sortedKeys(accounts, compareIDs), order)
		if err != nil {
			return nil, err
		}
		deltas, now := map[uuid.UUID]*queueDelta{}, s.nowSQL()
		for _, queue := range order {
			if queues[queue] == nil || queues[queue].Deleted {
				continue
			}
			res, err := tx.NewRaw(`UPDATE deliveries SET status = 0, lease_node = NULL, lease_until = NULL, next_attempt_at = `+now+`
				WHERE id IN (?) AND status = 1 AND lease_node = ?`, bun.List(ids[queue]), s.node).Exec(ctx)
			if err != nil {
				return nil, err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return nil, err
			}
			deltas[queue] = &queueDelta{pending: n, processing: -n, due: 1}
			if a := states[queues[queue].AccountID]; a != nil {
				a.refund(n)
				s.dry.end(a.AccountID)
			}
		}
		if err := s.keepRates(ctx, tx, states); err != nil {
			return nil, err
		}
		return changesOf(jobs), s.applyDeltas(ctx, tx, deltas)
	})
}

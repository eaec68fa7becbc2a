package store

import (
	"context"

	"belfry/store/uuid"
)

// Probe is the next probe of a webhook, as things are now.
type Probe struct {
	// Since is when the probing began; zero: the webhook is not probed.
	Since Time
	// At is from when on it may go.
	At Time
	// UnderWay says that the answer to a probe is awaited.
	UnderWay bool
	// Newest says that it takes the newest delivery that waits, not the oldest.
	Newest bool
	// Next is that delivery; zero: none waits.
	Next uuid.UUID
}

// NextProbe tells which delivery of a webhook is tried next while it is probed.
func (s *Store) NextProbe(ctx context.Context, account, webhook uuid.UUID) (p Probe, err error) {
	var q queueRow
	err = s.ro.NewRaw("SELECT processing, probing, probing_since, probe_at, probe_step FROM queues WHERE id = ? AND account_id = ?", webhook, account).
		Scan(ctx, &q.Processing, &q.Probing, &q.ProbingSince, &q.ProbeAt, &q.ProbeStep)
	if err != nil || !q.Probing {
		return p, s.wrap(err)
	}
	p = Probe{Since: q.ProbingSince, At: q.ProbeAt, UnderWay: q.Processing > 0, Newest: q.probesNewest()}
	order := pick(p.Newest, "id DESC", "id")
	var next []uuid.UUID
	err = s.ro.NewRaw("SELECT id FROM deliveries WHERE webhook_id = ? AND status = 0 AND NOT test ORDER BY "+order+" LIMIT 1", webhook).Scan(ctx, &next)
	if len(next) > 0 {
		p.Next = next[0]
	}
	return p, s.wrap(err)
}

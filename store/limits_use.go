package store

import (
	"context"
	"time"

	"belfry/store/uuid"
)

// Use is a limit with how much of it is used now, and the most of 24 hours;
// Peak is -1 where it is not known.
type Use struct{ Now, Peak, Max int64 }

// LimitsUse is each limit of an account with its use.
type LimitsUse struct {
	Limits            Limits
	Webhooks          Use
	RequestsPerMinute Use // attempts that began in the running and the last minute's share
	Held              int64
	InFlight          Use // of the busiest webhook: now over all nodes, the peak on one
	Tests             Use
	EventTypes        Use
	// ResponseP95 and ResponseMax are of the attempts of the last 24 hours.
	ResponseP95, ResponseMax time.Duration
	// EventP95 and EventMax are sizes in bytes, of the last 1000 events.
	EventP95, EventMax int64
	// DatabaseSize is in bytes, and Growth since GrowthSince: a day ago, or since
	// the size was first noted. Zero: it was not yet. DatabaseBudget is 0 where
	// there is none; Full says that it is used up and publishing is refused.
	DatabaseSize, Growth, DatabaseBudget int64
	GrowthSince                          Time
	Full                                 bool
}

// LimitsUse tells how close the account is to each of its limits.
func (s *Store) LimitsUse(ctx context.Context, account uuid.UUID) (LimitsUse, error) {
	state, err := s.readState(ctx, account)
	if err != nil {
		return LimitsUse{}, err
	}
	l := state.desk.account.Limits
	u := LimitsUse{
		Limits: l, Webhooks: Use{0, -1, int64(l.MaxWebhooks)}, RequestsPerMinute: Use{0, -1, int64(l.RatePerMinute)},
		InFlight: Use{0, -1, int64(l.InFlight)}, Tests: Use{0, -1, int64(l.TestsPerMinute)}, EventTypes: Use{0, -1, int64(l.EventTypes)},
	}
	steps := []func() error{
		func() error { return s.useOfQueues(ctx, account, state, &u) },
		func() error { return s.useOfRate(ctx, account, state.Now, &u) },
		func() error { return s.useOfCounts(ctx, account, state.Now, &u) },
		func() error { return s.useOfEvents(ctx, account, &u) },
		func() error { return s.useOfDisk(ctx, state.Now, &u) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return u, s.wrap(err)
		}
	}
	return u, nil
}

func (s *Store) useOfQueues(ctx context.Context, account uuid.UUID, a *accountState, u *LimitsUse) error {
	queues, err := s.queuesOf(ctx, nil, []uuid.UUID{account})
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, 0, len(queues))
	for id, q := range queues {
		ids = append(ids, id)
		if q.WebhookID != uuid.Nil && !q.Deleted {
			u.Webhooks.Now++
		}
		u.InFlight.Now = max(u.InFlight.Now, q.Processing)
		if !q.Paused && !q.Probing && a.held() {
			due, err := s.countDue(ctx, id, fromMicros(a.Now))
			if err != nil {
				return err
			}
			u.Held += due
		}
	}
	day, err := s.timingsOf(ctx, ids, hourSpan, a.Now-24*time.Hour.Microseconds(), a.Now)
	if err != nil {
		return err
	}
	all := newTimings()
	for _, t := range day {
		for step, n := range t.buckets {
			all.buckets[step] += n
		}
	}
	u.ResponseP95, u.ResponseMax = all.percentile(95), all.percentile(100)
	if len(ids) == 0 {
		return nil
	}
	peak, err := s.peakOf(ctx, ids, a.Now-24*time.Hour.Microseconds())
	u.InFlight.Peak = max(peak, u.InFlight.Now)
	return err
}

func (s *Store) useOfCounts(ctx context.Context, account uuid.UUID, now int64, u *LimitsUse) error {
	err := s.useOfTests(ctx, account, now, u)
	if err != nil {
		return err
	}
	return s.ro.NewRaw("SELECT count(*) FROM event_types WHERE account_id = ?", account).Scan(ctx, &u.EventTypes.Now)
}

// useOfTests counts the tests of the last 60 s, and of each minute of the day:
// there are as few as their limit allows.
func (s *Store) useOfTests(ctx context.Context, account uuid.UUID, now int64, u *LimitsUse) error {
	minute := time.Minute.Microseconds()
	var row struct{ Recent, Peak int64 }
	err := s.ro.NewRaw(`SELECT coalesce(max(n), 0) AS peak, (SELECT count(*) FROM deliveries WHERE queue_id = ? AND test AND created_at > ?) AS recent
		FROM (SELECT count(*) AS n FROM deliveries WHERE queue_id = ? AND test AND created_at > ? GROUP BY created_at / ?) AS minutes`,
		account, now-minute, account, now-24*time.Hour.Microseconds(), minute).Scan(ctx, &row)
	u.Tests.Now, u.Tests.Peak = row.Recent, max(row.Peak, row.Recent)
	return err
}

func (s *Store) useOfEvents(ctx context.Context, account uuid.UUID, u *LimitsUse) error {
	var sizes []struct{ Size, Events int64 }
	err := s.ro.NewRaw(`SELECT size, count(*) AS events FROM (SELECT length(data) AS size FROM events WHERE account_id = ? ORDER BY id DESC LIMIT 1000) AS newest
		GROUP BY size ORDER BY size`, account).Scan(ctx, &sizes)
	if err != nil || len(sizes) == 0 {
		return err
	}
	var all, seen int64
	for _, n := range sizes {
		all += n.Events
	}
	for _, n := range sizes {
		if seen += n.Events; u.EventP95 == 0 && seen >= (all*95+99)/100 {
			u.EventP95 = n.Size
		}
	}
	u.EventMax = sizes[len(sizes)-1].Size
	return nil
}

func (s *Store) useOfDisk(ctx context.Context, now int64, u *LimitsUse) (err error) {
	if u.DatabaseSize, err = s.d.databaseSize(ctx); err != nil {
		return err
	}
	u.DatabaseBudget, u.Full = s.opt.MaxDatabaseSize, s.Full()
	first, err := s.firstSize(ctx, now-24*time.Hour.Microseconds())
	if err == nil && !first.at.IsZero() {
		u.Growth, u.GrowthSince = u.DatabaseSize-first.bytes, first.at
	}
	return err
}

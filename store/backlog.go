package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"
)

// Backlog tells what there is to do, over all accounts. It is read from the
// queues' counts, whatever the number of deliveries.
type Backlog struct {
	// Counts are all deliveries that the log holds, tests among them.
	Counts Summary
	// Inactive, Probing and Limited are pending deliveries that wait for their
	// webhook to be active, for a probe, or for their account's rate. Limited
	// ones are those of webhooks that have some due, whether all are or not.
	Inactive, Probing, Limited int64
	// ProbingWebhooks is how many webhooks are probed, LimitedAccounts how many
	// accounts wait for their rate.
	ProbingWebhooks, LimitedAccounts int64
	// Oldest is how long ago the oldest pending delivery was made, Overdue for
	// how long the one that nothing but a claim keeps has been due; 0: there is none.
	Oldest, Overdue time.Duration
	// Size is the database's in bytes, Budget what it may have; 0: any.
	Size, Budget int64
}

// Backlog counts what there is to do.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return Backlog{}, err
	}
	b := Backlog{}
	if b.Size, b.Budget, err = s.Size(ctx); err != nil {
		return b, err
	}
	if err := s.countQueues(ctx, now, &b); err != nil {
		return b, s.wrap(err)
	}
	if b.Counts.Pending == 0 {
		return b, nil
	}
	var oldest sql.NullInt64
	err = s.ro.NewRaw(`SELECT min((SELECT d.created_at FROM deliveries d WHERE d.account_id = a.id AND d.status = 0 ORDER BY d.id LIMIT 1)) FROM accounts a`).Scan(ctx, &oldest)
	if err != nil {
		return b, s.wrap(err)
	}
	b.Oldest = since(oldest, now)
	return b, s.countLimited(ctx, now, &b)
}

func since(us sql.NullInt64, now time.Time) time.Duration {
	if !us.Valid {
		return 0
	}
	return max(0, now.Sub(fromMicros(us.Int64)))
}

func (s *Store) countQueues(ctx context.Context, now time.Time, b *Backlog) error {
	var row struct {
		Pending, Processing, Delivered, Failed, Dead int64
		Inactive, Probing, Probed                    int64
		Due                                          sql.NullInt64
	}
	err := s.ro.NewRaw("SELECT "+totalsSQL()+", "+sumSQL("CASE WHEN paused THEN pending END", "inactive")+", "+
		sumSQL("CASE WHEN probing AND NOT paused THEN pending END", "probing")+", count(CASE WHEN probing AND NOT paused THEN 1 END) AS probed, "+
		"min(CASE WHEN NOT paused AND NOT deleted AND NOT probing AND pending > 0 THEN due_at END) AS due FROM queues").Scan(ctx, &row)
	b.Counts = Summary{row.Pending, row.Processing, row.Delivered, row.Failed, row.Dead}
	b.Inactive, b.Probing, b.ProbingWebhooks = row.Inactive, row.Probing, row.Probed
	b.Overdue = since(row.Due, now)
	return err
}

// countLimited looks at the rate of each account that has something due.
func (s *Store) countLimited(ctx context.Context, now time.Time, b *Backlog) error {
	var rows []struct {
		accountRow    `bun:",extend"`
		RateUsedUntil int64
		Pending       int64
	}
	err := s.ro.NewRaw(`SELECT a.id, a.name, a.header_prefix, a.limits, a.created_at, s.rate_used_until, d.pending
		FROM (SELECT account_id, CAST(sum(pending) AS bigint) AS pending FROM queues WHERE due_at <= ? AND NOT paused AND NOT deleted AND NOT probing GROUP BY account_id) d
		JOIN accounts a ON a.id = d.account_id JOIN account_states s ON s.account_id = d.account_id`, micros(now)).Scan(ctx, &rows)
	if err != nil {
		return s.wrap(err)
	}
	for i := range rows {
		account, err := s.resolveAccount(rows[i].accountRow)
		if err != nil {
			return err
		}
		state := accountState{Now: micros(now), used: rows[i].RateUsedUntil, desk: &desk{account: account}}
		if state.held() {
			b.LimitedAccounts++
			b.Limited += rows[i].Pending
		}
	}
	return nil
}

// Pool is the use of one of the pools of connections to the database.
type Pool struct {
	Name string // "write" and "read" on SQLite, "all" on Postgres
	sql.DBStats
}

// Pools tells how the connections to the database are used.
func (s *Store) Pools() []Pool {
	if s.ro == s.db {
		return []Pool{poolOf("all", s.db)}
	}
	return []Pool{poolOf("write", s.db), poolOf("read", s.ro)}
}

func poolOf(name string, db *bun.DB) Pool { return Pool{name, db.DB.Stats()} }

package store

import (
	"context"
	"sync"
	"time"

	"belfry/store/uuid"
)

// lateTallies is how late the attempts of a minute may still be counted.
const lateTallies = 10 * time.Minute

// minuteCounts are the attempts of each minute of an account's last day, as far
// as they were asked for: a day of a busy account's tallies is long, and what is
// over changes no more.
type minuteCounts struct {
	mu       sync.Mutex
	accounts map[uuid.UUID]map[int64]int64 // by the minute's start
}

// of gives the account's minutes after a moment a day ago, and reads those that
// are new.
func (m *minuteCounts) of(account uuid.UUID, since int64, read func(since int64) (map[int64]int64, error)) (map[int64]int64, error) {
	m.mu.Lock()
	known := m.accounts[account]
	m.mu.Unlock()
	newest := int64(0)
	for start := range known {
		newest = max(newest, start)
	}
	newest = min(newest, since+day.Microseconds()) // the clock may have been set back
	from := max(since, newest-lateTallies.Microseconds())
	counts, err := read(from)
	if err != nil {
		return nil, err
	}
	for start, n := range known {
		if start > since && start <= from {
			counts[start] = n
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accounts == nil {
		m.accounts = map[uuid.UUID]map[int64]int64{}
	}
	m.accounts[account] = counts
	return counts, nil
}

// useOfRate weighs the last full minute by what of it lies within 60 s.
func (s *Store) useOfRate(ctx context.Context, account uuid.UUID, now int64, u *LimitsUse) error {
	counts, err := s.minutes.of(account, now-day.Microseconds(), func(since int64) (map[int64]int64, error) {
		return s.countMinutes(ctx, account, since)
	})
	minute := time.Minute.Microseconds()
	this := now / minute * minute
	u.RequestsPerMinute.Now = counts[this] + counts[this-minute]*(minute-(now-this))/minute
	u.RequestsPerMinute.Peak = u.RequestsPerMinute.Now
	for _, n := range counts {
		u.RequestsPerMinute.Peak = max(u.RequestsPerMinute.Peak, n)
	}
	return err
}

// countMinutes counts the attempts of an account's minutes after a moment: first
// those of each queue, as the index has them, as sorting all that it gives would
// cost more than all else.
func (s *Store) countMinutes(ctx context.Context, account uuid.UUID, after int64) (map[int64]int64, error) {
	var rows []struct{ Start, Count int64 }
	err := s.ro.NewRaw(`SELECT start, sum(n) AS count FROM (SELECT queue_id, start, sum(count) AS n FROM tallies
		WHERE queue_id IN (SELECT id FROM queues WHERE account_id = ?) AND span = ? AND start > ? GROUP BY queue_id, start) AS minutes GROUP BY start`,
		account, minuteSpan, after).Scan(ctx, &rows)
	counts := make(map[int64]int64, len(rows))
	for _, r := range rows {
		counts[r.Start] = r.Count
	}
	return counts, err
}

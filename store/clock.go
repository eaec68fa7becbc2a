package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// setBackAtLeast is how far the clock must have gone back before times are
// moved: what is smaller is waited for.
const setBackAtLeast = 2 * time.Second

// heedClock notices that the database's clock was set back since a node beat
// last, and moves all that waits for a time by as much. Otherwise what is due
// now would wait until the clock has come to where it was. A clock that was set
// forward needs nothing: what that makes due is held back by slots and rates,
// like a backlog after an outage.
func (s *Store) heedClock(ctx context.Context) error {
	if back, err := s.setBackBy(ctx, s.ro, ""); err != nil || back == 0 {
		return s.wrap(err)
	}
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		// Of several nodes that notice it at once, the first moves the times.
		back, err := s.setBackBy(ctx, tx, s.d.forUpdate())
		if err != nil || back == 0 {
			return nil, err
		}
		s.log.Warn("the database's clock was set back; what waits for a time is moved by as much", "by", back)
		return []Change{{Kind: ChangeAccount, Due: true}}, s.moveTimes(ctx, tx, back.Microseconds())
	})
}

// setBackBy tells how far the clock is behind the last beat; 0: not so far that
// it matters.
func (s *Store) setBackBy(ctx context.Context, db bun.IDB, lock string) (time.Duration, error) {
	var beats []struct{ BeatAt, Now int64 }
	err := db.NewRaw("SELECT beat_at, "+s.nowSQL()+" AS now FROM nodes ORDER BY beat_at DESC"+lock).Scan(ctx, &beats)
	if err != nil || len(beats) == 0 {
		return 0, err
	}
	back := time.Duration(beats[0].BeatAt-beats[0].Now) * time.Microsecond
	if back < setBackAtLeast {
		return 0, nil
	}
	return back, nil
}

// moveTimes moves earlier, by that many microseconds, the times of all that
// waits, is leased or is measured against now, as they stood to each other.
func (s *Store) moveTimes(ctx context.Context, tx bun.Tx, by int64) error {
	for _, move := range []string{
		`UPDATE queues SET due_at = due_at - ?0, served_at = served_at - ?0, probe_at = probe_at - ?0,
			failing_since = failing_since - ?0, resume_used_until = resume_used_until - ?0`,
		"UPDATE deliveries SET next_attempt_at = next_attempt_at - ?0 WHERE status = 0",
		"UPDATE deliveries SET lease_until = lease_until - ?0 WHERE status = 1",
		"UPDATE account_states SET rate_used_until = rate_used_until - ?0",
		"UPDATE nodes SET beat_at = beat_at - ?0",
	} {
		if _, err := tx.NewRaw(move, by).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

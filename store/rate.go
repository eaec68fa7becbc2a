package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// rateBurst is the bucket of outgoing requests: so many may start at once.
const rateBurst = 50

// bucket is the generic cell rate algorithm (ITU-T I.371): usedUntil is the
// time until which the requests already started use up an even rate. All
// times are microseconds.
type bucket struct {
	interval int64 // between two requests at the even rate
	burst    int64
}

func perMinute(n int, burst int64) bucket {
	return bucket{interval: max(1, time.Minute.Microseconds()/int64(max(1, n))), burst: burst}
}

// free tells how many requests may start now.
func (b bucket) free(usedUntil, now int64) int64 {
	return max(0, (now-max(usedUntil, now-b.burst*b.interval))/b.interval)
}

// wait is how long it is until a request may start, in microseconds.
func (b bucket) wait(usedUntil, now int64) int64 { return max(0, usedUntil+b.interval-now) }

// use gives the new usedUntil after n requests.
func (b bucket) use(usedUntil, now, n int64) int64 {
	return max(usedUntil, now-b.burst*b.interval) + n*b.interval
}

// RateBurst is how many outgoing requests may start at once; those behind them
// start evenly, RatePerMinute a minute. Above 60 000 a minute an even refill is
// finer than a batch, so the bucket holds what 50 ms refill.
func (l Limits) RateBurst() int { return max(rateBurst, l.RatePerMinute/1200) }

// rate is the account's bucket.
func (a *accountState) rate() bucket {
	l := a.desk.account.Limits
	return perMinute(l.RatePerMinute, int64(l.RateBurst()))
}

func (a *accountState) tokens() int64 { return a.rate().free(a.used, a.Now) }

// held says that the rate holds back what is due: a single token is as good as
// taken, for the next claim takes it as soon as it is there. heldUntil is when
// there are two.
func (a *accountState) held() bool { return a.tokens() < 2 }

func (a *accountState) heldUntil() Time { return Time{fromMicros(a.used + 2*a.rate().interval)} }

func (a *accountState) spend(n int64) {
	if n > 0 {
		a.used = a.rate().use(a.used, a.Now, n)
		a.spent += n
	}
}

// refund gives back what n requests that were not made have spent.
func (a *accountState) refund(n int64) {
	a.used -= n * a.rate().interval
	a.spent -= n
}

// keepRates adds what the transaction spent or gave back to what others did at
// the same moment: two that found the same tokens leave a debt, so that the rate
// holds. It locks the accounts' rows, after all queues.
func (s *Store) keepRates(ctx context.Context, tx bun.Tx, states map[uuid.UUID]*accountState) error {
	for _, id := range sortedKeys(states, compareIDs) {
		a := states[id]
		if a.spent == 0 {
			continue
		}
		low := int64(0) // what was not used in time is lost
		if r := a.rate(); a.spent > 0 {
			low = a.Now - r.burst*r.interval
		}
		err := s.d.exec(ctx, tx, "UPDATE account_states SET rate_used_until = CASE WHEN rate_used_until < $1 THEN $1 ELSE rate_used_until END + $2 WHERE account_id = $3",
			low, a.spent*a.rate().interval, id)
		if err != nil {
			return err
		}
	}
	return nil
}

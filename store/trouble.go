package store

import (
	"context"
	"time"

	"belfry/store/uuid"
)

// Standing is how the account's webhooks are, as every page tells it.
type Standing struct {
	// Trouble is how many an admin should look at, as Overview.Trouble has it.
	Trouble int
	// Idle says that none is active.
	Idle bool
}

// StandingOf sums up webhooks as they are listed.
func StandingOf(list []Overview) Standing {
	n := Standing{Idle: true}
	for i := range list {
		if list[i].Trouble() {
			n.Trouble++
		}
		n.Idle = n.Idle && !list[i].Active
	}
	return n
}

// Standing is StandingOf of all webhooks of the account, for pages that tell no
// more of them: it reads less than Conditions.
func (s *Store) Standing(ctx context.Context, account uuid.UUID) (Standing, error) {
	var rows []struct {
		ID              uuid.UUID
		Active, Probing bool
		Reason          string
	}
	n := Standing{Idle: true}
	err := s.ro.NewRaw(`SELECT w.id, w.active, q.probing, coalesce(w.disabled_reason, '') AS reason
		FROM webhooks w JOIN queues q ON q.id = w.id WHERE w.account_id = ? AND w.deleted_at IS NULL`, account).Scan(ctx, &rows)
	if err != nil {
		return n, s.wrap(err)
	}
	var open []uuid.UUID // the last hour decides
	for _, w := range rows {
		n.Idle = n.Idle && !w.Active
		switch {
		case !w.Active && w.Reason == ReasonManual:
		case !w.Active || w.Probing:
			n.Trouble++
		default:
			open = append(open, w.ID)
		}
	}
	failing, err := s.countFailing(ctx, open)
	n.Trouble += failing
	return n, err
}

// countFailing counts those of the queues whose last hour makes them failing.
func (s *Store) countFailing(ctx context.Context, queues []uuid.UUID) (failing int, err error) {
	if len(queues) == 0 {
		return 0, nil
	}
	now, err := s.Now(ctx)
	if err != nil {
		return 0, err
	}
	slots, err := s.slotsOf(ctx, queues, minuteSpan, micros(now.Add(-time.Hour)), micros(now))
	for _, list := range slots {
		var attempts, failed int64
		for _, l := range list {
			attempts, failed = attempts+l.ok+l.failed, failed+l.failed
		}
		if isFailing(attempts, failed) {
			failing++
		}
	}
	return failing, err
}

// isFailing says whether an hour's attempts make a webhook failing.
func isFailing(attempts, failed int64) bool {
	return failed >= failingAttempts && failed*failingShare >= attempts
}

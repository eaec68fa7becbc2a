package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// When a webhook is probed and when it is given up.
const (
	probeAfter     = 10             // failed attempts in a row
	giveUpAfter    = 72 * time.Hour // without a success
	giveUpAttempts = 20             // failed ones at least
)

// probeWaits are the waits before the first, second and third probe; the last
// one goes for all that follow.
var probeWaits = [...]time.Duration{5 * time.Second, time.Minute, 10 * time.Minute, 15 * time.Minute}

// ProbeWaits are the waits before the probes of a webhook; the last holds for
// all that follow.
func ProbeWaits() []time.Duration { return slices.Clone(probeWaits[:]) }

func probeWait(step int64) time.Duration {
	return probeWaits[min(step, int64(len(probeWaits)-1))]
}

// probesNewest says which delivery the next probe is: the oldest that waits or,
// every other time, the newest. The endpoint may refuse what is old, as resent
// deliveries that it refused before, and take all that comes now.
func (q *queueRow) probesNewest() bool { return q.ProbeStep%2 == 1 }

// health is what one Record learns about a webhook.
type health struct {
	q *queueRow
	// disable is the reason to deactivate the webhook; empty: none.
	disable string
	// ended is the trouble that a success ended; nil: none.
	ended *trouble
}

// trouble is what the events webhook.disabled and webhook.recovered carry.
type trouble struct {
	WebhookID uuid.UUID `json:"webhook_id"`
	URL       string    `json:"url"`
	Reason    string    `json:"disabled_reason,omitempty"`
	Failing   Time      `json:"failing_since,omitzero"`
	Probing   Time      `json:"probing_since,omitzero"`
}

func (w *recording) healthOf(q *queueRow) *health {
	if w.health[q.ID] == nil {
		w.health[q.ID] = &health{q: q}
	}
	return w.health[q.ID]
}

// hear counts one attempt for or against the webhook. alone says that no other
// attempt is under way.
func (h *health) hear(r *Result, now int64, alone bool) {
	at := r.Attempt.StartedAt
	if at.After(h.q.LastAttemptAt.Time) {
		h.q.LastAttemptAt = at
	}
	switch {
	case r.Attempt.Error == KindInterrupted:
		// Lost here, not there: says nothing about the endpoint.
	case r.Attempt.Error == "":
		h.succeed(now)
	default:
		h.fail(r, now, alone)
	}
}

func (h *health) succeed(now int64) {
	q := h.q
	if q.Probing {
		h.ended = &trouble{Failing: q.FailingSince, Probing: q.ProbingSince}
	}
	q.LastSuccessAt = Time{fromMicros(now)}
	q.FailuresInRow, q.FailedSinceSuccess, q.FailingSince = 0, 0, Time{}
	q.Probing, q.ProbingSince, q.ProbeAt, q.ProbeStep = false, Time{}, Time{}, 0
}

func (h *health) fail(r *Result, now int64, alone bool) {
	q := h.q
	q.FailuresInRow++
	q.FailedSinceSuccess++
	if q.FailingSince.IsZero() {
		q.FailingSince = Time{fromMicros(now)}
	}
	switch {
	case q.Probing && (!alone || q.ProbeAt.UnixMicro() > now):
		// It began before the probing did, so it was no probe.
	case q.Probing:
		q.ProbeStep++
		q.ProbeAt = At(fromMicros(now).Add(probeWait(q.ProbeStep)))
	case q.FailuresInRow >= probeAfter:
		q.Probing, q.ProbeStep, q.ProbingSince = true, 0, Time{fromMicros(now)}
		q.ProbeAt = At(fromMicros(now).Add(probeWait(0)))
	}
	if r.Next == Dead {
		h.disable = ReasonGone
	} else if h.disable == "" && q.FailedSinceSuccess >= giveUpAttempts && fromMicros(now).Sub(q.FailingSince.Time) >= giveUpAfter {
		h.disable = ReasonFailing
	}
}

// keepHealth writes what was learned about the webhooks.
func (s *Store) keepHealth(ctx context.Context, tx bun.Tx, rows []*queueRow) error {
	return s.d.updateBatch(ctx, tx, "queues", `failures_in_row = v.failures_in_row, failed_since_success = v.failed_since_success,
		failing_since = v.failing_since, last_success_at = v.last_success_at, last_attempt_at = v.last_attempt_at,
		probing = v.probing, probing_since = v.probing_since, probe_step = v.probe_step, probe_at = v.probe_at`, []column{
		idCol("id", rows, func(q *queueRow) uuid.UUID { return q.ID }),
		col("failures_in_row", "bigint", rows, func(q *queueRow) int64 { return q.FailuresInRow }),
		col("failed_since_success", "bigint", rows, func(q *queueRow) int64 { return q.FailedSinceSuccess }),
		col("failing_since", "bigint", rows, func(q *queueRow) *int64 { return timeOrNull(q.FailingSince) }),
		col("last_success_at", "bigint", rows, func(q *queueRow) *int64 { return timeOrNull(q.LastSuccessAt) }),
		col("last_attempt_at", "bigint", rows, func(q *queueRow) *int64 { return timeOrNull(q.LastAttemptAt) }),
		col("probing", "boolean", rows, func(q *queueRow) bool { return q.Probing }),
		col("probing_since", "bigint", rows, func(q *queueRow) *int64 { return timeOrNull(q.ProbingSince) }),
		col("probe_step", "bigint", rows, func(q *queueRow) int64 { return q.ProbeStep }),
		col("probe_at", "bigint", rows, func(q *queueRow) *int64 { return timeOrNull(q.ProbeAt) }),
	})
}

// follow deactivates a webhook that crossed a line and tells the account by an
// event of Belfry's own, as it does of one that recovered.
func (h *health) follow(ctx context.Context, tx bun.Tx, s *Store, now int64) ([]Change, error) {
	q := h.q
	switch {
	case h.disable != "":
		return s.disable(ctx, tx, q, now, h.disable)
	case h.ended != nil:
		changes, err := s.announce(ctx, tx, q, "webhook.recovered", *h.ended)
		return append(changes, Change{Kind: ChangeWebhook, AccountID: q.AccountID, ID: q.ID, WebhookID: q.ID, Due: true}), err
	}
	return nil, nil
}

// disable deactivates a webhook because of what its endpoint does.
func (s *Store) disable(ctx context.Context, tx bun.Tx, q *queueRow, now int64, reason string) ([]Change, error) {
	res, err := tx.NewRaw(`UPDATE webhooks SET active = ?, disabled_reason = ?, active_since = ?, changed_by = NULL, version = version + 1, updated_at = ?
		WHERE id = ? AND active`, false, reason, now, now, q.ID).Exec(ctx)
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return nil, err
	}
	if _, err := tx.NewRaw("UPDATE queues SET paused = ?, probing = ?, probe_at = NULL WHERE id = ?", true, false, q.ID).Exec(ctx); err != nil {
		return nil, err
	}
	q.Paused, q.Probing, q.ProbeAt = true, false, Time{}
	if err := bump(ctx, tx, q.AccountID); err != nil {
		return nil, err
	}
	return s.announce(ctx, tx, q, "webhook.disabled", trouble{Reason: reason, Failing: q.FailingSince})
}

// announce publishes one of Belfry's own events about a webhook, in the
// transaction that made it true.
func (s *Store) announce(ctx context.Context, tx bun.Tx, q *queueRow, name string, data trouble) ([]Change, error) {
	a, err := s.enterAccount(ctx, tx, q.AccountID, false)
	if err != nil {
		return nil, err
	}
	w, err := s.webhook(ctx, tx, q.AccountID, q.ID)
	if err != nil {
		return nil, err
	}
	data.WebhookID, data.URL = w.ID, w.URL
	f := s.newFanout(a.Now, map[uuid.UUID]*accountState{a.AccountID: a})
	id, _ := f.event(a, NewEvent{Type: name, Data: []byte(jsonText(data))})
	f.changes = append(f.changes, Change{Kind: ChangeEvent, AccountID: a.AccountID, ID: id},
		Change{Kind: ChangeWebhook, AccountID: a.AccountID, ID: q.ID, WebhookID: q.ID})
	return f.changes, f.write(ctx, tx)
}

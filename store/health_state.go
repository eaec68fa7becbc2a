package store

import "time"

// HealthState says in one word how a webhook is.
type HealthState string

// The states, in the order of the list: trouble first.
const (
	HealthFailing  HealthState = "failing"
	HealthProbing  HealthState = "probing"
	HealthSlow     HealthState = "slow"
	HealthHeld     HealthState = "held"
	HealthHealthy  HealthState = "healthy"
	HealthNone     HealthState = "none"
	HealthInactive HealthState = "inactive"
)

// When the last hour's attempts make a webhook failing.
const (
	failingAttempts = 5 // failed ones at least
	failingShare    = 5 // one in so many
)

// Health is the state of a webhook and what it was decided by.
type Health struct {
	State HealthState
	// Attempts and Failed count the last hour.
	Attempts, Failed int64
	// P95 of the last hour's response times; 0: no answers.
	P95 time.Duration
	// Since is when the trouble began, or since when it is inactive.
	Since Time
	// NextTry is the next probe, or when the account's rate lets it go on.
	NextTry Time
	// Kind and Code of the last hour's most frequent failure, Times of them.
	Kind  string
	Code  int
	Times int64
	// FailuresInRow counts the failed attempts since the last success.
	FailuresInRow int64
	// LastKind and LastCode of the last hour's latest failure.
	LastKind string
	LastCode int
	// LastSuccessAt is zero where there was none yet.
	LastSuccessAt Time
}

// Trouble says that an admin should look at it: failing, probing, or
// deactivated by Belfry.
func (o *Overview) Trouble() bool {
	s := o.Health.State
	return s == HealthFailing || s == HealthProbing || s == HealthInactive && o.DisabledReason != ReasonManual
}

// Unsettled says that the latest attempts failed, though by the rule the webhook
// is healthy: they are few.
func (h *Health) Unsettled() bool { return h.State == HealthHealthy && h.FailuresInRow > 0 }

// healthOf decides a webhook's state from its queue and the last hour.
func healthOf(w *Webhook, q *queueRow, hour *timings, a *accountState, timeout time.Duration) Health {
	h := Health{
		Attempts: hour.ok + hour.failed, Failed: hour.failed, P95: hour.percentile(95),
		FailuresInRow: q.FailuresInRow, LastSuccessAt: q.LastSuccessAt,
	}
	last := Time{}
	for _, k := range hour.kinds() {
		if k.Count > h.Times {
			h.Kind, h.Code, h.Times = k.Kind, k.Code, k.Count
		}
		if k.LastAt.After(last.Time) {
			last, h.LastKind, h.LastCode = k.LastAt, k.Kind, k.Code
		}
	}
	h.State, h.Since = HealthHealthy, Time{}
	switch due := !q.DueAt.IsZero() && q.DueAt.UnixMicro() <= a.Now; {
	case !w.Active:
		h.State, h.Since = HealthInactive, w.ActiveSince
	case q.Probing:
		h.State, h.Since, h.NextTry = HealthProbing, q.ProbingSince, q.ProbeAt
	case isFailing(h.Attempts, h.Failed):
		h.State, h.Since = HealthFailing, q.FailingSince
		// A success in between ends a row of failures, not the trouble.
		if h.Since.IsZero() || hour.firstFailure.Before(h.Since.Time) {
			h.Since = hour.firstFailure
		}
	case h.P95 > timeout/2:
		h.State = HealthSlow
	case due && a.held():
		h.State, h.NextTry = HealthHeld, a.heldUntil()
	case q.LastAttemptAt.IsZero():
		h.State = HealthNone
	}
	return h
}

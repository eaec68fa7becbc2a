package worker

import (
	"time"

	"belfry/store"
	"belfry/worker/outbound"
)

// outcome is what an answer means for its delivery.
type outcome struct {
	kind   string // a failure kind; empty after success
	detail string // a sentence for people
	next   store.Status
	wait   time.Duration // to the next attempt, when next is Pending
}

// decide is the whole rule of what follows an answer: 2xx delivers, 410 ends it
// for good, anything else is tried again while attempts are left. jitter is
// from 0 to 1; now is when the answer came.
func decide(j *store.Job, a outbound.Answer, waits []time.Duration, now time.Time, jitter float64) outcome {
	o := outcome{kind: outbound.Classify(a), detail: outbound.Sentence(a)}
	switch {
	case o.kind == "":
		o.next = store.Delivered
	case o.kind == outbound.KindGone:
		o.next = store.Dead
	case j.Attempt >= j.MaxAttempts:
		o.next = store.Failed
	default:
		o.next = store.Pending
		o.wait = max(schedule(waits, j.Attempt-j.ScheduleStart-j.Spared, jitter), retryAfter(a, now))
	}
	return o
}

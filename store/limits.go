package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// Limits are the numbers that hold for one account, or the defaults for those
// that have none of their own. A zero number stands for the default.
type Limits struct {
	// MaxWebhooks counts inactive webhooks and leaves out deleted ones.
	MaxWebhooks int
	// RatePerMinute is of outgoing requests, over all nodes together.
	RatePerMinute int
	// APIRatePerMinute is of API requests, per key and node.
	APIRatePerMinute int
	// TestsPerMinute is of test sends.
	TestsPerMinute int
	// EventTypes is how many own and discovered types an account may have.
	EventTypes int
	// InFlight is the requests under way at once, per webhook and node.
	InFlight int
	// EventBytes is the size of one event's data, BatchBytes of a whole batch.
	EventBytes, BatchBytes int
	// BatchEvents is the events in one batch.
	BatchEvents int
	// AnswerBytes is how much of an endpoint's answer is read and kept.
	AnswerBytes int
	// Timeout is for one whole request, from the name look-up to the body.
	Timeout time.Duration
	// Retries are the pauses before each retry. Nil stands for the default;
	// empty for no retries.
	Retries []time.Duration
	// Retention is how long finished deliveries and their events are kept,
	// RetentionBodies the bodies of attempts, which go with their delivery at
	// the latest: its default is at most Retention.
	Retention, RetentionBodies time.Duration
	// HeldFor is how long a delivery waits for an inactive webhook.
	HeldFor time.Duration
}

const day = 24 * time.Hour

// DefaultLimits are the limits of an installation that sets none.
func DefaultLimits() Limits {
	return Limits{
		MaxWebhooks: 10, RatePerMinute: 1000, APIRatePerMinute: 1000, TestsPerMinute: 20,
		EventTypes: 1000, InFlight: 16,
		EventBytes: 256 << 10, BatchBytes: 8 << 20, BatchEvents: 500, AnswerBytes: 16 << 10,
		Timeout:   10 * time.Second,
		Retries:   []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour},
		Retention: 30 * day, RetentionBodies: 7 * day, HeldFor: 30 * day,
	}
}

// MaxAttempts is how many requests a delivery may take: the first and its
// retries.
func (l Limits) MaxAttempts() int { return 1 + len(l.Retries) }

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	numbers, defaults := l.numbers(), d.numbers()
	for i, n := range numbers {
		if *n.value == 0 {
			*n.value = *defaults[i].value
		}
	}
	if l.Retention >= leastKept {
		d.RetentionBodies = min(d.RetentionBodies, l.Retention)
	}
	spans, defaultSpans := l.spans(), d.spans()
	for i, s := range spans {
		if *s.value == 0 {
			*s.value = *defaultSpans[i].value
		}
	}
	if l.Retries == nil {
		l.Retries = d.Retries
	}
	return l
}

// bounded is one setting with the least and the most that make sense.
type bounded[T int | time.Duration] struct {
	field     string
	value     *T
	low, high T
}

func (l *Limits) numbers() []bounded[int] {
	return []bounded[int]{
		{"max_webhooks", &l.MaxWebhooks, 1, 10_000},
		{"rate_per_minute", &l.RatePerMinute, 1, 10_000_000},
		{"api_rate_per_minute", &l.APIRatePerMinute, 1, 10_000_000},
		{"tests_per_minute", &l.TestsPerMinute, 1, 10_000},
		{"event_types", &l.EventTypes, 1, 100_000},
		{"in_flight", &l.InFlight, 1, 1000},
		{"event_bytes", &l.EventBytes, 1 << 10, 16 << 20},
		{"batch_bytes", &l.BatchBytes, 1 << 10, 64 << 20},
		{"batch_events", &l.BatchEvents, 1, 10_000},
		{"answer_bytes", &l.AnswerBytes, 1 << 10, 1 << 20},
	}
}

func (l *Limits) spans() []bounded[time.Duration] {
	return []bounded[time.Duration]{
		{"timeout", &l.Timeout, 100 * time.Millisecond, 5 * time.Minute},
		{"retention", &l.Retention, leastKept, 3650 * day},
		{"retention_bodies", &l.RetentionBodies, leastKept, 3650 * day},
		{"held_for", &l.HeldFor, time.Hour, 365 * day},
	}
}

// leastKept is the shortest retention.
const leastKept = time.Hour

// maxRetries and maxPause bound the schedule of retries.
const (
	maxRetries = 20
	maxPause   = 7 * day
)

// Check says which limits are out of their bounds, all at once, as an Error of
// CodeInvalid. Fields are named as in flags, with "_" for "-". Zero values
// stand for the default and pass.
func (l Limits) Check() error {
	bodies := l.RetentionBodies
	l = l.withDefaults()
	var f faults
	checkBounds(&f, l.numbers())
	checkBounds(&f, l.spans())
	if bodies > l.Retention {
		f.add("retention_bodies", fmt.Sprintf("%v is longer than -retention, %v: bodies go with their delivery", bodies, l.Retention))
	}
	if len(l.Retries) > maxRetries {
		f.add("retries", fmt.Sprintf("give at most %d pauses", maxRetries))
	}
	for _, pause := range l.Retries {
		if pause <= 0 || pause > maxPause {
			f.add("retries", fmt.Sprintf("a pause must be longer than 0 and at most %v, not %v", maxPause, pause))
			break
		}
	}
	return f.err()
}

func checkBounds[T int | time.Duration](f *faults, all []bounded[T]) {
	for _, b := range all {
		if *b.value < b.low || *b.value > b.high {
			f.add(b.field, fmt.Sprintf("must be from %v to %v, not %v", b.low, b.high, *b.value))
		}
	}
}

// AccountLimits are the limits that the operator set for one account; nil
// means the default of the installation.
type AccountLimits struct {
	MaxWebhooks      *int `json:"max_webhooks,omitempty"`
	RatePerMinute    *int `json:"rate_per_minute,omitempty"`
	APIRatePerMinute *int `json:"api_rate_per_minute,omitempty"`
	TestsPerMinute   *int `json:"tests_per_minute,omitempty"`
	EventTypes       *int `json:"event_types,omitempty"`
}

// with gives l with an account's own numbers in place.
func (l Limits) with(own AccountLimits) Limits {
	for _, o := range []struct {
		own   *int
		value *int
	}{
		{own.MaxWebhooks, &l.MaxWebhooks},
		{own.RatePerMinute, &l.RatePerMinute},
		{own.APIRatePerMinute, &l.APIRatePerMinute},
		{own.TestsPerMinute, &l.TestsPerMinute},
		{own.EventTypes, &l.EventTypes},
	} {
		if o.own != nil {
			*o.value = *o.own
		}
	}
	return l
}

// check refuses numbers out of bounds, zero among them: nil is what stands for
// the default here.
func (own AccountLimits) check() error {
	l := DefaultLimits().with(own)
	var f faults
	checkBounds(&f, l.numbers())
	return f.err()
}

func parseAccountLimits(text string) (AccountLimits, error) {
	var own AccountLimits
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return own, fmt.Errorf("read the limits of an account: %w", err)
	}
	return own, nil
}

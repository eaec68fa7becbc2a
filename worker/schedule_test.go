package worker

import (
	"net/http"
	"testing"
	"time"

	"belfry/store"
	"belfry/worker/outbound"
)

func TestScheduleWaitsLongerAfterEachAttempt(t *testing.T) {
	waits := store.DefaultLimits().Retries
	for _, c := range []struct {
		made   int
		jitter float64
		want   time.Duration
	}{
		{1, 0.5, 5 * time.Second},
		{2, 0.5, time.Minute},
		{3, 0.5, 10 * time.Minute},
		{4, 0.5, time.Hour},
		{5, 0.5, 6 * time.Hour},
		{6, 0.5, 6 * time.Hour}, // attempts lost to crashes go beyond the schedule
		{0, 0.5, 5 * time.Second},
		{1, 0, 4 * time.Second},
		{1, 1, 6 * time.Second},
		{5, 0, 288 * time.Minute},
		{5, 1, 432 * time.Minute},
	} {
		if got := schedule(waits, c.made, c.jitter); got != c.want {
			t.Errorf("after attempt %d with jitter %v: %v, want %v", c.made, c.jitter, got, c.want)
		}
	}
	if got := schedule(nil, 1, 0.5); got != 0 {
		t.Errorf("without waits: %v", got)
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status int
		value  string
		want   time.Duration
	}{
		{429, "120", 2 * time.Minute},
		{503, " 7 ", 7 * time.Second},
		{503, "Wed, 01 May 2024 12:30:00 GMT", 30 * time.Minute},
		{503, "Wed, 01 May 2024 11:30:00 GMT", 0},
		{503, "Thu, 01 May 2025 11:30:00 GMT", 24 * time.Hour},
		{429, "86401", 24 * time.Hour},
		{429, "99999999999999999999999", 24 * time.Hour},
		{429, "-5", 0},
		{429, "1.5", 0},
		{429, "soon", 0},
		{429, "", 0},
		{500, "120", 0},
		{200, "120", 0},
	} {
		a := outbound.Answer{StatusCode: c.status, Header: []outbound.Header{{Name: "retry-after", Value: c.value}}}
		if got := retryAfter(a, now); got != c.want {
			t.Errorf("%d with Retry-After %q: %v, want %v", c.status, c.value, got, c.want)
		}
	}
	if got := retryAfter(outbound.Answer{StatusCode: 429}, now); got != 0 {
		t.Errorf("without the header: %v", got)
	}
}

func TestEachAnswerHasOneOutcome(t *testing.T) {
	waits := store.DefaultLimits().Retries
	answer := func(status int, headers ...outbound.Header) outbound.Answer {
		return outbound.Answer{StatusCode: status, Header: headers}
	}
	failed := outbound.Answer{Err: &outbound.Failure{Kind: outbound.KindTimeout, Detail: "too slow"}}
	broken := outbound.Answer{StatusCode: 200, Err: &outbound.Failure{Kind: outbound.KindReset, Detail: "cut"}}
	for name, c := range map[string]struct {
		job    store.Job
		answer outbound.Answer
		want   outcome
	}{
		"200 delivers":               {store.Job{Attempt: 1, MaxAttempts: 6}, answer(200), outcome{next: store.Delivered}},
		"299 delivers":               {store.Job{Attempt: 6, MaxAttempts: 6}, answer(299), outcome{next: store.Delivered}},
		"500 is tried again":         {store.Job{Attempt: 1, MaxAttempts: 6}, answer(500), outcome{"status", "the endpoint answered 500", store.Pending, 5 * time.Second}},
		"the last 500 fails":         {store.Job{Attempt: 6, MaxAttempts: 6}, answer(500), outcome{"status", "the endpoint answered 500", store.Failed, 0}},
		"a resend starts anew":       {store.Job{Attempt: 7, MaxAttempts: 12, ScheduleStart: 6}, answer(404), outcome{"status", "the endpoint answered 404", store.Pending, 5 * time.Second}},
		"410 is the end":             {store.Job{Attempt: 1, MaxAttempts: 6}, answer(410), outcome{"gone", "the endpoint answered 410: it is gone for good", store.Dead, 0}},
		"410 ends a test":            {store.Job{Attempt: 1, MaxAttempts: 1, Test: true}, answer(410), outcome{"gone", "the endpoint answered 410: it is gone for good", store.Dead, 0}},
		"a test is tried once":       {store.Job{Attempt: 1, MaxAttempts: 1, Test: true}, answer(500), outcome{"status", "the endpoint answered 500", store.Failed, 0}},
		"a redirect is not followed": {store.Job{Attempt: 2, MaxAttempts: 6}, answer(301), outcome{"redirect", "the endpoint answered 301, a redirect; redirects are not followed", store.Pending, time.Minute}},
		"no answer is tried again":   {store.Job{Attempt: 3, MaxAttempts: 6}, failed, outcome{"timeout", "too slow", store.Pending, 10 * time.Minute}},
		"half a 200 is tried again":  {store.Job{Attempt: 1, MaxAttempts: 6}, broken, outcome{"reset", "cut", store.Pending, 5 * time.Second}},
		"a longer Retry-After holds": {
			store.Job{Attempt: 1, MaxAttempts: 6},
			answer(http.StatusServiceUnavailable, outbound.Header{Name: "Retry-After", Value: "90"}),
			outcome{"status", "the endpoint answered 503", store.Pending, 90 * time.Second},
		},
		"a shorter Retry-After does not": {
			store.Job{Attempt: 2, MaxAttempts: 6},
			answer(http.StatusTooManyRequests, outbound.Header{Name: "Retry-After", Value: "1"}),
			outcome{"status", "the endpoint answered 429", store.Pending, time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decide(&c.job, c.answer, waits, time.Now(), 0.5); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

package worker

import (
	"context"
	"time"

	"belfry/store"
)

// measured is the store as the worker uses it: what claims and records take
// goes to the metrics, all else straight on.
type measured struct {
	*store.Store
	m *metrics
}

// Claim measures store.Store.Claim.
func (s measured) Claim(ctx context.Context, r store.ClaimRequest) ([]store.Job, time.Duration, error) {
	began := time.Now()
	jobs, next, err := s.Store.Claim(ctx, r)
	s.m.called("claim", time.Since(began), err)
	s.m.claimed(len(jobs))
	return jobs, next, err
}

// RecordAndClaim measures store.Store.RecordAndClaim.
func (s measured) RecordAndClaim(ctx context.Context, results []store.Result, r store.ClaimRequest) ([]store.Job, error) {
	began := time.Now()
	jobs, err := s.Store.RecordAndClaim(ctx, results, r)
	s.m.called("record", time.Since(began), err)
	if err == nil {
		s.m.claimed(len(jobs))
		s.m.recorded(results)
	}
	return jobs, err
}

package store_test

import (
	"context"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestDefaultLimitsAreThoseOfTheContract(t *testing.T) {
	l := store.DefaultLimits()
	if l.MaxWebhooks != 10 || l.RatePerMinute != 1000 || l.APIRatePerMinute != 1000 || l.TestsPerMinute != 20 || l.EventTypes != 1000 || l.InFlight != 16 {
		t.Errorf("counts: %+v", l)
	}
	if l.EventBytes != 262144 || l.BatchBytes != 8388608 || l.BatchEvents != 500 || l.AnswerBytes != 16384 || l.Timeout != 10*time.Second {
		t.Errorf("sizes: %+v", l)
	}
	if l.MaxAttempts() != 6 {
		t.Errorf("%d attempts, want 6", l.MaxAttempts())
	}
	if err := l.Check(); err != nil {
		t.Errorf("the defaults are out of bounds: %v", err)
	}
}

func TestAllLimitsOutOfBoundsAreNamedAtOnce(t *testing.T) {
	l := store.Limits{MaxWebhooks: -1, AnswerBytes: 1, Timeout: time.Hour, Retries: []time.Duration{time.Second, -1}}
	wantFields(t, l.Check(), "max_webhooks", "answer_bytes", "timeout", "retries")
	if err := (store.Limits{}).Check(); err != nil {
		t.Errorf("limits left to the defaults are refused: %v", err)
	}
}

func TestBodiesAreKeptNoLongerThanTheirDelivery(t *testing.T) {
	wantFields(t, store.Limits{Retention: time.Hour, RetentionBodies: 2 * time.Hour}.Check(), "retention_bodies")
	wantFields(t, store.Limits{Retention: time.Minute}.Check(), "retention")
	s := freshStore(t, storetest.SQLite(t), func(o *store.Options) { o.Limits.Retention = 2 * time.Hour })
	if err := s.Limits().Check(); err != nil || s.Limits().RetentionBodies != 2*time.Hour {
		t.Errorf("with a retention of 2 h bodies are kept for %v (%v), want as long", s.Limits().RetentionBodies, err)
	}
}

func TestAnEmptyScheduleMeansNoRetriesAndNoneGivenTheDefault(t *testing.T) {
	for name, test := range map[string]struct {
		retries []time.Duration
		want    int
	}{"nil": {nil, 6}, "empty": {[]time.Duration{}, 1}, "two": {[]time.Duration{1e9, 2e9}, 3}} {
		t.Run(name, func(t *testing.T) {
			s := freshStore(t, storetest.SQLite(t), func(o *store.Options) { o.Limits.Retries = test.retries })
			if got := defaultAccount(t, s).Limits.MaxAttempts(); got != test.want {
				t.Errorf("%d attempts, want %d", got, test.want)
			}
		})
	}
}

func TestAnAccountsOwnLimitsTakeTheDefaultsPlace(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		three := 3
		must(t, s.SetAccountLimits(ctx, a.ID, store.AccountLimits{MaxWebhooks: &three}))
		got, err := s.Account(ctx, a.ID)
		must(t, err)
		if got.Limits.MaxWebhooks != 3 || got.Limits.RatePerMinute != 1000 || *got.Overrides.MaxWebhooks != 3 || got.Overrides.RatePerMinute != nil {
			t.Errorf("limits %+v, own %+v", got.Limits, got.Overrides)
		}
		must(t, s.SetAccountLimits(ctx, a.ID, store.AccountLimits{}))
		if got, _ = s.Account(ctx, a.ID); got.Limits.MaxWebhooks != 10 {
			t.Errorf("%d webhooks after taking the own limit away, want 10", got.Limits.MaxWebhooks)
		}
		zero := 0
		wantFields(t, s.SetAccountLimits(ctx, a.ID, store.AccountLimits{TestsPerMinute: &zero}), "tests_per_minute")
	})
}

package handlers

import (
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestThePagesSayThatTheDatabaseIsFull(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		t.Parallel()
		s := newSite(t, db, func(o *store.Options) { o.MaxDatabaseSize = 1 })
		b := s.signedIn(store.RoleViewer)
		doc := b.get(limitsPath).dom(t)
		has(t, plain(doc, "tr:contains('All accounts together')"), "At its budget", "1 byte")
		if words := plain(doc, ".side-foot"); words == "" || doc.Find(".side-foot .bad").Length() != 0 {
			t.Errorf("before anything is full the sidebar says %q", words)
		}
		if err := s.store.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		doc = b.get(limitsPath).dom(t)
		has(t, plain(doc, ".message.tone-bad"), "The database has reached its budget of 1 byte.", "refused with 507", "Ask your operator")
		for _, path := range []string{limitsPath, "/setup/webhooks", logsPath} {
			has(t, plain(b.get(path).dom(t), ".side-foot .bad"), "Database full, new events are refused")
		}
	})
}

func TestTheLimitsSayHowTheRateHoldsBackABurst(t *testing.T) {
	use := store.LimitsUse{Limits: store.DefaultLimits(), Held: 430, RequestsPerMinute: store.Use{Now: 326, Peak: 326, Max: 1000}, Webhooks: store.Use{Max: 10}, Tests: store.Use{Max: 20}}
	notice := limitNotices(use)[0]
	has(t, notice.Bold+" "+notice.Text, "430 deliveries wait for the outgoing rate of 1,000 per minute.", "up to 50 at once, then about 16.7 a second", "while the minute's count is below the limit")
	has(t, outgoingLine(use).Text, "then about 16.7 a second", "attempts of the last minute", "the busiest minute")
}

func TestTheLimitsShowPeaksOfTheDay(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		hook := s.addHook("https://one.example/hook")
		if _, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{WebhookID: hook.ID, Event: "call.ended"}); err != nil {
			t.Fatal(err)
		}
		s.answer(200)
		doc := s.signedIn(store.RoleViewer).get(limitsPath).dom(t)
		has(t, plain(doc, "tr:contains('Test sends')"), "1 now", "peak 1")
		has(t, plain(doc, "tr:contains('Requests in flight per webhook')"), "0 now", "peak")
		has(t, plain(doc, "tr:contains('Outgoing requests')"), "1 now", "peak 1")
		has(t, plain(doc, "tr:contains('All accounts together')"), "may give it a budget", "growth is known in a minute")
	})
}

func TestTheGrowthOfTheDatabaseIsSaidWithItsTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 17, 45, 0, 0, time.UTC)
	for _, tt := range []struct {
		since  time.Duration
		growth int64
		want   string
	}{
		{3 * time.Hour, 3 << 20, "grew by 3 MiB since 14:45"},
		{18 * time.Hour, -2048, "shrank by 2 KiB since 21 Nov, 23:45"},
		{24 * time.Hour, 512, "grew by 512 bytes in 24 h"},
		{0, 0, "grew by 0 bytes since 17:45"},
	} {
		if got := growthWords(store.LimitsUse{Growth: tt.growth, GrowthSince: store.At(now.Add(-tt.since))}, now); got != tt.want {
			t.Errorf("after %v: %q, want %q", tt.since, got, tt.want)
		}
	}
}

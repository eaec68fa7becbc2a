package store_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func idHash(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:]
}

func saveSession(t *testing.T, s *store.Store, id string, user *uuid.UUID, data string) {
	t.Helper()
	must(t, s.Sessions().Save(t.Context(), idHash(id), user, []byte(data), time.Now().Add(time.Hour)))
}

func loadSession(t *testing.T, s *store.Store, id string) string {
	t.Helper()
	data, _, err := s.Sessions().Load(t.Context(), idHash(id))
	must(t, err)
	return string(data)
}

func TestASessionIsKeptReplacedAndDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		if data, _, err := s.Sessions().Load(ctx, idHash("one")); data != nil || err != nil {
			t.Errorf("a session nobody saved: %q, %v", data, err)
		}
		saveSession(t, s, "one", nil, "\x00first")
		saveSession(t, s, "one", nil, "second")
		if got := loadSession(t, s, "one"); got != "second" {
			t.Errorf("session holds %q", got)
		}
		must(t, s.Sessions().Delete(ctx, idHash("one")))
		must(t, s.Sessions().Delete(ctx, idHash("one")))
		if got := loadSession(t, s, "one"); got != "" {
			t.Errorf("a deleted session holds %q", got)
		}
	})
}

func TestASessionEndsWithItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		clock := startClock()
		s := freshStore(t, db, func(o *store.Options) { o.Now = clock.now })
		saveSession(t, s, "one", nil, "data")
		clock.add(59 * time.Minute)
		if got := loadSession(t, s, "one"); got != "data" {
			t.Errorf("after 59 minutes the session holds %q", got)
		}
		clock.add(2 * time.Minute)
		if got := loadSession(t, s, "one"); got != "" {
			t.Errorf("an hour later the session holds %q", got)
		}
	})
}

func TestEndingSessionsSignsTheUserOutEverywhere(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		u := addUser(t, s, a, "mira@example.com", store.RoleOwner)
		saveSession(t, s, "hers", &u.ID, "1")
		saveSession(t, s, "nobody's", nil, "2")
		must(t, s.EndSessions(ctx, u.ID))
		if loadSession(t, s, "hers") != "" || loadSession(t, s, "nobody's") != "2" {
			t.Error("the wrong sessions ended")
		}
	})
}

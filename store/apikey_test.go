package store_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestManageHoldsTheOtherScopesAndTheyHoldThemselvesOnly(t *testing.T) {
	for _, have := range store.Scopes() {
		for _, want := range store.Scopes() {
			if got := have.Holds(want); got != (have == want || have == store.ScopeManage) {
				t.Errorf("%s holds %s: %v", have, want, got)
			}
		}
	}
	both := store.APIKey{Scopes: []store.Scope{store.ScopePublish, store.ScopeRead}}
	if !both.Holds(store.ScopePublish) || !both.Holds(store.ScopeRead) || both.Holds(store.ScopeManage) {
		t.Error("a key with publish and read does not hold exactly these")
	}
}

func addKey(t *testing.T, s *store.Store, account uuid.UUID, scopes ...store.Scope) (string, store.APIKey) {
	t.Helper()
	key, k, err := s.AddKey(t.Context(), account, "ci", scopes, "mira@example.com")
	must(t, err)
	return key, k
}

func TestAKeyIsFoundByItsTextAndListedWithoutIt(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		key, made := addKey(t, s, a.ID, store.ScopeRead, store.ScopePublish, store.ScopeRead)
		if !regexp.MustCompile(`^bf_[0-9A-Za-z]{43}$`).MatchString(key) || made.Hint != key[len(key)-4:] {
			t.Errorf("key %q with hint %q", key, made.Hint)
		}
		for range 2 { // from the database and from memory
			got, err := s.KeyByToken(ctx, key)
			must(t, err)
			if got.ID != made.ID || got.AccountID != a.ID || got.CreatedBy != "mira@example.com" || !slices.Equal(got.Scopes, []store.Scope{store.ScopePublish, store.ScopeRead}) {
				t.Errorf("found %+v, made %+v", got, made)
			}
		}
		for _, wrong := range []string{"", "bf_", key + "x", key[:len(key)-1], strings.ToUpper(key), "\x00"} {
			_, err := s.KeyByToken(ctx, wrong)
			wantCode(t, err, store.CodeNotFound)
		}
		keys, err := s.Keys(ctx, a.ID)
		must(t, err)
		if len(keys) != 1 || keys[0].Name != "ci" || !keys[0].RevokedAt.IsZero() {
			t.Errorf("keys %+v", keys)
		}
	})
}

func TestARevokedKeyIsWorthlessAtOnceThoughItWasInMemory(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		other, err := s.AddAccount(ctx, "acme")
		must(t, err)
		key, k := addKey(t, s, a.ID, store.ScopeManage)
		_, err = s.KeyByToken(ctx, key)
		must(t, err)
		wantCode(t, s.RevokeKey(ctx, other.ID, k.ID, "noa"), store.CodeNotFound)
		must(t, s.RevokeKey(ctx, a.ID, k.ID, "mira"))
		must(t, s.RevokeKey(ctx, a.ID, k.ID, "mira"))
		_, err = s.KeyByToken(ctx, key)
		wantCode(t, err, store.CodeNotFound)
		keys, err := s.Keys(ctx, a.ID)
		must(t, err)
		if len(keys) != 1 || keys[0].RevokedAt.IsZero() {
			t.Errorf("keys %+v", keys)
		}
	})
}

func TestTheUseOfAKeyIsWrittenBesideTheRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := freshStore(t, db)
		a := defaultAccount(t, s)
		used, k := addKey(t, s, a.ID, store.ScopeRead)
		_, unused := addKey(t, s, a.ID, store.ScopeRead)
		_, err := s.KeyByToken(t.Context(), used)
		must(t, err)
		must(t, s.Close()) // writes what is left
		again := freshStore(t, db)
		keys, err := again.Keys(t.Context(), a.ID)
		must(t, err)
		for _, key := range keys {
			if wasUsed := !key.LastUsedAt.IsZero(); wasUsed != (key.ID == k.ID) || key.ID != k.ID && key.ID != unused.ID {
				t.Errorf("%+v", key)
			}
		}
	})
}

func TestAllFaultsOfANewKeyAreNamed(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	a := defaultAccount(t, s)
	for name, fields := range map[string][]string{"": {"name", "scopes"}, "a\x00": {"name", "scopes"}, strings.Repeat("a", 101): {"name", "scopes"}, "ok": {"scopes"}} {
		_, _, err := s.AddKey(t.Context(), a.ID, name, nil, "")
		wantFields(t, err, fields...)
		_, _, err = s.AddKey(t.Context(), a.ID, name, []store.Scope{store.ScopeRead, "root"}, "")
		wantFields(t, err, fields...)
	}
	_, _, err := s.AddKey(t.Context(), uuid.New(), "ci", store.Scopes(), "")
	wantCode(t, err, store.CodeNotFound)
}

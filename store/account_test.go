package store_test

import (
	"context"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestTheFirstAccountIsMadeOnceHoweverManyAskForIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := freshStore(t, db)
		for _, err := range atOnce(4, func(int) error { _, err := s.EnsureDefaultAccount(t.Context()); return err }) {
			must(t, err)
		}
		all, err := s.Accounts(t.Context())
		must(t, err)
		if len(all) != 1 || all[0].Name != "default" || all[0].HeaderPrefix != "X-Webhook" {
			t.Errorf("accounts: %+v", all)
		}
	})
}

func TestAccountsAreFoundByNameAndTheFirstWithoutOne(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, first store.Account) {
		acme, err := s.AddAccount(ctx, "acme")
		must(t, err)
		for name, want := range map[string]uuid.UUID{"": first.ID, "default": first.ID, "acme": acme.ID} {
			got, err := s.AccountByName(ctx, name)
			must(t, err)
			if got.ID != want {
				t.Errorf("account %q is %s, want %s", name, got.Name, want)
			}
		}
		_, err = s.AccountByName(ctx, "nobody")
		wantCode(t, err, store.CodeNotFound)
		_, err = s.AddAccount(ctx, "acme")
		wantCode(t, err, store.CodeConflict)
	})
}

func TestAccountNamesFitInAllowTargets(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	for _, name := range []string{"", "Acme", "a=b", "a,b", "-a", ".a", "a b", strings.Repeat("a", 65), "ä", "a\x00"} {
		_, err := s.AddAccount(t.Context(), name)
		wantFields(t, err, "name")
	}
	for _, name := range []string{"a", "acme-2.eu_west", strings.Repeat("a", 64)} {
		_, err := s.AddAccount(t.Context(), name)
		must(t, err)
	}
}

func TestAHeaderPrefixIsATokenOtherThanWebhookAlone(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		for _, prefix := range []string{"webhook", "WebHook", "X Rine", "X-Rine:", "-X", "X-", strings.Repeat("X", 65), "X\x00"} {
			wantFields(t, s.SetHeaderPrefix(ctx, a.ID, prefix), "header_prefix")
		}
		must(t, s.SetHeaderPrefix(ctx, a.ID, "X-Rine"))
		if got, _ := s.Account(ctx, a.ID); got.HeaderPrefix != "X-Rine" {
			t.Errorf("prefix %q", got.HeaderPrefix)
		}
		must(t, s.SetHeaderPrefix(ctx, a.ID, ""))
		if got, _ := s.Account(ctx, a.ID); got.HeaderPrefix != "X-Webhook" {
			t.Errorf("prefix %q after taking the own one away", got.HeaderPrefix)
		}
		wantCode(t, s.SetHeaderPrefix(ctx, uuid.New(), "X-Rine"), store.CodeNotFound)
	})
}

func TestAChangedAccountRingsTheBell(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		l := s.Changes(func(c store.Change) bool { return c.Kind == store.ChangeAccount && c.AccountID == a.ID })
		defer l.Close()
		must(t, s.SetHeaderPrefix(ctx, a.ID, "X-Rine"))
		<-l.C
	})
}

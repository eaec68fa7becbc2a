package store_test

import (
	"context"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestRolesMayDoWhatTheContractSays(t *testing.T) {
	type rights struct{ read, edit, test, export, people, account bool }
	for role, want := range map[store.Role]rights{
		store.RoleOwner:  {true, true, true, true, true, true},
		store.RoleAdmin:  {true, true, true, true, false, false},
		store.RoleViewer: {read: true},
		"guest":          {},
	} {
		got := rights{role.CanRead(), role.CanEdit(), role.CanTest(), role.CanExport(), role.CanManagePeople(), role.CanManageAccount()}
		if got != want {
			t.Errorf("%s: %+v, want %+v", role, got, want)
		}
	}
}

func TestAUserSignsInWithTheirPasswordOnly(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		u := addUser(t, s, a, " Mira@Example.com ", store.RoleAdmin)
		got, err := s.Authenticate(ctx, "mira@EXAMPLE.com", goodPassword)
		must(t, err)
		if got != u || got.Email != "mira@example.com" || got.AccountID != a.ID || got.Role != store.RoleAdmin {
			t.Errorf("signed in as %+v, added %+v", got, u)
		}
		for _, pair := range [][2]string{
			{"mira@example.com", "wrong password"},
			{"mira@example.com", ""},
			{"nobody@example.com", goodPassword},
			{"mira\x00@example.com", goodPassword},
			{"", ""},
			{"mira@example.com", strings.Repeat("x", 1<<20)},
		} {
			_, err := s.Authenticate(ctx, pair[0], pair[1])
			wantFields(t, err)
			if err == nil || err.Error() != "email or password is wrong" {
				t.Errorf("%.20q: %v", pair, err)
			}
		}
	})
}

func TestOneEmailIsOneUserInTheWholeInstallation(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		other, err := s.AddAccount(ctx, "acme")
		must(t, err)
		addUser(t, s, a, "mira@example.com", store.RoleOwner)
		_, err = s.AddUser(ctx, other.ID, "MIRA@example.com", store.RoleOwner, goodPassword)
		wantCode(t, err, store.CodeConflict)
		_, err = s.AddUser(ctx, uuid.New(), "noa@example.com", store.RoleOwner, goodPassword)
		wantCode(t, err, store.CodeNotFound)
		users, err := s.Users(ctx, other.ID)
		must(t, err)
		if len(users) != 0 {
			t.Errorf("the other account has %v", users)
		}
	})
}

func TestAllFaultsOfANewUserAreNamedAtOnce(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	a := defaultAccount(t, s)
	_, err := s.AddUser(t.Context(), a.ID, "mira", "boss", "short")
	wantFields(t, err, "email", "role", "password")
	for _, email := range []string{"", "a@b@c", "Mira <mira@example.com>", "mira@example.com\x00", "a@" + strings.Repeat("b", 260)} {
		_, err := s.AddUser(t.Context(), a.ID, email, store.RoleViewer, goodPassword)
		wantFields(t, err, "email")
	}
	for _, password := range []string{"", "eleven char", strings.Repeat("x", 257), "bad utf-8 \xff here", "mira@example.com"} {
		_, err := s.AddUser(t.Context(), a.ID, "mira@example.com", store.RoleViewer, password)
		wantFields(t, err, "password")
	}
}

func TestANewPasswordEndsAllSessionsOfTheUserOnly(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		mira, noa := addUser(t, s, a, "mira@example.com", store.RoleOwner), addUser(t, s, a, "noa@example.com", store.RoleViewer)
		saveSession(t, s, "one", &mira.ID, "1")
		saveSession(t, s, "two", &mira.ID, "2")
		saveSession(t, s, "three", &noa.ID, "3")
		must(t, s.ResetPassword(ctx, "Mira@example.com", "another long password"))
		for id, want := range map[string]string{"one": "", "two": "", "three": "3"} {
			if got := loadSession(t, s, id); got != want {
				t.Errorf("session %s holds %q, want %q", id, got, want)
			}
		}
		_, err := s.Authenticate(ctx, mira.Email, goodPassword)
		wantCode(t, err, store.CodeInvalid)
		_, err = s.Authenticate(ctx, mira.Email, "another long password")
		must(t, err)
		wantCode(t, s.ResetPassword(ctx, "nobody@example.com", goodPassword), store.CodeNotFound)
		wantFields(t, s.ResetPassword(ctx, mira.Email, "short"), "password")
	})
}

package store_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

func welcomeCode(t *testing.T, s *store.Store) string {
	t.Helper()
	code, open, err := s.WelcomeCode(t.Context())
	must(t, err)
	if !open || !regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(code) {
		t.Fatalf("code %q, open %v", code, open)
	}
	return code
}

func firstOwner(t *testing.T, s *store.Store, code string) error {
	t.Helper()
	_, err := s.CreateFirstOwner(t.Context(), code, "mira@example.com", goodPassword)
	return err
}

func TestThePrintedCodeMakesTheFirstOwnerAndThenTheDoorIsShut(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		code := welcomeCode(t, s)
		if any, err := s.AnyUser(ctx); any || err != nil {
			t.Errorf("a user before the first: %v, %v", any, err)
		}
		u, err := s.CreateFirstOwner(ctx, strings.ToLower(strings.ReplaceAll(code, "-", " ")), "Mira@example.com", goodPassword)
		must(t, err)
		if u.Role != store.RoleOwner || u.AccountID != a.ID || u.Email != "mira@example.com" {
			t.Errorf("first owner %+v", u)
		}
		_, err = s.Authenticate(ctx, "mira@example.com", goodPassword)
		must(t, err)
		wantCode(t, firstOwner(t, s, code), store.CodeNotFound)
		if again, open, err := s.WelcomeCode(ctx); again != "" || open || err != nil {
			t.Errorf("with a user there is a code %q, open %v, error %v", again, open, err)
		}
	})
}

func TestOfManyFirstOwnersAtOnceOneWins(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		code := welcomeCode(t, s)
		errs := atOnce(4, func(i int) error {
			_, err := s.CreateFirstOwner(ctx, code, fmt.Sprintf("mira%d@example.com", i), goodPassword)
			return err
		})
		if won := count(errs, isNil); won != 1 {
			t.Errorf("%d owners were made: %v", won, errs)
		}
		if lost := count(errs, func(err error) bool { return store.IsCode(err, store.CodeNotFound) }); lost != 3 {
			t.Errorf("%d were told that the door is shut: %v", lost, errs)
		}
		users, err := s.Users(ctx, a.ID)
		must(t, err)
		if len(users) != 1 {
			t.Errorf("users: %v", users)
		}
	})
}

func TestTheCodesOfTheLastFiveStartsWork(t *testing.T) {
	var codes []string
	s := freshStore(t, storetest.SQLite(t))
	for range 6 {
		codes = append(codes, welcomeCode(t, s))
	}
	wantFields(t, firstOwner(t, s, codes[0]), "code")
	must(t, firstOwner(t, s, codes[1]))
}

func TestTheFifthWrongCodeMakesANewOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := freshStore(t, db)
		old, again := welcomeCode(t, s), ""
		for try := 1; try <= 5; try++ {
			err := firstOwner(t, s, "0000-0000-0000-0000")
			wantFields(t, err, "code")
			code, renewed := store.NewWelcomeCode(err)
			if renewed != (try == 5) {
				t.Fatalf("try %d: a new code %q", try, code)
			}
			again = code
		}
		wantFields(t, firstOwner(t, s, old), "code")
		must(t, firstOwner(t, s, again))
	})
}

func TestAWrongFieldIsNoTryAtTheCode(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	code := welcomeCode(t, s)
	for range 6 {
		_, err := s.CreateFirstOwner(t.Context(), code, "mira", "short")
		wantFields(t, err, "email", "password")
		_, err = s.CreateFirstOwner(t.Context(), "", "mira", "short")
		wantFields(t, err, "code", "email", "password")
	}
	must(t, firstOwner(t, s, code))
}

func TestAUserAddedByCommandShutsTheDoorToo(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		code := welcomeCode(t, s)
		addUser(t, s, a, "noa@example.com", store.RoleOwner)
		wantCode(t, firstOwner(t, s, code), store.CodeNotFound)
	})
}

func TestEachNodesPrintedCodeWorksOnEveryNode(t *testing.T) {
	db := storetest.Postgres(t)
	one, two := freshStore(t, db), freshStore(t, db)
	first := welcomeCode(t, one)
	welcomeCode(t, two)
	must(t, firstOwner(t, two, first))
	wantCode(t, firstOwner(t, one, first), store.CodeNotFound)
}

package store_test

import (
	"context"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestASecondSendingOfAFormGetsTheFirstAnswer(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		u, token := addUser(t, s, a, "mira@example.com", store.RoleOwner), store.NewFormToken()
		_, first, err := s.UseFormToken(ctx, u.ID, token)
		must(t, err)
		if !first {
			t.Fatal("the first sending is not the first")
		}
		must(t, s.AnswerFormToken(ctx, token, "/setup/webhooks/1"))
		must(t, s.AnswerFormToken(ctx, token, "/elsewhere"))
		must(t, s.ReleaseFormToken(ctx, token))
		location, first, err := s.UseFormToken(ctx, u.ID, token)
		must(t, err)
		if first || location != "/setup/webhooks/1" {
			t.Errorf("the second sending is first: %v, and leads to %q", first, location)
		}
	})
}

func TestOfTwoSendingsAtOnceOneWaitsForTheOther(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		u, token := addUser(t, s, a, "mira@example.com", store.RoleOwner), store.NewFormToken()
		firsts := make(chan bool, 2)
		for _, err := range atOnce(2, func(int) error {
			location, first, err := s.UseFormToken(ctx, u.ID, token)
			firsts <- first
			if first {
				return s.AnswerFormToken(ctx, token, "/done")
			}
			if err == nil && location != "/done" {
				t.Errorf("the second was led to %q", location)
			}
			return err
		}) {
			must(t, err)
		}
		if a, b := <-firsts, <-firsts; a == b {
			t.Errorf("first: %v and %v", a, b)
		}
	})
}

func TestARefusedFormCanBeSentAgain(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		u, token := addUser(t, s, a, "mira@example.com", store.RoleOwner), store.NewFormToken()
		for range 2 {
			_, first, err := s.UseFormToken(ctx, u.ID, token)
			must(t, err)
			if !first {
				t.Fatal("a released form counts as sent")
			}
			must(t, s.ReleaseFormToken(ctx, token))
		}
	})
}

func TestAFormOfSomebodyElseIsRefused(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	a := defaultAccount(t, s)
	mira, noa := addUser(t, s, a, "mira@example.com", store.RoleOwner), addUser(t, s, a, "noa@example.com", store.RoleAdmin)
	token := store.NewFormToken()
	_, _, err := s.UseFormToken(t.Context(), mira.ID, token)
	must(t, err)
	must(t, s.AnswerFormToken(t.Context(), token, "/hers"))
	location, _, err := s.UseFormToken(t.Context(), noa.ID, token)
	wantFields(t, err, "token")
	if location != "" {
		t.Errorf("led to %q", location)
	}
	for _, damaged := range []string{"", "short", token + "'\x00"} {
		_, _, err := s.UseFormToken(t.Context(), mira.ID, damaged)
		wantFields(t, err, "token")
	}
}

func TestWaitingForAnAnswerEndsWithTheRequest(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	u, token := addUser(t, s, defaultAccount(t, s), "mira@example.com", store.RoleOwner), store.NewFormToken()
	_, _, err := s.UseFormToken(t.Context(), u.ID, token)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, first, err := s.UseFormToken(ctx, u.ID, token); first || err == nil {
		t.Errorf("first %v, error %v while the answer is being made", first, err)
	}
}

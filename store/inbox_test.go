package store_test

import (
	"context"
	"strings"
	"testing"

	"belfry/store"
)

func TestTheTestInboxKeepsTheLastHundredOfEachAccount(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		account := a.ID
		other, err := s.AddAccount(ctx, "other")
		if err != nil {
			t.Fatal(err)
		}
		keep := func(r store.InboxRequest) {
			t.Helper()
			if err := s.KeepInboxRequest(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		keep(store.InboxRequest{AccountID: other.ID, EventType: "call.missed"})
		for i := range store.InboxKept + 2 {
			keep(store.InboxRequest{AccountID: account, EventType: "call.ended", Attempt: i})
		}
		keep(store.InboxRequest{AccountID: account, Attempt: store.InboxKept + 2, Body: []byte(strings.Repeat("x", store.InboxBody+1))})
		list, err := s.InboxRequests(ctx, account)
		if err != nil || len(list) != store.InboxKept || list[0].Attempt != store.InboxKept+2 || list[len(list)-1].Attempt != 3 {
			t.Fatalf("%d requests, %v", len(list), err)
		}
		if len(list[0].Body) != store.InboxBody || list[0].Size != store.InboxBody+1 {
			t.Errorf("%d bytes of %d are kept", len(list[0].Body), list[0].Size)
		}
		if list, err = s.InboxRequests(ctx, other.ID); err != nil || len(list) != 1 {
			t.Errorf("the other account has %d, %v", len(list), err)
		}
		if err := s.SetInboxAnswer(ctx, account, "302"); !store.IsCode(err, store.CodeInvalid) {
			t.Errorf("an unknown answer gave %v", err)
		}
	})
}

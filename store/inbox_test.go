package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

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

func TestTheTestInboxForgetsAfterSevenDays(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		keep := func() {
			must(t, d.KeepInboxRequest(d.ctx, store.InboxRequest{AccountID: d.account, EventType: "call.ended", Attempt: 1}))
		}
		kept := func() int {
			must(t, d.Tidy(d.ctx))
			list, err := d.InboxRequests(d.ctx, d.account)
			must(t, err)
			return len(list)
		}
		keep()
		d.clock.forward(6 * 24 * time.Hour)
		keep()
		if n := kept(); n != 2 {
			t.Errorf("after 6 days %d requests are left of 2", n)
		}
		d.clock.forward(25 * time.Hour)
		if n := kept(); n != 1 {
			t.Errorf("after 7 days %d requests are left; the newer one stays", n)
		}
	})
}

package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

// scattered publishes 35 events of which every 17th is of the agent "rare".
func (d *desk) scattered() {
	d.t.Helper()
	for i := range 35 {
		agent := "common"
		if i%17 == 0 {
			agent = "rare"
		}
		d.publish("call.ended", fmt.Sprintf(`{"agent_id":%q,"n":"<%d>"}`, agent, i))
	}
}

func TestASearchReadsSoManyRowsAndGoesOnFromThere(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.scattered()
		s := freshOn(t, d, func(o *store.Options) { o.SearchRows = 10 })
		for _, tt := range []struct {
			f    store.DeliveryFilter
			want string
		}{
			{store.DeliveryFilter{AgentID: "rare"}, "[1 1 0 1]"},
			{store.DeliveryFilter{Text: `"rare"`}, "[1 0 0 1 0 0 1 0]"}, // each is read with its event
			{store.DeliveryFilter{AgentID: "rare", Status: []store.Status{store.Pending}}, "[1 1 0 1]"},
		} {
			f := tt.f
			var found []int
			pages := 0
			for next := uuid.Nil; ; pages++ {
				f.Before = next
				page, err := s.SearchDeliveries(d.ctx, d.account, f)
				must(t, err)
				found = append(found, len(page.List))
				if next = page.Next(false); next == uuid.Nil {
					break
				}
				if d.clock.now().Sub(page.SearchedTo()) > time.Minute || page.More {
					t.Errorf("%+v: page %d is %+v", f, pages, page)
				}
			}
			if fmt.Sprint(found) != tt.want {
				t.Errorf("%+v: found %v, page by page; want %s", tt.f, found, tt.want)
			}
		}
		first, err := s.SearchDeliveries(d.ctx, d.account, store.DeliveryFilter{AgentID: "rare"})
		must(t, err)
		back, err := s.SearchDeliveries(d.ctx, d.account, store.DeliveryFilter{AgentID: "rare", After: first.Searched})
		if must(t, err); len(back.List) != 1 || back.List[0].ID != first.List[0].ID || back.Next(true) != uuid.Nil {
			t.Errorf("back from where the first page ended: %+v, want the same delivery", back)
		}
	})
}

func TestAPageThatFillsUpIsNoSearch(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		d.scattered()
		s := freshOn(t, d, func(o *store.Options) { o.SearchRows = 10 })
		f := store.DeliveryFilter{AgentID: "common", Limit: 5}
		var ids []uuid.UUID
		for {
			page, err := s.SearchDeliveries(d.ctx, d.account, f)
			must(t, err)
			for _, x := range page.List {
				ids = append(ids, x.ID)
			}
			if f.Before = page.Next(false); f.Before == uuid.Nil {
				break
			}
		}
		if len(ids) != 32 || !slices.IsSortedFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(b[:], a[:]) }) {
			t.Errorf("page by page there are %d, want 32, newest first", len(ids))
		}
	})
}

func TestMatchesAreCountedAmongTheNewestOnly(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.scattered()
		s := freshOn(t, d, func(o *store.Options) { o.SearchRows = 20 })
		for _, tt := range []struct {
			f     store.DeliveryFilter
			n     int
			whole bool
		}{
			{store.DeliveryFilter{}, 30, true},
			{store.DeliveryFilter{WebhookID: w.ID}, 30, true},
			{store.DeliveryFilter{Event: "call.ended"}, 30, true},
			{store.DeliveryFilter{AgentID: "rare"}, 2, false},
			{store.DeliveryFilter{Text: "rare"}, -1, false},
		} {
			n, whole, err := s.CountMatching(d.ctx, d.account, tt.f, 30)
			if must(t, err); n != tt.n || whole != tt.whole {
				t.Errorf("%+v: %d, whole %v; want %d, %v", tt.f, n, whole, tt.n, tt.whole)
			}
		}
		n, whole, err := d.CountMatching(d.ctx, d.account, store.DeliveryFilter{AgentID: "rare"}, 30)
		if must(t, err); n != 3 || !whole {
			t.Errorf("with room for all: %d, whole %v", n, whole)
		}
	})
}

func TestAnIDIsLookedUpAsWhatItIs(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.webhook("https://b.example/")
		event := d.publish("call.ended", `{}`)
		d.publish("call.missed", `{}`)
		all, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{})
		must(t, err)
		other, err := d.AddAccount(d.ctx, "other")
		must(t, err)
		for id, want := range map[uuid.UUID]int{all[0].ID: 1, event: 2, w.ID: 2, uuid.New(): 0} {
			found, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Text: " " + id.String()})
			if must(t, err); len(found) != want {
				t.Errorf("%s: %d, want %d", id, len(found), want)
			}
			theirs, _, err := d.Deliveries(d.ctx, other.ID, store.DeliveryFilter{Text: id.String()})
			if must(t, err); len(theirs) != 0 {
				t.Errorf("another account finds %d by %s", len(theirs), id)
			}
			theirs, _, err = d.Deliveries(d.ctx, other.ID, store.DeliveryFilter{WebhookID: id})
			if must(t, err); len(theirs) != 0 {
				t.Errorf("another account lists %d of webhook %s", len(theirs), id)
			}
		}
		if theirs, err := d.EventDeliveries(d.ctx, other.ID, event); err != nil || len(theirs) != 0 {
			t.Errorf("another account sees %d deliveries of an event (%v)", len(theirs), err)
		}
	})
}

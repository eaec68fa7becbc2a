package store_test

import (
	"fmt"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

func TestASearchOfEventsReadsSoManyRowsAndGoesOnFromThere(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.scattered()
		s := freshOn(t, d, func(o *store.Options) { o.SearchRows = 10 })
		for _, f := range []store.EventFilter{{AgentID: "rare"}, {Text: `"rare"`}, {AgentID: "rare", Type: "call.ended"}, {AgentID: "rare", Type: "call.*"}} {
			var found []int
			for {
				page, err := s.Events(d.ctx, d.account, f)
				must(t, err)
				found = append(found, len(page.List))
				if f.Before = page.Next(false); f.Before == uuid.Nil {
					break
				}
				if d.clock.now().Sub(page.SearchedTo()) > time.Minute || page.More {
					t.Errorf("%+v: page %d is %+v", f, len(found), page)
				}
			}
			if fmt.Sprint(found) != "[1 1 0 1]" {
				t.Errorf("%+v: found %v, page by page", f, found)
			}
		}
		first, err := s.Events(d.ctx, d.account, store.EventFilter{AgentID: "rare"})
		must(t, err)
		back, err := s.Events(d.ctx, d.account, store.EventFilter{AgentID: "rare", After: first.Searched})
		if must(t, err); len(back.List) != 1 || back.List[0].ID != first.List[0].ID || back.Next(true) != uuid.Nil {
			t.Errorf("back from where the first page ended: %+v, want the same event", back)
		}
	})
}

func TestAnEventIsFoundByItsIdHoweverOldItIs(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		oldest := d.publish("call.ended", `{}`)
		naming := ""
		for i := range 15 {
			naming = d.publish("call.ended", fmt.Sprintf(`{"call":"%s","n":%d}`, uuid.Max, i)).String()
		}
		s := freshOn(t, d, func(o *store.Options) { o.SearchRows = 10 })
		for text, want := range map[string]int{oldest.String(): 1, " " + naming + " ": 1, uuid.Max.String(): 10, uuid.New().String(): 0} {
			page, err := s.Events(d.ctx, d.account, store.EventFilter{Text: text})
			if must(t, err); len(page.List) != want {
				t.Errorf("%q: %d events, want %d", text, len(page.List), want)
			}
		}
		other, err := d.AddAccount(d.ctx, "other")
		must(t, err)
		theirs, err := s.Events(d.ctx, other.ID, store.EventFilter{Text: oldest.String()})
		if must(t, err); len(theirs.List) != 0 {
			t.Error("another account finds it")
		}
	})
}

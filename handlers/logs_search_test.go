package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
	"belfry/store/storetest"
)

// searching is a site whose searches read 10 rows, with 35 deliveries of which
// every 17th has "rare" in its data.
func searching(t *testing.T, f func(t *testing.T, s *site, hook store.Webhook)) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		t.Parallel()
		s := newSite(t, db, func(o *store.Options) { o.SearchRows = 10 })
		hook := s.addHook("https://one.example/hook")
		for i := range 35 {
			word := "common"
			if i%17 == 0 {
				word = "rare"
			}
			s.event("call.ended", fmt.Sprintf(`{"word":%q}`, word))
		}
		f(t, s, hook)
	})
}

func TestTheLogSaysHowFarItSearchedAndGoesOn(t *testing.T) {
	searching(t, func(t *testing.T, s *site, _ store.Webhook) {
		b := s.signedIn(store.RoleViewer)
		var rows []int
		doc := b.get(logsPath + "?q=rare").dom(t)
		for {
			rows = append(rows, doc.Find("#rows tr").Length())
			on := doc.Find("#deliveries .message a")
			if on.Length() == 0 {
				break
			}
			has(t, plain(doc, "#deliveries .message"), "Searched back to", "older deliveries may match too", "Go on")
			address, _ := on.Attr("href")
			if !strings.Contains(address, "q=rare") || !strings.Contains(address, "before=") || len(rows) > 5 {
				t.Fatalf("after %d pages it goes on at %s", len(rows), address)
			}
			doc = b.get(address).dom(t)
		}
		if fmt.Sprint(rows) != "[1 1 0 1]" {
			t.Errorf("rows, page by page: %v", rows)
		}
		if words := plain(doc, "#log-count"); strings.Contains(words, "match") {
			t.Errorf("what was not counted is told: %s", words)
		}
		newer := doc.Find(".pager a").FilterFunction(func(_ int, a *goquery.Selection) bool { return strings.TrimSpace(a.Text()) == "Newer" })
		if address, _ := newer.Attr("href"); !strings.Contains(address, "after=") {
			t.Errorf("the last page has the newer one at %q", address)
		}
		has(t, plain(b.get(logsPath+"?code=503").dom(t), "#log-count"), "0 deliveries match among the newest")
	})
}

func TestTheAPISearchGoesOnByItsLink(t *testing.T) {
	searching(t, func(t *testing.T, s *site, hook store.Webhook) {
		k := s.caller(store.ScopeRead)
		path := "/webhooks/" + hook.ID.String() + "/deliveries?status=delivered"
		for pages := 0; ; pages++ {
			got := k.get(path).is(http.StatusOK)
			if strings.TrimSpace(string(got.body)) != "[]" {
				t.Fatalf("nothing is delivered, and yet %s", got.body)
			}
			link := got.header.Get("Link")
			if link == "" {
				if pages != 3 {
					t.Errorf("%d pages were searched, want 4 of 10 rows for 35", pages+1)
				}
				return
			}
			address, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
			path = strings.TrimPrefix(address, "/api/v1")
		}
	})
}

func TestTheEventsSayHowFarTheyWereSearchedAndGoOn(t *testing.T) {
	searching(t, func(t *testing.T, s *site, _ store.Webhook) {
		b := s.signedIn(store.RoleViewer)
		var rows []int
		doc := b.get(eventsPath + "?q=rare").dom(t)
		for {
			rows = append(rows, doc.Find("#events tbody tr").Length())
			on := doc.Find("#events .message a")
			if on.Length() == 0 {
				break
			}
			has(t, plain(doc, "#events .message"), "Searched back to", "older events may match too", "Go on")
			address, _ := on.Attr("href")
			if !strings.Contains(address, "q=rare") || !strings.Contains(address, "before=") || len(rows) > 5 {
				t.Fatalf("after %d pages it goes on at %s", len(rows), address)
			}
			doc = b.get(address).dom(t)
		}
		if fmt.Sprint(rows) != "[1 1 0 1]" {
			t.Errorf("rows, page by page: %v", rows)
		}
	})
}

func TestTheAPISearchOfEventsGoesOnByItsLink(t *testing.T) {
	searching(t, func(t *testing.T, s *site, _ store.Webhook) {
		k := s.caller(store.ScopeRead)
		path := "/events?agent_id=nobody"
		for pages := 1; ; pages++ {
			got := k.get(path).is(http.StatusOK)
			link := got.header.Get("Link")
			if link == "" {
				if pages != 4 {
					t.Errorf("%d pages were searched, want 4 of 10 rows for 35", pages)
				}
				return
			}
			address, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
			path = strings.TrimPrefix(address, "/api/v1")
		}
	})
}

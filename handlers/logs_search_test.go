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

// searching is a site whose searches read 10 rows, with 36 deliveries of which
// every 17th has "rare" in its data.
func searching(t *testing.T, f func(t *testing.T, s *site, hook store.Webhook)) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		t.Parallel()
		s := newSite(t, db, func(o *store.Options) { o.SearchRows = 10 })
		hook := s.addHook("https://one.example/hook")
		for i := range 36 {
			word := "common"
			if i%17 == 0 {
				word = "rare"
			}
			s.event("call.ended", fmt.Sprintf(`{"word":%q}`, word))
		}
		f(t, s, hook)
	})
}

// goesOn opens a page of a searching site that asks for the rare ones, and goes
// on as each page says: up to the oldest, where 36 rows are searched by tens, or
// by fives where each is read with its event. It gives the last page.
func (b *browser) goesOn(path, list, rows, of, want string) *goquery.Document {
	b.t.Helper()
	var counts []int
	doc := b.get(path + "?q=rare").dom(b.t)
	for {
		counts = append(counts, doc.Find(rows).Length())
		told := list + " .message, " + list + " .empty-part"
		on := doc.Find(told).Find("a")
		if on.Length() == 0 {
			break
		}
		has(b.t, plain(doc, told), "Searched back to", "older "+of+" may match too", "Go on")
		address, _ := on.Attr("href")
		if !strings.Contains(address, "q=rare") || !strings.Contains(address, "before=") || len(counts) > 10 {
			b.t.Fatalf("after %d pages it goes on at %s", len(counts), address)
		}
		doc = b.get(address).dom(b.t)
	}
	if fmt.Sprint(counts) != want {
		b.t.Errorf("rows, page by page: %v, want %s", counts, want)
	}
	return doc
}

func TestTheLogSaysHowFarItSearchedAndGoesOn(t *testing.T) {
	searching(t, func(t *testing.T, s *site, _ store.Webhook) {
		b := s.signedIn(store.RoleViewer)
		doc := b.goesOn(logsPath, "#deliveries", "#rows tr", "deliveries", "[1 0 0 1 0 0 0 1]")
		if words := plain(doc, "#count"); strings.Contains(words, "match") {
			t.Errorf("what was not counted is told: %s", words)
		}
		newer := doc.Find(".pager a").FilterFunction(func(_ int, a *goquery.Selection) bool { return strings.TrimSpace(a.Text()) == "Newer" })
		if address, _ := newer.Attr("href"); !strings.Contains(address, "after=") {
			t.Errorf("the last page has the newer one at %q", address)
		}
		has(t, plain(b.get(logsPath+"?code=503").dom(t), "#count"), "0 of the newest 1,000 deliveries match")
	})
}

func TestTheEventsSayHowFarTheyWereSearchedAndGoOn(t *testing.T) {
	searching(t, func(t *testing.T, s *site, _ store.Webhook) {
		s.signedIn(store.RoleViewer).goesOn(eventsPath, "#events", "#events tbody tr", "events", "[1 1 0 1]")
	})
}

func TestAPISearchesGoOnByTheirLinks(t *testing.T) {
	searching(t, func(t *testing.T, s *site, hook store.Webhook) {
		k := s.caller(store.ScopeRead)
		for _, path := range []string{"/webhooks/" + hook.ID.String() + "/deliveries?status=delivered", "/events?agent_id=nobody"} {
			pages := 1
			for got := k.get(path); pages < 10; pages++ {
				if strings.TrimSpace(string(got.is(http.StatusOK).body)) != "[]" {
					t.Fatalf("%s: nothing matches, and yet %s", path, got.body)
				}
				if got.header.Get("Link") == "" {
					break
				}
				got = k.get(strings.TrimPrefix(nextOf(t, got), apiPath))
			}
			if pages != 4 {
				t.Errorf("%s: %d pages were searched, want 4 of 10 rows for 36", path, pages)
			}
		}
	})
}

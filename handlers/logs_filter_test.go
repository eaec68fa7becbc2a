package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
)

// rowsOf are the ids of a page's rows, in their order.
func rowsOf(doc *goquery.Document) []string {
	return doc.Find("#rows tr").Map(func(_ int, row *goquery.Selection) string { return row.AttrOr("id", "") })
}

func TestAllFiltersTogetherLeaveWhatMatchesEachOfThem(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		one := s.addHook("https://one.example/hook")
		s.addHook("https://two.example/hook")
		s.event("call.ended", `{"call_id":"wanted","agent_id":"berlin"}`)
		s.event("call.ended", `{"call_id":"wanted","agent_id":"oslo"}`)
		s.event("call.missed", `{"call_id":"wanted","agent_id":"berlin"}`)
		s.event("call.ended", `{"call_id":"other","agent_id":"berlin"}`)
		s.answer(http.StatusServiceUnavailable)
		b := s.signedIn(store.RoleViewer)
		all := url.Values{
			"webhook": {one.ID.String()}, "agent": {"berlin"}, "event": {"call.ended"}, "status": {"pending"}, "error": {"status"}, "code": {"503"},
			"time": {"15m"}, "q": {"wanted"},
		}
		if rows := rowsOf(b.get(logsPath + "?" + all.Encode()).dom(t)); len(rows) != 1 {
			t.Fatalf("all filters leave %v", rows)
		}
		for name := range all {
			if name == "time" || name == "status" || name == "error" || name == "code" {
				continue // all match these here
			}
			fewer := url.Values{}
			for other, value := range all {
				if other != name {
					fewer[other] = value
				}
			}
			if rows := rowsOf(b.get(logsPath + "?" + fewer.Encode()).dom(t)); len(rows) != 2 {
				t.Errorf("without %s there are %d rows, want 2", name, len(rows))
			}
		}
		doc := b.get(logsPath + "?" + all.Encode()).dom(t)
		if n := doc.Find("#chips a").Length(); n != len(all) {
			t.Errorf("%d chips for %d filters", n, len(all))
		}
	})
}

func TestTheTimeIsSoLongUntilNowOrBetweenTwoMoments(t *testing.T) {
	for query, want := range map[string]string{
		"time=15m":                                      "15m until now",
		"time=15m&from=2026-01-01T10:00":                "15m until now",
		"from=2026-01-01T10:00":                         "2026-01-01T10:00 -",
		"time=range&from=2026-01-01T10:00":              "2026-01-01T10:00 -",
		"from=2026-01-01T10:00:00Z&to=2026-01-02":       "2026-01-01T10:00 - 2026-01-02T00:00",
		"to=2026-01-01T12:00:00%2B02:00":                "- 2026-01-01T10:00",
		"time=&from=2026-01-01T10:00":                   "-",
		"time=nonsense":                                 "-",
		"time=range&from=yesterday&to=2026-13-01T00:00": "-",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var r timeRange
		r.filters().read(values)
		r.settle(values.Has("time"))
		got := strings.TrimSpace(fieldTime(r.From) + " - " + fieldTime(r.To))
		if r.Time != "" {
			got = r.Time + " until now"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestTwoMomentsStandInTheFormAndCutTheList(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.event("call.ended", `{}`)
		b := s.signedIn(store.RoleViewer)
		day := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format("2006-01-02T15:04") }
		for _, path := range []string{logsPath, eventsPath} {
			for _, tt := range []struct {
				from, to string
				rows     int
			}{{day(-1), day(1), 1}, {day(-2), day(-1), 0}, {day(1), "", 0}, {"", day(1), 1}, {day(1), day(-1), 0}} {
				doc := b.get(path + "?" + url.Values{"time": {"range"}, "from": {tt.from}, "to": {tt.to}}.Encode()).dom(t)
				if n := len(rowsOf(doc)); n != tt.rows {
					t.Errorf("%s from %q to %q: %d rows, want %d", path, tt.from, tt.to, n, tt.rows)
				}
				from, to := doc.Find("input[name=from]").AttrOr("value", ""), doc.Find("input[name=to]").AttrOr("value", "")
				if from != tt.from || to != tt.to || doc.Find("select[name=time] option[selected]").AttrOr("value", "") != "range" {
					t.Errorf("%s: the form forgets the moments: from %q to %q", path, from, to)
				}
			}
			has(t, plain(b.get(path+"?from="+day(1)+"&to="+day(-1)).dom(t), ".empty-part"), "ends before it begins", "Clear filters")
		}
	})
}

func TestPagesStayWhatTheyAreWhileRowsArrive(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.publishMany(120, "call.ended", "")
		b := s.signedIn(store.RoleViewer)
		for _, path := range []string{logsPath, eventsPath} {
			link := func(doc *goquery.Document, word string) string {
				var to string
				doc.Find(".pager a").Each(func(_ int, a *goquery.Selection) {
					if strings.TrimSpace(a.Text()) == word {
						to = a.AttrOr("href", "")
					}
				})
				return to
			}
			first := b.get(path).dom(t)
			older := link(first, "Older")
			second := rowsOf(b.get(older).dom(t))
			s.publishMany(30, "call.ended", "")
			again := b.get(older).dom(t)
			if !slices.Equal(rowsOf(again), second) {
				t.Errorf("%s: the second page changed while rows arrived", path)
			}
			if newer := rowsOf(b.get(link(again, "Newer")).dom(t)); !slices.Equal(newer, rowsOf(first)) {
				t.Errorf("%s: back from the second page there are other rows than before", path)
			}
		}
	})
}

func TestTheEventsAreCountedAsFarAsThatIsCheap(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleViewer)
		s.publishMany(eventsMost-1, "call.ended", "")
		for _, words := range []string{"999 events", "1,000+ events"} {
			doc := b.get(eventsPath).dom(t)
			has(t, plain(doc, ".under-filters"), words)
			has(t, plain(doc, ".pager"), fmt.Sprintf("50 per page, %s in all", strings.Fields(words)[0]))
			s.publishMany(2, "call.ended", "")
		}
		s.publishMany(1, "call.failed", "")
		if pager := plain(b.get(eventsPath+"?event=call.failed").dom(t), ".pager"); pager != "1 in all" {
			t.Errorf("below all that there are it says %q", pager)
		}
		has(t, plain(b.get(eventsPath+"?event=call.missed").dom(t), "#events"), "0 events match", "Nothing matches these filters", "1,000+ events without them")
	})
}

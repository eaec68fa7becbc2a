package handlers

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
	"belfry/store/uuid"
)

// dom reads an answer as a page.
func (a answer) dom(t *testing.T) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// plain is the text of what a selector finds, with single spaces.
func plain(doc *goquery.Document, selector string) string {
	return strings.Join(strings.Fields(doc.Find(selector).Text()), " ")
}

// has fails the test where the text does not hold all the words.
func has(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is missing in: %s", word, text)
		}
	}
}

// addHook registers an active endpoint.
func (s *site) addHook(url string, events ...string) store.Webhook {
	s.t.Helper()
	w, _, _, err := s.store.CreateWebhook(s.t.Context(), s.account.ID, store.NewWebhook{URL: url, Events: events, Active: true, By: "mira@example.com"})
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

// event publishes one event and gives the first of its deliveries.
func (s *site) event(name, data string) (event uuid.UUID, delivery uuid.UUID) {
	s.t.Helper()
	accepted, _, err := s.store.Publish(s.t.Context(), store.Publication{AccountID: s.account.ID, Events: []store.NewEvent{{Type: name, Data: []byte(data)}}})
	if err != nil {
		s.t.Fatal(err)
	}
	list, err := s.store.EventDeliveries(s.t.Context(), s.account.ID, accepted[0].ID)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(list) > 0 {
		delivery = list[0].ID
	}
	return accepted[0].ID, delivery
}

func TestTheLogTeachesWhileThereIsNothingAndCountsWhatMatches(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleViewer)
		has(t, plain(b.get(logsPath).dom(t), "#deliveries"), "No deliveries yet")
		s.addHook("https://one.example/hook")
		s.addHook("https://two.example/hook", "call.*")
		s.event("call.ended", `{"call_id":"c1","agent_id":"berlin"}`)
		s.event("message.sent", `{"message_id":"m1"}`)
		s.answer(http.StatusServiceUnavailable)
		doc := b.get(logsPath).dom(t)
		has(t, plain(doc, ".under-filters"), "3 deliveries")
		if n := doc.Find("#rows tr").Length(); n != 3 {
			t.Errorf("%d rows, want 3", n)
		}
		has(t, plain(doc, "#rows"), "Pending", "503", "1 of 6", "next in", "berlin")
		for query, want := range map[string]int{
			"event=call.*": 2, "event=message.sent": 1, "agent=berlin": 2, "status=pending": 3, "status=delivered": 0, "status=held": 0, "error=status": 3,
			"error=dns": 0, "code=503": 3, "code=500": 0, "time=1h": 3, "q=m1": 1, "q=nowhere": 0, "status=nonsense": 3, "from=2099-01-01T00:00:00Z": 0,
		} {
			doc := b.get(logsPath + "?" + query).dom(t)
			if n := doc.Find("#rows tr").Length(); n != want {
				t.Errorf("%s: %d rows, want %d", query, n, want)
			}
			if want == 0 {
				has(t, plain(doc, "#deliveries"), "Nothing matches these filters", "3 deliveries without them", "Clear filters")
				if n := doc.Find("#deliveries a[href='" + eventsPath + "?" + query + "']").Length(); (n == 1) != (query == "q=nowhere") {
					t.Errorf("%s: %d ways to the events with the same text", query, n)
				}
			}
		}
		if button := doc.Find("form.filter-row button[type=submit]"); button.Length() != 1 {
			t.Error("without scripts there is no button to apply filters")
		}
	})
}

func TestTheLogTurnsItsPagesBothWaysAndKeepsTheFilters(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		var events []store.NewEvent
		for range 120 {
			events = append(events, store.NewEvent{Type: "call.ended", Data: []byte(`{}`)})
		}
		if _, _, err := s.store.Publish(t.Context(), store.Publication{AccountID: s.account.ID, Events: events}); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleViewer)
		page := func(address string) (first string, rows int, newer, older string) {
			doc := b.get(address).dom(t)
			first, _ = doc.Find("#rows tr").First().Attr("id")
			links := map[string]string{}
			doc.Find(".pager a").Each(func(_ int, a *goquery.Selection) { links[strings.TrimSpace(a.Text())], _ = a.Attr("href") })
			return first, doc.Find("#rows tr").Length(), links["Newer"], links["Older"]
		}
		top, rows, newer, older := page(logsPath + "?event=call.ended")
		if rows != 50 || newer != "" || !strings.Contains(older, "event=call.ended") {
			t.Fatalf("first page: %d rows, newer %q, older %q", rows, newer, older)
		}
		middle, _, _, older := page(older)
		last, rows, newer, end := page(older)
		if rows != 20 || end != "" {
			t.Errorf("last page: %d rows, older %q", rows, end)
		}
		if again, _, _, _ := page(newer); again != middle || last == middle {
			t.Errorf("back from the last page: %s, want %s", again, middle)
		}
		_, _, newer, _ = page(newer)
		if again, _, _, _ := page(newer); again != top {
			t.Errorf("back to the first page: %s, want %s", again, top)
		}
	})
}

// listen opens a live stream and gives its lines as they come.
func (b *browser) listen(path string) (lines <-chan string, end func()) {
	b.t.Helper()
	return b.listenAfter(path, "")
}

// listenAfter opens it again where the last message had that id.
func (b *browser) listenAfter(path, last string) (lines <-chan string, end func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", last)
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %d", path, resp.StatusCode)
	}
	out := make(chan string, 1000)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			out <- scan.Text()
		}
	}()
	return out, cancel
}

// until reads lines up to the first that holds the words.
func until(t *testing.T, lines <-chan string, words string) string {
	t.Helper()
	var seen strings.Builder
	for line := range lines {
		seen.WriteString(line + "\n")
		if strings.Contains(line, words) {
			return seen.String()
		}
	}
	t.Fatalf("%q never came, only:\n%s", words, seen.String())
	return ""
}

func TestALivePageGetsNewRowsOnTopAndChangedOnesInPlace(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook", "call.*")
		s.addHook("https://two.example/hook", "message.*")
		_, first := s.event("call.started", `{}`)
		lines, end := s.signedIn(store.RoleViewer).listen(livePath + "?event=call.*")
		defer end()
		has(t, until(t, lines, "d-"+first.String()), `hx-target="#rows"`, "innerMorph")
		s.event("message.sent", `{}`)
		_, second := s.event("call.ended", `{}`)
		frame := until(t, lines, "d-"+second.String())
		has(t, frame, `hx-swap="afterbegin"`, `class="fresh"`)
		if strings.Contains(frame, "message.sent") {
			t.Error("a row came that the filters leave out")
		}
		s.answer(http.StatusOK)
		has(t, until(t, lines, `hx-target="#d-`+second.String()+`"`), `hx-swap="outerMorph"`)
	})
}

func TestALiveStreamIsForThoseSignedIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.signedIn(store.RoleViewer)
		if a := s.visitor().get(livePath); a.StatusCode != http.StatusSeeOther {
			t.Errorf("a visitor gets %d, want to be sent to sign in", a.StatusCode)
		}
	})
}

func TestALiveStreamEndsWithItsSession(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		_, first := s.event("call.started", `{}`)
		viewer := s.signedIn(store.RoleViewer)
		lines, end := viewer.listen(livePath)
		defer end()
		until(t, lines, "d-"+first.String())
		users, err := s.store.Users(t.Context(), s.account.ID)
		if err != nil || len(users) != 1 {
			t.Fatal(users, err)
		}
		if err := s.store.EndSessions(t.Context(), users[0].ID); err != nil {
			t.Fatal(err)
		}
		_, second := s.event("call.ended", `{}`)
		for line := range lines { // until the stream ends
			if strings.Contains(line, second.String()) {
				t.Fatal("who was signed out still sees what happens")
			}
		}
	})
}

func TestFiltersStandInTheAddressOfEveryLink(t *testing.T) {
	f := logFilter{Agent: "berlin", Status: "failed", Text: "a b"}
	if got := f.address(logsPath, "before", "x"); got != logsPath+"?agent=berlin&before=x&q=a+b&status=failed" {
		t.Error(got)
	}
	for _, chip := range f.filters().chips(logsPath, nil) {
		u, err := url.Parse(chip.Href)
		if err != nil || len(u.Query()) != 2 {
			t.Errorf("%s: %v, %v", chip.Label, u, err)
		}
	}
}

package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/web"
)

// seenOn is the mark of what a page shows, as it tells the stream.
func (b *browser) seenOn(page string) string {
	b.t.Helper()
	address, _ := b.get(page).dom(b.t).Find("#live").Attr("hx-sse:connect")
	at, err := url.Parse(address)
	if err != nil || at.Query().Get("seen") == "" {
		b.t.Fatalf("%s follows its list by %q (%v)", page, address, err)
	}
	return at.Query().Get("seen")
}

// hears waits for what a listener is told until the part comes, and gives all of
// it: a new count may come before the rows, or after them.
func hears(t *testing.T, l *listener, part string) string {
	t.Helper()
	var text strings.Builder
	for !strings.Contains(text.String(), part) {
		frames, err := l.await(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range frames {
			text.Write(frame)
		}
	}
	return text.String()
}

func TestAPageThatIsUpToDateIsToldOnlyWhatComes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		event, delivery := s.event("call.started", `{}`)
		b := s.signedIn(store.RoleViewer)
		for _, tt := range []struct {
			page, first string
			list        followed
		}{
			{logsPath, "d-" + delivery.String(), &liveDeliveries{s.handlers, s.account.ID, logFilter{}}},
			{eventsPath, "e-" + event.String(), &liveEvents{s.handlers, s.account.ID, &eventFilter{}}},
		} {
			f := s.handlers.feeds.join(tt.page, tt.list)
			blank, seen := &listener{feed: f, next: -1}, &listener{feed: f, next: -1, seen: b.seenOn(tt.page)}
			has(t, hears(t, blank, tt.first), "innerMorph")
			if frames, _, err := seen.take(t.Context()); len(frames) > 0 || err != nil {
				t.Errorf("%s is told what it shows: %v, %v", tt.page, frames, err)
			}
			s.event("call.ended", `{}`)
			text := hears(t, seen, "call.ended")
			has(t, text, `hx-swap="afterbegin"`, `class="fresh"`)
			if strings.Contains(text, tt.first) {
				t.Errorf("%s is told again what it shows: %s", tt.page, text)
			}
			s.handlers.feeds.leave(tt.page, f)
		}
	})
}

func TestAListenerThatFellFarBehindGetsTheWholeListAndItsCount(t *testing.T) {
	f := &feed{more: make(chan struct{}), state: liveRows{}, counted: []byte("the count as it is now")}
	l := &listener{feed: f, next: 0}
	tell := func(text string) {
		message, err := web.NewMessage("", "", []byte(text))
		if err != nil {
			t.Error(err)
		}
		f.tell(message)
	}
	for range keptFrames + 1 {
		tell("one change")
	}
	if text := hears(t, l, "innerMorph"); strings.Contains(text, "one change") || !strings.HasSuffix(text, "the count as it is now\n\n") {
		t.Errorf("it gets %q", text)
	}
	if !f.wasLate() {
		t.Error("the count of a page that was late is not looked at again")
	}
	tell("the last change")
	if text := hears(t, l, "the last change"); text != "data: the last change\n\n" {
		t.Errorf("after it: %q", text)
	}
}

func TestAPageThatComesBackIsNotToldWhatItKnows(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleViewer)
		_, first := s.event("call.started", `{}`)
		lines, end := b.listen(livePath)
		defer end()
		frame := until(t, lines, "d-"+first.String())
		_, after, _ := strings.Cut(frame, "id: ")
		last, _, _ := strings.Cut(after, "\n")
		again, end := b.listenAfter(livePath, last)
		defer end()
		until(t, again, "retry")
		s.web.EndStreams()
		for line := range again { // until the stream ends
			if strings.Contains(line, first.String()) {
				t.Errorf("it hears again what it knows: %s", line)
			}
		}
	})
}

func TestAListIsLookedAtOnceForAllWhoFollowIt(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleViewer)
		_, first := s.event("call.started", `{}`)
		one, endOne := b.listen(livePath + "?event=call.*")
		two, endTwo := b.listen(livePath + "?event=call.*&seen=other")
		other, endOther := b.listen(livePath)
		for _, lines := range []<-chan string{one, two, other} {
			until(t, lines, "d-"+first.String())
		}
		if n := s.handlers.feeds.count(); n != 2 {
			t.Errorf("%d lists are followed, want 2 for 3 pages", n)
		}
		endOne()
		_, second := s.event("call.ended", `{}`)
		until(t, two, "d-"+second.String())
		endTwo()
		endOther()
		s.server.Close() // waits for the streams
		if n := s.handlers.feeds.count(); n != 0 {
			t.Errorf("%d lists are followed by nobody", n)
		}
	})
}

func (fs *feeds) count() int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return len(fs.open)
}

func TestTheEndOfADeliveryShowsOnAnOpenPageAtOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{}`)
		lines, end := s.signedIn(store.RoleViewer).listen(livePath)
		defer end()
		until(t, lines, "d-"+id.String())
		s.answer(http.StatusOK)
		began := time.Now()
		has(t, until(t, lines, "Delivered"), `hx-target="#d-`+id.String()+`" hx-swap="outerMorph"`)
		if took := time.Since(began); took > 2*time.Second { // 300 ms, on a machine that does nothing else
			t.Errorf("it took %v", took)
		}
	})
}

func TestAnOlderPageOnlyAnnouncesWhatIsNew(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.publishMany(60, "call.ended", "")
		b := s.signedIn(store.RoleViewer)
		first := b.get(logsPath + "?event=call.ended").dom(t)
		older, _ := first.Find(".pager a").Attr("href")
		for path, want := range map[string]bool{logsPath + "?event=call.ended": false, older: true} {
			doc := b.get(path).dom(t)
			_, isOlder := doc.Find("#live").Attr("data-older")
			to, _ := doc.Find("[data-live-show]").Attr("href")
			pausable := doc.Find("[data-live-pause]").Length() == 1
			if isOlder != want || pausable == want || to != logsPath+"?event=call.ended" {
				t.Errorf("%s: older %v, pausable %v, new rows are at %s", path, isOlder, pausable, to)
			}
		}
	})
}

package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

func TestOnePersonFollowsABoundedNumberOfPages(t *testing.T) {
	s := newSite(t, storetest.SQLite(t), nil)
	viewer, admin := s.signedIn(store.RoleViewer), s.signedIn(store.RoleAdmin)
	for range openPages - 1 {
		if err := s.handlers.audience.enter(viewer.user.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, end := viewer.listen(livePath)
	defer end()
	// HEAD, since a stream that did begin would last.
	if got, err := viewer.client.Head(s.server.URL + livePath); err != nil || got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one page too many is followed: %v %v", got, err)
	}
	if err := s.handlers.audience.enter(viewer.user.ID); err == nil || !strings.Contains(err.Error(), "Close some") {
		t.Errorf("the refusal says %v", err)
	}
	_, endOther := admin.listen(livePath)
	endOther()
	s.handlers.audience.leave(viewer.user.ID)
	_, endLast := viewer.listen(livePath)
	endLast()
}

func TestAPersonWhoClosedAllPagesIsForgotten(t *testing.T) {
	s := newSite(t, storetest.SQLite(t), nil)
	viewer := s.signedIn(store.RoleViewer)
	lines, end := viewer.listen(livePath)
	until(t, lines, "retry:")
	end()
	s.web.EndStreams()
	for range lines {
	}
	s.server.Close() // waits for what is being answered
	if len(s.handlers.audience.open) != 0 {
		t.Errorf("%v are counted still", s.handlers.audience.open)
	}
}

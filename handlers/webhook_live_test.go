package handlers

import (
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/views"
)

func TestAWebhooksPageFollowsWhatHappens(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		other := s.addHook("https://two.example/hook", "message.*")
		b := s.signedIn(store.RoleViewer)
		lines, end := b.listen("/setup/webhooks/" + w.ID.String() + "/live")
		defer end()
		until(t, lines, "#rows")
		if _, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{WebhookID: other.ID, Event: "message.sent"}); err != nil {
			t.Fatal(err)
		}
		s.event("call.ended", `{"agent_id":"support-berlin"}`)
		until(t, lines, "support-berlin")
		off := false
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Active: &off, By: "jo@example.com"}); err != nil {
			t.Fatal(err)
		}
		until(t, lines, "Paused by jo@example.com")
	})
}

func TestAWebhooksPageIsToldOnlyOfThePartsThatChanged(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		if _, _, err := s.store.RotateSecret(t.Context(), s.account.ID, w.ID, store.SecretChoice{}, time.Hour); err != nil {
			t.Fatal(err)
		}
		f := &feed{of: &liveWebhook{s.handlers, person{Account: s.account, User: store.User{Role: store.RoleAdmin}}, w.ID}, more: make(chan struct{})}
		doc := s.signedIn(store.RoleAdmin).get(views.WebhookAddress(w.ID)).dom(t)
		address, _ := doc.Find("[hx-sse\\:connect]").Attr("hx-sse:connect")
		if told := toldNow(t, f); told != "" || !strings.HasSuffix(address, "?seen="+f.state.mark()) {
			t.Errorf("a page that follows by %s is told %q", address, told)
		}
		s.event("call.ended", `{}`)
		told := toldNow(t, f)
		has(t, told, `hx-target="#rows" hx-swap="afterbegin"`, `hx-target="#numbers" hx-swap="outerMorph"`, "call.ended")
		if strings.Contains(told, `hx-target="#notices"`) {
			t.Errorf("what did not change is told again: %s", told)
		}
		whole, err := rendered(t.Context(), f.state.since(nil).body)
		if err != nil {
			t.Fatal(err)
		}
		has(t, string(whole), `hx-target="#health"`, `hx-target="#waiting"`, `hx-target="#rows" hx-swap="innerMorph"`, `form="switch-secret"`)
		if strings.Contains(string(whole), tokenField) {
			t.Error("all who follow the page get the token of one form")
		}
	})
}

func TestAWebhooksPageIsFollowedOnceForAllWhoSeeItAlike(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		if _, _, err := s.store.RotateSecret(t.Context(), s.account.ID, w.ID, store.SecretChoice{}, time.Hour); err != nil {
			t.Fatal(err)
		}
		viewer, admin := s.signedIn(store.RoleViewer), s.signedIn(store.RoleAdmin)
		for _, b := range []*browser{viewer, viewer, admin} {
			lines, end := b.listen(views.WebhookAddress(w.ID, "live"))
			defer end()
			if told := until(t, lines, "#rows"); strings.Contains(told, `form="switch-secret"`) != (b == admin) {
				t.Errorf("an admin (%v) is told %s", b == admin, told)
			}
		}
		if n := s.handlers.feeds.count(); n != 2 {
			t.Errorf("the page is followed %d times, want 2 for 3 visitors", n)
		}
	})
}

package handlers

import (
	"net/url"
	"strings"
	"testing"

	"belfry/store"
)

func TestThePaletteFindsWebhooksIdsAndPages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		hook := s.addHook("https://one.example/hook")
		s.addHook("https://two.example/hook")
		event, delivery := s.event("call.ended", `{}`)
		b := s.signedIn(store.RoleOwner)
		for query, want := range map[string]string{
			"one hook":          "/setup/webhooks/" + hook.ID.String(),
			hook.ID.String():    "/setup/webhooks/" + hook.ID.String(),
			delivery.String():   deliveryPath(delivery),
			event.String():      eventsPath + "/" + event.String(),
			"limit":             limitsPath,
			"add webhook":       "/setup/webhooks/new",
			`<b>"quoted" words`: logsPath + "?q=%3Cb%3E%22quoted%22+words",
		} {
			first := b.get(findPath+"?"+url.Values{"q": {query}}.Encode()).wants(t, 200).dom(t).Find("[role=option]").First()
			if got, _ := first.Attr("href"); got != want {
				t.Errorf("%q leads to %q first, want %q", query, got, want)
			}
		}
		for query, want := range map[string]bool{"one": false, "nowhere": true, hook.ID.String()[:2]: true} {
			if got := strings.Contains(b.get(findPath+"?q="+query).body, "No webhook, id or page"); got != want {
				t.Errorf("%q: it says that there is nothing: %v, want %v", query, got, want)
			}
		}
		if all := b.get(findPath).wants(t, 200).dom(t).Find("[role=option]"); all.Length() < 8 {
			t.Errorf("before anything is typed %d places are offered", all.Length())
		}
		long := b.get(findPath+"?q="+strings.Repeat("é", 3000)).wants(t, 200)
		if len(long.body) > 4000 {
			t.Errorf("a long query makes an answer of %d bytes", len(long.body))
		}
		other, err := s.store.AddAccount(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		s.account = other
		stranger := s.signedIn(store.RoleViewer)
		for _, query := range []string{"hook", hook.ID.String(), delivery.String(), event.String(), "add"} {
			found := stranger.get(findPath + "?q=" + url.QueryEscape(query)).dom(t).Find("[role=option]")
			if text := found.Text(); found.Length() != 1 && query != "hook" || strings.Contains(text, ".example") || strings.Contains(text, "Add ") {
				t.Errorf("a viewer of another account finds %q by %q", text, query)
			}
		}
	})
}

package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"belfry/store"
	"belfry/views"
)

// pages are the addresses of pages by method, with id in the place of each id.
func (s *site) pages(method, id string) []string {
	var paths []string
	for _, r := range s.web.Echo().Routes() {
		if r.Method == method && strings.HasPrefix(r.Path, "/setup/") {
			paths = append(paths, strings.ReplaceAll(r.Path, ":id", id))
		}
	}
	return paths
}

func TestAViewerIsRefusedWhateverChangesSomething(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleViewer)
		posts := s.pages(http.MethodPost, w.ID.String())
		if len(posts) < 20 {
			t.Fatalf("only %d pages take a form: %v", len(posts), posts)
		}
		for _, path := range posts {
			b.post(path, url.Values{"token": {store.NewFormToken()}, "active": {"false"}}).wants(t, http.StatusForbidden)
		}
		at := "/setup/webhooks/" + w.ID.String()
		for _, path := range []string{"/setup/webhooks/new", at + "/edit", at + "/secret", "/setup/webhooks/check-url?url=https://one.example", "/setup/webhooks/sample", views.BulkAddress, debuggerPath} {
			b.get(path).wants(t, http.StatusForbidden)
		}
		if now, err := s.store.Webhook(t.Context(), s.account.ID, w.ID); err != nil || now.Version != w.Version {
			t.Errorf("a viewer changed the webhook: %+v, %v", now, err)
		}
	})
}

func TestNoPageReachesWhatAnotherAccountHas(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, mine := s.signedIn(store.RoleOwner), s.account
		var err error
		if s.account, err = s.store.AddAccount(t.Context(), "other"); err != nil {
			t.Fatal(err)
		}
		w := s.addHook("https://one.example/hook")
		s.failed(1)
		event, delivery := s.event("call.ended", `{}`)
		run, _, err := s.store.StartResend(t.Context(), s.account.ID, store.NewResend{Pace: 100})
		if err != nil {
			t.Fatal(err)
		}
		_, key, err := s.store.AddKey(t.Context(), s.account.ID, "theirs", []store.Scope{store.ScopeRead}, "")
		if err != nil {
			t.Fatal(err)
		}
		s.account = mine
		form := url.Values{"token": {""}, "active": {"false"}, "overlap_hours": {"0"}}
		for _, id := range []string{w.ID.String(), event.String(), delivery.String(), run.ID.String(), key.ID.String(), nobodysID, "nonsense", strings.ToUpper(w.ID.String())} {
			for _, path := range s.pages(http.MethodGet, id) {
				if strings.Contains(path, id) {
					b.get(path).wants(t, http.StatusNotFound)
				}
			}
			for _, path := range s.pages(http.MethodPost, id) {
				if strings.Contains(path, id) {
					b.post(path, set(form, "token", store.NewFormToken())).wants(t, http.StatusNotFound)
				}
			}
			for _, path := range []string{trialPath + "?delivery=", trialPath + "/answer?delivery=", logsPath + "?webhook="} {
				b.get(path+id).wants(t, http.StatusNotFound)
			}
		}
		if now, err := s.store.Webhook(t.Context(), w.AccountID, w.ID); err != nil || now.Version != w.Version {
			t.Errorf("another account's webhook was changed: %+v, %v", now, err)
		}
	})
}

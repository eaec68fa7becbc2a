package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
)

func TestAnUnknownAddressIsAPageForBrowsersAndAProblemForPrograms(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		page := s.visitor().get("/nowhere")
		if page.StatusCode != http.StatusNotFound || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
			t.Errorf("page: %s, %s", page.Status, page.Header.Get("Content-Type"))
		}
		if !strings.Contains(page.body, "Nothing is at this address.") {
			t.Errorf("the page does not say why: %s", page.body)
		}
		problem := s.visitor().get("/api/v1/nowhere")
		if problem.StatusCode != http.StatusNotFound || problem.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("problem: %s, %s", problem.Status, problem.Header.Get("Content-Type"))
		}
	})
}

func TestAWrongMethodNamesTheRightOnes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		got := s.visitor().send(http.MethodDelete, "/api/v1/openapi.json", nil, nil)
		if got.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(got.Header.Get("Allow"), "GET") {
			t.Errorf("got %s, Allow %q", got.Status, got.Header.Get("Allow"))
		}
	})
}

func TestTheProbesSayThatTheProcessLivesAndTheDatabaseAnswers(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for _, path := range []string{"/healthz", "/readyz"} {
			if got := s.visitor().get(path); got.StatusCode != http.StatusOK {
				t.Errorf("%s: %s %s", path, got.Status, got.body)
			}
		}
		s.store.Close()
		if got := s.visitor().get("/healthz"); got.StatusCode != http.StatusOK {
			t.Errorf("alive without a database: %s", got.Status)
		}
		if got := s.visitor().get("/readyz"); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("ready without a database: %s", got.Status)
		}
	})
}

func TestASessionLetsItsUserIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		if got := s.signedIn(store.RoleViewer).get("/"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != homePath {
			t.Errorf("got %s to %q", got.Status, got.Header.Get("Location"))
		}
	})
}

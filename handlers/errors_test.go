package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/web"
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
		if strings.Contains(page.body, "href=\"/setup/webhooks/logs\"") {
			t.Error("a stranger gets the sidebar")
		}
		framed := s.signedIn(store.RoleViewer).get("/nowhere")
		if framed.StatusCode != http.StatusNotFound || !strings.Contains(framed.body, "href=\"/setup/webhooks/logs\"") || !strings.Contains(framed.body, "viewer@example.com") {
			t.Errorf("who is signed in loses the sidebar: %s %s", framed.Status, framed.body)
		}
		problem := s.visitor().get("/api/v1/nowhere")
		if problem.StatusCode != http.StatusNotFound || problem.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("problem: %s, %s", problem.Status, problem.Header.Get("Content-Type"))
		}
	})
}

func TestAVisitorWhoLeftIsNoErrorInTheLog(t *testing.T) {
	var log bytes.Buffer
	s := newSite(t, storetest.SQLite(t), func(opt *store.Options) {
		opt.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	s.web.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/nowhere", nil))
	if log.Len() > 0 {
		t.Error(log.String())
	}
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

func TestEveryRefusalHasItsStatus(t *testing.T) {
	for code, want := range map[store.Code]int{
		store.CodeInvalid: 422, store.CodeNotFound: 404, store.CodeGone: 410, store.CodeConflict: 409, store.CodeQuota: 403,
		store.CodeRate: 429, store.CodeTooLarge: 413, store.CodeFull: 507, store.CodeUnavailable: 503, "new": 500,
	} {
		f := faultOf(fmt.Errorf("wrapped: %w", &store.Error{Code: code, Detail: "so it is"}))
		if f.Status != want || f.Code != string(code) || f.Detail != "So it is." || f.Title == "" {
			t.Errorf("%s: %+v", code, f)
		}
		if (f.RetryAfter > 0) != (want == http.StatusServiceUnavailable) {
			t.Errorf("%s: Retry-After %d", code, f.RetryAfter)
		}
	}
	if f := faultOf(errors.New("the password is 123")); f.Status != 500 || strings.Contains(f.Detail+f.Title, "123") {
		t.Errorf("a fault of ours tells too much: %+v", f)
	}
}

func TestTheDetailOfAProblemNamesTheFirstWrongFields(t *testing.T) {
	wrong := []store.FieldError{{Field: "url", Detail: "use https"}, {Field: "events", Detail: "is no list"}, {Field: "secret", Detail: "is too short"}, {Field: "agent_id", Detail: "is too long"}}
	for n, want := range map[int]string{1: "url: use https", 4: "url: use https; events: is no list; secret: is too short; and 1 more"} {
		if got := faultOf(&store.Error{Code: store.CodeInvalid, Detail: "the input is not valid", Fields: wrong[:n]}).detail(); got != want {
			t.Errorf("%d wrong fields: %q, want %q", n, got, want)
		}
	}
	if got := faultOf(&web.Error{Status: 422, Code: "invalid", Detail: "The body is no JSON.", Fields: []web.FieldError{{Field: "url", Detail: "x"}}}).detail(); got != "The body is no JSON." {
		t.Errorf("got %q", got)
	}
}

func TestWhatIsToldOfAHugeNameIsItsBeginning(t *testing.T) {
	huge := "é" + strings.Repeat("x", 1<<20)
	for _, err := range []error{
		&web.Error{Status: 422, Code: "invalid", Detail: "The field " + huge, Fields: []web.FieldError{{Field: huge, Detail: huge}}},
		&store.Error{Code: store.CodeInvalid, Detail: huge, Fields: []store.FieldError{{Field: huge, Detail: huge}}},
	} {
		f := faultOf(err)
		for _, told := range []string{f.detail(), f.Fields[0].Field, f.Fields[0].Detail} {
			if len(told) > 2*faultText || !strings.HasSuffix(strings.TrimSuffix(told, "."), "…") || !strings.Contains(told, "x") {
				t.Errorf("%d bytes are told, want the beginning: %.50q", len(told), told)
			}
		}
	}
}

func TestThePageOfAWrongHostLeadsToTheRightOne(t *testing.T) {
	h := &Handlers{opt: Options{BaseURL: "https://hooks.example.com"}}
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "http://127.0.0.1/setup/webhooks", nil), httptest.NewRecorder())
	var page strings.Builder
	if err := h.faultPage(c, fault{Status: http.StatusMisdirectedRequest, Title: "Misdirected Request", Detail: "This server answers elsewhere."}).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), `href="https://hooks.example.com"`) || strings.Contains(page.String(), `href="/setup`) {
		t.Errorf("the page leads elsewhere: %s", page.String())
	}
}

func TestWhoIsSignedInKeepsTheSidebarWhenRefused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		refuse := func(echo.Context) error { return errNoSuchID() }
		routes{s.web.Echo(), use(s.handlers.sessions.Middleware, s.handlers.signedIn)}.get("/test/missing", refuse)
		got := s.signedIn(store.RoleViewer).get("/test/missing")
		if got.StatusCode != http.StatusNotFound || !strings.Contains(got.body, "viewer@example.com") || !strings.Contains(got.body, "There is nothing with this id.") {
			t.Errorf("got %s %s", got.Status, got.body)
		}
	})
}

func TestASessionThatEndsMeanwhileLeadsToSigningIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleViewer)
		change := func(c echo.Context) error {
			if err := s.store.EndSessions(c.Request().Context(), b.user.ID); err != nil {
				return err
			}
			if err := web.SessionOf(c).Set("a", 1); err != nil {
				return err
			}
			return web.Redirect(c, "/test/elsewhere")
		}
		routes{s.web.Echo(), use(s.handlers.sessions.Middleware, s.handlers.signedIn)}.get("/test/ended", change)
		got := b.get("/test/ended")
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/login?next=%2Ftest%2Fended" {
			t.Errorf("got %s to %q", got.Status, got.Header.Get("Location"))
		}
	})
}

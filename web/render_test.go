package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

func TestAFailingComponentIsAClean500(t *testing.T) {
	s, _ := newServer(t, Options{})
	half := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "half a page")
		return errors.New("no more")
	})
	s.Echo().GET("/", func(c echo.Context) error { return Render(c, 200, half) })
	rec := get(t, s, "/")
	wantStatus(t, rec, 500)
	if rec.Body.String() != "Internal Server Error\n" {
		t.Errorf("body %q", rec.Body)
	}
}

func TestAComponentIsSentWithItsStatusAsHTML(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/", func(c echo.Context) error { return Render(c, 422, templ.Raw("<p>é</p>")) })
	rec := get(t, s, "/")
	wantStatus(t, rec, 422)
	if rec.Body.String() != "<p>é</p>" || rec.Header().Get("Content-Type") != "text/html; charset=UTF-8" {
		t.Errorf("%q %q", rec.Body, rec.Header())
	}
	if rec.Header().Get("Vary") != "HX-Request" {
		t.Error("a cache could mix page and fragment")
	}
}

func TestAFragmentIsWantedOnlyForAPartOfThePage(t *testing.T) {
	for _, tc := range []struct {
		name    string
		headers map[string]string
		want    bool
	}{
		{"plain", nil, false},
		{"part", map[string]string{"HX-Request": "true", "HX-Request-Type": "partial"}, true},
		{"whole body", map[string]string{"HX-Request": "true", "HX-Request-Type": "full"}, false},
		{"boosted", map[string]string{"HX-Request": "true", "HX-Boosted": "true", "HX-Request-Type": "partial"}, false},
		{"history", map[string]string{"HX-Request": "true", "HX-History-Restore-Request": "true"}, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for k, v := range tc.headers {
			r.Header.Set(k, v)
		}
		if got := IsHTMX(echo.New().NewContext(r, httptest.NewRecorder())); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestRedirectsSuitWhoAsked(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().POST("/", func(c echo.Context) error { return Redirect(c, "/setup/webhooks?x=1") })
	rec := do(t, s, httptest.NewRequest(http.MethodPost, "/", nil))
	wantStatus(t, rec, 303)
	if got := rec.Header().Get("Location"); got != "/setup/webhooks?x=1" {
		t.Error(got)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("HX-Request", "true")
	rec = do(t, s, r)
	wantStatus(t, rec, 204)
	if rec.Header().Get("HX-Redirect") != "/setup/webhooks?x=1" || rec.Header().Get("Location") != "" {
		t.Error(rec.Header())
	}
}

func TestNoRedirectLeadsToAnotherSite(t *testing.T) {
	for _, target := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "setup", "", "/a\r\nX: y", "/\x7f",
	} {
		if got := LocalPath(target, "/setup"); got != "/setup" {
			t.Errorf("%q was taken", target)
		}
		c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
		if Redirect(c, target) == nil {
			t.Errorf("redirected to %q", target)
		}
	}
	for _, target := range []string{"/", "/setup/webhooks?q=https://x.example#top", "/a//b"} {
		if got := LocalPath(target, "/setup"); got != target {
			t.Errorf("%q was not taken", target)
		}
	}
}

func TestJSONAnswersKeepRawMembersAsTheyAre(t *testing.T) {
	s, _ := newServer(t, Options{})
	raw := json.RawMessage("{ \"b\":1.0e2, \"a\":\"<\\u003c\u2028\", \"n\":12345678901234567890123 }")
	s.Echo().GET("/", func(c echo.Context) error { return JSON(c, 202, map[string]any{"data": raw, "url": "a&b"}) })
	rec := get(t, s, "/")
	wantStatus(t, rec, 202)
	want := "{\"data\":{\"b\":1.0e2,\"a\":\"<\\u003c\u2028\",\"n\":12345678901234567890123},\"url\":\"a&b\"}\n"
	if rec.Body.String() != want {
		t.Errorf("got  %q\nwant %q", rec.Body, want)
	}
	if rec.Header().Get("Content-Type") != "application/json" {
		t.Error(rec.Header())
	}
}

func TestProblemsFollowRFC9457(t *testing.T) {
	for name, tc := range map[string]struct {
		problem Problem
		want    string
	}{
		"bare": {Problem{Status: 404, Detail: "gone"}, `{"type":"about:blank","title":"Not Found","status":404,"detail":"gone"}`},
		"full": {
			Problem{
				Type: "urn:x", Title: "Bad", Status: 422, Detail: "d", Errors: []FieldError{{"url", "is <empty>"}}, RequestID: "r",
				Extra: map[string]any{"limit": 10, "code": "q"},
			},
			`{"type":"urn:x","title":"Bad","status":422,"detail":"d","errors":[{"field":"url","detail":"is <empty>"}],"request_id":"r","code":"q","limit":10}`,
		},
	} {
		s, _ := newServer(t, Options{})
		s.Echo().GET("/", func(c echo.Context) error { return WriteProblem(c, tc.problem) })
		rec := get(t, s, "/")
		wantStatus(t, rec, tc.problem.Status)
		if got := rec.Body.String(); got != tc.want+"\n" {
			t.Errorf("%s: %s", name, got)
		}
		if rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Error(rec.Header())
		}
	}
}

func TestAProblemNeverHasAMemberTwice(t *testing.T) {
	if _, err := json.Marshal(Problem{Status: 400, Extra: map[string]any{"status": 1}}); err == nil {
		t.Error("status stands there twice")
	}
}

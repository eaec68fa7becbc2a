package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestEveryAnswerIsGuardedByHeaders(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/", ok)
	s.Echo().GET("/fault", func(echo.Context) error { panic("x") })
	for _, path := range []string{"/", "/nowhere", "/fault"} {
		h := get(t, s, path).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": ContentSecurityPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy": permissionsPolicy, "Cache-Control": "no-store", "X-Frame-Options": "DENY",
			"Strict-Transport-Security": "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestThePolicyAllowsNothingInlineOrFromElsewhere(t *testing.T) {
	for _, forbidden := range []string{"unsafe", "*", "http:", "https:", "blob:", "nonce", "strict-dynamic"} {
		if strings.Contains(ContentSecurityPolicy, forbidden) {
			t.Errorf("the policy holds %q", forbidden)
		}
	}
	for _, directive := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
		"form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "font-src 'self'", "manifest-src 'self'",
	} {
		wantContains(t, ContentSecurityPolicy+";", directive+";")
	}
}

func TestStrictTransportSecurityComesWithHTTPSOnly(t *testing.T) {
	for base, want := range map[string]string{"https://h.example": "max-age=31536000", "http://h.example": ""} {
		s, _ := newServer(t, Options{BaseURL: mustURL(t, base)})
		if got := get(t, s, "/").Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q, want %q", base, got, want)
		}
	}
}

func TestAHandlerMayLetItsAnswerBeCached(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "public, immutable")
		return ok(c)
	})
	if got := get(t, s, "/").Header().Get("Cache-Control"); got != "public, immutable" {
		t.Error(got)
	}
}

func TestWhatAnotherSiteMadeTheBrowserSendIsRefused(t *testing.T) {
	s, _ := newServer(t, Options{BaseURL: mustURL(t, "https://h.example")})
	for _, path := range []string{"/setup", "/api/v1/events"} {
		s.Echo().Match([]string{"GET", "POST", "DELETE"}, path, ok)
	}
	for _, tc := range []struct {
		name, method, path, site, origin string
		want                             int
	}{
		{"own form", "POST", "/setup", "same-origin", "https://h.example", 200},
		{"typed address", "POST", "/setup", "none", "", 200},
		{"other site", "POST", "/setup", "cross-site", "https://evil.example", 403},
		{"sister site", "POST", "/setup", "same-site", "https://x.h.example", 403},
		{"other method", "DELETE", "/setup", "cross-site", "https://evil.example", 403},
		{"old browser, other site", "POST", "/setup", "", "https://evil.example", 403},
		{"old browser, sandbox", "POST", "/setup", "", "null", 403},
		{"old browser, own form", "POST", "/setup", "", "https://h.example", 200},
		{"base URL is trusted", "POST", "/setup", "cross-site", "https://h.example", 200},
		{"no browser", "POST", "/setup", "", "", 200},
		{"link from elsewhere", "GET", "/setup", "cross-site", "", 200},
		{"the API goes by key", "POST", "/api/v1/events", "cross-site", "https://evil.example", 200},
	} {
		r := httptest.NewRequest(tc.method, tc.path, nil)
		r.Host = "h.example"
		setIf(r.Header, "Sec-Fetch-Site", tc.site)
		setIf(r.Header, "Origin", tc.origin)
		if rec := do(t, s, r); rec.Code != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, rec.Code, tc.want)
		}
	}
}

func setIf(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

func TestPagesGoCompressedToWhoReadsThat(t *testing.T) {
	page := "<p>" + strings.Repeat("a bell in the belfry ", 200) + "</p>"
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Echo().GET("/page", func(c echo.Context) error { return Render(c, http.StatusOK, templ.Raw(page)) })
	s.Echo().GET("/short", func(c echo.Context) error { return Render(c, http.StatusOK, templ.Raw("short")) })
	for _, c := range []struct {
		path, accept string
		small        bool
	}{
		{"/page", "gzip, deflate, br", true},
		{"/page", "br;q=1.0, GZIP;q=0.5", true},
		{"/page", "gzip;q=0, *", false},
		{"/page", "", false},
		{"/short", "gzip", false},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.Header.Set("Accept-Encoding", c.accept)
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, r)
		small := rec.Header().Get("Content-Encoding") == "gzip"
		if small != c.small || !strings.Contains(strings.Join(rec.Header().Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s for %q: compressed %v, Vary %q", c.path, c.accept, small, rec.Header().Values("Vary"))
		}
		if !small {
			continue
		}
		unpacked, err := gzip.NewReader(rec.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(unpacked); err != nil || string(got) != page {
			t.Errorf("%s: what arrives is not the page (%v)", c.path, err)
		}
	}
}

package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func readBodyHandler(c echo.Context) error {
	data, err := ReadBody(c)
	if err != nil {
		return err
	}
	return c.JSON(200, len(data))
}

func TestBodiesAreBoundedPerRoute(t *testing.T) {
	s, _ := newServer(t, Options{BodyLimit: 10})
	s.Echo().POST("/usual", readBodyHandler)
	s.Echo().POST("/large", readBodyHandler, BodyLimit(100))
	s.Echo().POST("/small", readBodyHandler, BodyLimit(2))
	for _, tc := range []struct {
		path string
		size int
		want int
	}{
		{"/usual", 10, 200}, {"/usual", 11, 413}, {"/large", 100, 200}, {"/large", 101, 413}, {"/small", 2, 200}, {"/small", 3, 413},
	} {
		for _, declared := range []bool{true, false} {
			r := httptest.NewRequest(http.MethodPost, tc.path, strings.NewReader(strings.Repeat("x", tc.size)))
			if !declared {
				r.ContentLength = -1
			}
			if rec := do(t, s, r); rec.Code != tc.want {
				t.Errorf("%s, %d bytes, length declared %v: %d, want %d", tc.path, tc.size, declared, rec.Code, tc.want)
			}
		}
	}
}

func TestADeclaredLengthOverTheLimitIsRefusedUnread(t *testing.T) {
	s, _ := newServer(t, Options{BodyLimit: 10})
	s.Echo().POST("/", readBodyHandler)
	r := httptest.NewRequest(http.MethodPost, "/", untouchable{t})
	r.ContentLength = 11
	wantStatus(t, do(t, s, r), 413)
}

type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestTheUsualLimitIsOneMebibyte(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().POST("/", readBodyHandler)
	for size, want := range map[int]int{1 << 20: 200, 1<<20 + 1: 413} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", size)))
		if rec := do(t, s, r); rec.Code != want {
			t.Errorf("%d bytes: %d, want %d", size, rec.Code, want)
		}
	}
}

func TestFormsAreReadStrictly(t *testing.T) {
	s, _ := newServer(t, Options{BodyLimit: 30})
	s.Echo().POST("/", func(c echo.Context) error {
		form, err := Form(c)
		if err != nil {
			return err
		}
		return c.String(200, form.Get("a"))
	})
	for _, tc := range []struct {
		contentType, body string
		want              int
	}{
		{"application/x-www-form-urlencoded", "a=b", 200},
		{"application/x-www-form-urlencoded; charset=utf-8", "a=%C3%A9", 200},
		{"application/json", "{}", 415},
		{"", "a=b", 415},
		{"application/x-www-form-urlencoded", "a=" + strings.Repeat("b", 40), 413},
		{"application/x-www-form-urlencoded", "a=%zz", 400},
		{"application/x-www-form-urlencoded", "a=%00", 422},
		{"application/x-www-form-urlencoded", "a=%FF", 422},
	} {
		r := httptest.NewRequest(http.MethodPost, "/?a=from+the+query", strings.NewReader(tc.body))
		r.Header.Set("Content-Type", tc.contentType)
		rec := do(t, s, r)
		if rec.Code != tc.want {
			t.Errorf("%s %q: %d, want %d", tc.contentType, tc.body, rec.Code, tc.want)
		}
		if strings.Contains(rec.Body.String(), "query") {
			t.Error("the query was taken for a field")
		}
	}
}

package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// download serves a file made by write under /file; ended gets what write
// returned.
func download(t *testing.T, write func(ctx context.Context, w *bufio.Writer) error) (s *Server, ended chan error) {
	t.Helper()
	s, _ = newServer(t, Options{})
	ended = make(chan error, 1)
	s.Echo().GET("/file", func(c echo.Context) error {
		return Download(c, `a "b".csv`, "text/csv; charset=utf-8", func(ctx context.Context, w *bufio.Writer) error {
			err := write(ctx, w)
			ended <- err
			return err
		})
	})
	return s, ended
}

func TestAFileIsSentAsItIsMadeAndKeptByNobody(t *testing.T) {
	s, _ := download(t, func(_ context.Context, w *bufio.Writer) error {
		_, err := io.WriteString(w, "a,b\r\n")
		return err
	})
	rec := get(t, s, "/file")
	wantStatus(t, rec, http.StatusOK)
	if rec.Body.String() != "a,b\r\n" {
		t.Errorf("%q", rec.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": `attachment; filename="a \"b\".csv"`, "Cache-Control": "no-store",
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	rec = do(t, s, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/file", nil))
	if wantStatus(t, rec, http.StatusOK); rec.Body.Len() != 0 {
		t.Errorf("HEAD got %q", rec.Body)
	}
}

// endless writes until it is told to end.
func endless(ctx context.Context, w *bufio.Writer) error {
	line := []byte(strings.Repeat("x", 1000) + "\n")
	for ctx.Err() == nil {
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func TestAFileEndsWhenItsReaderLeaves(t *testing.T) {
	s, ended := download(t, endless)
	res, err := http.Get(start(t, s) + "/file")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if err := within(t, ended, "the end of the file"); err == nil {
		t.Error("it went on to an end of its own")
	}
}

func TestAFileIsCutWhereItCouldNotBeMadeWhole(t *testing.T) {
	s, _ := download(t, func(_ context.Context, w *bufio.Writer) error {
		if _, err := w.Write(make([]byte, 2*downloadBuffer)); err != nil {
			return err
		}
		return errors.New("the database is gone")
	})
	res, err := http.Get(start(t, s) + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("half a file looks like a whole one")
	}
}

func TestAFileThatCouldNotBeBegunIsAnErrorAndNoFile(t *testing.T) {
	s, _ := download(t, func(context.Context, *bufio.Writer) error { return &Error{Status: http.StatusServiceUnavailable} })
	rec := get(t, s, "/file")
	wantStatus(t, rec, http.StatusServiceUnavailable)
	if got := rec.Header().Get("Content-Disposition"); got != "" {
		t.Errorf("the error is called a file: %s", got)
	}
}

func TestAFileEndsWithTheServer(t *testing.T) {
	s, ended := download(t, endless)
	res, err := http.Get(start(t, s) + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	s.EndStreams()
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("a file that was cut looks whole")
	}
	if err := within(t, ended, "the end of the file"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	wantStatus(t, get(t, s, "/file"), http.StatusServiceUnavailable)
}

package web

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// listen opens a stream and returns a function that reads up to the next empty line.
func listen(t *testing.T, address string) (res *http.Response, next func() (string, error)) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	r := bufio.NewReader(res.Body)
	return res, func() (string, error) {
		var block strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil || line == "\n" {
				return block.String(), err
			}
			block.WriteString(line)
		}
	}
}

func wantBlock(t *testing.T, next func() (string, error), want string) {
	t.Helper()
	if got, err := next(); got != want || err != nil {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func TestMessagesAreSentAsServerSentEvents(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/live", func(c echo.Context) error {
		return Stream(c, func(_ context.Context, send Send) error {
			return errors.Join(send(message(t, "row", "7", "<tr>\n</tr>")), send(message(t, "", "", "a\r\nb\rc")), send(message(t, "bye", "", "")))
		})
	})
	res, next := listen(t, start(t, s)+"/live")
	if got := res.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Error(got)
	}
	wantBlock(t, next, "retry: 2000\n")
	wantBlock(t, next, "event: row\nid: 7\ndata: <tr>\ndata: </tr>\n")
	wantBlock(t, next, "data: a\ndata: b\ndata: c\n")
	wantBlock(t, next, "event: bye\ndata: \n")
	if rest, err := next(); rest != "" || err == nil {
		t.Errorf("more came: %q", rest)
	}
}

func message(t *testing.T, event, id, data string) Message {
	t.Helper()
	m, err := NewMessage(event, id, []byte(data))
	if err != nil {
		t.Error(err)
	}
	return m
}

func TestNoMessageCanForgeAnother(t *testing.T) {
	for _, names := range [][2]string{{"a\ndata: x", ""}, {"a", "1\n\n"}, {"a", "\x00"}} {
		if m, err := NewMessage(names[0], names[1], nil); err == nil {
			t.Errorf("a line break was taken: %q", m)
		}
	}
}

func TestSilenceIsFilledWithHeartbeats(t *testing.T) {
	s, _ := newServer(t, Options{Heartbeat: time.Millisecond})
	s.Echo().GET("/live", streamUntilEnd(make(chan struct{}, 1)))
	_, next := listen(t, start(t, s)+"/live")
	wantBlock(t, next, "retry: 2000\n")
	wantBlock(t, next, ":\n")
	wantBlock(t, next, ":\n")
}

// streamUntilEnd tells ended once the stream's context is over.
func streamUntilEnd(ended chan struct{}) echo.HandlerFunc {
	return func(c echo.Context) error {
		return Stream(c, func(ctx context.Context, _ Send) error {
			<-ctx.Done()
			ended <- struct{}{}
			return ctx.Err()
		})
	}
}

func TestAStreamEndsWhenTheServerShutsDown(t *testing.T) {
	s, log := newServer(t, Options{})
	ended := make(chan struct{}, 1)
	s.Echo().GET("/live", streamUntilEnd(ended))
	_, next := listen(t, start(t, s)+"/live")
	wantBlock(t, next, "retry: 2000\n")
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	within(t, ended, "the stream")
	if rest, err := next(); rest != "" || err == nil || strings.Contains(err.Error(), "unexpected") {
		t.Errorf("not a clean end: %q %v", rest, err)
	}
	if strings.Contains(log.String(), `"error"`) {
		t.Errorf("an ordinary end is logged as an error: %s", log)
	}
}

func TestNoStreamBeginsWhileTheServerShutsDown(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/live", streamUntilEnd(make(chan struct{}, 1)))
	s.EndStreams()
	rec := get(t, s, "/live")
	wantStatus(t, rec, 503)
	if rec.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestAStreamEndsWhenTheListenerLeaves(t *testing.T) {
	s, _ := newServer(t, Options{})
	ended := make(chan struct{}, 1)
	s.Echo().GET("/live", streamUntilEnd(ended))
	res, next := listen(t, start(t, s)+"/live")
	wantBlock(t, next, "retry: 2000\n")
	res.Body.Close()
	within(t, ended, "the stream")
}

func TestAStreamEndsAfterItsLifetime(t *testing.T) {
	s, _ := newServer(t, Options{StreamLifetime: time.Millisecond})
	ended := make(chan struct{}, 1)
	s.Echo().GET("/live", streamUntilEnd(ended))
	listen(t, start(t, s)+"/live")
	within(t, ended, "the stream")
}

func TestAFaultInAStreamCutsIt(t *testing.T) {
	s, log := newServer(t, Options{})
	s.Echo().GET("/live", func(c echo.Context) error {
		return Stream(c, func(context.Context, Send) error { return errors.New("lost the bell") })
	})
	_, next := listen(t, start(t, s)+"/live")
	for err := error(nil); err == nil; {
		_, err = next()
	}
	wantContains(t, log.String(), "lost the bell")
}

func TestAPanicInAStreamLeavesNothingBehind(t *testing.T) {
	s, log := newServer(t, Options{})
	s.Echo().GET("/live", func(c echo.Context) error {
		return Stream(c, func(context.Context, Send) error { panic("oh") })
	})
	_, next := listen(t, start(t, s)+"/live")
	for err := error(nil); err == nil; {
		_, err = next()
	}
	wantContains(t, log.String(), "panic: oh") // and goleak finds no heartbeat left
}

// stalledWriter is a connection whose other end reads nothing: writes fail once a deadline was set.
type stalledWriter struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *stalledWriter) SetWriteDeadline(d time.Time) error { w.deadline = d; return nil }
func (w *stalledWriter) SetReadDeadline(time.Time) error    { return nil }
func (w *stalledWriter) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "retry") {
		return len(p), nil
	}
	if w.deadline.IsZero() {
		return 0, errors.New("a write without deadline would hang for ever")
	}
	return 0, &net.OpError{Op: "write", Err: context.DeadlineExceeded}
}

func TestASlowListenerIsDropped(t *testing.T) {
	s, _ := newServer(t, Options{})
	done := make(chan error, 1)
	s.Echo().GET("/live", func(c echo.Context) error {
		return Stream(c, func(ctx context.Context, send Send) error {
			err := send(message(t, "", "", "x"))
			<-ctx.Done()
			done <- err
			return err
		})
	})
	w := &stalledWriter{ResponseRecorder: httptest.NewRecorder()}
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/live", nil))
	if err := within(t, done, "the stream"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("send gave %v", err)
	}
	if left := time.Until(w.deadline); left <= 0 || left > streamWriteTimeout {
		t.Errorf("deadline in %v", left)
	}
}

func TestAStreamOutlivesTheTimeLimitsOfOrdinaryRequests(t *testing.T) {
	s, _ := newServer(t, Options{Heartbeat: 5 * time.Millisecond})
	s.http.ReadTimeout, s.http.WriteTimeout = 20*time.Millisecond, 20*time.Millisecond
	s.Echo().GET("/live", streamUntilEnd(make(chan struct{}, 1)))
	_, next := listen(t, start(t, s)+"/live")
	wantBlock(t, next, "retry: 2000\n")
	for range 20 { // 100 ms
		wantBlock(t, next, ":\n")
	}
}

func TestHeadOfAStreamComesBackAtOnce(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/live", streamUntilEnd(make(chan struct{}, 1)))
	res, err := http.Head(start(t, s) + "/live")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Error(res.Status)
	}
}

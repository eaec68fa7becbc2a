package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// streamWriteTimeout is how long a listener may take to accept a message before it is dropped.
	streamWriteTimeout = 10 * time.Second
	// streamRetry is after how long a browser should come back.
	streamRetry = 2 * time.Second

	streamContentType = "text/event-stream; charset=utf-8"
)

// Send puts one message on a live stream. An error means that the listener is gone.
type Send func(Message) error

// Message is one message for live streams. It is made once, by NewMessage, for any number of
// them.
type Message []byte

// NewMessage makes a message. An empty event is what htmx swaps in by itself; an empty id leaves the last one standing.
// data may have several lines. An error means that event or id has a line break or a NUL.
func NewMessage(event, id string, data []byte) (Message, error) {
	if strings.ContainsAny(event, "\r\n\x00") || strings.ContainsAny(id, "\r\n\x00") {
		return nil, fmt.Errorf("stream: event %q, id %q: line breaks and NUL are not allowed", event, id)
	}
	var b bytes.Buffer
	if event != "" {
		fmt.Fprintf(&b, "event: %s\n", event)
	}
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		b.WriteString("data: ")
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Stream answers with server-sent events (HTML standard, section 9.2) for as long as run does. The context of run ends
// when the listener leaves or is too slow, when the server shuts down, and when the stream has lasted its lifetime;
// run must return then. Whatever run returns because of that is not an error; other errors cut the connection.
// Silence is filled with heartbeats. The browser reconnects by itself and tells the last id in Last-Event-ID.
func Stream(c echo.Context, run func(ctx context.Context, send Send) error) error {
	s, ok := c.Get(serverKey).(*Server)
	if !ok {
		return errors.New("stream: the request did not come through a Server")
	}
	if err := s.beginLasting(c); err != nil {
		return err
	}
	startStream(c)
	if c.Request().Context().Value(headKey{}) != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), s.opts.StreamLifetime)
	defer cancel()
	st := &stream{w: c.Response(), rc: http.NewResponseController(c.Response()), drop: cancel}
	return s.serveStream(ctx, cancel, st, run)
}

// beginLasting makes ready for an answer that may last: none begins once the server shuts down.
func (s *Server) beginLasting(c echo.Context) error {
	select {
	case <-s.ending:
		c.Response().Header().Set(echo.HeaderRetryAfter, "2")
		return &Error{Status: http.StatusServiceUnavailable, Code: "shutting_down", Detail: "The server is shutting down. Try again in a moment."}
	default:
		return saveSession(c)
	}
}

func startStream(c echo.Context) {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, streamContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep messages back
	c.Response().WriteHeader(http.StatusOK)
}

// isStream says that the answer is a live stream, which lasts as long as somebody listens.
func isStream(c echo.Context) bool {
	return c.Response().Header().Get(echo.HeaderContentType) == streamContentType
}

func (s *Server) serveStream(ctx context.Context, cancel context.CancelFunc, st *stream, run func(context.Context, Send) error) error {
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()
	// The time limits of ordinary requests would cut the stream.
	if err := st.rc.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	var beating sync.WaitGroup
	defer beating.Wait()
	defer cancel()
	beating.Go(func() { s.keepAlive(ctx, cancel, st) })
	if err := st.write(fmt.Appendf(nil, "retry: %d\n\n", streamRetry.Milliseconds())); err != nil {
		return nil // gone before the first word
	}
	err := run(ctx, st.send)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// keepAlive sends heartbeats, and cancels the stream when the server shuts down. It returns once ctx ends.
func (s *Server) keepAlive(ctx context.Context, cancel context.CancelFunc, st *stream) {
	beat := time.NewTicker(s.opts.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.ending:
			cancel()
			return
		case <-beat.C:
			if st.write([]byte(":\n\n")) != nil {
				return
			}
		}
	}
}

// stream writes whole messages, one at a time, and drops the listener at the first that fails.
type stream struct {
	mu   sync.Mutex
	w    http.ResponseWriter
	rc   *http.ResponseController
	drop context.CancelFunc
}

func (st *stream) send(m Message) error { return st.write(m) }

func (st *stream) write(p []byte) (err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	defer func() {
		if err != nil {
			st.drop()
		}
	}()
	deadline := time.Now().Add(streamWriteTimeout)
	if err := st.rc.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := st.w.Write(p); err != nil {
		return err
	}
	return st.rc.Flush()
}

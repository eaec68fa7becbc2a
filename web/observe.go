package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store/uuid"
)

const (
	serverKey    = "web.server"
	requestIDKey = "web.request_id"
)

// errAborted stands for a handler that cut the connection on purpose.
var errAborted = errors.New("the handler cut the connection")

// RequestID returns the id under which the request is logged; the client finds it in X-Request-Id.
func RequestID(c echo.Context) string {
	id, _ := c.Get(requestIDKey).(string)
	return id
}

// Logger returns the server's log with the id of the request on every line.
func Logger(c echo.Context) *slog.Logger {
	if s, ok := c.Get(serverKey).(*Server); ok {
		return s.opts.Log.With("request_id", RequestID(c))
	}
	return slog.Default()
}

func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := uuid.Must(uuid.NewV7()).String()
		c.Set(requestIDKey, id)
		c.Set(serverKey, s)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

// observe has errors answered, then counts and logs the request. An error after the answer began cuts the connection,
// so that nobody takes half an answer for a whole one.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		err := next(c)
		cut := errors.Is(err, errAborted) || err != nil && c.Response().Committed
		if err != nil && !cut {
			s.answerError(c, err)
		}
		took := time.Since(start)
		s.metrics.record(c, took)
		s.logRequest(c, took, err, cut)
		if cut {
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

// logRequest writes one line; cut says that only a part of the answer went out. It holds neither the query nor any body or header, since these may hold secrets.
func (s *Server) logRequest(c echo.Context, took time.Duration, err error, cut bool) {
	r, status := c.Request(), c.Response().Status
	level := requestLevel(c, took, cut)
	if !s.opts.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", Clip(r.URL.Path, loggedText)), slog.String("route", c.Path()),
		slog.Int("status", status), slog.Int64("bytes", c.Response().Size),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("remote", c.RealIP()), slog.String("request_id", RequestID(c)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", Clip(err.Error(), loggedText)))
	}
	var p *panicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	s.opts.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// loggedText is how many characters of an address or of an error a line holds.
const loggedText = 2000

// slowRequest is how long a request takes that is worth a line though it went
// well.
const slowRequest = time.Second

// requestLevel says how much a request is worth a line: most for faults of ours, least for what went well and was quick.
// A live stream is not slow, however long it lasts.
func requestLevel(c echo.Context, took time.Duration, cut bool) slog.Level {
	status := c.Response().Status
	switch {
	case status < http.StatusBadRequest && isStream(c) && !cut:
		return slog.LevelDebug
	case c.Request().Context().Err() != nil: // the client left; its error is not ours
		return slog.LevelInfo
	case cut: // after a status that says that all is well
		return slog.LevelWarn
	case status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable:
		return slog.LevelError
	case status >= http.StatusInternalServerError:
		return slog.LevelWarn
	case status >= http.StatusBadRequest || took >= slowRequest:
		return slog.LevelInfo
	}
	return slog.LevelDebug // counted and timed in the metrics
}

// answerError lets the error handler speak and makes sure that something is said: never an empty 200.
func (s *Server) answerError(c echo.Context, err error) {
	defer func() {
		if v := recover(); v != nil {
			Logger(c).Error("the error handler panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
		if !c.Response().Committed {
			answerPlainly(c, &Error{Status: http.StatusInternalServerError})
		}
	}()
	if !c.Response().Committed {
		s.opts.ErrorHandler(c, err)
	}
}

func answerPlainly(c echo.Context, err error) {
	status := StatusOf(err)
	if writeErr := c.String(status, http.StatusText(status)+"\n"); writeErr != nil {
		Logger(c).Debug("the answer could not be written", "error", writeErr)
	}
}

// panicError is a panic of a handler, as an error.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				err = errAborted
			default:
				err = &panicError{value: v, stack: debug.Stack()}
			}
		}()
		return next(c)
	}
}

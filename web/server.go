// Package web is how we speak HTTP: the server and its guards, sessions, rendering, live streams, limits, strict
// JSON and metrics. It knows nothing of what any address does.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// Time limits of a connection. A live stream replaces the last two by its own.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// Options says how a Server behaves. The zero value of every field is usable.
type Options struct {
	// BaseURL is where people reach the server. With it other hosts are refused; https in it brings HSTS. Nil: any host.
	BaseURL *url.URL
	// TrustedProxies are the peers whose X-Forwarded-For is believed. Empty: forwarded headers are ignored.
	TrustedProxies []netip.Prefix
	// ErrorHandler answers every error a handler, a guard or the router returns, including unknown addresses (404) and
	// methods (405). It is not called once an answer has begun. Nil: the status and its name as plain text.
	ErrorHandler func(c echo.Context, err error)
	// Log receives one line per request and every internal fault. Nil: slog.Default().
	Log *slog.Logger
	// BodyLimit is the most bytes a request body may have unless its route says otherwise. Zero: 1 MiB.
	BodyLimit int64
	// APIPrefix is the path below which requests carry a key instead of a cookie, so that the cross-origin guard
	// does not apply. Empty: "/api/".
	APIPrefix string
	// AnyHost are the paths that answer under every host name; one that ends in / stands for all below it. Nil: /healthz,
	// /readyz and /static/.
	AnyHost []string
	// Heartbeat is the pause after which a silent live stream says that it is alive. Zero: 15 s.
	Heartbeat time.Duration
	// StreamLifetime is after how long a live stream ends, so that the browser comes back and is checked anew. Zero: 15 min.
	StreamLifetime time.Duration
}

func (o Options) withDefaults() Options {
	if o.ErrorHandler == nil {
		o.ErrorHandler = answerPlainly
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.BodyLimit == 0 {
		o.BodyLimit = 1 << 20
	}
	if o.APIPrefix == "" {
		o.APIPrefix = "/api/"
	}
	if o.AnyHost == nil {
		o.AnyHost = []string{"/healthz", "/readyz", "/static/"}
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.StreamLifetime == 0 {
		o.StreamLifetime = 15 * time.Minute
	}
	return o
}

// Server is an HTTP server with every guard in place. Routes are added through Echo before Serve is called.
type Server struct {
	opts    Options
	echo    *echo.Echo
	http    *http.Server
	metrics *metrics

	listener       net.Listener
	metricsServer  *http.Server
	metricsAddress net.Listener

	endStreams sync.Once
	ending     chan struct{}
}

// New returns a server that listens nowhere yet. It fails when BaseURL is not an http or https address with a host.
func New(opts Options) (*Server, error) {
	opts = opts.withDefaults()
	s := &Server{opts: opts, echo: echo.New(), metrics: newMetrics(), ending: make(chan struct{})}
	guard, err := newCrossOriginGuard(opts.BaseURL, opts.APIPrefix)
	if err != nil {
		return nil, err
	}
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.answerError(c, err) }
	s.echo.IPExtractor = clientIP(opts.TrustedProxies)
	s.echo.Use(s.identify, s.observe, recoverPanics, securityHeaders(opts.BaseURL),
		hostGuard(opts.BaseURL, opts.AnyHost), refuseUnstorableURL, guard, BodyLimit(opts.BodyLimit), lendWriters())
	s.http = s.newHTTPServer(s.Handler())
	return s, nil
}

func (s *Server) newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
}

// Echo returns the router, for adding routes.
func (s *Server) Echo() *echo.Echo { return s.echo }

type headKey struct{}

// Handler returns the whole server as a handler, for tests. HEAD is answered wherever GET is, without a body.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			// A copy, because net/http drops the body by looking at the request it handed out.
			r = r.WithContext(context.WithValue(r.Context(), headKey{}, true))
			r.Method = http.MethodGet
		}
		s.echo.ServeHTTP(w, r)
	})
}

// Listen claims the TCP address and returns the one in effect, which tells the port when the wanted one was 0.
func (s *Server) Listen(address string) (net.Addr, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	s.listener = l
	return l.Addr(), nil
}

// ListenMetrics claims a second TCP address, on which /metrics is served to anybody who reaches it.
func (s *Server) ListenMetrics(address string) (net.Addr, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics on %s: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.MetricsHandler())
	s.metricsAddress, s.metricsServer = l, s.newHTTPServer(mux)
	return l.Addr(), nil
}

// Serve answers requests until Shutdown is called or a listener fails. It returns nil after Shutdown; Shutdown itself
// is what waits for requests under way. Listen must have succeeded before.
func (s *Server) Serve() error {
	if s.listener == nil {
		return errors.New("serve: Listen was not called")
	}
	ended := make(chan error, 2)
	go func() { ended <- s.http.Serve(s.listener) }()
	if s.metricsServer != nil {
		go func() { ended <- s.metricsServer.Serve(s.metricsAddress) }()
	}
	err := <-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	s.close()
	return fmt.Errorf("serve: %w", err)
}

// Shutdown ends live streams, stops accepting, and waits for the requests under way. When ctx ends first it cuts them
// off and returns the reason.
func (s *Server) Shutdown(ctx context.Context) error {
	s.EndStreams()
	err := s.http.Shutdown(ctx)
	if s.metricsServer != nil {
		err = errors.Join(err, s.metricsServer.Shutdown(ctx))
	}
	if s.listener != nil {
		s.listener.Close() // claimed but perhaps never served
	}
	if err != nil {
		s.close()
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

// EndStreams ends every live stream and refuses new ones. Shutdown does it too.
func (s *Server) EndStreams() { s.endStreams.Do(func() { close(s.ending) }) }

func (s *Server) close() {
	s.http.Close()
	if s.metricsServer != nil {
		s.metricsServer.Close()
	}
}

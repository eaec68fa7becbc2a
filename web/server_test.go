package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store/uuid"
)

func TestEveryAnswerCarriesAVersion7RequestIDThatTheLogKnows(t *testing.T) {
	s, log := newServer(t, Options{})
	s.Echo().GET("/a/:id", ok)
	rec := get(t, s, "/a/7?token=hush")
	id, err := uuid.Parse(rec.Header().Get("X-Request-Id"))
	if err != nil || id.Version() != 7 {
		t.Fatalf("request id %q", rec.Header().Get("X-Request-Id"))
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
		t.Fatalf("the log is not one line: %v\n%s", err, log)
	}
	for key, want := range map[string]any{
		"request_id": id.String(), "method": "GET", "path": "/a/7", "route": "/a/:id", "status": 200.0, "remote": "192.0.2.1",
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
	if strings.Contains(log.String(), "hush") {
		t.Error("the log holds the query")
	}
}

func TestTheErrorHandlerGetsEveryError(t *testing.T) {
	type seen struct {
		method, path string
		status       int
	}
	var got []seen
	s, _ := newServer(t, Options{ErrorHandler: func(c echo.Context, err error) {
		got = append(got, seen{c.Request().Method, c.Request().URL.Path, StatusOf(err)})
		_ = c.String(StatusOf(err), "told")
	}})
	s.Echo().GET("/fault", func(echo.Context) error { return errors.New("a fault") })
	s.Echo().GET("/panic", func(echo.Context) error { panic("at the disco") })
	for _, want := range []seen{
		{"GET", "/nowhere", 404}, {"POST", "/fault", 405}, {"GET", "/fault", 500}, {"GET", "/panic", 500},
	} {
		got = nil
		rec := do(t, s, httptest.NewRequest(want.method, want.path, nil))
		if len(got) != 1 || got[0] != want || rec.Code != want.status || rec.Body.String() != "told" {
			t.Errorf("want %v, handler saw %v, client got %d %q", want, got, rec.Code, rec.Body)
		}
	}
}

func TestOnlyWhatFailedOrWasSlowIsWorthALine(t *testing.T) {
	e := echo.New()
	for _, tt := range []struct {
		status    int
		took      time.Duration
		kind      string
		cut, left bool
		want      slog.Level
	}{
		{status: 200, want: slog.LevelDebug},
		{status: 303, want: slog.LevelDebug},
		{status: 200, took: slowRequest, want: slog.LevelInfo},
		{status: 200, took: time.Hour, kind: streamContentType, want: slog.LevelDebug},
		{status: 200, took: time.Hour, kind: streamContentType, left: true, want: slog.LevelDebug},
		{status: 200, kind: streamContentType, cut: true, want: slog.LevelWarn},
		{status: 200, cut: true, want: slog.LevelWarn},
		{status: 200, cut: true, left: true, want: slog.LevelInfo},
		{status: 404, want: slog.LevelInfo},
		{status: 503, want: slog.LevelWarn},
		{status: 500, want: slog.LevelError},
		{status: 500, left: true, want: slog.LevelInfo},
	} {
		ctx, leave := context.WithCancel(t.Context())
		if tt.left {
			leave()
		}
		c := e.NewContext(httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), httptest.NewRecorder())
		c.Response().Header().Set(echo.HeaderContentType, tt.kind)
		c.Response().Status = tt.status
		if got := requestLevel(c, tt.took, tt.cut); got != tt.want {
			t.Errorf("%+v is logged as %v", tt, got)
		}
		leave()
	}
}

func TestALineOfTheLogHoldsTheBeginningOfWhatIsHuge(t *testing.T) {
	s, log := newServer(t, Options{})
	huge := strings.Repeat("x", 1<<20)
	s.Echo().GET("/*", func(echo.Context) error { return &Error{Status: 422, Code: "invalid", Detail: huge} })
	wantStatus(t, get(t, s, "/"+huge[:20_000]), 422)
	wantContains(t, log.String(), "xxx…")
	if written := len(log.String()); written > 3*loggedText {
		t.Errorf("%d bytes were logged of one request", written)
	}
}

func TestAPanicIsLoggedWithItsStack(t *testing.T) {
	s, log := newServer(t, Options{})
	s.Echo().GET("/", func(echo.Context) error { panic("at the disco") })
	wantStatus(t, get(t, s, "/"), 500)
	wantContains(t, log.String(), "panic: at the disco")
	wantContains(t, log.String(), "server_test.go")
}

func TestAnErrorHandlerThatFailsStillGivesA500(t *testing.T) {
	handlers := map[string]func(echo.Context, error){
		"panics":       func(echo.Context, error) { panic("again") },
		"says nothing": func(echo.Context, error) {},
	}
	for name, h := range handlers {
		s, _ := newServer(t, Options{ErrorHandler: h})
		if rec := get(t, s, "/nowhere"); rec.Code != 500 || rec.Body.Len() == 0 {
			t.Errorf("a handler that %s: %d %q", name, rec.Code, rec.Body)
		}
	}
}

func TestAnErrorAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	s, log := newServer(t, Options{})
	s.Echo().GET("/", func(c echo.Context) error {
		c.Response().WriteHeader(200)
		_, _ = c.Response().Write([]byte("half"))
		c.Response().Flush()
		return errors.New("the other half is lost")
	})
	res, err := http.Get(start(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the client took half an answer for a whole one")
	}
	wantContains(t, log.String(), `"level":"WARN"`)
	wantContains(t, log.String(), "the other half is lost")
}

func TestHeadIsAnsweredLikeGetWithoutABody(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/", ok)
	res, err := http.Head(start(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.ContentLength != 2 || readAll(t, res.Body) != "" {
		t.Errorf("status %d, length %d", res.StatusCode, res.ContentLength)
	}
}

func TestOtherHostsAreRefusedWhenTheBaseURLIsSet(t *testing.T) {
	s, _ := newServer(t, Options{BaseURL: mustURL(t, "https://Hooks.example.com")})
	for _, path := range []string{"/", "/healthz", "/readyz", "/static/*"} {
		s.Echo().GET(path, ok)
	}
	for _, tc := range []struct {
		host, path string
		want       int
	}{
		{"hooks.example.com", "/", 200},
		{"HOOKS.example.com:443", "/", 200},
		{"hooks.example.com.", "/", 200},
		{"hooks.example.com:8443", "/", 421},
		{"evil.example", "/", 421},
		{"127.0.0.1:8080", "/", 421},
		{"", "/", 421},
		{"127.0.0.1:8080", "/healthz", 200},
		{"[::1]:8080", "/readyz", 200},
		{"evil.example", "/healthz/x", 421},
		{"127.0.0.1:8080", "/static/x/app.css", 200},
		{"127.0.0.1:8080", "/statics", 421},
	} {
		r := httptest.NewRequest(http.MethodGet, tc.path, nil)
		r.Host = tc.host
		if rec := do(t, s, r); rec.Code != tc.want {
			t.Errorf("%q %s: %d, want %d", tc.host, tc.path, rec.Code, tc.want)
		}
	}
}

func TestAnyHostWillDoWithoutABaseURL(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/", ok)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "anything"
	wantStatus(t, do(t, s, r), 200)
}

func TestABaseURLWithoutSchemeOrHostIsRefused(t *testing.T) {
	for _, raw := range []string{"hooks.example.com", "ftp://hooks.example.com", "https:///x"} {
		if _, err := New(Options{BaseURL: mustURL(t, raw)}); err == nil {
			t.Errorf("%q was taken", raw)
		}
	}
}

func TestForwardedAddressesCountFromTrustedProxiesOnly(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, tc := range []struct {
		name, peer string
		forwarded  []string
		trusted    []netip.Prefix
		want       string
	}{
		{"no proxies: ignored", "10.0.0.1:1", []string{"1.2.3.4"}, nil, "10.0.0.1"},
		{"loopback is not trusted by itself", "127.0.0.1:1", []string{"1.2.3.4"}, proxies, "127.0.0.1"},
		{"private is not trusted by itself", "192.168.0.1:1", []string{"1.2.3.4"}, proxies, "192.168.0.1"},
		{"trusted peer", "10.0.0.1:1", []string{"1.2.3.4"}, proxies, "1.2.3.4"},
		{"trusted IPv6 peer", "[2001:db8::1]:1", []string{"1.2.3.4"}, proxies, "1.2.3.4"},
		{"two proxies", "10.0.0.1:1", []string{"1.2.3.4, 10.0.0.2"}, proxies, "1.2.3.4"},
		{"a forged first entry", "10.0.0.1:1", []string{"6.6.6.6", "1.2.3.4"}, proxies, "1.2.3.4"},
		{"rubbish", "10.0.0.1:1", []string{"nobody"}, proxies, "10.0.0.1"},
		{"no header", "10.0.0.1:1", nil, proxies, "10.0.0.1"},
	} {
		s, _ := newServer(t, Options{TrustedProxies: tc.trusted})
		s.Echo().GET("/", func(c echo.Context) error { return c.String(200, c.RealIP()) })
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.peer
		r.Header["X-Forwarded-For"] = tc.forwarded
		r.Header.Set("X-Real-Ip", "9.9.9.9")
		if got := do(t, s, r).Body.String(); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestAddressesThatNoDatabaseCanHoldAreRefused(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/a/:x", ok)
	for target, want := range map[string]int{
		"/a/b?q=1": 200, "/a/%C3%A9?q=%C3%A9": 200, "/a/%00": 400, "/a/%FF": 400, "/a/b?q=%00": 400, "/a/b?q=%FF": 400, "/a/b?%00=1": 400,
	} {
		if rec := get(t, s, target); rec.Code != want {
			t.Errorf("%s: %d, want %d", target, rec.Code, want)
		}
	}
}

func TestListenOnPortZeroTellsThePort(t *testing.T) {
	s, _ := newServer(t, Options{})
	addr, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if addr.(*net.TCPAddr).Port == 0 {
		t.Error("port 0")
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		t.Fatalf("the port of a server never served is not given back: %v", err)
	}
	l.Close()
}

func TestServeWithoutListenFails(t *testing.T) {
	s, _ := newServer(t, Options{})
	if s.Serve() == nil {
		t.Error("no error")
	}
}

func TestShutdownWaitsForRequestsUnderWayAndTakesNoNewOnes(t *testing.T) {
	s, _ := newServer(t, Options{})
	begun, finish := make(chan struct{}), make(chan struct{})
	s.Echo().GET("/", func(c echo.Context) error {
		close(begun)
		<-finish
		return c.String(200, "whole")
	})
	base := start(t, s)
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get(base)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	within(t, begun, "the request")
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	waitRefused(t, strings.TrimPrefix(base, "http://"))
	select {
	case <-stopped:
		t.Fatal("Shutdown did not wait")
	default:
	}
	close(finish)
	if got := within(t, answer, "the answer"); got != "whole" {
		t.Errorf("answer %q", got)
	}
	if err := within(t, stopped, "Shutdown"); err != nil {
		t.Error(err)
	}
}

// waitRefused returns once nobody accepts connections at address.
func waitRefused(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatal("still accepting")
}

func TestShutdownCutsOffWhatOutlastsItsContext(t *testing.T) {
	s, _ := newServer(t, Options{})
	begun := make(chan struct{})
	s.Echo().GET("/", func(c echo.Context) error {
		close(begun)
		<-c.Request().Context().Done()
		return c.Request().Context().Err()
	})
	addr, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, got := make(chan error, 1), make(chan error, 1)
	go func() { served <- s.Serve() }()
	go func() {
		res, err := http.Get("http://" + addr.String())
		if err == nil {
			res.Body.Close()
		}
		got <- err
	}()
	within(t, begun, "the request")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s.Shutdown(ctx) == nil {
		t.Error("Shutdown claims to have waited")
	}
	if within(t, got, "the client") == nil {
		t.Error("the client got an answer")
	}
	if err := within(t, served, "Serve"); err != nil {
		t.Error(err)
	}
}

func TestAClientThatDripsItsHeadersIsBounded(t *testing.T) {
	s, _ := newServer(t, Options{})
	if s.http.ReadHeaderTimeout != 10*time.Second || s.http.MaxHeaderBytes <= 0 || s.http.IdleTimeout <= 0 ||
		s.http.ReadTimeout <= 0 || s.http.WriteTimeout <= 0 {
		t.Errorf("%+v", s.http)
	}
}

func TestHeadersOverTheLimitAreRefused(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/", ok)
	r, err := http.NewRequest(http.MethodGet, start(t, s), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", maxHeaderBytes+8<<10))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}

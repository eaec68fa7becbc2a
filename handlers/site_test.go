package handlers

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/web"
	"belfry/worker/outbound"
)

// site is a whole Belfry without a worker: a fresh store, the handlers and a
// server, asked over HTTP.
type site struct {
	t        *testing.T
	store    *store.Store
	handlers *Handlers
	web      *web.Server
	server   *httptest.Server
	account  store.Account
	printed  []string // first-run codes
}

// names resolves every name to a public address, so that no test asks the
// network.
type names struct{}

func (names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if strings.HasSuffix(host, ".private.example") {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
	}
	return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
}

// newSite opens a site on the database; change may be nil.
func newSite(t *testing.T, db storetest.Database, change func(*store.Options)) *site {
	t.Helper()
	opt := store.Options{
		DatabaseURL: db.URL, DataDir: db.Dir, SecretKey: strings.Repeat("k", 32), NodeName: "node-1", PasswordMemory: 64,
		Targets: &outbound.Targets{}, Resolver: names{}, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&opt)
	}
	ctx := t.Context()
	st, err := store.Open(ctx, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := st.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, store: st}
	if s.account, err = st.EnsureDefaultAccount(ctx); err != nil {
		t.Fatal(err)
	}
	s.handlers = New(Options{Store: st, Version: "test", Styleguide: true, Log: opt.Log, PrintCode: func(code string) { s.printed = append(s.printed, code) }})
	srv, err := web.New(web.Options{ErrorHandler: s.handlers.Error, Log: opt.Log})
	if err != nil {
		t.Fatal(err)
	}
	s.web = srv
	s.handlers.Routes(srv)
	s.server = httptest.NewServer(shownViews.watch(srv.Handler()))
	t.Cleanup(s.server.Close)
	t.Cleanup(srv.EndStreams)
	return s
}

// eachSite runs the test on both databases, beside others.
func eachSite(t *testing.T, test func(*testing.T, *site)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		t.Parallel()
		test(t, newSite(t, db, nil))
	})
}

const testPassword = "a password of some length"

// signedIn gives a browser in which a new user of the role has signed in. It
// does not follow redirects.
func (s *site) signedIn(role store.Role) *browser {
	s.t.Helper()
	email := string(role) + "@example.com"
	user, err := s.store.AddUser(s.t.Context(), s.account.ID, email, role, testPassword)
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.visitor()
	b.user = user
	return b.plantSession()
}

// browser keeps cookies and stays where it is when sent elsewhere.
type browser struct {
	*site
	client *http.Client
	user   store.User
}

// visitor gives a browser in which nobody has signed in.
func (s *site) visitor() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{site: s, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is an answer with its body read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, path, nil, nil)
}

// post sends a form as a browser does from a page of ours.
func (b *browser) post(path string, fields url.Values) answer {
	b.t.Helper()
	return b.send(http.MethodPost, path, fields, nil)
}

// send adds headers, such as those of htmx.
func (b *browser) send(method, path string, fields url.Values, headers map[string]string) answer {
	b.t.Helper()
	var body io.Reader
	if fields != nil {
		body = strings.NewReader(fields.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return b.do(r)
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp, string(text)}
}

// plantSession signs the browser's user in without the sign-in page.
func (b *browser) plantSession() *browser {
	b.t.Helper()
	srv, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.t.Fatal(err)
	}
	srv.Echo().GET("/", func(c echo.Context) error {
		web.SessionOf(c).SignIn(b.user.ID)
		return web.Redirect(c, "/")
	}, b.handlers.sessions.Middleware)
	rec := httptest.NewRecorder()
	srv.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, "/", nil))
	at, err := url.Parse(b.server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(at, rec.Result().Cookies())
	return b
}

// noNames knows no name.
type noNames struct{}

func (noNames) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

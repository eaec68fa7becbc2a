package handlers

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/storetest"
)

// gate stands between the store and Postgres, and can be shut.
type gate struct {
	t            *testing.T
	behind, here string // sockets
	mu           sync.Mutex
	listener     net.Listener
	open         []net.Conn
}

// newGate gives the gate to the database and the URL that leads through it.
func newGate(t *testing.T, db storetest.Database) (*gate, string) {
	t.Helper()
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "gate") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	query, socket := u.Query(), ".s.PGSQL.5432"
	g := &gate{t: t, behind: filepath.Join(query.Get("host"), socket), here: filepath.Join(dir, socket)}
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	g.lift()
	t.Cleanup(g.shut)
	return g, u.String()
}

// lift lets connections through.
func (g *gate) lift() {
	g.t.Helper()
	l, err := net.Listen("unix", g.here)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.listener = l
	g.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.join(c)
		}
	}()
}

func (g *gate) join(c net.Conn) {
	server, err := net.Dial("unix", g.behind)
	if err != nil {
		c.Close()
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = append(g.open, c, server)
	for _, ends := range [][2]net.Conn{{c, server}, {server, c}} {
		go func() {
			defer ends[0].Close()
			defer ends[1].Close()
			_, _ = io.Copy(ends[0], ends[1]) // a cut connection is what it is for
		}()
	}
}

// shut cuts every connection and lets no new one through.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener.Close()
	for _, c := range g.open {
		c.Close()
	}
	g.open = nil
}

func TestADatabaseThatIsGoneIsA503UntilItIsBack(t *testing.T) {
	db := storetest.Postgres(t)
	g, through := newGate(t, db)
	db.URL = through
	s := newSite(t, db, nil)
	k, b := s.caller(store.ScopeManage), s.signedIn(store.RoleAdmin)
	k.hook("https://a.example/")
	read := func(c echo.Context) error { return c.String(http.StatusOK, "here") }
	routes{s.web.Echo(), use(s.handlers.sessions.Middleware, s.handlers.signedIn)}.get("/test/page", read)

	g.shut()
	for _, call := range []string{"GET /webhooks", "POST /events", "GET /limits"} {
		method, path, _ := strings.Cut(call, " ")
		got := k.call(method, path, `{"event":"call.ended","data":{}}`).is(http.StatusServiceUnavailable).code("database_unavailable")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: Retry-After is missing", call)
		}
	}
	page := b.get("/test/page")
	if page.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page.body, "The database does not answer") {
		t.Errorf("page: %s %s", page.Status, page.body)
	}
	if got := b.get(logsExportPath + "?format=csv"); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Content-Disposition") != "" {
		t.Errorf("export: %s", got.Status)
	}
	if got := b.get("/readyz"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("ready: %s", got.Status)
	}
	if got := b.get("/healthz"); got.StatusCode != http.StatusOK {
		t.Errorf("alive: %s", got.Status)
	}

	g.lift()
	k.get("/webhooks").is(http.StatusOK)
	k.publish()
	if got := b.get("/test/page"); got.body != "here" {
		t.Errorf("page after it: %s %s", got.Status, got.body)
	}
}

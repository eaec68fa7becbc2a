package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"belfry/store/uuid"
)

// memory is a SessionStore for tests.
type memory struct {
	mu    sync.Mutex
	rows  map[string]memoryRow
	saves int
	fail  error
}

type memoryRow struct {
	user    *uuid.UUID
	data    []byte
	expires time.Time
}

func (m *memory) Load(_ context.Context, idHash []byte) ([]byte, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := m.rows[string(idHash)]
	return row.data, row.expires, m.fail
}

func (m *memory) Save(_ context.Context, idHash []byte, userID *uuid.UUID, data []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.rows[string(idHash)] = memoryRow{userID, data, expires}
		m.saves++
	}
	return m.fail
}

func (m *memory) Delete(_ context.Context, idHash []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, string(idHash))
	return m.fail
}

// visitor is a browser with a cookie jar of one, in front of a server with sessions.
type visitor struct {
	t      *testing.T
	s      *Server
	group  *echo.Group
	store  *memory
	clock  *clock
	name   string
	cookie *http.Cookie
}

func newVisitor(t *testing.T, secure bool) *visitor {
	t.Helper()
	v := &visitor{t: t, store: &memory{rows: map[string]memoryRow{}}, clock: newClock()}
	v.s, _ = newServer(t, Options{})
	m := NewSessions(SessionOptions{Store: v.store, Secure: secure, Now: v.clock.now})
	v.name = m.CookieName()
	v.group = v.s.Echo().Group("", m.Middleware)
	return v
}

// visit runs do in a request and answers with a page.
func (v *visitor) visit(do func(*Session)) *httptest.ResponseRecorder {
	v.t.Helper()
	path := "/" + uuid.New().String()
	v.group.GET(path, func(c echo.Context) error {
		do(SessionOf(c))
		return Render(c, 200, templ.Raw("page"))
	})
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	rec := httptest.NewRecorder()
	v.s.Handler().ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		v.cookie = c
		if c.MaxAge < 0 {
			v.cookie = nil
		}
	}
	return rec
}

func (v *visitor) user() (id uuid.UUID, ok bool) {
	v.t.Helper()
	v.visit(func(s *Session) { id, ok = s.UserID() })
	return id, ok
}

func nothing(*Session) {}

// remember leaves something in the session.
func remember(s *Session) { _ = s.Set("word", "Saved.") }

func TestAVisitorWhoLeavesNothingGetsNoCookieAndNoRow(t *testing.T) {
	v := newVisitor(t, false)
	if rec := v.visit(nothing); len(rec.Result().Cookies()) != 0 || len(v.store.rows) != 0 {
		t.Errorf("cookies %v, rows %v", rec.Result().Cookies(), v.store.rows)
	}
}

func TestTheCookieHoldsARandomIDOf256BitsOfWhichOnlyTheHashIsKept(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(remember)
	raw, err := base64.RawURLEncoding.DecodeString(v.cookie.Value)
	if err != nil || len(raw) != 32 {
		t.Fatalf("cookie %q", v.cookie.Value)
	}
	for key, row := range v.store.rows {
		if len(key) != 32 || bytes.Contains(row.data, []byte(v.cookie.Value)) || key == string(raw) {
			t.Errorf("kept under %x: %s", key, row.data)
		}
	}
	if len(v.store.rows) != 1 {
		t.Errorf("%d rows", len(v.store.rows))
	}
}

func TestTheCookieIsForUsAlone(t *testing.T) {
	for secure, name := range map[bool]string{false: "belfry_session", true: "__Host-belfry_session"} {
		v := newVisitor(t, secure)
		v.visit(remember)
		c := v.cookie
		if c.Name != name || c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.Secure != secure ||
			c.SameSite != http.SameSiteLaxMode || c.MaxAge != 7*24*3600 {
			t.Errorf("secure %v: %+v", secure, c)
		}
	}
}

func TestWhatIsTakenOutOfASessionWasSeenOnce(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(remember)
	var first, second string
	v.visit(func(s *Session) { s.Take("word", &first) })
	v.visit(func(s *Session) { s.Take("word", &second) })
	if first != "Saved." || second != "" {
		t.Errorf("%q, then %q", first, second)
	}
	if len(v.store.rows) != 0 || v.cookie != nil {
		t.Error("an empty session is kept")
	}
}

func TestSignInGivesANewIDAndForgetsWhatWasThere(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { _ = s.Set("planted", "x") })
	before, user := v.cookie, uuid.New()
	v.visit(func(s *Session) { s.SignIn(user) })
	if v.cookie.Value == before.Value || len(v.store.rows) != 1 {
		t.Fatalf("same id, or the old session lives: %d rows", len(v.store.rows))
	}
	if got, ok := v.user(); !ok || got != user {
		t.Errorf("signed in as %v, %v", got, ok)
	}
	for _, row := range v.store.rows {
		if row.user == nil || *row.user != user {
			t.Errorf("the store was told %v", row.user)
		}
	}
	var planted string
	v.visit(func(s *Session) { s.Get("planted", &planted) })
	v.cookie = before
	if _, ok := v.user(); ok || planted != "" {
		t.Errorf("old id still good: %v, old value %q", ok, planted)
	}
}

func TestRenewKeepsTheValuesUnderANewID(t *testing.T) {
	v := newVisitor(t, false)
	user := uuid.New()
	v.visit(func(s *Session) { s.SignIn(user); _ = s.Set("k", 7) })
	old := v.cookie.Value
	v.visit(func(s *Session) { s.Renew() })
	var n int
	v.visit(func(s *Session) { s.Get("k", &n) })
	if got, _ := v.user(); got != user || n != 7 || v.cookie.Value == old || len(v.store.rows) != 1 {
		t.Errorf("user %v, value %d, rows %d", got, n, len(v.store.rows))
	}
}

func TestSignOutRemovesSessionAndCookie(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()) })
	before := v.cookie
	v.visit(func(s *Session) { s.SignOut() })
	if v.cookie != nil || len(v.store.rows) != 0 {
		t.Errorf("cookie %v, rows %d", v.cookie, len(v.store.rows))
	}
	v.cookie = before
	if _, ok := v.user(); ok {
		t.Error("the old cookie still works")
	}
}

func TestAMessageMayOutliveSignOut(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()) })
	before := v.cookie.Value
	v.visit(func(s *Session) { s.SignOut(); remember(s) })
	got := ""
	v.visit(func(s *Session) { s.Take("word", &got) })
	if got == "" || v.cookie != nil && v.cookie.Value == before {
		t.Errorf("%q %v", got, v.cookie)
	}
}

func TestACookieThatIsNotOursGivesAFreshSession(t *testing.T) {
	for _, value := range []string{"x", "%%%", base64.RawURLEncoding.EncodeToString(make([]byte, 32)), base64.RawURLEncoding.EncodeToString(make([]byte, 31))} {
		v := newVisitor(t, false)
		v.cookie = &http.Cookie{Name: v.name, Value: value}
		wantStatus(t, v.visit(remember), 200)
		if v.cookie.Value == value {
			t.Errorf("the id %q of the client was taken over", value)
		}
	}
}

func TestASessionLastsAWeekWithoutUse(t *testing.T) {
	for rest, want := range map[time.Duration]bool{7*24*time.Hour - time.Second: true, 7 * 24 * time.Hour: false} {
		v := newVisitor(t, false)
		v.visit(func(s *Session) { s.SignIn(uuid.New()) })
		v.clock.add(rest)
		if _, ok := v.user(); ok != want {
			t.Errorf("after %v: signed in %v", rest, ok)
		}
	}
}

func TestUseKeepsASessionAliveForThirtyDaysAtMost(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()) })
	for day := 1; day < 30; day++ {
		v.clock.add(24 * time.Hour)
		if _, ok := v.user(); !ok {
			t.Fatalf("signed out on day %d", day)
		}
	}
	v.clock.add(24 * time.Hour)
	if _, ok := v.user(); ok {
		t.Error("signed in after 30 days")
	}
}

func TestReadingASessionWritesNothingMoreThanOnceAnHour(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()) })
	saved := v.store.saves
	v.clock.add(59 * time.Minute)
	v.visit(nothing)
	if v.store.saves != saved {
		t.Error("a visit wrote")
	}
	v.clock.add(time.Minute)
	v.visit(nothing)
	v.visit(nothing)
	if v.store.saves != saved+1 {
		t.Errorf("%d writes after an hour, want 1", v.store.saves-saved)
	}
}

func TestTwoRequestsAtOnceKeepEachOthersValues(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()); _ = s.Set("gone", 1); _ = s.Set("both", 1) })
	v.visit(func(outer *Session) {
		_ = outer.Set("outer", 1)
		outer.Delete("gone")
		v.visit(func(inner *Session) { _ = inner.Set("inner", 2); _ = inner.Set("both", 2) })
	})
	v.visit(func(s *Session) {
		var outer, inner, both, gone int
		s.Get("outer", &outer)
		s.Get("inner", &inner)
		s.Get("both", &both)
		if outer != 1 || inner != 2 || both != 2 || s.Get("gone", &gone) {
			t.Errorf("outer %d, inner %d, both %d, gone %d", outer, inner, both, gone)
		}
	})
}

func TestASessionEndedElsewhereIsNotBroughtBack(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()) })
	var got error
	v.group.GET("/late", func(c echo.Context) error {
		clear(v.store.rows) // a new password ends all sessions
		remember(SessionOf(c))
		got = SessionOf(c).Save(c)
		return c.NoContent(204)
	})
	r := httptest.NewRequest(http.MethodGet, "/late", nil)
	r.AddCookie(v.cookie)
	rec := do(t, v.s, r)
	if !errors.Is(got, ErrSessionEnded) || len(v.store.rows) != 0 || rec.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("error %v, rows %d, cookies %v", got, len(v.store.rows), rec.Result().Cookies())
	}
}

func TestAStoreThatFailsIsAnErrorAndNotASignOut(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()) })
	v.store.fail = errors.New("database gone")
	rec := v.visit(func(*Session) { t.Error("the handler ran") })
	wantStatus(t, rec, 500)
	v.store.fail = nil
	if _, ok := v.user(); !ok {
		t.Error("signed out by a failing store")
	}
}

func TestAPageIsNotSentWhenItsSessionCannotBeSaved(t *testing.T) {
	v := newVisitor(t, false)
	wantStatus(t, v.visit(func(s *Session) { s.SignIn(uuid.New()); v.store.fail = errors.New("database gone") }), 500)
}

func TestAnErrorPageIsSentThoughTheStoreIsDown(t *testing.T) {
	v := newVisitor(t, false)
	v.store.fail = errors.New("database gone")
	v.group.GET("/down", func(c echo.Context) error {
		remember(SessionOf(c))
		return Render(c, 503, templ.Raw("sorry"))
	})
	wantStatus(t, get(t, v.s, "/down"), 503)
}

func TestRedirectSavesTheSession(t *testing.T) {
	v := newVisitor(t, false)
	v.group.GET("/go", func(c echo.Context) error {
		remember(SessionOf(c))
		return Redirect(c, "/")
	})
	rec := get(t, v.s, "/go")
	wantStatus(t, rec, 303)
	if len(v.store.rows) != 1 || len(rec.Result().Cookies()) != 1 {
		t.Error("not saved")
	}
}

func TestWithoutTheMiddlewareASessionIsEmptyAndChangesAreNotLostSilently(t *testing.T) {
	s, _ := newServer(t, Options{})
	s.Echo().GET("/read", func(c echo.Context) error {
		if _, ok := SessionOf(c).UserID(); ok {
			t.Error("somebody is signed in")
		}
		return Render(c, 200, templ.Raw(""))
	})
	s.Echo().GET("/write", func(c echo.Context) error {
		SessionOf(c).SignIn(uuid.New())
		return Render(c, 200, templ.Raw(""))
	})
	wantStatus(t, get(t, s, "/read"), 200)
	wantStatus(t, get(t, s, "/write"), 500)
}

func TestTakeGivesAValueOnce(t *testing.T) {
	v := newVisitor(t, false)
	v.visit(func(s *Session) { s.SignIn(uuid.New()); _ = s.Set("token", "t") })
	for _, want := range []bool{true, false} {
		v.visit(func(s *Session) {
			var token string
			if got := s.Take("token", &token); got != want || want && token != "t" {
				t.Errorf("Take: %v %q, want %v", got, token, want)
			}
		})
	}
}

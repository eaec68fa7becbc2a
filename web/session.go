package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"belfry/store/uuid"
)

const sessionKey = "web.session"

// Session is what is remembered of a visitor between requests. Changes count once it is saved: Render, Redirect and
// Stream save it before they answer; other answers need a call of Save.
type Session struct {
	store *Sessions
	g     *sessions.Session
}

// Middleware puts the session on each request. A store that fails is the handler chain's error.
func (m *Sessions) Middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		g, err := m.Get(c.Request(), m.name)
		if g != nil {
			c.Set(sessionKey, &Session{store: m, g: g})
		}
		if err != nil {
			return err
		}
		return next(c)
	}
}

// SessionOf returns the session of the request. Outside the middleware it is an empty one that cannot be saved, so
// that an error page may ask without care.
func SessionOf(c echo.Context) *Session {
	if s, ok := c.Get(sessionKey).(*Session); ok {
		return s
	}
	s := &Session{g: sessions.NewSession(nil, sessionName)}
	c.Set(sessionKey, s)
	return s
}

// UserID returns who is signed in, and false for nobody.
func (s *Session) UserID() (uuid.UUID, bool) {
	if user := recordOf(s.g).user; user != nil {
		return *user, true
	}
	return uuid.UUID{}, false
}

// Ended says whether the session was ended elsewhere since the request came, by signing out or a new password for
// example. It is for requests that last.
func (s *Session) Ended(ctx context.Context) (bool, error) {
	if s.store == nil || s.g.ID == "" {
		return false, nil
	}
	kept, _, err := s.store.load(ctx, s.g.ID)
	return err == nil && kept == nil, err
}

// SignIn makes the session one of the user: everything it held is forgotten and it gets a new id, so that an id
// planted before is worth nothing.
func (s *Session) SignIn(user uuid.UUID) {
	s.clear()
	recordOf(s.g).user = &user
}

// SignOut ends the session: its data goes and the cookie with it, unless something is added afterwards.
func (s *Session) SignOut() {
	s.clear()
	recordOf(s.g).user = nil
}

func (s *Session) clear() {
	for k := range s.g.Values {
		if _, isText := k.(string); isText {
			delete(s.g.Values, k)
		}
	}
	rec := recordOf(s.g)
	rec.renew, rec.signed = true, true
}

// Renew gives the session a new id at the next save; the old one is worth nothing from then on. Its age counts anew.
func (s *Session) Renew() { recordOf(s.g).renew = true }

// Set remembers value, as JSON, under key. It fails where value has no JSON form.
func (s *Session) Set(key string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("remember %s in the session: %w", key, err)
	}
	s.g.Values[key] = json.RawMessage(data)
	return nil
}

// Get reads what was remembered under key into the pointer value. It returns false, and leaves value as it is, where
// nothing of that kind was.
func (s *Session) Get(key string, value any) bool {
	data, ok := s.g.Values[key].(json.RawMessage)
	return ok && json.Unmarshal(data, value) == nil
}

// Take is Get and Delete in one, for what may be seen once.
func (s *Session) Take(key string, value any) bool {
	found := s.Get(key, value)
	s.Delete(key)
	return found
}

// Delete forgets key.
func (s *Session) Delete(key string) { delete(s.g.Values, key) }

// Save writes what changed and sets the cookie. It must come before the answer begins. It returns ErrSessionEnded for
// a session that was ended elsewhere meanwhile; any other error means that the store failed.
func (s *Session) Save(c echo.Context) error {
	if s.store == nil {
		if rec := recordOf(s.g); rec.renew || len(valuesOf(s.g)) > 0 {
			return errors.New("the session was changed on a route without sessions")
		}
		return nil
	}
	return s.store.Save(c.Request(), c.Response(), s.g)
}

func saveSession(c echo.Context) error {
	if s, ok := c.Get(sessionKey).(*Session); ok {
		return s.Save(c)
	}
	return nil
}

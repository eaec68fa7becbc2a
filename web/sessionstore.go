package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"belfry/store/uuid"
)

// SessionStore keeps sessions. It never sees the id that is in the cookie, only its SHA-256, so that who reads the
// store cannot take over a session.
type SessionStore interface {
	// Load returns the data and the end of a session. Where there is none it returns nil data and no error; it need
	// not look at the end itself.
	Load(ctx context.Context, idHash []byte) (data []byte, expires time.Time, err error)
	// Save creates the session or replaces all of it. userID is who is signed in, nil for nobody; ending all
	// sessions of a user goes by it.
	Save(ctx context.Context, idHash []byte, userID *uuid.UUID, data []byte, expires time.Time) error
	// Delete removes the session. Removing one that is not there is no error.
	Delete(ctx context.Context, idHash []byte) error
}

// SessionOptions says how sessions behave.
type SessionOptions struct {
	// Store keeps the data. Required.
	Store SessionStore
	// Secure is whether people come by https: the cookie is then Secure and its name has the __Host- prefix.
	Secure bool
	// Idle is how long a session lasts without use. Zero: 7 days.
	Idle time.Duration
	// Lifetime is how long a session lasts at most, counted from sign-in. Zero: 30 days.
	Lifetime time.Duration
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

const sessionName = "belfry_session"

// ErrSessionEnded is returned on saving a session that was ended elsewhere in the meantime, by a new password for
// example. Nothing was saved; the visitor has to sign in again.
var ErrSessionEnded = errors.New("the session was ended in the meantime")

// Sessions is a gorilla sessions.Store whose cookie holds a random id of 256 bits and nothing else.
type Sessions struct {
	opts SessionOptions
	name string
}

var _ sessions.Store = (*Sessions)(nil)

// NewSessions returns the store; its Middleware puts a Session on each request.
func NewSessions(opts SessionOptions) *Sessions {
	if opts.Idle == 0 {
		opts.Idle = 7 * 24 * time.Hour
	}
	if opts.Lifetime == 0 {
		opts.Lifetime = 30 * 24 * time.Hour
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	name := sessionName
	if opts.Secure {
		name = "__Host-" + name
	}
	return &Sessions{opts: opts, name: name}
}

// CookieName returns the name of the session cookie.
func (m *Sessions) CookieName() string { return m.name }

// record is what the store knows of a session beyond its values. It travels in Values under recordKey.
type record struct {
	user    *uuid.UUID
	created time.Time
	expires time.Time
	loaded  map[string]json.RawMessage
	renew   bool
	signed  bool // the user changed in this request
}

type recordKey struct{}

func recordOf(g *sessions.Session) *record {
	rec, ok := g.Values[recordKey{}].(*record)
	if !ok {
		rec = &record{}
		g.Values[recordKey{}] = rec
	}
	return rec
}

// stored is the form of a session in the store.
type stored struct {
	User    *uuid.UUID                 `json:"user,omitempty"`
	Created int64                      `json:"created"` // unix seconds
	Values  map[string]json.RawMessage `json:"values,omitempty"`
}

// Get returns the session of the request, the same one each time it is asked for.
func (m *Sessions) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(m, name)
}

// New returns the session that the cookie names. No cookie, an undecodable one, an unknown id and an expired session
// all give a fresh session and no error; an error means that the store failed, and comes with a fresh session too.
func (m *Sessions) New(r *http.Request, name string) (*sessions.Session, error) {
	g := sessions.NewSession(m, name)
	g.IsNew = true
	g.Options = &sessions.Options{Path: "/", HttpOnly: true, Secure: m.opts.Secure, SameSite: http.SameSiteLaxMode}
	id := cookieID(r, name)
	if id == "" {
		return g, nil
	}
	st, expires, err := m.load(r.Context(), id)
	if err != nil || st == nil {
		return g, err
	}
	g.ID, g.IsNew = id, false
	g.Values[recordKey{}] = &record{user: st.User, created: time.Unix(st.Created, 0), expires: expires, loaded: st.Values}
	for k, v := range st.Values {
		g.Values[k] = v
	}
	return g, nil
}

func (m *Sessions) load(ctx context.Context, id string) (*stored, time.Time, error) {
	data, expires, err := m.opts.Store.Load(ctx, hashID(id))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("load session: %w", err)
	}
	if data == nil {
		return nil, time.Time{}, nil
	}
	var st stored
	if err := json.Unmarshal(data, &st); err != nil {
		return nil, time.Time{}, fmt.Errorf("read session: %w", err)
	}
	now := m.opts.Now()
	if !now.Before(expires) || !now.Before(time.Unix(st.Created, 0).Add(m.opts.Lifetime)) {
		return nil, time.Time{}, nil
	}
	return &st, expires, nil
}

// Save writes what changed and sets the cookie; where nothing changed it does neither. Values that other requests of
// the same session changed meanwhile stay. A session that holds nothing any more is deleted.
func (m *Sessions) Save(r *http.Request, w http.ResponseWriter, g *sessions.Session) error {
	rec, values := recordOf(g), valuesOf(g)
	switch {
	case !m.changed(g, rec, values):
		return nil
	case rec.user == nil && len(values) == 0:
		return m.discard(r.Context(), w, g)
	case g.IsNew || rec.renew:
		return m.create(r.Context(), w, g, rec, values)
	}
	return m.update(r.Context(), w, g, rec, values)
}

func (m *Sessions) changed(g *sessions.Session, rec *record, values map[string]json.RawMessage) bool {
	if rec.renew || rec.signed || !maps.EqualFunc(values, rec.loaded, sameJSON) {
		return true
	}
	// Rolling the end on costs a write, so it is done in steps of an hour for a week.
	return !g.IsNew && m.end(rec.created).Sub(rec.expires) >= m.opts.Idle/168
}

// end returns when a session used now ends.
func (m *Sessions) end(created time.Time) time.Time {
	idle, last := m.opts.Now().Add(m.opts.Idle), created.Add(m.opts.Lifetime)
	if idle.After(last) {
		return last
	}
	return idle
}

func (m *Sessions) create(ctx context.Context, w http.ResponseWriter, g *sessions.Session, rec *record, values map[string]json.RawMessage) error {
	old := g.ID
	rec.created = m.opts.Now().Truncate(time.Second)
	if err := m.write(ctx, w, g, rec, newID(), values); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return m.delete(ctx, old)
}

func (m *Sessions) update(ctx context.Context, w http.ResponseWriter, g *sessions.Session, rec *record, values map[string]json.RawMessage) error {
	fresh, _, err := m.load(ctx, g.ID)
	if err != nil {
		return err
	}
	if fresh == nil {
		m.setCookie(w, g, "", -1)
		return ErrSessionEnded
	}
	return m.write(ctx, w, g, rec, g.ID, merge(fresh.Values, rec.loaded, values))
}

func (m *Sessions) write(ctx context.Context, w http.ResponseWriter, g *sessions.Session, rec *record, id string, values map[string]json.RawMessage) error {
	data, err := json.Marshal(stored{User: rec.user, Created: rec.created.Unix(), Values: values})
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	expires := m.end(rec.created)
	if err := m.opts.Store.Save(ctx, hashID(id), rec.user, data, expires); err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	g.ID, g.IsNew = id, false
	rec.expires, rec.loaded, rec.renew, rec.signed = expires, maps.Clone(values), false, false
	m.setCookie(w, g, id, int(expires.Sub(m.opts.Now()).Seconds()))
	return nil
}

func (m *Sessions) discard(ctx context.Context, w http.ResponseWriter, g *sessions.Session) error {
	if g.ID != "" {
		if err := m.delete(ctx, g.ID); err != nil {
			return err
		}
		m.setCookie(w, g, "", -1)
	}
	g.ID, g.IsNew = "", true
	g.Values[recordKey{}] = &record{}
	return nil
}

func (m *Sessions) delete(ctx context.Context, id string) error {
	if err := m.opts.Store.Delete(ctx, hashID(id)); err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	return nil
}

func (m *Sessions) setCookie(w http.ResponseWriter, g *sessions.Session, id string, maxAge int) {
	opts := *g.Options
	opts.MaxAge = maxAge
	http.SetCookie(w, sessions.NewCookie(m.name, id, &opts))
}

func valuesOf(g *sessions.Session) map[string]json.RawMessage {
	values := make(map[string]json.RawMessage, len(g.Values))
	for k, v := range g.Values {
		key, isText := k.(string)
		value, isJSON := v.(json.RawMessage)
		if isText && isJSON {
			values[key] = value
		}
	}
	return values
}

// merge returns fresh with the changes made between before and after.
func merge(fresh, before, after map[string]json.RawMessage) map[string]json.RawMessage {
	merged := make(map[string]json.RawMessage, len(fresh)+len(after))
	maps.Copy(merged, fresh)
	for k := range before {
		if _, kept := after[k]; !kept {
			delete(merged, k)
		}
	}
	for k, v := range after {
		if !sameJSON(v, before[k]) {
			merged[k] = v
		}
	}
	return merged
}

func sameJSON(a, b json.RawMessage) bool { return string(a) == string(b) }

func newID() string {
	id := make([]byte, 32)
	rand.Read(id) // never fails
	return base64.RawURLEncoding.EncodeToString(id)
}

// cookieID returns the id in the cookie, and nothing unless it has the form of one we gave.
func cookieID(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cookie.Value)
	if err != nil || len(raw) != 32 {
		return ""
	}
	return cookie.Value
}

func hashID(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:]
}

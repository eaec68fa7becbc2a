package handlers

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const (
	keysPath = "/setup/api-keys"
	// freshKeyFor is how long a new key may be shown, to the session that made it.
	freshKeyFor = 10 * time.Minute
	freshKeyKey = "fresh_key"
)

// freshKey is a new key on its way to the page that shows it once. Sessions are
// kept sealed.
type freshKey struct {
	ID   uuid.UUID
	Name string
	Key  string
	May  []store.Scope
	At   time.Time
	Form string `json:"form"` // token of the form that made it
	Seen bool
}

// keysPage lists the account's API keys, and shows a new one once.
func (h *Handlers) keysPage(c echo.Context) error {
	p := personOf(c)
	keys, err := h.store.Keys(c.Request().Context(), p.Account.ID)
	if err != nil {
		return err
	}
	v := views.KeysView{MayEdit: p.Role.CanEdit(), Calls: views.Count(p.Account.Limits.APIRatePerMinute) + " requests per minute"}
	for _, k := range keys {
		v.Keys = append(v.Keys, keyLine(k, v.MayEdit))
		if v.MayEdit && c.QueryParam("revoke") == k.ID.String() && k.RevokedAt.IsZero() {
			v.Revoke, v.Used = revokeQuestion(k), usedWords(k)
		}
	}
	if v.MayEdit && c.Request().Method == http.MethodGet {
		if v.Fresh, err = h.freshKey(c); err != nil {
			return err
		}
	}
	return web.Render(c, http.StatusOK, views.Keys(h.frame(c, views.EntryKeys), v))
}

// freshKey is the key that was just made, nil where it was shown before.
func (h *Handlers) freshKey(c echo.Context) (*views.FreshKey, error) {
	session := web.SessionOf(c)
	var fresh freshKey
	if !session.Take(freshKeyKey, &fresh) || !looksAgain(c, &fresh.Form) && fresh.Seen || h.opt.Now().Sub(fresh.At) >= freshKeyFor {
		return nil, nil
	}
	fresh.Seen = true
	return &views.FreshKey{Name: fresh.Name, Key: fresh.Key, Curl: keyExample(h.baseURL(c), fresh)}, session.Set(freshKeyKey, fresh)
}

func keyLine(k store.APIKey, mayEdit bool) views.KeyLine {
	line := views.KeyLine{ID: k.ID.String(), Name: k.Name, Hint: k.Hint, By: k.CreatedBy, Created: views.Ago(k.CreatedAt.Time), Used: words("never")}
	for _, scope := range k.Scopes {
		line.Scopes = append(line.Scopes, string(scope))
	}
	if !k.LastUsedAt.IsZero() {
		line.Used = views.Ago(k.LastUsedAt.Time)
	}
	if !k.RevokedAt.IsZero() {
		line.Revoked = views.Ago(k.RevokedAt.Time)
	} else if mayEdit {
		line.RevokeHref = withQuery(keysPath, url.Values{"revoke": {line.ID}})
	}
	return line
}

func revokeQuestion(k store.APIKey) *views.DialogView {
	return &views.DialogView{
		ID: "revoke", Title: "Revoke " + k.Name + "?", Open: true, Cancel: keysPath, Safe: "Keep it",
		Action: keysPath + "/" + k.ID.String() + "/revoke", Verb: "Revoke key", Danger: true, Token: store.NewFormToken(),
	}
}

func usedWords(k store.APIKey) string {
	if k.LastUsedAt.IsZero() {
		return "It was never used."
	}
	return "It was used last on " + views.FullTime(k.LastUsedAt.Time) + "."
}

// baseURL is where programs reach this server.
func (h *Handlers) baseURL(c echo.Context) string {
	return cmp.Or(h.opt.BaseURL, c.Scheme()+"://"+c.Request().Host)
}

// keyExample is a first call with a new key, by what the key may do.
func keyExample(base string, k freshKey) string {
	if slices.ContainsFunc(k.May, func(s store.Scope) bool { return s.Holds(store.ScopePublish) }) {
		return "curl -X POST " + shellWord(base+apiPath+"/events") + " \\\n  -H " + shellWord("Authorization: Bearer "+k.Key) +
			" \\\n  -H 'Content-Type: application/json' \\\n  --data-raw " + shellWord(`{"event":"call.ended","data":{"call_id":"call_123456"}}`)
	}
	return "curl " + shellWord(base+apiPath+"/webhooks") + " \\\n  -H " + shellWord("Authorization: Bearer "+k.Key)
}

// newKeyPage is the form for a new key.
func (h *Handlers) newKeyPage(c echo.Context) error {
	return h.showKeyForm(c, http.StatusOK, views.KeyFormView{Token: store.NewFormToken(), Scopes: map[string]bool{"publish": true}}, nil)
}

func (h *Handlers) showKeyForm(c echo.Context, status int, v views.KeyFormView, faults *formFaults) error {
	if v.Faults = faults.Summary(); faults != nil {
		v.Refusal = faults.Detail
	}
	return web.Render(c, status, views.KeyForm(h.frame(c, views.EntryKeys), v))
}

// addKey makes a key and leads to the page that shows it once.
func (h *Handlers) addKey(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	v := views.KeyFormView{Token: fields.Get(tokenField), Name: fields.Get("name"), Scopes: map[string]bool{}}
	var scopes []store.Scope
	for _, scope := range fields["scopes"] {
		v.Scopes[scope] = true
		scopes = append(scopes, store.Scope(scope))
	}
	return h.submit(c, v.Token, func(ctx context.Context) (string, error) {
		p := personOf(c)
		key, k, err := h.store.AddKey(ctx, p.Account.ID, v.Name, scopes, p.Email)
		if err != nil {
			return "", err
		}
		fresh := freshKey{ID: k.ID, Name: k.Name, Key: key, May: k.Scopes, At: h.opt.Now(), Form: v.Token}
		return keysPath, web.SessionOf(c).Set(freshKeyKey, fresh)
	}, func(faults *formFaults) error { return h.showKeyForm(c, faults.Status, v, faults) })
}

// revokeKey makes a key worthless for good.
func (h *Handlers) revokeKey(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	return h.submit(c, fields.Get(tokenField), func(ctx context.Context) (string, error) {
		return keysPath, h.store.RevokeKey(ctx, personOf(c).Account.ID, id, personOf(c).Email)
	}, nil)
}

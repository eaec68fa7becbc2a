package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const (
	personKey = "handlers.person"
	apiKeyKey = "handlers.key"
	homePath  = views.WebhooksAddress
)

// person is who is signed in, and for which account.
type person struct {
	store.User
	Account store.Account
}

// personOf gives who is signed in, on routes behind signedIn only.
func personOf(c echo.Context) person {
	p, _ := c.Get(personKey).(person)
	return p
}

// signedIn lets people pass who have signed in; others are sent to sign in and
// come back after it, or to the first run where nobody is known yet.
func (h *Handlers) signedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		known, err := h.recognize(c)
		switch {
		case err != nil:
			return err
		case !known:
			return h.toSignIn(c)
		}
		return next(c)
	}
}

// recognize finds out whose session it is, for personOf; false: nobody's. The
// session of somebody who is no longer there ends.
func (h *Handlers) recognize(c echo.Context) (bool, error) {
	ctx, session := c.Request().Context(), web.SessionOf(c)
	id, ok := session.UserID()
	if !ok {
		return false, nil
	}
	user, err := h.store.User(ctx, id)
	if store.IsCode(err, store.CodeNotFound) {
		session.SignOut()
		return false, nil
	}
	if err != nil {
		return false, err
	}
	account, err := h.store.Account(ctx, user.AccountID)
	if err != nil {
		return false, err
	}
	c.Set(personKey, person{user, account})
	return true, nil
}

func (h *Handlers) toSignIn(c echo.Context) error {
	any, err := h.store.AnyUser(c.Request().Context())
	if err != nil {
		return err
	}
	if !any {
		return web.Redirect(c, "/welcome")
	}
	return leave(c, signInAddress(c))
}

// leave leads away from the page, also where htmx asked for a part of it and
// would put the new page's part there.
func leave(c echo.Context, to string) error {
	if !asksForPart(c) {
		return web.Redirect(c, to)
	}
	if err := web.SessionOf(c).Save(c); err != nil {
		return err
	}
	c.Response().Header().Set("HX-Redirect", to)
	return c.NoContent(http.StatusNoContent)
}

// signInAddress is the sign-in page that leads back to the page asked for: for
// a form or a part of a page, to the page it stands on.
func signInAddress(c echo.Context) string {
	r := c.Request()
	back := r.URL.RequestURI()
	if r.Method != http.MethodGet || web.IsHTMX(c) {
		back = ""
		for _, header := range []string{"HX-Current-URL", "Referer"} {
			if from, err := url.Parse(r.Header.Get(header)); err == nil && from.Path != "" && (from.Host == "" || from.Host == r.Host) {
				back = from.RequestURI()
				break
			}
		}
	}
	if back = web.LocalPath(back, homePath); back == homePath {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(back)
}

// may lets people pass whose role allows it: store.Role.CanEdit and the like.
func (h *Handlers) may(allowed func(store.Role) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !allowed(personOf(c).Role) {
				return &web.Error{
					Status: http.StatusForbidden, Code: "forbidden",
					Detail: "Your role is " + string(personOf(c).Role) + ", which does not allow this. Ask an owner of the account.",
				}
			}
			return next(c)
		}
	}
}

// keyWith lets API calls pass whose key holds the scope, within the key's rate.
// Every answer to a known key says where it stands with that rate.
func (h *Handlers) keyWith(scope store.Scope) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			key, err := h.keyOf(c)
			if err != nil {
				return err
			}
			perMinute, err := h.rates.of(key.AccountID, func() (int, error) { return h.apiRate(c, key.AccountID) })
			if err != nil {
				return err
			}
			d := h.calls.Take(key.ID.String(), perMinute)
			d.SetHeaders(c.Response().Header())
			if !key.Holds(scope) {
				return outOfScope(c, scope)
			}
			if !d.Allowed {
				return &web.Error{
					Status: http.StatusTooManyRequests, Code: string(store.CodeRate),
					Detail: "This key has made its " + strconv.Itoa(d.Limit) + " requests of this minute; the Retry-After header says how many seconds to wait.",
				}
			}
			c.Set(apiKeyKey, key)
			return next(c)
		}
	}
}

// keyOf finds the key in the Authorization header (RFC 6750, section 2.1).
func (h *Handlers) keyOf(c echo.Context) (store.APIKey, error) {
	scheme, token, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return store.APIKey{}, unauthorized(c, `Bearer realm="Belfry"`, "Send an API key in the header Authorization: Bearer <key>.")
	}
	key, err := h.store.KeyByToken(c.Request().Context(), token)
	if store.IsCode(err, store.CodeNotFound) {
		return store.APIKey{}, unauthorized(c, `Bearer realm="Belfry", error="invalid_token"`, "This API key is not known or was revoked.")
	}
	return key, err
}

func unauthorized(c echo.Context, challenge, detail string) error {
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, challenge)
	return &web.Error{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: detail}
}

func outOfScope(c echo.Context, scope store.Scope) error {
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="Belfry", error="insufficient_scope", scope="`+string(scope)+`"`)
	return &web.Error{Status: http.StatusForbidden, Code: "insufficient_scope", Detail: "This call needs a key with the scope " + string(scope) + "."}
}

// operatorsKey lets keys of the first account pass, which is the operator's: what
// is behind it tells of all accounts.
func (h *Handlers) operatorsKey(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		first, err := h.store.AccountByName(c.Request().Context(), "")
		if err != nil {
			return err
		}
		if accountIn(c) != first.ID {
			return &web.Error{
				Status: http.StatusForbidden, Code: "forbidden",
				Detail: "Metrics tell of all accounts, so this takes a key with read of the account " + strconv.Quote(first.Name) +
					". Ask the operator for one, or for the address of -metrics-addr.",
			}
		}
		return next(c)
	}
}

// keyIn gives the key of the call, on routes behind keyWith only.
func keyIn(c echo.Context) store.APIKey {
	key, _ := c.Get(apiKeyKey).(store.APIKey)
	return key
}

// accountIn is the account that the call's key belongs to.
func accountIn(c echo.Context) uuid.UUID { return keyIn(c).AccountID }

func (h *Handlers) apiRate(c echo.Context, account uuid.UUID) (int, error) {
	a, err := h.store.Account(c.Request().Context(), account)
	return a.Limits.APIRatePerMinute, err
}

// rateFresh is how long an account's API rate is believed without asking.
const rateFresh = time.Second

// rateCache spares every API call a question about its account.
type rateCache struct {
	mu    sync.Mutex
	now   func() time.Time
	rates map[uuid.UUID]knownRate
}

type knownRate struct {
	perMinute int
	at        time.Time
}

func newRateCache(now func() time.Time) *rateCache {
	return &rateCache{now: now, rates: map[uuid.UUID]knownRate{}}
}

func (r *rateCache) of(account uuid.UUID, ask func() (int, error)) (int, error) {
	now := r.now()
	r.mu.Lock()
	known, ok := r.rates[account]
	r.mu.Unlock()
	if ok && now.Sub(known.at) < rateFresh {
		return known.perMinute, nil
	}
	perMinute, err := ask()
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rates[account] = knownRate{perMinute, now}
	return perMinute, nil
}

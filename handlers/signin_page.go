package handlers

import (
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// signInPage shows the form; who is signed in already goes on.
func (h *Handlers) signInPage(c echo.Context) error {
	next := web.LocalPath(c.QueryParam("next"), "")
	if _, ok := web.SessionOf(c).UserID(); ok {
		return web.Redirect(c, web.LocalPath(next, homePath))
	}
	any, err := h.store.AnyUser(c.Request().Context())
	if err != nil {
		return err
	}
	if !any {
		return web.Redirect(c, "/welcome")
	}
	return h.showSignIn(c, http.StatusOK, views.SignInPage{Next: next})
}

// signIn checks the pair that was sent. Guessing is slowed down by email and by
// address; while one has to wait, the password is not looked at.
func (h *Handlers) signIn(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	page := views.SignInPage{Email: fields.Get("email"), Next: web.LocalPath(fields.Get("next"), "")}
	try := h.signIns.Begin(c.RealIP(), page.Email)
	if try.Wait > 0 {
		page.Fault = waitFirst(c, try)
		return h.showSignIn(c, http.StatusTooManyRequests, page)
	}
	user, err := h.store.Authenticate(c.Request().Context(), page.Email, fields.Get("password"))
	if store.IsCode(err, store.CodeInvalid) {
		page.Fault = "This email and password don't belong together. Check both and try again."
		return h.showSignIn(c, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	try.Succeeded()
	web.SessionOf(c).SignIn(user.ID)
	return web.Redirect(c, web.LocalPath(page.Next, homePath))
}

// waitFirst says how long to wait before the next try.
func waitFirst(c echo.Context, try *web.Attempt) string {
	seconds := int(math.Ceil(try.Wait.Seconds()))
	c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(seconds))
	return "There were too many wrong tries. Wait " + views.Plural(seconds, "second", "seconds") + ", then try again."
}

func (h *Handlers) showSignIn(c echo.Context, status int, page views.SignInPage) error {
	accounts, err := h.store.Accounts(c.Request().Context())
	if err != nil {
		return err
	}
	if len(accounts) == 1 && accounts[0].Name != store.DefaultAccountName {
		page.Desk = accounts[0].Name
	}
	page.Foot = h.foot(c)
	return web.Render(c, status, views.SignIn(page))
}

// foot names the program and where it is reached.
func (h *Handlers) foot(c echo.Context) string {
	host := c.Request().Host
	if base, err := url.Parse(h.opt.BaseURL); err == nil && base.Host != "" {
		host = base.Host
	}
	return "Belfry " + h.opt.Version + " · " + host
}

// signOut ends the session here; those in other browsers stay.
func (h *Handlers) signOut(c echo.Context) error {
	web.SessionOf(c).SignOut()
	return web.Redirect(c, "/login")
}

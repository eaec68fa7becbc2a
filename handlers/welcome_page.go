package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// welcomePage is the first run's form; it is gone once anybody can sign in.
func (h *Handlers) welcomePage(c echo.Context) error {
	any, err := h.store.AnyUser(c.Request().Context())
	if err != nil {
		return err
	}
	if any {
		return echo.ErrNotFound
	}
	return web.Render(c, http.StatusOK, views.Welcome(views.WelcomePage{Foot: h.foot(c)}))
}

// welcome makes the first owner, given the code that was printed where the
// program was started, and signs them in.
func (h *Handlers) welcome(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	page := views.WelcomePage{Foot: h.foot(c), Code: fields.Get("code"), Email: fields.Get("email")}
	try := h.signIns.Begin(c.RealIP(), "")
	if try.Wait > 0 {
		page.Fault = waitFirst(c, try)
		return web.Render(c, http.StatusTooManyRequests, views.Welcome(page))
	}
	ctx := c.Request().Context()
	user, err := h.store.CreateFirstOwner(ctx, page.Code, page.Email, fields.Get("password"))
	if code, ok := store.NewWelcomeCode(err); ok {
		h.opt.PrintCode(code)
	}
	if store.IsCode(err, store.CodeNotFound) {
		user, err = h.signInInstead(c, page.Email, fields.Get("password"))
	}
	if faults, ok := faultsIn(err); ok {
		page.Fault, page.Summary = faults.Detail, faults.Summary()
		page.CodeFault, page.EmailFault, page.PasswordFault = faults.Of("code"), faults.Of("email"), faults.Of("password")
		return web.Render(c, faults.Status, views.Welcome(page))
	}
	if err != nil {
		return err
	}
	try.Succeeded()
	web.SessionOf(c).SignIn(user.ID)
	return web.Redirect(c, homePath)
}

// signInInstead answers the same form sent twice: the second one only signs in.
// To everybody else there is no such page, and guessing passwords here is slowed
// down by email too, as on the page for signing in.
func (h *Handlers) signInInstead(c echo.Context, email, password string) (store.User, error) {
	try := h.signIns.Begin(c.RealIP(), email)
	if try.Wait > 0 {
		return store.User{}, echo.ErrNotFound
	}
	user, err := h.store.Authenticate(c.Request().Context(), email, password)
	if store.IsCode(err, store.CodeInvalid) {
		return store.User{}, echo.ErrNotFound
	}
	if err == nil {
		try.Succeeded()
	}
	return user, err
}

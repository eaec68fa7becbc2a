package handlers

import (
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// frame is what stands around a page of the person who is signed in. It takes
// the messages left for the next page with it.
func (h *Handlers) frame(c echo.Context, current views.Entry) views.Frame {
	standing, err := h.store.Standing(c.Request().Context(), personOf(c).Account.ID)
	f := h.frameOf(c, current, standing)
	if err != nil {
		web.Logger(c).Warn("the webhooks in trouble could not be counted", "error", err)
		f.Idle, f.DatabaseDown = false, store.IsCode(err, store.CodeUnavailable)
	}
	return f
}

// frameOf is frame for a page that has read the account's webhooks already.
func (h *Handlers) frameOf(c echo.Context, current views.Entry, standing store.Standing) views.Frame {
	p := personOf(c)
	return views.Frame{
		Account: p.Account.Name, User: p.Email, Role: string(p.Role), Current: current, Trouble: standing.Trouble,
		RatePerMinute: p.Account.Limits.RatePerMinute, Idle: standing.Idle, DatabaseFull: h.store.Full(), Toasts: toastsOf(c),
	}
}

// toastKey is where the session keeps what the next page says.
const toastKey = "toasts"

// addToast leaves a word for the next page about what it doesn't show itself.
func addToast(c echo.Context, toast views.ToastView) {
	session := web.SessionOf(c)
	var all []views.ToastView
	session.Get(toastKey, &all)
	if err := session.Set(toastKey, append(all, toast)); err != nil {
		web.Logger(c).Warn("a message for the next page was lost", "error", err)
	}
}

// toastsOf takes the words left for this page. An open page that looks at a
// part of itself anew leaves them: it would not show them.
func toastsOf(c echo.Context) []views.ToastView {
	if c.Request().Header.Get(views.RefreshHeader) != "" {
		return nil
	}
	var all []views.ToastView
	web.SessionOf(c).Take(toastKey, &all)
	return all
}

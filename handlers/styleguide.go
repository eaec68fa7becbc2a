package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"belfry/views"
	"belfry/web"
)

// styleguidePath is where every part of the pages is shown in every state, where
// the options say so.
const styleguidePath = "/styleguide"

func (h *Handlers) styleguide(c echo.Context) error {
	name := c.Param("name")
	if name == "" {
		name = "parts"
	}
	page, ok := views.Styleguide()[name]
	if !ok {
		return errNoSuchID()
	}
	c.SetRequest(c.Request().WithContext(views.WithNow(c.Request().Context(), views.StyleguideNow())))
	return web.Render(c, http.StatusOK, page)
}

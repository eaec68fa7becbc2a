package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/web"
)

// readyWithin is how long the database may take to answer a probe.
const readyWithin = 2 * time.Second

// healthy says that the process lives.
func (h *Handlers) healthy(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// ready says that the database answers and its schema is the one we know.
func (h *Handlers) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyWithin)
	defer cancel()
	if err := h.store.CheckSchema(ctx); err != nil {
		web.Logger(c).Warn("not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "the database does not answer, or its migrations are not done\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// home leads to the first page.
func (h *Handlers) home(c echo.Context) error { return web.Redirect(c, homePath) }

package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// Render sends the component as an HTML answer. Nothing is sent when it fails, so that a failing component is a clean
// 500. The session is saved first, except with a server error (5xx), which must get out though the store is down.
func Render(c echo.Context, status int, component templ.Component) error {
	var page bytes.Buffer
	if err := component.Render(c.Request().Context(), &page); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	if status < http.StatusInternalServerError {
		if err := saveSession(c); err != nil {
			return err
		}
	}
	c.Response().Header().Add(echo.HeaderVary, "HX-Request")
	return c.HTMLBlob(status, compressed(c, page.Bytes()))
}

// IsHTMX reports whether a fragment is wanted: the request comes from htmx and aims at a part of the page. A boosted
// link, a return through the history and a swap of the whole body want the page.
func IsHTMX(c echo.Context) bool {
	h := c.Request().Header
	return h.Get("HX-Request") == "true" && h.Get("HX-Boosted") == "" &&
		h.Get("HX-History-Restore-Request") == "" && h.Get("HX-Request-Type") != "full"
}

// Redirect sends the browser to a path of ours, after the session is saved: 303 See Other, so that a reload does not
// post again, or for htmx, which would follow a 303 unseen, 204 with HX-Redirect. A target elsewhere is an error.
func Redirect(c echo.Context, target string) error {
	if !isLocal(target) {
		return fmt.Errorf("redirect to %q: not a path of this server", target)
	}
	if err := saveSession(c); err != nil {
		return err
	}
	if IsHTMX(c) {
		c.Response().Header().Set("HX-Redirect", target)
		return c.NoContent(http.StatusNoContent)
	}
	return c.Redirect(http.StatusSeeOther, target)
}

// LocalPath returns target where it is a path of ours, else fallback. It is for addresses to return to that came with
// a request.
func LocalPath(target, fallback string) string {
	if isLocal(target) {
		return target
	}
	return fallback
}

// isLocal refuses what browsers take for another host: //host, /\host, and these with the control characters in
// between that browsers drop.
func isLocal(target string) bool {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || strings.Contains(target, `\`) {
		return false
	}
	return strings.IndexFunc(target, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// JSON sends v as compact JSON. json.RawMessage members keep their order, escapes and numbers.
func JSON(c echo.Context, status int, v any) error {
	return sendJSON(c, status, echo.MIMEApplicationJSON, v)
}

func sendJSON(c echo.Context, status int, contentType string, v any) error {
	body, err := unescaped(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return c.Blob(status, contentType, append(body, '\n'))
}

// unescaped is v as JSON in which <, > and & stay as they are.
func unescaped(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

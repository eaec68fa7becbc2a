package web

import (
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// ContentSecurityPolicy allows what is served from here and nothing inline. Inline SVG needs no leave as long as it
// is styled by attributes and classes; a style attribute is refused like any other.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

const permissionsPolicy = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), " +
	"gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"

// securityHeaders puts the same guards on every answer, errors included. Cache-Control is no-store until a handler
// that serves public bytes says otherwise.
func securityHeaders(base *url.URL) echo.MiddlewareFunc {
	headers := [][2]string{
		{"Content-Security-Policy", ContentSecurityPolicy},
		{"X-Content-Type-Options", "nosniff"},
		// Not no-referrer: with that, browsers send "Origin: null" with forms, and on plain http the Origin is all
		// that the cross-origin guard has to go by.
		{"Referrer-Policy", "same-origin"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Permissions-Policy", permissionsPolicy},
		{"X-Frame-Options", "DENY"}, // for browsers that do not know frame-ancestors
		{"Cache-Control", "no-store"},
	}
	if base != nil && strings.EqualFold(base.Scheme, "https") {
		headers = append(headers, [2]string{"Strict-Transport-Security", "max-age=31536000"})
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			for _, h := range headers {
				c.Response().Header().Set(h[0], h[1])
			}
			return next(c)
		}
	}
}

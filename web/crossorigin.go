package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// newCrossOriginGuard refuses requests that would change something and that another site made a browser send (403).
// It goes by Sec-Fetch-Site, else by Origin against Host (net/http.CrossOriginProtection), so forms need no hidden
// tokens. The origin of base is trusted whatever Host a proxy passes on. Requests below apiPrefix carry a key, which no
// other site can make a browser send, and pass.
func newCrossOriginGuard(base *url.URL, apiPrefix string) (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	if base != nil {
		if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
			return nil, fmt.Errorf("base URL %q: it must begin with http:// or https:// and name a host", base)
		}
		if err := protection.AddTrustedOrigin(base.Scheme + "://" + strings.ToLower(base.Host)); err != nil {
			return nil, fmt.Errorf("base URL %q: %w", base, err)
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if strings.HasPrefix(c.Request().URL.Path, apiPrefix) {
				return next(c)
			}
			if err := protection.Check(c.Request()); err != nil {
				return &Error{
					Status: http.StatusForbidden, Code: "cross_origin",
					Detail: "This request came from another site and was refused. Open the page here and try again.", Err: err,
				}
			}
			return next(c)
		}
	}, nil
}

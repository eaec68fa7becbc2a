package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// clientIP returns who counts as the client: the peer itself, or behind trusted proxies the nearest address in
// X-Forwarded-For that is not one of them.
func clientIP(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	// Echo trusts loopback, link-local and private peers unless told not to.
	rules := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		p = p.Masked()
		rules = append(rules, echo.TrustIPRange(&net.IPNet{
			IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(rules...)
}

// hostGuard refuses requests for other hosts than that of base (421, RFC 9110 section 15.5.20), so that a foreign name
// that leads here cannot speak as one of ours. The paths of anyHost are exempt, and all below those that end in /: probes
// come by address, and the page that refuses a host needs its style.
func hostGuard(base *url.URL, anyHost []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if base == nil {
			return next
		}
		want := hostAndPort(base.Host, base.Scheme)
		return func(c echo.Context) error {
			r := c.Request()
			if hostAndPort(r.Host, base.Scheme) == want || exempt(anyHost, r.URL.Path) {
				return next(c)
			}
			return &Error{
				Status: http.StatusMisdirectedRequest, Code: "wrong_host",
				Detail: "This server answers at " + base.Scheme + "://" + base.Host +
					" only. If a proxy stands in front of it, let the proxy pass the Host header on.",
			}
		}
	}
}

// exempt says whether path is one of anyHost, or below one of them that ends in a slash.
func exempt(anyHost []string, path string) bool {
	return slices.ContainsFunc(anyHost, func(free string) bool {
		return path == free || strings.HasSuffix(free, "/") && strings.HasPrefix(path, free)
	})
}

// hostAndPort brings a host to one form: lower case, no final dot, always with a port.
func hostAndPort(host, scheme string) string {
	u := url.URL{Host: strings.ToLower(host)}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return net.JoinHostPort(strings.TrimSuffix(u.Hostname(), "."), port)
}

// refuseUnstorableURL refuses paths and queries that hold NUL or invalid UTF-8, which no database text can hold (400).
func refuseUnstorableURL(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !storable(c.Request().URL.Path) {
			return &Error{Status: http.StatusBadRequest, Code: "bad_address", Detail: "The address holds characters that are not text."}
		}
		if name, ok := unstorableValue(c.QueryParams()); ok {
			return &Error{
				Status: http.StatusBadRequest, Code: "bad_query", Detail: "The query holds characters that are not text.",
				Fields: []FieldError{{Field: strings.ToValidUTF8(name, "�"), Detail: notText}},
			}
		}
		return next(c)
	}
}

const notText = "holds a NUL character or bytes that are not UTF-8"

func storable(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// unstorableValue returns the first name, in the order of the alphabet, that is not text or has such a value.
func unstorableValue(values url.Values) (name string, found bool) {
	for key, list := range values {
		bad := !storable(key) || slices.ContainsFunc(list, func(v string) bool { return !storable(v) })
		if bad && (!found || key < name) {
			name, found = key, true
		}
	}
	return name, found
}

package outbound

import "strings"

// SameEndpoint says whether two URLs that CheckURL takes are one endpoint: they
// may differ in the letters' case, the notation or the last dot of the host, in
// a default port that is written out, and in the slash of an empty path.
func SameEndpoint(a, b string) bool {
	return a == b || canonical(a) == canonical(b)
}

// canonical is a URL without the differences that make none; what is no URL
// stays as it is.
func canonical(raw string) string {
	t, err := parseTarget(raw)
	if err != nil {
		return raw
	}
	u, usual := *t.url, ":443"
	if t.plain {
		usual = ":80"
	}
	u.Host = strings.TrimSuffix(u.Host, usual)
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

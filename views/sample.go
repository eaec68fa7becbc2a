package views

import "strings"

// Sample is what an endpoint receives, for showing before anything was sent.
type Sample struct {
	Event   string
	URL     string       // where it would go; may be empty
	Headers []HeaderLine // as they are sent, signatures cut
	Body    string       // JSON
}

// headers are the lines above the body.
func (s Sample) headers() []HeaderLine {
	host, path := SplitURL(s.URL)
	if path == "" {
		path = "/"
	}
	if s.URL == "" {
		host, path = "", "/hooks/belfry"
	}
	lines := []HeaderLine{{Name: "POST", Value: path}}
	if host != "" {
		lines = append(lines, HeaderLine{Name: "host", Value: strings.TrimPrefix(host, "http://")})
	}
	return append(lines, s.Headers...)
}

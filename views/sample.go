package views

import (
	"strings"

	"belfry/store"
)

// Sample is what an endpoint receives, for showing before anything was sent.
type Sample struct {
	Event   string
	URL     string         // where it would go; may be empty
	Headers []store.Header // beside the usual ones: custom ones, values masked
	Prefix  string         // of the account's header names: X-Webhook
	Signed  bool
	Body    string // JSON
}

// headers are the lines above the body, most telling first.
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
	for _, h := range s.Headers {
		lines = append(lines, HeaderLine{Name: strings.ToLower(h.Name), Value: h.Value})
	}
	lines = append(lines, HeaderLine{Name: strings.ToLower(s.Prefix) + "-event", Value: s.Event}, HeaderLine{Name: strings.ToLower(s.Prefix) + "-attempt", Value: "1"},
		HeaderLine{Name: "webhook-id", Value: "01a1fe8b-…"})
	if s.Signed {
		lines = append(lines, HeaderLine{Name: "webhook-signature", Value: "v1,Yk3vQx…Zs8="})
	}
	return lines
}

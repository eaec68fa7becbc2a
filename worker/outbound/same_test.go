package outbound

import "testing"

func TestURLsThatDifferInNotationOnlyAreOneEndpoint(t *testing.T) {
	const known = "https://hooks.example.com/Orders?a=1"
	for url, want := range map[string]bool{
		known:                                       true,
		"https://Hooks.EXAMPLE.com/Orders?a=1":      true,
		"HTTPS://hooks.example.com/Orders?a=1":      true,
		"https://hooks.example.com:443/Orders?a=1":  true,
		"https://hooks.example.com./Orders?a=1":     true,
		"https://hooks.example.com.:443/Orders?a=1": true,
		"https://hooks.example.com/orders?a=1":      false,
		"https://hooks.example.com/Orders":          false,
		"https://hooks.example.com/Orders/?a=1":     false,
		"https://hooks.example.com:8443/Orders?a=1": false,
		"http://hooks.example.com/Orders?a=1":       false,
		"https://hooks.example.org/Orders?a=1":      false,
		"not a URL":                                 false,
	} {
		if got := SameEndpoint(known, url); got != want {
			t.Errorf("%s: the same endpoint %v, want %v", url, got, want)
		}
	}
	for a, b := range map[string]string{
		"https://bücher.example/": "https://xn--bcher-kva.example", "https://[2001:db8::1]:443/x": "https://[2001:0DB8:0::1]/x", "http://h.example:80/": "http://h.example/",
	} {
		if !SameEndpoint(a, b) {
			t.Errorf("%s and %s are told apart", a, b)
		}
	}
}

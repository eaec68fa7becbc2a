package outbound

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// MaxURLLength is the longest URL taken, in bytes.
const MaxURLLength = 2048

// URLError says in a sentence for people why a URL is refused.
type URLError struct {
	Sentence string
	Err      error // a *BlockedError where the address is the reason, else nil
}

// Error returns the sentence.
func (e *URLError) Error() string { return e.Sentence }

// Unwrap returns the reason, if there is a deeper one.
func (e *URLError) Unwrap() error { return e.Err }

// target is a URL that is well formed and in the one form it is sent in: host in ASCII and lower case, an address in its
// usual notation.
type target struct {
	url   *url.URL
	host  string     // without port and brackets
	addr  netip.Addr // valid where the host is an address
	plain bool       // http, not https
}

// place is where a connection to the target leads.
func (t target) place() place {
	port := t.url.Port()
	if port == "" {
		port = "443"
		if t.plain {
			port = "80"
		}
	}
	return place{net.JoinHostPort(t.host, port), t.plain}
}

// refuse returns the sentence as a *URLError.
func refuse(sentence string) error { return &URLError{Sentence: sentence} }

// parseTarget reads raw, or returns a *URLError. Whether the target may be used is not its concern.
func parseTarget(raw string) (target, error) {
	u, err := splitURL(raw)
	if err != nil {
		return target{}, err
	}
	t := target{url: u, plain: u.Scheme == "http"}
	if t.host, t.addr, err = parseHost(u); err != nil {
		return target{}, err
	}
	port, err := parsePort(u)
	if err != nil {
		return target{}, err
	}
	u.Host = joinHost(t, port)
	return t, nil
}

// splitURL checks the URL as a whole; its host and port are still to be looked at.
func splitURL(raw string) (*url.URL, error) {
	switch {
	case raw == "":
		return nil, refuse("Enter the URL of the endpoint, such as https://example.com/webhooks.")
	case len(raw) > MaxURLLength:
		return nil, refuse("The URL is longer than 2048 characters.")
	case strings.ContainsFunc(raw, isSpaceOrControl):
		return nil, refuse("The URL contains a space or a control character.")
	case strings.Contains(raw, "#"):
		return nil, refuse(`Remove the part from "#" on: a fragment is never sent.`)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, refuse("This is not a URL. It should look like https://example.com/webhooks.")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, refuse("The URL must start with https://.")
	case u.User != nil:
		return nil, refuse("Remove user and password from the URL; use a custom header to authenticate.")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, refuse("The URL names no host. It should look like https://example.com/webhooks.")
	}
	return u, nil
}

func isSpaceOrControl(c rune) bool {
	return c <= ' ' || c == 0x7f || c == '\u0085' || c == '\u00a0' || c == '\ufffd'
}

func parseHost(u *url.URL) (string, netip.Addr, error) {
	if strings.HasPrefix(u.Host, "[") {
		addr, err := netip.ParseAddr(u.Hostname())
		if err != nil || addr.Zone() != "" {
			return "", netip.Addr{}, refuse("The address between [ and ] is not an IPv6 address.")
		}
		return addr.String(), addr, nil
	}
	host, err := asciiHost(u.Hostname())
	if err != nil {
		return "", netip.Addr{}, refuse("The host name in the URL is not valid.")
	}
	if !endsInNumber(host) {
		return host, netip.Addr{}, nil
	}
	addr, ok := parseIPv4(host)
	if !ok {
		return "", netip.Addr{}, refuse("The host in the URL is neither a name nor an IPv4 address.")
	}
	return addr.String(), addr, nil
}

// asciiHost returns a host name in lower-case ASCII (IDNA, UTS 46) without the dot of the root.
func asciiHost(host string) (string, error) {
	if strings.ContainsFunc(host, func(c rune) bool { return c > '~' }) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", errors.New("is not a host name")
		}
		host = ascii
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) > 253 {
		return "", errors.New("is longer than a host name may be")
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInName) {
			return "", errors.New("is not a host name")
		}
	}
	return host, nil
}

func notInName(c rune) bool {
	letter, digit := c >= 'a' && c <= 'z', c >= '0' && c <= '9'
	return !letter && !digit && c != '-' && c != '_' // names inside a network do have underscores
}

// endsInNumber tells whether a host must be read as an IPv4 address (WHATWG URL, "ends in a number checker").
func endsInNumber(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	_, ok := parseNumber(last)
	return ok || (last != "" && strings.Trim(last, "0123456789") == "")
}

// parseIPv4 reads an IPv4 address in any notation that resolvers take: one to four parts, each decimal, octal (0…) or
// hexadecimal (0x…), the last one filling the bytes left (WHATWG URL, "IPv4 parser").
func parseIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		n, ok := parseNumber(part)
		room := 1
		if i == len(parts)-1 {
			room = 5 - len(parts)
		}
		if !ok || n >= 1<<(8*room) {
			return netip.Addr{}, false
		}
		sum = sum<<(8*room) | n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

func parseNumber(part string) (uint64, bool) {
	base := 10
	if hex, found := strings.CutPrefix(strings.ToLower(part), "0x"); found {
		if hex == "" {
			return 0, true
		}
		part, base = hex, 16
	} else if len(part) > 1 && part[0] == '0' {
		base = 8
	}
	if strings.HasPrefix(part, "+") || strings.HasPrefix(part, "-") {
		return 0, false
	}
	n, err := strconv.ParseUint(part, base, 64)
	return n, err == nil
}

func parsePort(u *url.URL) (string, error) {
	port := u.Port()
	if port == "" {
		return "", nil // a lone colon means the usual port, RFC 3986 section 3.2.3
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", refuse("The port in the URL must be between 1 and 65535.")
	}
	return port, nil
}

func joinHost(t target, port string) string {
	if port != "" {
		return net.JoinHostPort(t.host, port)
	}
	if t.addr.Is6() {
		return "[" + t.host + "]"
	}
	return t.host
}

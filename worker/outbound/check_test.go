package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// fakeNames answers look-ups from a table; a name that is not in it does not exist.
type fakeNames map[string][]netip.Addr

func (f fakeNames) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if found, ok := f[host]; ok {
		return found, nil
	}
	if host == "slow.example" {
		return nil, &net.DNSError{Err: "timeout", Name: host, IsTimeout: true}
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func addrs(list ...string) []netip.Addr {
	var found []netip.Addr
	for _, s := range list {
		found = append(found, netip.MustParseAddr(s))
	}
	return found
}

func checker(t *testing.T, list string) *Checker {
	t.Helper()
	return NewChecker(mustParse(t, list), fakeNames{
		"example.com": addrs("93.184.216.34"), "both.example": addrs("::ffff:8.8.8.8", "2606:4700::1111"),
		"inside.example": addrs("10.0.0.7"), "half.example": addrs("8.8.8.8", "127.0.0.1"),
		"hooks.internal": addrs("10.0.0.5"), "trap.internal": addrs("169.254.169.254"),
		"xn--bcher-kva.example": addrs("8.8.4.4"), "empty.example": nil, "dns64.example": addrs("64:ff9b::808:808"),
	})
}

func TestGoodURLsAreTaken(t *testing.T) {
	c := checker(t, "hooks.internal 192.168.0.0/16 gone.internal")
	cases := []struct{ raw, url, address, warning string }{
		{"https://example.com/hook?a=b", "https://example.com/hook?a=b", "Public address, 93.184.216.34", ""},
		{"HTTPS://Example.COM.:8443", "https://example.com:8443", "Public address, 93.184.216.34", ""},
		{"https://example.com:/x", "https://example.com/x", "Public address, 93.184.216.34", ""},
		{"https://both.example/", "https://both.example/", "Public address, 8.8.8.8", ""},
		{"https://bücher.example/", "https://xn--bcher-kva.example/", "Public address, 8.8.4.4", ""},
		{"https://dns64.example/", "https://dns64.example/", "Public address, 64:ff9b::808:808", ""},
		{"https://134744072/", "https://8.8.8.8/", "Public address, 8.8.8.8", ""},
		{"https://0x8.010.8.8/", "https://8.8.8.8/", "Public address, 8.8.8.8", ""},
		{"https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/", "Public address, 2606:4700::1111", ""},
		{"http://hooks.internal/", "http://hooks.internal/", "Address listed by the operator, 10.0.0.5", ""},
		{"http://192.168.3.4:9000/", "http://192.168.3.4:9000/", "Address listed by the operator, 192.168.3.4", ""},
		{"https://unknown.example/", "https://unknown.example/", "", "No host named unknown.example is known"},
		{"https://empty.example/", "https://empty.example/", "", "No host named"},
		{"https://slow.example/", "https://slow.example/", "", "could not be looked up just now"},
		{"http://gone.internal/", "http://gone.internal/", "", "No host named gone.internal"},
	}
	for _, tc := range cases {
		v, err := c.CheckURL(t.Context(), "default", tc.raw)
		if err != nil {
			t.Errorf("%s: %v", tc.raw, err)
			continue
		}
		if v.URL != tc.url || v.AddressSentence() != tc.address || !strings.Contains(v.Warning, tc.warning) ||
			(tc.warning == "") != (v.Warning == "") || !v.WellFormed || v.HTTPS != strings.HasPrefix(tc.url, "https:") {
			t.Errorf("%s: %+v, %q", tc.raw, v, v.AddressSentence())
		}
	}
}

func TestRefusedURLsSayWhatToChange(t *testing.T) {
	c := checker(t, "trap.internal 192.168.0.0/16")
	cases := []struct{ raw, sentence string }{
		{"", "Enter the URL"},
		{"https://example.com/" + strings.Repeat("x", MaxURLLength), "longer than 2048"},
		{"https://example.com/a b", "space"},
		{" https://example.com/", "space"},
		{"https://example.com/\x00", "control character"},
		{"https://example.com/#part", "fragment"},
		{"https://example.com/#", "fragment"},
		{"https://user:pw@example.com/", "Remove user and password"},
		{"https://user@example.com/", "Remove user and password"},
		{"https:///path", "names no host"},
		{"https:example.com", "names no host"},
		{"https://", "names no host"},
		{"https://:443/", "names no host"},
		{"example.com/hook", "must start with https://"},
		{"ftp://example.com/", "must start with https://"},
		{"inbox:x", "must start with https://"},
		{"//example.com/", "must start with https://"},
		{"http://example.com/", "must start with https://"},
		{"http://unknown.example/", "must start with https://"},
		{"https://example.com:0/", "port"},
		{"https://example.com:65536/", "port"},
		{"https://example.com:x/", "not a URL"},
		{"https://a..b/", "not valid"},
		{"https://exa$mple.com/", "not valid"},
		{"https://1.2.3.4.5/", "neither a name nor an IPv4"},
		{"https://1.2.3.256/", "neither a name nor an IPv4"},
		{"https://foo.08/", "neither a name nor an IPv4"},
		{"https://[fe80::1%25eth0]/", "not an IPv6"},
		{"https://[1.2.3.4]/", "not a URL"},
		{"https://inside.example/", "inside.example leads to a private address"},
		{"https://half.example/", "half.example leads to a loopback address"},
		{"https://trap.internal/", "trap.internal leads to a cloud metadata address"},
		{"http://trap.internal/", "trap.internal leads to a cloud metadata address"},
	}
	for _, tc := range cases {
		v, err := c.CheckURL(t.Context(), "default", tc.raw)
		var refused *URLError
		if !errors.As(err, &refused) || !strings.Contains(refused.Sentence, tc.sentence) {
			t.Errorf("%q: %v, want a sentence with %q", tc.raw, err, tc.sentence)
		}
		if len(v.Addresses) > 0 {
			t.Errorf("%q shows the addresses %v", tc.raw, v.Addresses)
		}
	}
}

func TestAddressesInOddNotationsAreSeenThrough(t *testing.T) {
	c := checker(t, "")
	for _, host := range []string{
		"127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "127.0.0.1.", "0", "0x",
		"①②⑦.0.0.1", "127。0。0。1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]",
		"[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[::]", "0xA9FEA9FE", "2852039166", "0251.0376.0251.0376", "169.254.43518", "[fd00:ec2::254]",
	} {
		v, err := c.CheckURL(t.Context(), "default", "https://"+host+"/")
		if !errors.Is(err, ErrBlocked) || !v.WellFormed || !v.HTTPS {
			t.Errorf("%s: %+v, %v, want a blocked address", host, v, err)
		}
	}
}

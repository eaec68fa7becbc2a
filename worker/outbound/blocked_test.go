package outbound

import (
	"net/netip"
	"testing"
)

// blockedRanges repeats the table of blocks with an address just outside each range and what that one is ("": public).
var blockedRanges = []struct {
	prefix, what          string
	outside, outsideIsNow string
}{
	{"169.254.169.254/32", "a cloud metadata address", "169.254.169.253", "a link-local address"},
	{"100.100.100.200/32", "a cloud metadata address", "100.100.100.201", "a shared carrier address"},
	{"192.0.0.192/32", "a cloud metadata address", "192.0.0.193", "an address for protocols only"},
	{"168.63.129.16/32", "a cloud metadata address", "168.63.129.17", ""},
	{"fd00:ec2::/32", "a cloud metadata address", "fd00:ec3::", "a private address"},
	{"fd20:ce::254/128", "a cloud metadata address", "fd20:ce::255", "a private address"},
	{"fd00:c1::a9fe:a9fe/128", "a cloud metadata address", "fd00:c1::a9fe:a9ff", "a private address"},
	{"0.0.0.0/8", "an unspecified address", "1.0.0.0", ""},
	{"10.0.0.0/8", "a private address", "11.0.0.0", ""},
	{"100.64.0.0/10", "a shared carrier address", "100.128.0.0", ""},
	{"127.0.0.0/8", "a loopback address", "126.255.255.255", ""},
	{"169.254.0.0/16", "a link-local address", "169.255.0.0", ""},
	{"172.16.0.0/12", "a private address", "172.32.0.0", ""},
	{"192.0.0.0/24", "an address for protocols only", "192.0.1.0", ""},
	{"192.0.2.0/24", "a documentation address", "192.0.3.0", ""},
	{"192.31.196.0/24", "an anycast sink address", "192.31.197.0", ""},
	{"192.52.193.0/24", "a multicast relay address", "192.52.194.0", ""},
	{"192.88.99.0/24", "a 6to4 relay address", "192.88.100.0", ""},
	{"192.168.0.0/16", "a private address", "192.169.0.0", ""},
	{"192.175.48.0/24", "an anycast sink address", "192.175.49.0", ""},
	{"198.18.0.0/15", "a benchmarking address", "198.20.0.0", ""},
	{"198.51.100.0/24", "a documentation address", "198.51.101.0", ""},
	{"203.0.113.0/24", "a documentation address", "203.0.114.0", ""},
	{"224.0.0.0/4", "a multicast address", "223.255.255.255", ""},
	{"255.255.255.255/32", "a broadcast address", "255.255.255.254", "a reserved address"},
	{"240.0.0.0/4", "a reserved address", "239.255.255.255", "a multicast address"},
	{"::/128", "an unspecified address", "::2", "an IPv4-compatible address"},
	{"::1/128", "a loopback address", "::2", "an IPv4-compatible address"},
	{"::ffff:0:0/96", "an IPv4-mapped address", "::1:0:0:0", "a reserved address"},
	{"::ffff:0:0:0/96", "an IPv4-translated address", "::ffff:1:0:0", "a reserved address"},
	{"::/96", "an IPv4-compatible address", "::1:0:0", "a reserved address"},
	{"64:ff9b:1::/48", "a local NAT64 address", "64:ff9b:2::", "a reserved address"},
	{"100::/64", "a discard address", "100:0:0:1::", "a reserved address"},
	{"2001::/32", "a Teredo address", "2001:1::", "an address for protocols only"},
	{"2001:2::/48", "a benchmarking address", "2001:2:1::", "an address for protocols only"},
	{"2001:10::/28", "an ORCHID, not an address", "2001:f::", "an address for protocols only"},
	{"2001:20::/28", "an ORCHID, not an address", "2001:30::", "an address for protocols only"},
	{"2001::/23", "an address for protocols only", "2001:200::", ""},
	{"2001:db8::/32", "a documentation address", "2001:db9::", ""},
	{"2002::/16", "a 6to4 address", "2003::", ""},
	{"3ffe::/16", "a retired test address", "3ffd::", ""},
	{"3fff::/20", "a documentation address", "3fff:1000::", ""},
	{"5f00::/16", "a segment identifier", "5f01::", "a reserved address"},
	{"fc00::/7", "a private address", "fe00::", "a reserved address"},
	{"fe80::/10", "a link-local address", "fe7f:ffff::", "a reserved address"},
	{"fec0::/10", "a site-local address", "fe7f:ffff::", "a reserved address"},
	{"ff00::/8", "a multicast address", "feff::", "a site-local address"},
	{"::/3", "a reserved address", "2000::", ""},
	{"4000::/2", "a reserved address", "3fff:ffff::", ""},
	{"8000::/1", "a reserved address", "7fff::", "a reserved address"},
}

func whatIs(addr netip.Addr) string {
	if b := blockOf(addr); b != nil {
		return b.what
	}
	return ""
}

// last returns the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}

func TestEveryBlockedRangeEndsWhereItShould(t *testing.T) {
	if len(blockedRanges) != len(blocks) {
		t.Fatalf("the test knows %d ranges, the table %d", len(blockedRanges), len(blocks))
	}
	for i, c := range blockedRanges {
		p := netip.MustParsePrefix(c.prefix)
		if p != blocks[i].prefix || c.what != blocks[i].what {
			t.Errorf("range %d is %s, %s; want %s, %s", i, blocks[i].prefix, blocks[i].what, p, c.what)
		}
		outside := netip.MustParseAddr(c.outside)
		if got := whatIs(outside); p.Contains(outside) || got != c.outsideIsNow {
			t.Errorf("%s, just outside %s, is %q, want %q", outside, p, got, c.outsideIsNow)
		}
		for _, addr := range []netip.Addr{p.Addr(), last(p)} {
			if blockOf(addr) == nil {
				t.Errorf("%s, an end of %s, is public", addr, p)
			}
		}
		if got := whatIs(last(p)); got != c.what && !narrower(last(p), p) {
			t.Errorf("%s, the end of %s, is %q, want %q", last(p), p, got, c.what)
		}
	}
}

// narrower tells whether a range within p holds addr too.
func narrower(addr netip.Addr, p netip.Prefix) bool {
	for _, b := range blocks {
		if b.prefix.Bits() > p.Bits() && b.prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func TestNarrowRangesStandBeforeTheOnesThatHoldThem(t *testing.T) {
	for i, early := range blocks {
		for _, late := range blocks[i+1:] {
			if early.prefix.Bits() < late.prefix.Bits() && early.prefix.Overlaps(late.prefix) {
				t.Errorf("%s is never reached behind %s", late.prefix, early.prefix)
			}
		}
	}
}

func TestPublicAddressesArePublic(t *testing.T) {
	for _, s := range []string{"1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808"} {
		if got := whatIs(netip.MustParseAddr(s)); got != "" {
			t.Errorf("%s is %s", s, got)
		}
	}
}

func TestAddressesInsideAddressesAreFound(t *testing.T) {
	cases := map[string]string{
		"::ffff:10.0.0.1": "10.0.0.1", "64:ff9b::a9fe:a9fe": "169.254.169.254", "::7f00:1": "127.0.0.1",
		"2002:0a00:0001::": "10.0.0.1", "2001:0:1:2:3:4:80ff:fffe": "127.0.0.1", "2606:4700::1": "", "10.0.0.1": "",
	}
	for outer, want := range cases {
		got, ok := embedded(netip.MustParseAddr(outer))
		if ok != (want != "") || (ok && got.String() != want) {
			t.Errorf("%s embeds %v %v, want %q", outer, got, ok, want)
		}
	}
	if got := whatIs(netip.MustParseAddr("64:ff9b::a9fe:a9fe")); got != "a cloud metadata address" {
		t.Errorf("metadata behind NAT64 is %q", got)
	}
}

package outbound

import "net/netip"

// block is a range of addresses that deliveries may not go to.
type block struct {
	prefix netip.Prefix
	what   string // completes "it leads to …"
	// guarded ranges hold credentials of the machine itself: a listed name never leads there, and a listed CIDR counts
	// only where it lies within the range.
	guarded bool
}

// blocks lists what is no public unicast address, narrower ranges before those that hold them. NAT64's well-known prefix
// is not in it: an address there is judged by the IPv4 address it stands for.
var blocks = []block{
	// Metadata services of cloud providers.
	{netip.MustParsePrefix("169.254.169.254/32"), "a cloud metadata address", true},     // AWS, Google Cloud, Azure and others
	{netip.MustParsePrefix("100.100.100.200/32"), "a cloud metadata address", true},     // Alibaba Cloud
	{netip.MustParsePrefix("192.0.0.192/32"), "a cloud metadata address", true},         // Oracle Cloud
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud metadata address", true},       // Azure's host agent, a public address
	{netip.MustParsePrefix("fd00:ec2::/32"), "a cloud metadata address", true},          // AWS, fd00:ec2::254 and neighbours
	{netip.MustParsePrefix("fd20:ce::254/128"), "a cloud metadata address", true},       // Google Cloud
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), "a cloud metadata address", true}, // Oracle Cloud

	// IPv4.
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address", false},           // RFC 791, RFC 1122
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address", false},               // RFC 1918
	{netip.MustParsePrefix("100.64.0.0/10"), "a shared carrier address", false},     // RFC 6598
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address", false},             // RFC 1122
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address", true},         // RFC 3927
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address", false},            // RFC 1918
	{netip.MustParsePrefix("192.0.0.0/24"), "an address for protocols only", false}, // RFC 6890
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation address", false},       // RFC 5737
	{netip.MustParsePrefix("192.31.196.0/24"), "an anycast sink address", false},    // RFC 7535, AS112
	{netip.MustParsePrefix("192.52.193.0/24"), "a multicast relay address", false},  // RFC 7450, AMT
	{netip.MustParsePrefix("192.88.99.0/24"), "a 6to4 relay address", false},        // RFC 7526
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address", false},           // RFC 1918
	{netip.MustParsePrefix("192.175.48.0/24"), "an anycast sink address", false},    // RFC 7534, AS112
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmarking address", false},       // RFC 2544
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation address", false},    // RFC 5737
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation address", false},     // RFC 5737
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address", false},            // RFC 5771
	{netip.MustParsePrefix("255.255.255.255/32"), "a broadcast address", false},     // RFC 919
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address", false},             // RFC 1112

	// IPv6.
	{netip.MustParsePrefix("::/128"), "an unspecified address", false},              // RFC 4291
	{netip.MustParsePrefix("::1/128"), "a loopback address", false},                 // RFC 4291
	{netip.MustParsePrefix("::ffff:0:0/96"), "an IPv4-mapped address", false},       // RFC 4291
	{netip.MustParsePrefix("::ffff:0:0:0/96"), "an IPv4-translated address", false}, // RFC 2765
	{netip.MustParsePrefix("::/96"), "an IPv4-compatible address", false},           // RFC 4291
	{netip.MustParsePrefix("64:ff9b:1::/48"), "a local NAT64 address", false},       // RFC 8215
	{netip.MustParsePrefix("100::/64"), "a discard address", false},                 // RFC 6666
	{netip.MustParsePrefix("2001::/32"), "a Teredo address", false},                 // RFC 4380
	{netip.MustParsePrefix("2001:2::/48"), "a benchmarking address", false},         // RFC 5180
	{netip.MustParsePrefix("2001:10::/28"), "an ORCHID, not an address", false},     // RFC 4843
	{netip.MustParsePrefix("2001:20::/28"), "an ORCHID, not an address", false},     // RFC 7343
	{netip.MustParsePrefix("2001::/23"), "an address for protocols only", false},    // RFC 2928
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation address", false},      // RFC 3849
	{netip.MustParsePrefix("2002::/16"), "a 6to4 address", false},                   // RFC 3056, RFC 7526
	{netip.MustParsePrefix("3ffe::/16"), "a retired test address", false},           // RFC 3701
	{netip.MustParsePrefix("3fff::/20"), "a documentation address", false},          // RFC 9637
	{netip.MustParsePrefix("5f00::/16"), "a segment identifier", false},             // RFC 9602
	{netip.MustParsePrefix("fc00::/7"), "a private address", false},                 // RFC 4193
	{netip.MustParsePrefix("fe80::/10"), "a link-local address", true},              // RFC 4291
	{netip.MustParsePrefix("fec0::/10"), "a site-local address", false},             // RFC 3879
	{netip.MustParsePrefix("ff00::/8"), "a multicast address", false},               // RFC 4291

	// What is left of IPv6 outside 2000::/3 is not given out (RFC 4291, section 2.4).
	{netip.MustParsePrefix("::/3"), "a reserved address", false},
	{netip.MustParsePrefix("4000::/2"), "a reserved address", false},
	{netip.MustParsePrefix("8000::/1"), "a reserved address", false},
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	compat = netip.MustParsePrefix("::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
	teredo = netip.MustParsePrefix("2001::/32")
)

// blockOf returns the narrowest blocked range that holds addr, or nil for a public address. addr has no zone.
func blockOf(addr netip.Addr) *block {
	if addr.Is6() && nat64.Contains(addr) {
		return blockOf(lastFour(addr))
	}
	for i := range blocks {
		if blocks[i].prefix.Contains(addr) {
			return &blocks[i]
		}
	}
	return nil
}

// embedded returns the IPv4 address that an IPv6 address carries within it, where it does.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	switch b := addr.As16(); {
	case addr.Is4():
		return netip.Addr{}, false
	case addr.Is4In6():
		return addr.Unmap(), true
	case nat64.Contains(addr), compat.Contains(addr):
		return lastFour(addr), true
	case sixTo4.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case teredo.Contains(addr):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	}
	return netip.Addr{}, false
}

// lastFour returns the IPv4 address in the last four bytes of an IPv6 address.
func lastFour(addr netip.Addr) netip.Addr {
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:16]))
}

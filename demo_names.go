package main

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"belfry/worker/outbound/outboundtest"
)

// demoDomain is where the sample receivers seem to stand; names in it lead to
// this machine, within the demo only.
const demoDomain = ".acme.test"

// demoNames looks names up: those of the sample receivers lead there.
func demoNames(receivers netip.Addr) *net.Resolver {
	return outboundtest.Resolver(func(name string) []netip.Addr {
		if strings.HasSuffix(name, demoDomain) {
			return []netip.Addr{receivers}
		}
		found, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", name)
		if err != nil {
			return nil
		}
		return found
	})
}

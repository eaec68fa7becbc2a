package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"belfry/worker/outbound/outboundtest"
)

// demoDomain is where the sample receivers seem to stand; names in it lead to
// this machine, within the demo only.
const demoDomain = ".acme.test"

// lookupTime is how long the system is asked for a name.
const lookupTime = 5 * time.Second

// demoNames looks names up: those of the sample receivers lead there.
func demoNames(receivers netip.Addr) *net.Resolver {
	return outboundtest.Resolver(func(name string) []netip.Addr {
		if strings.HasSuffix(name, demoDomain) {
			return []netip.Addr{receivers}
		}
		ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
		defer cancel()
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		if err != nil {
			return nil
		}
		return found
	})
}

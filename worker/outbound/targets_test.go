package outbound

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func mustParse(t *testing.T, list string) *Targets {
	t.Helper()
	targets, err := Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return targets
}

func TestListedTargetsAreAllowed(t *testing.T) {
	const list = "10.0.0.0/8, hooks.internal acme=192.168.0.0/16,acme=build.acme\nfd12::/16 127.0.0.1 Bücher.example"
	targets := mustParse(t, list)
	cases := []struct {
		account, host, addr string
		plain, want         bool
	}{
		{"default", "x.example", "10.1.2.3", false, true},
		{"default", "x.example", "10.1.2.3", true, true},
		{"default", "x.example", "11.0.0.1", true, false},
		{"default", "x.example", "11.0.0.1", false, true},
		{"default", "hooks.internal", "172.16.0.1", true, true},
		{"default", "other.internal", "172.16.0.1", false, false},
		{"default", "hooks.internal", "8.8.8.8", true, true},
		{"default", "x.example", "192.168.1.1", false, false},
		{"acme", "x.example", "192.168.1.1", true, true},
		{"acme", "x.example", "10.1.2.3", true, true},
		{"ACME", "x.example", "192.168.1.1", false, false},
		{"acme", "build.acme", "172.16.0.1", false, true},
		{"default", "build.acme", "172.16.0.1", false, false},
		{"default", "x.example", "fd12::1", true, true},
		{"default", "x.example", "fd13::1", false, false},
		{"default", "127.0.0.1", "127.0.0.1", true, true},
		{"default", "127.0.0.2", "127.0.0.2", false, false},
		{"default", "xn--bcher-kva.example", "10.9.9.9", true, true},
		{"default", "x.example", "64:ff9b::a01:203", true, true},
		{"default", "x.example", "64:ff9b::c0a8:101", false, false},
	}
	for _, c := range cases {
		err := targets.Allows(c.account, c.host, netip.MustParseAddr(c.addr), c.plain)
		if (err == nil) != c.want || (err != nil && !errors.Is(err, ErrBlocked)) {
			t.Errorf("%s to %s at %s, plain %v: %v", c.account, c.host, c.addr, c.plain, err)
		}
	}
}

func TestMetadataAndLinkLocalNeedTheirOwnCIDR(t *testing.T) {
	const everything = "hooks.internal 0.0.0.0/0 ::/0 100.64.0.0/10 fd00::/8"
	guarded := map[string]string{
		"169.254.169.254": "169.254.169.254", "169.254.1.1": "169.254.0.0/16", "fe80::1": "fe80::/10",
		"fd00:ec2::254": "fd00:ec2::254/128", "100.100.100.200": "100.100.100.200/32",
	}
	for addr, own := range guarded {
		for _, host := range []string{"hooks.internal", addr} {
			if err := mustParse(t, everything).Allows("", host, netip.MustParseAddr(addr), false); err == nil {
				t.Errorf("%s is reached as %s with %q", addr, host, everything)
			}
		}
		if err := mustParse(t, own).Allows("", "x.example", netip.MustParseAddr(addr), true); err != nil {
			t.Errorf("%s listed as %s: %v", addr, own, err)
		}
	}
	for _, addr := range []string{"64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::ffff:169.254.169.254", "fe80::1%eth0"} {
		if err := mustParse(t, everything+" 2002::/16").Allows("", "hooks.internal", netip.MustParseAddr(addr), false); err == nil {
			t.Errorf("metadata is reached in the guise of %s", addr)
		}
	}
}

func TestNothingIsListedByDefault(t *testing.T) {
	var none *Targets
	for _, targets := range []*Targets{none, {}, mustParse(t, " , ")} {
		if targets.Allows("a", "localhost", netip.MustParseAddr("127.0.0.1"), false) == nil {
			t.Error("loopback is allowed")
		}
		if targets.Allows("a", "x.example", netip.MustParseAddr("8.8.8.8"), true) == nil {
			t.Error("plain http is allowed")
		}
		if err := targets.Allows("a", "x.example", netip.MustParseAddr("8.8.8.8"), false); err != nil {
			t.Errorf("a public address: %v", err)
		}
	}
}

func TestEveryFaultyEntryIsNamed(t *testing.T) {
	faulty := []string{
		"10.0.0.0/33", "10.0.0.1/8", "=10.0.0.0/8", "acme=", "http://x.example", "x.example:80", "::ffff:10.0.0.0/104",
		"300.1.1.1", "a..b", "x!y", "[::1]", "0x7f.1", "fe80::1%eth0",
	}
	_, err := Parse("10.0.0.0/8 good.example " + strings.Join(faulty, ","))
	if err == nil {
		t.Fatal("faulty entries were taken")
	}
	for _, entry := range faulty {
		if !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("%q is not named in: %v", entry, err)
		}
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(faulty) {
		t.Errorf("%d faults named, want %d: %v", lines, len(faulty), err)
	}
}

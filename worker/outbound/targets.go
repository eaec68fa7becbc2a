package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Targets is what the operator listed with -allow-targets: addresses and names that may be private and plain http. The
// zero value and nil list nothing. It never changes after Parse, so any number of goroutines may use it.
type Targets struct {
	common *rules
	bound  map[string]*rules // by account name; each holds the common entries too
}

// rules is the list that governs one account.
type rules struct {
	names    map[string]bool
	prefixes []netip.Prefix
}

// entry is one parsed item of the list: a name or a prefix, for one account or for all.
type entry struct {
	account string // empty: all
	name    string
	prefix  netip.Prefix
}

// Parse reads a list of CIDRs, addresses and host names, separated by commas or white space. An entry may be bound to an
// account by its name: "acme=10.0.0.0/8". The error names every faulty entry.
func Parse(list string) (*Targets, error) {
	var entries []entry
	var faults []error
	for _, item := range strings.FieldsFunc(list, separates) {
		one, err := parseEntry(item)
		if err != nil {
			faults = append(faults, fmt.Errorf("%q %w", item, err))
			continue
		}
		entries = append(entries, one)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return newTargets(entries), nil
}

// Accounts returns the names of the accounts that entries are bound to, in no order.
func (t *Targets) Accounts() []string {
	if t == nil {
		return nil
	}
	names := make([]string, 0, len(t.bound))
	for name := range t.bound {
		names = append(names, name)
	}
	return names
}

// Allows tells whether account may send to addr, reached under the host name host (or the address as text), by plain http
// or https. It returns nil, or a *BlockedError.
func (t *Targets) Allows(account, host string, addr netip.Addr, plain bool) error {
	return t.of(account).allow(host, addr, plain)
}

func (t *Targets) of(account string) *rules {
	if t == nil || t.common == nil {
		return &rules{}
	}
	if own, ok := t.bound[account]; ok {
		return own
	}
	return t.common
}

func newTargets(entries []entry) *Targets {
	t := &Targets{common: &rules{names: map[string]bool{}}, bound: map[string]*rules{}}
	for _, e := range entries {
		if e.account != "" && t.bound[e.account] == nil {
			t.bound[e.account] = &rules{names: map[string]bool{}}
		}
	}
	for _, e := range entries {
		if e.account != "" {
			t.bound[e.account].add(e)
			continue
		}
		t.common.add(e)
		for _, own := range t.bound {
			own.add(e)
		}
	}
	return t
}

func (r *rules) add(e entry) {
	if e.name != "" {
		r.names[e.name] = true
		return
	}
	r.prefixes = append(r.prefixes, e.prefix)
}

// allow returns nil where an exchange with addr under this host name is allowed, else a *BlockedError. An address that
// another one is embedded in is allowed only where both are.
func (r *rules) allow(host string, addr netip.Addr, plain bool) error {
	addr = addr.WithZone("")
	if plain && !r.lists(host, addr) {
		return &BlockedError{Host: host, What: "plain http", Plain: true}
	}
	if b := r.stops(host, addr); b != nil {
		return &BlockedError{Host: host, What: b.what}
	}
	if inner, ok := embedded(addr); ok {
		if b := r.stops(host, inner); b != nil {
			return &BlockedError{Host: host, What: b.what}
		}
	}
	return nil
}

// stops returns the range that keeps addr from being used, or nil.
func (r *rules) stops(host string, addr netip.Addr) *block {
	b := blockOf(addr)
	if b == nil || (!b.guarded && r.lists(host, addr)) || (b.guarded && r.listsGuarded(addr)) {
		return nil
	}
	return b
}

// lists tells whether the host name, addr or the IPv4 address that a NAT64 gateway turns it into is listed.
func (r *rules) lists(host string, addr netip.Addr) bool {
	if r.names[host] {
		return true
	}
	if addr.Is6() && nat64.Contains(addr) {
		addr = lastFour(addr)
	}
	for _, p := range r.prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// listsGuarded tells whether a listed CIDR holds addr and lies within a guarded range: 0.0.0.0/0 does not open metadata
// and link-local addresses, 169.254.0.0/16 does.
func (r *rules) listsGuarded(addr netip.Addr) bool {
	if addr.Is6() && nat64.Contains(addr) {
		addr = lastFour(addr)
	}
	for _, p := range r.prefixes {
		if p.Contains(addr) && withinGuarded(p) {
			return true
		}
	}
	return false
}

func withinGuarded(p netip.Prefix) bool {
	for _, b := range blocks {
		if b.guarded && b.prefix.Bits() <= p.Bits() && b.prefix.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

// mayPlain tells whether plain http to host is thinkable before its addresses are known.
func (r *rules) mayPlain(host string) bool {
	return r.names[host] || len(r.prefixes) > 0
}

func separates(c rune) bool {
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r'
}

func parseEntry(item string) (entry, error) {
	account, value, bound := strings.Cut(item, "=")
	if !bound {
		account, value = "", item
	} else if account == "" {
		return entry{}, errors.New(`has no account name before "="`)
	}
	if value == "" {
		return entry{}, errors.New("names no address and no host")
	}
	e := entry{account: account}
	var err error
	if strings.ContainsAny(value, "/:") || endsInNumber(value) {
		e.prefix, err = parsePrefix(value)
	} else {
		e.name, err = asciiHost(value)
	}
	return e, err
}

func parsePrefix(value string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(value); err == nil && addr.Zone() == "" && !addr.Is4In6() {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(value)
	switch {
	case err != nil:
		return p, errors.New("is neither a CIDR such as 10.0.0.0/8 nor a host name without scheme and port")
	case p.Addr().Is4In6():
		return p, errors.New("must be written as an IPv4 CIDR")
	case p != p.Masked():
		return p, fmt.Errorf("has bits set behind its length; write %s", p.Masked())
	}
	return p, nil
}

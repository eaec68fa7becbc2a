package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// InboxURL is not called at all: what is sent there arrives in Belfry's own test inbox.
const InboxURL = "inbox:"

// lookupTime bounds the name look-up of a form, so that a slow name server does not hold it up.
const lookupTime = 3 * time.Second

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Checker applies the rules of delivery to a URL before it is stored. Safe for use by many goroutines.
type Checker struct {
	targets  *Targets
	resolver Resolver
}

// NewChecker returns a checker with these targets (nil: none listed) and resolver (nil: the system's).
func NewChecker(targets *Targets, resolver Resolver) *Checker {
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	return &Checker{targets: targets, resolver: resolver}
}

// Verdict is what CheckURL found out, in the order in which a form shows it. With an error it holds what was good.
type Verdict struct {
	URL        string       // as it will be called: host in lower-case ASCII, addresses in their usual notation
	WellFormed bool         // it is an http or https URL with a host and nothing that is refused in itself
	HTTPS      bool         // false with a nil error: plain http, which the operator listed
	Addresses  []netip.Addr // where the host leads now; empty where it does not resolve or is refused
	Listed     bool         // one of the addresses is not public, but the operator listed it
	Inbox      bool         // it is InboxURL: nothing leaves the process
	Warning    string       // a sentence for a URL that is taken though something is wrong now
}

// CheckURL tells whether account may register or call raw: https (http only where listed), no user, no fragment, a public
// address (others only where listed). The error is a *URLError with a sentence for the form; errors.Is(err, ErrBlocked)
// tells that the address, or plain http, is the reason. A name that does not resolve now is taken, with a warning.
func (c *Checker) CheckURL(ctx context.Context, account, raw string) (Verdict, error) {
	if raw == InboxURL {
		return Verdict{URL: raw, WellFormed: true, Inbox: true}, nil
	}
	t, err := parseTarget(raw)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{URL: t.url.String(), WellFormed: true, HTTPS: !t.plain}
	allowed := c.targets.of(account)
	if err := allowed.admit(t); err != nil {
		return v, refuseBlocked(err)
	}
	found, err := c.find(ctx, t)
	if err != nil {
		if t.plain && !allowed.names[t.host] {
			return v, refuseBlocked(&BlockedError{Host: t.host, What: "plain http", Plain: true})
		}
		v.Warning = warning(t.host, err)
		return v, nil
	}
	for _, addr := range found {
		if err := allowed.allow(t.host, addr, t.plain); err != nil {
			return v, refuseBlocked(err)
		}
		v.Listed = v.Listed || blockOf(addr) != nil
	}
	v.Addresses = found
	return v, nil
}

// Admit tells of a stored URL whether account may call it, as far as that shows without looking a name up. The error is
// that of CheckURL.
func (t *Targets) Admit(account, raw string) error {
	if raw == InboxURL {
		return nil
	}
	to, err := parseTarget(raw)
	if err != nil {
		return err
	}
	if err := t.of(account).admit(to); err != nil {
		return refuseBlocked(err)
	}
	return nil
}

// AddressSentence says where the URL leads, for the form: "Public address, 8.8.8.8". Empty where that is not known.
func (v Verdict) AddressSentence() string {
	switch {
	case len(v.Addresses) == 0:
		return ""
	case v.Listed:
		return "Address listed by the operator, " + v.Addresses[0].String()
	}
	return "Public address, " + v.Addresses[0].String()
}

// find returns the addresses of a target, at least one, or an error.
func (c *Checker) find(ctx context.Context, t target) ([]netip.Addr, error) {
	if t.addr.IsValid() {
		return []netip.Addr{t.addr}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := c.resolver.LookupNetIP(ctx, "ip", t.host)
	for i := range found {
		found[i] = found[i].Unmap() // resolvers return IPv4 addresses in both forms
	}
	if err == nil && len(found) == 0 {
		err = &net.DNSError{Err: "no address", Name: t.host, IsNotFound: true}
	}
	return found, err
}

// admit refuses what needs no name look-up to be refused: a blocked address in the URL, or http that cannot be listed.
func (r *rules) admit(t target) error {
	if t.addr.IsValid() {
		return r.allow(t.host, t.addr, t.plain)
	}
	if t.plain && !r.mayPlain(t.host) {
		return &BlockedError{Host: t.host, What: "plain http", Plain: true}
	}
	return nil
}

// refuseBlocked turns a *BlockedError into the sentence of a form.
func refuseBlocked(err error) error {
	var blocked *BlockedError
	if !errors.As(err, &blocked) {
		return refuse(err.Error())
	}
	if blocked.Plain {
		return &URLError{Sentence: "The URL must start with https://. Plain http is only for targets that the operator has listed with -allow-targets.", Err: blocked}
	}
	return &URLError{
		Sentence: blocked.Host + " leads to " + blocked.What + ". Use a public address, or ask the operator to list it (-allow-targets).",
		Err:      blocked,
	}
}

func warning(host string, err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return "No host named " + host + " is known at the moment. Deliveries fail until it is."
	}
	return host + " could not be looked up just now. Deliveries fail until it can."
}

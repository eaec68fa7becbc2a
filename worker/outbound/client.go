// Package outbound is the HTTP client for addresses that strangers typed in, and the same rule for the forms they type
// them into. Whatever an endpoint does, an exchange ends within its time limit, takes bounded memory and has one outcome
// with a name; and no exchange reaches an address that is not public unless the operator listed it.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	// MaxAnswerHeader is how many bytes of headers an answer may have.
	MaxAnswerHeader = 64 << 10
	// MaxAnswerBody is how many bytes of an answer's body are read and kept.
	MaxAnswerBody = 16 << 10

	defaultTimeout = 10 * time.Second
	idlePerHost    = 64 // at least the requests in flight per webhook, or connections are thrown away
	idleTotal      = 1024
	idleTime       = 90 * time.Second
	streamWindow   = 64 << 10    // bytes an HTTP/2 endpoint may send before they are read
	dialGrace      = time.Second // so that the limit of the exchange is met first and names the outcome
)

// Options is what New takes; the zero value is good.
type Options struct {
	Targets             *Targets       // what may be private or plain http; nil: nothing
	Timeout             time.Duration  // of a whole exchange; 0: 10 s
	Resolver            *net.Resolver  // nil: the system's
	RootCAs             *x509.CertPool // nil: the system's
	MaxIdleConnsPerHost int            // 0: 64
	UserAgent           string         // empty: "Belfry"
}

// Client makes exchanges. Safe for use by many goroutines.
type Client struct {
	timeout time.Duration
	fixed   []Header
	common  *lane
	bound   map[string]*lane // by account name
	buffers sync.Pool        // *[MaxAnswerBody]byte
}

// lane is the connections of accounts that share one list of allowed targets. A connection never leaves its lane, so an
// address allowed to one account is not reached by another through a connection that is still open.
type lane struct {
	allowed               *rules
	dialPlain, dialSecure dial
	secure                *tls.Config
	handshake             time.Duration // how long one of TLS may take
	kept                  *kept         // of HTTP/1.1
	http2                 *http.Transport
	choices               choices
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// New returns a client.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxIdleConnsPerHost <= 0 {
		o.MaxIdleConnsPerHost = idlePerHost
	}
	if o.UserAgent == "" {
		o.UserAgent = "Belfry"
	}
	c := &Client{timeout: o.Timeout, fixed: fixedHeaders(o.UserAgent), common: newLane(o, o.Targets.of("")), bound: map[string]*lane{}}
	for _, name := range o.Targets.Accounts() {
		c.bound[name] = newLane(o, o.Targets.of(name))
	}
	c.buffers.New = func() any { return new([MaxAnswerBody]byte) }
	return c
}

// Timeout returns the time limit of a whole exchange.
func (c *Client) Timeout() time.Duration { return c.timeout }

// CloseIdle closes the connections that no exchange uses.
func (c *Client) CloseIdle() {
	c.common.closeIdle()
	for _, l := range c.bound {
		l.closeIdle()
	}
}

func (c *Client) lane(account string) *lane {
	if l, ok := c.bound[account]; ok {
		return l
	}
	return c.common
}

// newLane asks the environment for no proxy.
func newLane(o Options, allowed *rules) *lane {
	l := &lane{
		allowed: allowed, dialPlain: dialer(o, allowed, true), dialSecure: dialer(o, allowed, false), kept: newKept(o.MaxIdleConnsPerHost),
		handshake: o.Timeout + dialGrace,
		secure: &tls.Config{
			RootCAs:            o.RootCAs,
			MinVersion:         tls.VersionTLS12,
			NextProtos:         []string{protoHTTP2, "http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(idleTotal),
		},
	}
	l.http2 = newHTTP2(o, l.dialHTTP2)
	return l
}

// connect opens a connection to the target, with TLS unless it is plain http.
func (l *lane) connect(ctx context.Context, t target) (net.Conn, error) {
	if t.plain {
		return l.dialPlain(ctx, "tcp", t.place().address)
	}
	return l.openSecure(ctx, "tcp", t.place().address)
}

// openSecure opens a connection with TLS, and tells the hooks in ctx. The handshake has a limit of its own: net/http
// goes on with one that nobody waits for any more.
func (l *lane) openSecure(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	raw, err := l.dialSecure(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := l.secure.Clone()
	config.ServerName = host
	c := tls.Client(raw, config)
	within, cancel := context.WithTimeout(ctx, l.handshake)
	defer cancel()
	hooks := httptrace.ContextClientTrace(ctx)
	hooks.TLSHandshakeStart()
	err = c.HandshakeContext(within)
	hooks.TLSHandshakeDone(c.ConnectionState(), err)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

func (l *lane) closeIdle() {
	l.kept.close()
	l.http2.CloseIdleConnections()
}

// dialer connects and judges each address at the moment it is used, after the name look-up: a name that has changed its
// address since it was checked gains nothing.
func dialer(o Options, allowed *rules, plain bool) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		d := net.Dialer{Timeout: o.Timeout + dialGrace, Resolver: o.Resolver}
		d.ControlContext = func(_ context.Context, _, actual string, _ syscall.RawConn) error {
			used, err := netip.ParseAddrPort(actual)
			if err != nil {
				return err
			}
			return allowed.allow(host, used.Addr().Unmap(), plain)
		}
		return d.DialContext(ctx, network, address)
	}
}

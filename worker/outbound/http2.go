package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// protoHTTP2 is how TLS names HTTP/2 (RFC 9113, section 3.2).
const protoHTTP2 = "h2"

// maxChoices is how many places are remembered.
const maxChoices = 4096

func newHTTP2(o Options, secure dial) *http.Transport {
	return &http.Transport{
		DialTLSContext:         secure,
		ForceAttemptHTTP2:      true,
		HTTP2:                  http2Limits(o.Timeout),
		DisableCompression:     true,
		MaxIdleConns:           idleTotal,
		MaxIdleConnsPerHost:    o.MaxIdleConnsPerHost,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: MaxAnswerHeader,
	}
}

// http2Limits bounds what an endpoint may make us hold, and finds out within one time limit that a connection is dead.
func http2Limits(timeout time.Duration) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxReceiveBufferPerStream: streamWindow,
		SendPingTimeout:           timeout / 2,
		PingTimeout:               timeout / 2,
	}
}

// overHTTP2 makes the exchange where HTTP/2 was chosen before. An endpoint that has changed its mind is spoken to in
// what it chooses now, and asked anew the next time.
func (c *Client) overHTTP2(ctx context.Context, l *lane, t target, req Request, rec *recorder, answer *Answer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := l.http2.RoundTrip(c.request(rec.watch(ctx), t, req))
	if err != nil {
		return err
	}
	if resp.ProtoMajor != 2 {
		l.choices.forget(t.place())
	}
	return c.read(resp, cancel, rec, answer)
}

func (c *Client) request(ctx context.Context, t target, req Request) *http.Request {
	header := make(http.Header, len(req.Header)+len(c.fixed))
	values := make([]string, 0, len(req.Header)+len(c.fixed))
	add := func(list []Header) {
		for _, h := range list {
			values = append(values, h.Value)
			name := wireName(h.Name)
			if last := len(values); header[name] == nil {
				header[name] = values[last-1 : last : last]
			} else {
				header[name] = append(header[name], h.Value)
			}
		}
	}
	add(req.Header)
	add(c.Headers(req.Header))
	r := &http.Request{Method: http.MethodPost, URL: t.url, Host: t.url.Host, Header: header, ContentLength: int64(len(req.Body))}
	// With GetBody an HTTP/2 request that the endpoint says it has not seen goes out again; others never do.
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.Body)), nil }
	r.Body, _ = r.GetBody()
	return r.WithContext(ctx)
}

// wireName keeps a name as written, but for User-Agent, which net/http must recognize.
func wireName(name string) string {
	if strings.EqualFold(name, "User-Agent") {
		return "User-Agent"
	}
	return name
}

// handed is a connection on which HTTP/2 was chosen, on its way to net/http, which would open another one.
type handed struct{ conn atomic.Pointer[tls.Conn] }

type handedKey struct{}

func hand(c *tls.Conn) *handed {
	h := &handed{}
	h.conn.Store(c)
	return h
}

func (h *handed) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, handedKey{}, h)
}

// drop closes the connection if nobody took it: another one had room.
func (h *handed) drop() {
	if c := h.conn.Swap(nil); c != nil {
		_ = c.Close()
	}
}

// dialHTTP2 gives net/http the connection that is handed to it, else a new one.
func (l *lane) dialHTTP2(ctx context.Context, network, address string) (net.Conn, error) {
	if h, ok := ctx.Value(handedKey{}).(*handed); ok {
		if c := h.conn.Swap(nil); c != nil {
			return c, nil
		}
	}
	return l.openSecure(ctx, network, address)
}

// choices are the places where HTTP/2 was chosen, as far as they are remembered: one that is not is asked anew.
type choices struct {
	mu  sync.Mutex
	all map[place]bool
}

func (c *choices) note(p place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil || len(c.all) >= maxChoices {
		c.all = map[place]bool{}
	}
	c.all[p] = true
}

func (c *choices) forget(p place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, p)
}

func (c *choices) has(p place) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[p]
}

package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// bodyGrace is how long an answer that filled MaxAnswerBody may take to show whether it ends there.
const bodyGrace = 50 * time.Millisecond

// errNoStatus is an answer whose status means nothing.
var errNoStatus = errors.New("outbound: the status is below 100")

// Header is one header field. It is an alias of a plain struct, so that a list of them can be handed on as it is.
type Header = struct{ Name, Value string }

// Request is one POST.
type Request struct {
	URL    string
	Header []Header // sent with their names as written; they go before the client's own of the same name
	Body   []byte   // must not change any more, even after Do returned
}

// Answer is what came of a request. Status and headers are there as soon as they arrived, even where Err is set.
type Answer struct {
	StatusCode    int    // 0: none arrived
	Proto         string // "HTTP/1.1", "HTTP/2.0"
	Header        []Header
	Body          []byte // the first MaxAnswerBody bytes
	Truncated     bool   // the body is longer than Body, or broke off
	RemoteAddress string // address and port that answered; empty where nothing was connected
	Phases        Phases
	StartedAt     time.Time // UTC, in microseconds
	Duration      time.Duration
	Err           error // a *Failure where the exchange itself failed; a status other than 2xx is none
}

// Do posts req for account (by name; it decides which targets are allowed) and returns what came of it, within the
// client's time limit. When ctx ends first, the outcome is KindInterrupted.
func (c *Client) Do(ctx context.Context, account string, req Request) Answer {
	started := time.Now()
	answer := Answer{StartedAt: started.UTC().Truncate(time.Microsecond)}
	c.exchange(ctx, account, req, &answer)
	answer.Duration = time.Since(started)
	return answer
}

// Headers returns the headers that the client adds to a request with these: Content-Type, User-Agent and Accept-Encoding,
// but for those that are there. A log of the request shows them too.
func (c *Client) Headers(header []Header) []Header { return missing(c.fixed, header) }

// Headers returns what Client.Headers does, for a client of that user agent.
func Headers(userAgent string, header []Header) []Header {
	return missing(fixedHeaders(userAgent), header)
}

func missing(fixed, header []Header) []Header {
	added := make([]Header, 0, len(fixed)+len(header)) // room for the caller's own
	for _, h := range fixed {
		if !slices.ContainsFunc(header, func(own Header) bool { return strings.EqualFold(own.Name, h.Name) }) {
			added = append(added, h)
		}
	}
	return added
}

// fixedHeaders: identity keeps a compressed bomb what it is, a few bytes.
func fixedHeaders(userAgent string) []Header {
	return []Header{
		{Name: "Content-Type", Value: "application/json"},
		{Name: "User-Agent", Value: userAgent},
		{Name: "Accept-Encoding", Value: "identity"},
	}
}

func (c *Client) exchange(ctx context.Context, account string, req Request, answer *Answer) {
	t, err := parseTarget(req.URL)
	if err != nil {
		answer.Err = &Failure{KindBlockedAddress, "the URL is not one that may be called: " + err.Error(), err}
		return
	}
	l := c.lane(account)
	if err := l.allowed.admit(t); err != nil {
		answer.Err = &Failure{KindBlockedAddress, err.Error(), err}
		return
	}
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	rec := &recorder{}
	err = c.over(within, l, t, req, rec, answer)
	trip := rec.result()
	answer.Phases, answer.RemoteAddress = trip.phases, trip.remote
	if err != nil {
		answer.Err = explain(err, circumstances{target: t, stage: trip.stage, outer: ctx, inner: within, limit: c.timeout})
	}
}

// over makes the exchange over a connection of the lane: one that is kept, else a new one.
func (c *Client) over(ctx context.Context, l *lane, t target, req Request, rec *recorder, answer *Answer) error {
	p := t.place()
	if own := l.kept.take(p); own != nil {
		return c.overHTTP1(ctx, l, own, t, req, rec, answer)
	}
	if l.choices.has(p) {
		return c.overHTTP2(ctx, l, t, req, rec, answer)
	}
	opened, err := l.connect(rec.watch(ctx), t)
	if err != nil {
		return err
	}
	if secure, ok := opened.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol == protoHTTP2 {
		l.choices.note(p)
		h := hand(secure)
		defer h.drop()
		return c.overHTTP2(h.in(ctx), l, t, req, rec, answer)
	}
	return c.overHTTP1(ctx, l, newConn(opened, p), t, req, rec, answer)
}

// overHTTP1 makes the exchange over the connection, and keeps it where it can carry another one.
func (c *Client) overHTTP1(ctx context.Context, l *lane, own *conn, t target, req Request, rec *recorder, answer *Answer) error {
	rec.ready(own.remote, !own.since.IsZero())
	intact := own.breakAt(ctx)
	resp, sent, err := own.post(t, append(c.Headers(req.Header), req.Header...), req.Body, rec)
	if err == nil {
		err = c.read(resp, func() { _ = own.Close() }, rec, answer)
	}
	if err == nil && !answer.Truncated && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols && sent() && intact() {
		l.kept.put(own)
		return nil
	}
	_ = own.Close()
	return err
}

// read takes over status, headers and the beginning of the body. A body that fails is a failure of a 2xx only: any other
// status has said all that matters.
func (c *Client) read(resp *http.Response, cancel func(), rec *recorder, answer *Answer) error {
	rec.enter(stageBody)
	if resp.StatusCode < 100 { // net/http takes any three digits; RFC 9110, section 15, has none below 100
		cancel()
		_ = resp.Body.Close()
		return errNoStatus
	}
	answer.StatusCode, answer.Proto, answer.Header = resp.StatusCode, resp.Proto, flatten(resp.Header)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.Body.Close() // what follows is no body and never ends
	}
	buf := c.buffers.Get().(*[MaxAnswerBody]byte)
	defer c.buffers.Put(buf)
	n, ended, err := fill(resp.Body, buf[:])
	answer.Body = bytes.Clone(buf[:n])
	if n == MaxAnswerBody && !ended {
		ended = endsHere(resp, cancel)
	}
	answer.Truncated = !ended
	if !ended {
		cancel() // or closing would go on reading
	}
	_ = resp.Body.Close()
	if err != nil && resp.StatusCode/100 == 2 {
		return err
	}
	return nil
}

// fill reads until buf is full or the body ends, and tells which by ended. An error is one of reading.
func fill(body io.Reader, buf []byte) (n int, ended bool, err error) {
	for n < len(buf) {
		m, err := body.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

// endsHere tells whether a body of which MaxAnswerBody bytes were read is at its end, and does not wait for long.
func endsHere(resp *http.Response, cancel func()) bool {
	if resp.ContentLength > MaxAnswerBody {
		return false
	}
	timer := time.AfterFunc(bodyGrace, cancel)
	defer timer.Stop()
	var one [1]byte
	n, err := io.ReadFull(resp.Body, one[:])
	return n == 0 && errors.Is(err, io.EOF)
}

// flatten returns headers as a list, sorted by name.
func flatten(header http.Header) []Header {
	list := make([]Header, 0, len(header))
	for name, values := range header {
		for _, value := range values {
			list = append(list, Header{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(list, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return list
}

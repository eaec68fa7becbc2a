package outbound

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	// shortBody is how long a body may be to be sent before the answer is looked at: it fits into what the system holds
	// for a connection. A longer one is sent while the answer is read, which may come before its end.
	shortBody = 16 << 10
	// sentGrace is how long the sending of a body may take to end after the answer did: the endpoint may have it in full.
	sentGrace = 50 * time.Millisecond
	// keptBuffer is how large a buffer may be that is used again.
	keptBuffer = 2 * shortBody
)

var (
	// errLargeHeader is an answer whose headers are more than MaxAnswerHeader.
	errLargeHeader = errors.New("outbound: the headers of the answer are too large")
	// errHeader is a header field of ours that would break the request.
	errHeader = errors.New("outbound: a header field of the request is not valid")
)

// past is a deadline that ends all reading and writing at once.
var past = time.Unix(1, 0)

// conn is one HTTP/1.1 connection, used by one exchange at a time and by one goroutine: net/http's three cost as much
// time as all else about a short exchange.
type conn struct {
	net.Conn
	place  place
	reader *bufio.Reader
	remote string
	header int           // bytes of headers that may still come; of a body: any
	since  time.Time     // when an exchange used it last; zero: none did
	lasts  time.Duration // how long it may be unused
}

// place is where a connection leads.
type place struct {
	address string // host and port
	plain   bool
}

// anyLength is what is left of a body.
const anyLength = -1

func newConn(c net.Conn, p place) *conn {
	own := &conn{Conn: c, place: p, remote: c.RemoteAddr().String(), lasts: idleTime}
	own.reader = bufio.NewReader(own)
	return own
}

// Read reads for the connection's buffer, as far as the headers may go.
func (c *conn) Read(p []byte) (int, error) {
	if c.header == anyLength {
		return c.Conn.Read(p)
	}
	if c.header == 0 {
		return 0, errLargeHeader
	}
	n, err := c.Conn.Read(p[:min(len(p), c.header)])
	c.header -= n
	return n, err
}

// post sends the request and returns the answer, of which the body is still to be read, and what tells whether the
// request was sent in full.
func (c *conn) post(t target, header []Header, body []byte, rec *recorder) (resp *http.Response, sent func() bool, err error) {
	buffer := buffers.Get().(*[]byte)
	request, err := appendRequest((*buffer)[:0], t, header, len(body))
	if err != nil {
		return nil, nil, err
	}
	if len(body) > shortBody {
		return c.postLong(request, body, rec)
	}
	request = append(request, body...)
	_, failed := c.Conn.Write(request)
	if *buffer = request; cap(request) <= keptBuffer {
		buffers.Put(buffer)
	}
	resp, err = c.answer(rec) // an endpoint that reads no more may have answered
	if err != nil && failed != nil {
		err = failed
	}
	return resp, func() bool { return failed == nil }, err
}

func (c *conn) postLong(request, body []byte, rec *recorder) (*http.Response, func() bool, error) {
	done := make(chan bool, 1)
	go func() {
		_, err := (&net.Buffers{request, body}).WriteTo(c.Conn)
		done <- err == nil
	}()
	resp, err := c.answer(rec)
	return resp, func() bool {
		timer := time.NewTimer(sentGrace)
		defer timer.Stop()
		select {
		case ok := <-done:
			return ok
		case <-timer.C:
			return false
		}
	}, err
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// appendRequest appends all of a POST but its body (RFC 9112, section 3).
func appendRequest(dst []byte, t target, header []Header, length int) ([]byte, error) {
	dst = append(append(dst, "POST "...), t.url.RequestURI()...)
	dst = append(append(dst, " HTTP/1.1\r\nHost: "...), t.url.Host...)
	dst = strconv.AppendInt(append(dst, "\r\nContent-Length: "...), int64(length), 10)
	for _, h := range header {
		if !httpguts.ValidHeaderFieldName(h.Name) || !httpguts.ValidHeaderFieldValue(h.Value) {
			return dst, errHeader
		}
		dst = append(append(append(append(dst, "\r\n"...), h.Name...), ": "...), h.Value...)
	}
	return append(dst, "\r\n\r\n"...), nil
}

// answer reads the head of the final answer; interim ones (1xx) are passed over.
func (c *conn) answer(rec *recorder) (*http.Response, error) {
	c.header = MaxAnswerHeader
	defer func() { c.header = anyLength }()
	if _, err := c.reader.Peek(1); err != nil {
		return nil, err
	}
	rec.firstByte()
	for {
		resp, err := http.ReadResponse(c.reader, nil)
		switch {
		case err != nil && c.header == 0: // whatever it says of the line that was cut
			return nil, errLargeHeader
		case err != nil:
			return nil, err
		case resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols:
			c.heed(strings.Join(resp.Header.Values("Keep-Alive"), ","))
			return resp, nil
		}
	}
}

// heed believes an endpoint that says how many seconds it keeps the connection ("timeout=5"): a request that crosses its
// end on the way would fail.
func (c *conn) heed(keepAlive string) {
	for parameter := range strings.SplitSeq(keepAlive, ",") {
		value, found := strings.CutPrefix(strings.TrimSpace(parameter), "timeout=")
		if seconds, err := strconv.Atoi(value); found && err == nil && seconds >= 0 {
			c.lasts = min(idleTime, time.Duration(min(seconds, 3600))*time.Second*3/4)
		}
	}
}

// fresh tells whether the connection may carry another exchange: nothing came since the last one, neither its end nor
// what nobody asked for.
func (c *conn) fresh() bool {
	if c.reader.Buffered() > 0 || time.Since(c.since) > c.lasts {
		return false
	}
	below := c.Conn
	if secure, ok := below.(*tls.Conn); ok {
		if c.holds() {
			return false
		}
		below = secure.NetConn()
	}
	system, ok := below.(syscall.Conn)
	if !ok {
		return true // no socket, nothing to ask
	}
	raw, err := system.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && quiet
}

// holds tells whether TLS has read more from the socket than the last answer: another one, or the endpoint's end.
func (c *conn) holds() bool {
	_ = c.SetReadDeadline(past) // it gives what it holds, and asks the socket for nothing
	_, err := c.reader.Peek(1)
	return !errors.Is(err, os.ErrDeadlineExceeded) || c.SetReadDeadline(time.Time{}) != nil
}

// drop closes the connection and waits for nothing: TLS takes leave of an endpoint, which can hold that up for seconds.
func (c *conn) drop() { go c.Close() }

// breakAt breaks the connection when ctx ends, unless intact is called before, which tells that it did not come to that.
func (c *conn) breakAt(ctx context.Context) (intact func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
}

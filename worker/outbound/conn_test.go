package outbound

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// inTurn starts a server that reads requests and lets answer say what follows each; it returns its URL and how many
// connections came.
func inTurn(t *testing.T, answer func(conn net.Conn, n int32)) (string, *atomic.Int32) {
	t.Helper()
	var opened, asked atomic.Int32
	return "http://" + listen(t, func(conn net.Conn) {
		opened.Add(1)
		for r := bufio.NewReader(conn); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			answer(conn, asked.Add(1))
		}
	}), &opened
}

func TestATLSConnectionOfHTTP1IsUsedAgain(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.StartTLS()
	defer s.Close()
	c := client(t, loopback, Options{RootCAs: roots(s)})
	for i := range 5 {
		a := succeed(t, c.Do(t.Context(), "", Request{URL: s.URL, Body: []byte("{}")}))
		if a.Proto != "HTTP/1.1" || a.Phases.Reused != (i > 0) || (a.Phases.TLS > 0) != (i == 0) {
			t.Errorf("exchange %d: %s, phases %+v", i, a.Proto, a.Phases)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 5 exchanges", n)
	}
}

func TestAnEndpointThatGivesUpHTTP2IsSpokenToInHTTP1(t *testing.T) {
	two, _ := counted(t, true, func(http.ResponseWriter, *http.Request) {})
	one := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	address := two.Listener.Addr().String()
	c := client(t, loopback, Options{RootCAs: roots(two)})
	if a := succeed(t, c.Do(t.Context(), "", Request{URL: two.URL})); a.Proto != "HTTP/2.0" {
		t.Fatalf("%s where HTTP/2 is offered", a.Proto)
	}
	c.CloseIdle()
	two.Close()
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = one.Listener.Close()
	one.Listener = again
	one.StartTLS()
	defer one.Close()
	a := c.Do(t.Context(), "", Request{URL: one.URL})
	for Classify(a) == KindReset { // it went over a connection whose end was still on its way
		a = c.Do(t.Context(), "", Request{URL: one.URL})
	}
	if succeed(t, a).Proto != "HTTP/1.1" {
		t.Errorf("%s where HTTP/1.1 is all that is offered", a.Proto)
	}
	if c.common.choices.has(place{address: address}) {
		t.Error("it still counts as one of HTTP/2")
	}
}

func TestAConnectionThatMayNotCarryAnotherRequestIsNotUsedAgain(t *testing.T) {
	told := make(chan struct{})
	cases := map[string]func(net.Conn){
		"it was closed while nobody used it": func(c net.Conn) {
			write(fine)(c)
			_ = c.Close()
			told <- struct{}{}
		},
		"more came than was asked for": func(c net.Conn) { write(fine + fine)(c); told <- struct{}{} },
		"something came later":         func(c net.Conn) { write(fine)(c); write("HTTP/1.1 408 Late\r\n\r\n")(c); told <- struct{}{} },
		"the answer says so": func(c net.Conn) {
			write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")(c)
			told <- struct{}{}
		},
		"it is of HTTP/1.0": func(c net.Conn) { write("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")(c); told <- struct{}{} },
		"it is not kept for any time": func(c net.Conn) {
			write("HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=0\r\nContent-Length: 0\r\n\r\n")(c)
			told <- struct{}{}
		},
		"it is not kept for any time, says a second header": func(c net.Conn) {
			write("HTTP/1.1 200 OK\r\nKeep-Alive: max=5\r\nKeep-Alive: timeout=0\r\nContent-Length: 0\r\n\r\n")(c)
			told <- struct{}{}
		},
		"its end is the end of the body": func(c net.Conn) { write("HTTP/1.1 200 OK\r\n\r\nyes")(c); _ = c.Close(); told <- struct{}{} },
	}
	for name, behave := range cases {
		t.Run(name, func(t *testing.T) {
			address, opened := inTurn(t, func(c net.Conn, _ int32) { behave(c) })
			c := client(t, loopback, Options{})
			for i := range 2 {
				done := make(chan Answer)
				go func() { done <- c.Do(t.Context(), "", Request{URL: address}) }()
				<-told
				if a := succeed(t, <-done); a.Phases.Reused {
					t.Errorf("exchange %d went over the first connection", i)
				}
			}
			if n := opened.Load(); n != 2 {
				t.Errorf("%d connections for 2 exchanges", n)
			}
		})
	}
}

// together is a connection of which what is written goes out in one piece by flush.
type together struct {
	net.Conn
	held bytes.Buffer
	hold bool
}

func (c *together) Write(p []byte) (int, error) {
	if c.hold {
		return c.held.Write(p)
	}
	return c.Conn.Write(p)
}

func (c *together) flush() {
	c.hold = false
	_ = c.SetDeadline(time.Time{}) // TLS writes no more after its end
	_, _ = c.held.WriteTo(c.Conn)
}

func TestWhatComesInOnePieceWithAnAnswerOverTLSIsNotTheNextOnes(t *testing.T) {
	s, _ := counted(t, true, func(http.ResponseWriter, *http.Request) {})
	for name, more := range map[string]func(*tls.Conn){
		"another answer": func(c *tls.Conn) { write("HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n")(c) },
		"the end":        func(c *tls.Conn) { _ = c.CloseWrite() },
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			address := listen(t, func(conn net.Conn) {
				piece := &together{Conn: conn}
				c := tls.Server(piece, &tls.Config{Certificates: s.TLS.Certificates, MaxVersion: version})
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				piece.hold = true
				write(fine)(c)
				more(c)
				piece.flush()
				hang(conn)
			})
			c := client(t, loopback, Options{RootCAs: roots(s)})
			for i := range 3 {
				if a := c.Do(t.Context(), "", Request{URL: "https://" + address}); a.StatusCode != 200 || a.Phases.Reused {
					t.Errorf("%s, %s, exchange %d: %d, used again %v (%v)", name, tls.VersionName(version), i, a.StatusCode, a.Phases.Reused, a.Err)
				}
			}
		}
	}
}

func TestAHandshakeThatNobodyWaitsForEndsToo(t *testing.T) {
	two, _ := counted(t, true, func(http.ResponseWriter, *http.Request) {})
	address := two.Listener.Addr().String()
	c := client(t, loopback, Options{RootCAs: roots(two), Timeout: time.Second})
	succeed(t, c.Do(t.Context(), "", Request{URL: two.URL}))
	c.CloseIdle()
	two.Close()
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	ended := make(chan error, 1)
	go func() {
		conn, err := again.Accept()
		if err == nil {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(long))
			_, err = io.Copy(io.Discard, conn)
		}
		ended <- err
	}()
	a := c.Do(t.Context(), "", Request{URL: two.URL})
	for Classify(a) == KindReset { // it went over a connection whose end was still on its way
		a = c.Do(t.Context(), "", Request{URL: two.URL})
	}
	if Classify(a) != KindTimeout {
		t.Errorf("%q, %q", Classify(a), Sentence(a))
	}
	if err := <-ended; err != nil {
		t.Errorf("the connection is still open: %v", err)
	}
}

func TestInterimAnswersArePassedOver(t *testing.T) {
	address, opened := inTurn(t, func(c net.Conn, _ int32) {
		write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + fine)(c)
	})
	c := client(t, loopback, Options{})
	for range 2 {
		if a := succeed(t, c.Do(t.Context(), "", Request{URL: address})); a.StatusCode != 200 || len(a.Header) != 1 {
			t.Errorf("%d, %v", a.StatusCode, a.Header)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestALongBodyArrivesWhole(t *testing.T) {
	var got atomic.Int64
	s, opened := counted(t, false, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got.Add(int64(bytes.Count(body, []byte("x"))))
	})
	c := client(t, loopback, Options{})
	for _, size := range []int{shortBody, shortBody + 1, 1 << 20} {
		got.Store(0)
		succeed(t, c.Do(t.Context(), "", Request{URL: s.URL, Body: bytes.Repeat([]byte("x"), size)}))
		if got.Load() != int64(size) {
			t.Errorf("%d bytes of %d arrived", got.Load(), size)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 3 exchanges", n)
	}
}

func TestAnAnswerBeforeTheBodyIsReadCounts(t *testing.T) {
	for _, behave := range []func(net.Conn){
		func(c net.Conn) {
			write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")(c)
			<-t.Context().Done()
		},
		func(c net.Conn) {
			write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")(c)
			_ = c.(*net.TCPConn).CloseWrite()
			<-t.Context().Done()
		},
	} {
		a := client(t, loopback, Options{Timeout: long}).Do(t.Context(), "", Request{URL: endpoint(t, behave), Body: make([]byte, 64<<20)})
		if Classify(a) != KindStatus || a.StatusCode != 413 || a.Duration > long/2 {
			t.Errorf("%q, %d after %v (%v)", Classify(a), a.StatusCode, a.Duration, a.Err)
		}
	}
}

func TestAHeaderThatWouldBreakTheRequestIsNotSent(t *testing.T) {
	address, _ := inTurn(t, func(net.Conn, int32) { t.Error("it was sent") })
	for _, h := range []Header{{"X-One", "a\r\nX-Two: b"}, {"X One", "a"}, {"X\r\n", "a"}, {"", "a"}} {
		if a := client(t, loopback, Options{}).Do(t.Context(), "", Request{URL: address, Header: []Header{h}}); a.Err == nil {
			t.Errorf("%q was taken", h)
		}
	}
}

func TestKeptConnectionsAreBoundedAndEnd(t *testing.T) {
	k := newKept(2)
	ends := map[*conn]net.Conn{}
	open := func(at string) *conn {
		here, there := net.Pipe()
		t.Cleanup(func() { _ = there.Close() })
		c := newConn(here, place{address: at})
		ends[c] = there
		return c
	}
	closed := func(c *conn) bool {
		_ = ends[c].SetDeadline(time.Now().Add(long))
		_, err := ends[c].Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
	var first []*conn
	for range 3 {
		first = append(first, open("a"))
		k.put(first[len(first)-1])
	}
	if k.n != 2 || !closed(first[2]) || k.take(place{address: "a"}) != first[1] {
		t.Errorf("%d are kept; the newest of those is not taken first, or the third was kept", k.n)
	}
	for i := range idleTotal + 5 {
		k.put(open(fmt.Sprint(i)))
	}
	if k.n != idleTotal || len(k.idle) != idleTotal {
		t.Errorf("%d are kept at %d places, want %d", k.n, len(k.idle), idleTotal)
	}
	var old []*conn
	for _, list := range k.idle {
		list[0].since = time.Now().Add(-idleTime)
		old = append(old, list[0])
	}
	k.expire()
	if k.n != 0 || len(k.idle) != 0 || k.sweep != nil || slices.ContainsFunc(old, func(c *conn) bool { return !closed(c) }) {
		t.Errorf("%d are kept after their time, or some are not closed", k.n)
	}
}

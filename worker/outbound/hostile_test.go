package outbound

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/worker/outbound/outboundtest"
)

// short is the time limit where an endpoint is meant to run into it, long where it is not.
const (
	short = 150 * time.Millisecond
	long  = 20 * time.Second
)

// endpoint starts a server that reads one request per connection and then does what it wants. It returns its URL.
func endpoint(t *testing.T, behave func(net.Conn)) string {
	t.Helper()
	return "http://" + listen(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			behave(conn)
		}
	})
}

// listen starts a server and returns its address; its connections are closed at the end of the test.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			running.Go(func() { defer conn.Close(); serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func write(text string) func(net.Conn) {
	return func(conn net.Conn) { _, _ = io.WriteString(conn, text) }
}

// hang keeps a connection open until the other side or the test ends it.
func hang(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// flood sends text until the other side has enough.
func flood(conn net.Conn, text string) {
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

// drip sends a byte at a time, with pauses, until the other side has enough.
func drip(conn net.Conn) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
	}
}

func TestEachKindOfBadEndpointIsOneNamedFailure(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	cases := []struct {
		name, kind, sentence string
		limit                time.Duration
		behave               func(net.Conn)
	}{
		{"hangs", KindTimeout, "the endpoint's answer did not come to an end within 0.15 seconds", short, hang},
		{"drips its headers", KindTimeout, "the endpoint's answer did not", short, func(c net.Conn) { write(head + "X: ")(c); drip(c) }},
		{"drips its body", KindTimeout, "the body of the answer did not", short, func(c net.Conn) { write(head + "Content-Length: 9999\r\n\r\n")(c); drip(c) }},
		{"sends headers and hangs", KindTimeout, "the body of the answer did not", short, func(c net.Conn) { write(head + "Content-Length: 9\r\n\r\n")(c); hang(c) }},
		{"closes at once", KindReset, "closed the connection before it answered", long, func(net.Conn) {}},
		{"resets", KindReset, "closed the connection before it answered", long, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }},
		{"closes its half", KindReset, "closed the connection before it answered", long, func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite(); hang(c) }},
		{"stops in its headers", KindReset, "closed the connection before it answered", long, write(head + "X: ")},
		{"stops in its body", KindReset, "in the middle of its answer", long, write(head + "Content-Length: 9\r\n\r\nabc")},
		{"stops in a chunk", KindReset, "in the middle of its answer", long, write(head + "Transfer-Encoding: chunked\r\n\r\n9\r\nabc")},
		{"sends broken chunks", KindBadResponse, "not valid HTTP", long, write(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc")},
		{"speaks no HTTP", KindBadResponse, "not valid HTTP", long, write("220 mail.example ESMTP\r\n\r\n")},
		{"answers with a status of 000", KindBadResponse, "not valid HTTP", long, write("HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n")},
		{"answers with a status of 042", KindBadResponse, "not valid HTTP", long, write("HTTP/1.1 042 OK\r\nContent-Length: 100\r\n\r\n")},
		{"sends 10 000 headers", KindBadResponse, "larger than 64 KiB", long, write(head + strings.Repeat("X-Name: value\r\n", 10000) + "\r\n")},
		{"never ends a header", KindBadResponse, "larger than 64 KiB", long, func(c net.Conn) { write(head + "X: ")(c); flood(c, strings.Repeat("x", 9000)) }},
		{"floods with 1xx", KindBadResponse, "larger than 64 KiB", long, func(c net.Conn) { flood(c, "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n") }},
		{"switches protocols", KindStatus, "the endpoint answered 101", long, func(c net.Conn) {
			write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")(c)
			hang(c)
		}},
		{"redirects", KindRedirect, "answered 302, a redirect", long, write("HTTP/1.1 302 Found\r\nLocation: /again?secret\r\nContent-Length: 0\r\n\r\n")},
		{"is gone", KindGone, "answered 410", long, write("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")},
		{"fails", KindStatus, "the endpoint answered 500", long, write("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")},
		{"fails and stops in its body", KindStatus, "the endpoint answered 503", long, write("HTTP/1.1 503 Oh\r\nContent-Length: 9\r\n\r\nabc")},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, loopback, Options{Timeout: tc.limit})
			a := c.Do(t.Context(), "", Request{URL: endpoint(t, tc.behave) + "/hook?token=secret", Body: []byte(`{}`)})
			if Classify(a) != tc.kind || !strings.Contains(Sentence(a), tc.sentence) || strings.Contains(Sentence(a), "secret") {
				t.Errorf("%q, %q; want %q, %q (%v)", Classify(a), Sentence(a), tc.kind, tc.sentence, errors.Unwrap(a.Err))
			}
			if a.Duration > long/2 || a.RemoteAddress == "" {
				t.Errorf("took %v, remote address %q", a.Duration, a.RemoteAddress)
			}
		})
	}
}

func TestEndlessBodiesAreASuccessOfSixteenKiB(t *testing.T) {
	first := strings.Repeat("x", MaxAnswerBody)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	cases := map[string]struct {
		behave    func(net.Conn)
		length    int
		truncated bool
	}{
		"a gigabyte of known length": {func(c net.Conn) {
			write("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")(c)
			flood(c, first)
		}, MaxAnswerBody, true},
		"chunks without end": {func(c net.Conn) {
			write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")(c)
			flood(c, "4000\r\n"+first+"\r\n")
		}, MaxAnswerBody, true},
		"16 KiB, then silence": {func(c net.Conn) {
			write("HTTP/1.1 200 OK\r\n\r\n" + first)(c)
			hang(c)
		}, MaxAnswerBody, true},
		"16 KiB, then drops": {func(c net.Conn) {
			write("HTTP/1.1 200 OK\r\n\r\n" + first)(c)
			drip(c)
		}, MaxAnswerBody, true},
		"16 KiB and the end": {func(c net.Conn) { write("HTTP/1.1 200 OK\r\n\r\n" + first)(c) }, MaxAnswerBody, false},
		"a gzip bomb": {func(c net.Conn) {
			write(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), bomb.String()))(c)
		}, bomb.Len(), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := succeed(t, client(t, loopback, Options{Timeout: long}).Do(t.Context(), "", Request{URL: endpoint(t, tc.behave)}))
			if len(a.Body) != tc.length || a.Truncated != tc.truncated || a.Duration > long/2 {
				t.Errorf("%d bytes, truncated %v, after %v", len(a.Body), a.Truncated, a.Duration)
			}
		})
	}
}

func TestHTTP2BodiesAreCutToo(t *testing.T) {
	s, _ := counted(t, true, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	c := client(t, loopback, Options{RootCAs: roots(s), Timeout: long})
	for range 3 {
		a := succeed(t, c.Do(t.Context(), "", Request{URL: s.URL}))
		if a.Proto != "HTTP/2.0" || !a.Truncated || len(a.Body) != MaxAnswerBody || a.Duration > long/2 {
			t.Errorf("%s, %d bytes, truncated %v, after %v", a.Proto, len(a.Body), a.Truncated, a.Duration)
		}
	}
}

func TestHTTP2FailuresHaveTheSameNames(t *testing.T) {
	s, _ := counted(t, true, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/headers":
			for i := range 10000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), "value")
			}
		case "/hang":
			<-r.Context().Done()
		}
	})
	for path, want := range map[string]string{"/abort": KindReset, "/headers": KindBadResponse, "/hang": KindTimeout} {
		limit := long
		if path == "/hang" {
			limit = short
		}
		a := client(t, loopback, Options{RootCAs: roots(s), Timeout: limit}).Do(t.Context(), "", Request{URL: s.URL + path})
		if Classify(a) != want {
			t.Errorf("%s: %q, want %q (%v)", path, Classify(a), want, errors.Unwrap(a.Err))
		}
	}
}

// certificate returns a self-signed certificate for a name.
func certificate(t *testing.T, name string, from, to time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestBadTLSSaysWhatIsBad(t *testing.T) {
	now := time.Now()
	day := 24 * time.Hour
	good, known := certificate(t, "hook.test", now.Add(-day), now.Add(day))
	expired, alsoKnown := certificate(t, "hook.test", now.Add(-2*day), now.Add(-day))
	early, earlyKnown := certificate(t, "hook.test", now.Add(day), now.Add(2*day))
	other, otherKnown := certificate(t, "other.test", now.Add(-day), now.Add(day))
	speak := func(config *tls.Config) func(net.Conn) {
		return func(c net.Conn) { _ = tls.Server(c, config).Handshake(); hang(c) }
	}
	with := func(cert tls.Certificate) func(net.Conn) {
		return speak(&tls.Config{Certificates: []tls.Certificate{cert}})
	}
	cases := []struct {
		roots    *x509.CertPool
		behave   func(net.Conn)
		sentence string
	}{
		{alsoKnown, with(expired), "the certificate expired on " + now.Add(-day).UTC().Format("2 Jan 2006")},
		{earlyKnown, with(early), "the certificate is not valid before " + now.Add(day).UTC().Format("2 Jan 2006")},
		{otherKnown, with(other), "the certificate is not for hook.test"},
		{x509.NewCertPool(), with(good), "the certificate is signed by an authority that is not known"},
		{known, write("HTTP/1.1 400 Bad Request\r\n\r\n"), "the endpoint does not speak TLS"},
		{known, func(net.Conn) {}, "the endpoint closed the connection during the TLS handshake"},
		{known, speak(&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}), "the endpoint refused the TLS handshake"},
	}
	resolver := outboundtest.Resolver(func(string) []netip.Addr { return addrs("127.0.0.1") })
	for _, tc := range cases {
		_, port, _ := net.SplitHostPort(listen(t, tc.behave))
		c := client(t, "hook.test", Options{Resolver: resolver, RootCAs: tc.roots, Timeout: long})
		a := c.Do(t.Context(), "", Request{URL: "https://hook.test:" + port + "/"})
		if Classify(a) != KindTLS || !strings.HasPrefix(Sentence(a), tc.sentence) {
			t.Errorf("%q, %q; want %q (%v)", Classify(a), Sentence(a), tc.sentence, errors.Unwrap(a.Err))
		}
		if a.Phases.TLS <= 0 {
			t.Errorf("%s: it took no time: %+v", tc.sentence, a.Phases)
		}
	}
}

func TestAHandshakeThatHangsIsATimeout(t *testing.T) {
	a := client(t, loopback, Options{Timeout: short}).Do(t.Context(), "", Request{URL: "https://" + listen(t, hang)})
	if Classify(a) != KindTimeout || !strings.HasPrefix(Sentence(a), "the TLS handshake did not") {
		t.Errorf("%q, %q", Classify(a), Sentence(a))
	}
}

func TestALookUpThatHangsIsATimeout(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	resolver := outboundtest.Resolver(func(string) []netip.Addr { <-release; return nil })
	a := client(t, "", Options{Timeout: short, Resolver: resolver}).Do(t.Context(), "", Request{URL: "https://hook.test/"})
	if Classify(a) != KindTimeout || !strings.HasPrefix(Sentence(a), "the name look-up did not") {
		t.Errorf("%q, %q (%v)", Classify(a), Sentence(a), errors.Unwrap(a.Err))
	}
}

func TestNobodyListeningIsAConnectFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	a := client(t, loopback, Options{}).Do(t.Context(), "", Request{URL: "http://" + l.Addr().String()})
	if Classify(a) != KindConnect || Sentence(a) != "the endpoint refused the connection" {
		t.Errorf("%q, %q", Classify(a), Sentence(a))
	}
}

func TestAnUnknownNameIsADNSFailure(t *testing.T) {
	resolver := outboundtest.Resolver(func(string) []netip.Addr { return nil })
	a := client(t, "", Options{Resolver: resolver}).Do(t.Context(), "", Request{URL: "https://nobody.test/"})
	if Classify(a) != KindDNS || Sentence(a) != "no such host nobody.test" {
		t.Errorf("%q, %q (%v)", Classify(a), Sentence(a), errors.Unwrap(a.Err))
	}
}

func TestACallerWhoGivesUpInterrupts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := endpoint(t, func(c net.Conn) { cancel(); hang(c) })
	a := client(t, loopback, Options{}).Do(ctx, "", Request{URL: address})
	if Classify(a) != KindInterrupted {
		t.Errorf("%q, %q", Classify(a), Sentence(a))
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed = followed || r.URL.Path != "/"
		http.Redirect(w, r, "/next", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	a := client(t, loopback, Options{}).Do(t.Context(), "", Request{URL: s.URL + "/"})
	if Classify(a) != KindRedirect || followed {
		t.Errorf("%q, followed %v", Classify(a), followed)
	}
}

package outbound

import (
	"bytes"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/worker/outbound/outboundtest"
)

const loopback = "127.0.0.0/8"

// client returns a client that may reach what list holds.
func client(t *testing.T, list string, o Options) *Client {
	t.Helper()
	o.Targets = mustParse(t, list)
	c := New(o)
	t.Cleanup(c.CloseIdle)
	return c
}

// counted starts a server that counts its connections.
func counted(t *testing.T, secure bool, handler http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(handler)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.EnableHTTP2 = true
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, &opened
}

func roots(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func succeed(t *testing.T, a Answer) Answer {
	t.Helper()
	if kind := Classify(a); kind != "" {
		t.Fatalf("%s: %s (%v)", kind, Sentence(a), a.Err)
	}
	return a
}

func TestARequestArrivesAsItWasGiven(t *testing.T) {
	s, _ := counted(t, false, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || string(body) != `{"a":1}` || r.URL.RequestURI() != "/hook?x=%20y" || r.ContentLength != 7 {
			t.Errorf("%s %s with %q", r.Method, r.URL, body)
		}
		want := map[string]string{"Webhook-Id": "d1", "X-Two": "1,2", "User-Agent": "mine", "Content-Type": "application/json", "Accept-Encoding": "identity"}
		for name, value := range want {
			if got := strings.Join(r.Header.Values(name), ","); got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
		if len(r.Header) != len(want)+1 {
			t.Errorf("more headers than given: %v", r.Header)
		}
		w.Header()["X-Answer"] = []string{"b", "a"}
		w.WriteHeader(202)
		_, _ = w.Write([]byte("taken"))
	})
	c := client(t, loopback, Options{})
	a := succeed(t, c.Do(t.Context(), "default", Request{
		URL: s.URL + "/hook?x=%20y", Body: []byte(`{"a":1}`),
		Header: []Header{{"webhook-id", "d1"}, {"X-Two", "1"}, {"X-Two", "2"}, {"user-agent", "mine"}},
	}))
	if a.StatusCode != 202 || string(a.Body) != "taken" || a.Truncated || a.Proto != "HTTP/1.1" || a.RemoteAddress != strings.TrimPrefix(s.URL, "http://") {
		t.Errorf("answer %+v", a)
	}
	if a.Header[len(a.Header)-2] != (Header{"X-Answer", "b"}) || a.Header[len(a.Header)-1] != (Header{"X-Answer", "a"}) {
		t.Errorf("headers %v", a.Header)
	}
	if a.StartedAt.Location() != time.UTC || a.Duration <= 0 || a.Duration < a.Phases.FirstByte || a.Phases.FirstByte <= 0 || a.Phases.Connect <= 0 {
		t.Errorf("times %+v", a)
	}
}

func TestConnectionsAreKeptAndUsedAgain(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s, opened := counted(t, secure, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("x"), MaxAnswerBody))
		})
		o := Options{}
		if secure {
			o.RootCAs = roots(s)
		}
		c := client(t, loopback, o)
		for i := range 5 {
			a := succeed(t, c.Do(t.Context(), "", Request{URL: s.URL}))
			if a.Truncated || len(a.Body) != MaxAnswerBody {
				t.Errorf("%d bytes, truncated %v", len(a.Body), a.Truncated)
			}
			if a.Phases.Reused != (i > 0) || (a.Phases.Connect > 0) != (i == 0) || (a.Phases.TLS > 0) != (secure && i == 0) {
				t.Errorf("exchange %d: phases %+v", i, a.Phases)
			}
			if secure && a.Proto != "HTTP/2.0" {
				t.Errorf("%s where HTTP/2 is offered", a.Proto)
			}
		}
		if n := opened.Load(); n != 1 {
			t.Errorf("%d connections for 5 exchanges, TLS %v", n, secure)
		}
	}
}

func TestALongerAnswerIsCutAndItsConnectionClosed(t *testing.T) {
	for _, known := range []bool{true, false} {
		s, opened := counted(t, false, func(w http.ResponseWriter, r *http.Request) {
			size := 4 * MaxAnswerBody
			if known {
				size = MaxAnswerBody + 1
				w.Header().Set("Content-Length", strconv.Itoa(size))
			}
			_, _ = w.Write(bytes.Repeat([]byte("x"), size))
		})
		c := client(t, loopback, Options{})
		for range 2 {
			a := succeed(t, c.Do(t.Context(), "", Request{URL: s.URL}))
			if !a.Truncated || len(a.Body) != MaxAnswerBody {
				t.Errorf("%d bytes, truncated %v", len(a.Body), a.Truncated)
			}
		}
		if n := opened.Load(); n != 2 {
			t.Errorf("%d connections for 2 cut answers, length known %v", n, known)
		}
	}
}

func TestTheProxyEnvironmentIsIgnored(t *testing.T) {
	proxy, proxied := counted(t, false, func(http.ResponseWriter, *http.Request) {})
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	c := client(t, "hook.test", Options{Resolver: outboundtest.Resolver(func(string) []netip.Addr { return nil })})
	for _, scheme := range []string{"http", "https"} {
		if kind := Classify(c.Do(t.Context(), "", Request{URL: scheme + "://hook.test/"})); kind != KindDNS {
			t.Errorf("%s: kind %q, want %q", scheme, kind, KindDNS)
		}
	}
	if proxied.Load() != 0 {
		t.Error("the proxy was used")
	}
}

func TestANameThatChangesItsAddressIsStoppedWhenConnecting(t *testing.T) {
	s, opened := counted(t, true, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	var moved atomic.Bool
	resolver := outboundtest.Resolver(func(string) []netip.Addr {
		if moved.Load() {
			return addrs("127.0.0.1", "::1")
		}
		return addrs("8.8.8.8")
	})
	address := "https://rebind.test:" + port + "/"
	if v, err := NewChecker(nil, resolver).CheckURL(t.Context(), "", address); err != nil || v.AddressSentence() != "Public address, 8.8.8.8" {
		t.Fatalf("checked: %+v, %v", v, err)
	}
	moved.Store(true)
	a := New(Options{Resolver: resolver, RootCAs: roots(s)}).Do(t.Context(), "", Request{URL: address})
	if Classify(a) != KindBlockedAddress || Sentence(a) != "rebind.test leads to a loopback address, which is not allowed" {
		t.Errorf("%s: %s", Classify(a), Sentence(a))
	}
	if opened.Load() != 0 || a.RemoteAddress != "" || a.Phases.DNS <= 0 {
		t.Errorf("%d connections, answer %+v", opened.Load(), a)
	}
}

func TestAddressesThatAreNotAllowedAreNeverConnected(t *testing.T) {
	s, opened := counted(t, false, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	resolver := outboundtest.Resolver(func(name string) []netip.Addr {
		return map[string][]netip.Addr{
			"inside.test": addrs("127.0.0.1"), "hooks.internal": addrs("169.254.169.254"), "public.test": addrs("8.8.8.8"),
		}[name]
	})
	c := client(t, "hooks.internal 10.0.0.0/8", Options{Resolver: resolver})
	for _, address := range []string{
		"http://127.0.0.1:" + port, "http://2130706433:" + port, "http://0x7f.1:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://inside.test:" + port,
		"https://inside.test:" + port, "https://hooks.internal/", "http://hooks.internal/", "http://public.test/", "http://8.8.8.8/",
		"https://127.0.0.1:" + port, "inbox:", "https://user:secret@public.test/",
	} {
		a := c.Do(t.Context(), "default", Request{URL: address})
		if Classify(a) != KindBlockedAddress || strings.Contains(Sentence(a), "secret") {
			t.Errorf("%s: %s, %s", address, Classify(a), Sentence(a))
		}
	}
	if opened.Load() != 0 {
		t.Errorf("%d connections", opened.Load())
	}
}

func TestOneAccountsOpenConnectionIsNotAnothers(t *testing.T) {
	s, opened := counted(t, false, func(http.ResponseWriter, *http.Request) {})
	c := client(t, "acme="+loopback+" beta="+loopback, Options{})
	for range 2 {
		succeed(t, c.Do(t.Context(), "acme", Request{URL: s.URL}))
	}
	if kind := Classify(c.Do(t.Context(), "other", Request{URL: s.URL})); kind != KindBlockedAddress {
		t.Errorf("another account: %q", kind)
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	succeed(t, c.Do(t.Context(), "beta", Request{URL: s.URL}))
	if n := opened.Load(); n != 2 {
		t.Errorf("%d connections after a third account, want 2", n)
	}
}

func BenchmarkDo(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer s.Close()
	targets, err := Parse(loopback)
	if err != nil {
		b.Fatal(err)
	}
	c := New(Options{Targets: targets})
	request := Request{URL: s.URL, Body: bytes.Repeat([]byte("x"), 512), Header: []Header{{"webhook-id", "d1"}, {"webhook-timestamp", "1"}, {"webhook-signature", "v1,x"}}}
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if a := c.Do(b.Context(), "", request); a.Err != nil {
				b.Error(a.Err)
			}
		}
	})
}

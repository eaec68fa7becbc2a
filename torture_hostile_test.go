package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// hostileTimeout is the time of one request beside hostile endpoints.
const hostileTimeout = 4 * time.Second

// badEvent is what hostile endpoints get.
const badEvent = "bad.news"

// hostile is an endpoint that means no good, and what has to come of it.
type hostile struct {
	name, kind, detail string // kind empty: delivered
	url                string
}

func TestWorstDayHostileEndpointsAreNamedAndHurtNobody(t *testing.T) {
	eachMeasured(t, func(t *testing.T, db storetest.Database) {
		list, roots := hostileEndpoints(t)
		environment, key := serving(t, db)
		environment["BELFRY_TIMEOUT"], environment["BELFRY_RETRIES"] = hostileTimeout.String(), "0"
		environment["BELFRY_MAX_WEBHOOKS"], environment["SSL_CERT_FILE"] = "100", roots
		r := spawn(t, environment, "serve")
		healthy := newProbe(t, r, key)
		ids := make([]uuid.UUID, len(list))
		for i, h := range list {
			ids[i] = subscribe(r, key, h.url, badEvent)
		}
		healthy.measure(50, 300*time.Millisecond) // until it is warm
		alone, before := healthy.measure(50, sized(600*time.Millisecond, 20*time.Second)), memory(t, r)
		for i := range sized(3, 9) { // after ten failures in a row they would be probed one by one
			publishAs(r, key, badEvent, fmt.Sprintf("bad-%d-%s", i, strings.Repeat("x", 200_000)))
		}
		beside := healthy.measure(50, sized(600*time.Millisecond, 20*time.Second))
		undisturbed(t, alone, beside)
		b := openBooks(t, db)
		b.settle(r.log.String)
		after := memory(t, r)
		t.Logf("it took %d MiB before, and %d MiB at most beside hostile endpoints", before>>20, after>>20)
		if after > before+raced*64<<20 {
			t.Error("what hostile endpoints send is kept in memory")
		}
		for i, h := range list {
			b.judge(h, ids[i], sized(3, 9))
		}
	})
}

// judge checks that all that went to a hostile endpoint came to the end that it
// has to, in time.
func (b *books) judge(h hostile, webhook uuid.UUID, want int) {
	b.t.Helper()
	list := b.deliveries(store.DeliveryFilter{WebhookID: webhook})
	if len(list) != want {
		b.t.Errorf("%s: %d deliveries, want %d", h.name, len(list), want)
	}
	for _, d := range list {
		status := store.Failed
		if h.kind == "" {
			status = store.Delivered
		}
		if d.Status != status || d.LastError != h.kind || !strings.Contains(d.LastDetail, h.detail) || d.Attempts != 1 {
			b.t.Errorf("%s: %s after %d attempts, %q: %s; want %s, %q: %s", h.name, d.Status, d.Attempts, d.LastError, d.LastDetail, status, h.kind, h.detail)
		}
		if d.LastDuration > hostileTimeout+time.Second {
			b.t.Errorf("%s: the request took %v", h.name, d.LastDuration)
		}
	}
}

// memory is the most that the process has taken so far, in bytes.
func memory(t *testing.T, r *running) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// subscribe registers an endpoint for one type of event and gives its id.
func subscribe(r *running, key, url, event string) uuid.UUID {
	r.t.Helper()
	r.ask(key, "POST", "/api/v1/event-types", fmt.Sprintf(`{"name":%q}`, event)) // again: a conflict, which is as good
	status, body := r.ask(key, "POST", "/api/v1/webhooks", fmt.Sprintf(`{"url":%q,"events":[%q]}`, url, event))
	var added struct{ ID uuid.UUID }
	if err := json.Unmarshal(body, &added); status != http.StatusCreated || err != nil {
		r.t.Fatalf("add %s: %d %s (%v)", url, status, body, err)
	}
	return added.ID
}

// publishAs publishes an event of that type; it has to be accepted.
func publishAs(r *running, key, event, id string) {
	r.t.Helper()
	status, body := r.ask(key, "POST", "/api/v1/events", fmt.Sprintf(`{"event":%q,"data":{"id":%q}}`, event, id))
	if status != http.StatusAccepted {
		r.t.Errorf("publish: %d %s", status, body)
	}
}

// hostileEndpoints starts them all, and gives the file of the authority that
// the program is to trust for their certificates.
func hostileEndpoints(t *testing.T) (list []hostile, roots string) {
	t.Helper()
	const head = "HTTP/1.1 200 OK\r\n"
	gone := t.Context().Done()
	plain := func(name, kind, detail string, behave func(net.Conn)) {
		list = append(list, hostile{name, kind, detail, "http://" + raw(t, afterRequest(behave))})
	}
	plain("hangs", "timeout", "did not come to an end", silent)
	plain("drips a byte a second", "timeout", "did not come to an end", func(c net.Conn) { say(c, head+"X: "); drip(c) })
	plain("drips its body", "timeout", "body of the answer", func(c net.Conn) { say(c, head+"Content-Length: 9999\r\n\r\n"); drip(c) })
	plain("sends a gigabyte", "", "", func(c net.Conn) { say(c, head+"Content-Length: 1073741824\r\n\r\n"); flood(c) })
	plain("fails with a gigabyte", "status", "answered 500", func(c net.Conn) { say(c, "HTTP/1.1 500 Oh\r\nContent-Length: 1073741824\r\n\r\n"); flood(c) })
	plain("sends a gzip bomb", "", "", bomb())
	plain("sends 10 000 headers", "bad_response", "larger than 64 KiB", func(c net.Conn) { say(c, head+strings.Repeat("X-Name: value\r\n", 10_000)+"\r\n") })
	plain("never ends its headers", "bad_response", "larger than 64 KiB", func(c net.Conn) { say(c, head+"X: "); flood(c) })
	plain("resets in the middle", "reset", "in the middle of its answer", func(c net.Conn) {
		say(c, head+"Content-Length: 999\r\n\r\nabc")
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	plain("speaks no HTTP", "bad_response", "not valid HTTP", func(c net.Conn) { say(c, "220 mail.example ESMTP\r\n") })
	plain("redirects in a loop", "redirect", "answered 307", func(c net.Conn) {
		say(c, "HTTP/1.1 307 On\r\nConnection: close\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
	})
	list = append(list, hostile{"answers before it reads the body", "", "", "http://" + raw(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			say(c, head+"Connection: close\r\nContent-Length: 0\r\n\r\n")
			<-gone
		}
	})})
	tls, roots := badTLS(t)
	return append(list, tls...), roots
}

// raw serves connections until the test ends and gives the address.
func raw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { c.Close() })
			go func() { defer c.Close(); serve(c) }()
		}
	}()
	return l.Addr().String()
}

// afterRequest reads one whole request before it behaves.
func afterRequest(behave func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err == nil {
			behave(c)
		}
	}
}

func say(c net.Conn, text string) { _, _ = io.WriteString(c, text) }

// silent says nothing until somebody ends the connection.
func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func drip(c net.Conn) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(c, "x"); err != nil {
			return
		}
	}
}

func flood(c net.Conn) {
	for block := bytes.Repeat([]byte("x"), 64<<10); ; {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}

// bomb answers with 32 MiB of zeros in 32 KiB.
func bomb() func(net.Conn) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for block := make([]byte, 1<<20); packed.Len() < 32<<10; {
		_, _ = z.Write(block)
	}
	_ = z.Close()
	return func(c net.Conn) {
		say(c, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", packed.Len()))
		_, _ = c.Write(packed.Bytes())
	}
}

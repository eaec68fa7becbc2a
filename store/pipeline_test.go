package store_test

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

// wire lies between a store and Postgres, and counts how often the store spoke
// after it was answered.
type wire struct {
	trips atomic.Int64
	mu    sync.Mutex
	lines []net.Conn
}

// cut ends all connections, and tells how many there were.
func (w *wire) cut() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.lines)
	for _, line := range w.lines {
		line.Close()
	}
	w.lines = nil
	return n
}

// tap leads the connections to a database over a wire.
func tap(t *testing.T, db *storetest.Database) *wire {
	t.Helper()
	at, err := url.Parse(db.URL)
	must(t, err)
	query := at.Query()
	server := filepath.Join(query.Get("host"), ".s.PGSQL.5432")
	dir, err := os.MkdirTemp("", "wire") // a socket's path must be short
	must(t, err)
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	must(t, err)
	t.Cleanup(func() {
		listener.Close()
		os.RemoveAll(dir)
	})
	query.Set("host", dir)
	at.RawQuery = query.Encode()
	db.URL = at.String()
	w := &wire{}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.join(client, server)
		}
	}()
	return w
}

func (w *wire) join(client net.Conn, socket string) {
	defer client.Close()
	w.mu.Lock()
	w.lines = append(w.lines, client)
	w.mu.Unlock()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	var answered atomic.Bool
	go func() {
		defer client.Close()
		pass(client, server, func() { answered.Store(true) })
	}()
	pass(server, client, func() {
		if answered.Swap(false) {
			w.trips.Add(1)
		}
	})
}

// pass copies from one end to the other, and calls each time before it writes.
func pass(to io.Writer, from io.Reader, each func()) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		each()
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// fewest is how many round trips the cheapest of some calls cost: others may have
// come while a notice was sent, or a statement was prepared.
func (w *wire) fewest(calls int, call func()) int64 {
	var fewest int64
	for i := range calls {
		before := w.trips.Load()
		call()
		if n := w.trips.Load() - before; i == 0 || n < fewest {
			fewest = n
		}
	}
	return fewest
}

func TestATransactionCostsPostgresAFewRoundTrips(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	w := tap(t, &db)
	d := openDesk(t, db, store.Limits{})
	d.webhook("https://one.example.com/", "call.ended")
	var key byte
	publish := func() {
		key++
		_, _, err := d.Publish(d.ctx, store.Publication{
			AccountID: d.account, IdempotencyKey: "key-" + string('a'+key), Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`)}},
		})
		must(t, err)
	}
	if n := w.fewest(10, publish); n != 2 {
		t.Errorf("publishing costs %d, want 2: what is there, and what is written", n)
	}
	jobs := d.claim()
	record := func() {
		d.answer(200, jobs[0])
		jobs = jobs[1:]
	}
	if n := w.fewest(10, record); n != 3 {
		t.Errorf("recording costs %d, want 3: what is there, what is still this node's, and what is written", n)
	}
}

func TestATransactionOutlivesAConnectionThatDied(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	line := tap(t, &db)
	d := openDesk(t, db, store.Limits{})
	w := d.webhook("https://one.example.com/", "call.ended")
	for n := int64(1); n <= 5; n++ {
		d.publish("call.ended", `{}`)
		if line.cut() == 0 {
			t.Fatal("there was no connection to be cut")
		}
		d.publish("call.ended", `{}`)
		if got := d.summary(w).Pending; got != 2*n {
			t.Errorf("%d deliveries, want %d", got, 2*n)
		}
	}
}

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// arrival is one request as an endpoint got it.
type arrival struct {
	path   string
	header http.Header
	body   []byte
}

// endpoint is a receiver whose answers the test decides.
type endpoint struct {
	*httptest.Server
	came chan arrival

	mu     sync.Mutex
	status map[string]int           // by path; else 200
	gates  map[string]chan struct{} // by path: answered once closed
	times  map[string]int           // requests by path
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{came: make(chan arrival, 1000), status: map[string]int{}, gates: map[string]chan struct{}{}, times: map[string]int{}}
	e.Server = httptest.NewServer(http.HandlerFunc(e.receive))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	e.mu.Lock()
	gate, status := e.gates[r.URL.Path], e.status[r.URL.Path]
	e.times[r.URL.Path]++
	e.mu.Unlock()
	e.came <- arrival{r.URL.Path, r.Header, body}
	if gate != nil {
		select {
		case <-gate:
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(max(status, http.StatusOK))
	_, _ = io.WriteString(w, `{"seen":true}`)
}

// answer makes the endpoint answer requests for a path with a status from now on.
func (e *endpoint) answer(path string, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status[path] = status
}

// hold leaves requests for a path without an answer until the function that it
// gives is called.
func (e *endpoint) hold(path string) (letGo func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	gate := make(chan struct{})
	e.gates[path] = gate
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.gates, path)
		close(gate)
	}
}

// count is how many requests came for a path.
func (e *endpoint) count(path string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.times[path]
}

// await waits for the next request for a path whose body holds the words;
// others are passed over.
func (e *endpoint) await(t *testing.T, path, words string) arrival {
	t.Helper()
	limit := time.After(soon)
	for {
		select {
		case a := <-e.came:
			if a.path == path && strings.Contains(string(a.body), words) {
				return a
			}
		case <-limit:
			t.Fatalf("no request for %s with %q came within %v", path, words, soon)
		}
	}
}

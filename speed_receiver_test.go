package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// speedLedger is the receiver's: what arrived, by measurement. It answers with
// 200, or with the status it was told.
type speedLedger struct {
	status  atomic.Int32
	buffers sync.Pool

	mu   sync.Mutex
	runs map[string]*speedRun
}

// speedRun is what arrived of one measurement.
type speedRun struct {
	seen   map[string][]bool // by path and number
	report speedReport
	took   []int32 // microseconds from publish to receipt, of first arrivals
	// reached is closed once want deliveries have arrived; want 0: nobody waits.
	want    int
	reached chan struct{}
}

// speedReport is what the receiver tells of a measurement.
type speedReport struct {
	// Deliveries is how many have arrived, each counted once; Repeated how many
	// arrived again after they were answered with 200; Refused how many requests
	// were answered otherwise.
	Deliveries, Repeated, Refused int
	FirstAt, LastAt               int64 // Unix nanoseconds, of first arrivals
	P50, P99                      float64
	// Headers are the names of the first arrival's headers, Bytes the size of
	// its body.
	Headers string
	Bytes   int64
}

// stalled is how long a receiver waits for one more delivery.
const stalled = 60 * time.Second

// serveSpeedReceiver serves on a free port, which it prints, until standard
// input ends.
func serveSpeedReceiver() {
	debug.SetGCPercent(400) // what the receiver uses, the measured program lacks
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ledger := newSpeedLedger()
	go func() { _ = http.Serve(l, ledger) }()
	fmt.Println("http://" + l.Addr().String())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func newSpeedLedger() *speedLedger {
	l := &speedLedger{runs: map[string]*speedRun{}}
	l.status.Store(http.StatusOK)
	l.buffers.New = func() any { return new(bytes.Buffer) }
	return l
}

// ServeHTTP takes deliveries, and answers the harness under /_/.
func (l *speedLedger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	if strings.HasPrefix(r.URL.Path, "/_/") {
		l.control(w, r)
		return
	}
	buffer := l.buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	_, err := buffer.ReadFrom(r.Body)
	mark, ok := findSpeedMark(buffer.Bytes())
	l.buffers.Put(buffer)
	if err != nil || !ok {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.URL.RawQuery != "" {
		delay, _ := time.ParseDuration(r.URL.Query().Get("delay"))
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
	}
	status := int(l.status.Load())
	l.arrived(mark, r, at, status)
	w.WriteHeader(status)
}

func (l *speedLedger) arrived(m speedMark, req *http.Request, at time.Time, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.runLocked(m.run)
	if status != http.StatusOK {
		r.report.Refused++
		return
	}
	path := req.URL.Path
	seen := r.seen[path]
	for m.n >= len(seen) {
		seen = append(seen, make([]bool, 4096)...)
		r.seen[path] = seen
	}
	if seen[m.n] {
		r.report.Repeated++
		return
	}
	seen[m.n] = true
	r.took = append(r.took, int32(min(at.UnixNano()-m.sent, int64(time.Hour/2))/1000))
	r.report.Deliveries++
	r.report.LastAt = at.UnixNano()
	if r.report.Deliveries == 1 {
		r.report.FirstAt, r.report.Bytes = r.report.LastAt, req.ContentLength
		r.report.Headers = strings.Join(slices.Sorted(maps.Keys(req.Header)), " ")
	}
	r.tell()
}

func (l *speedLedger) runLocked(name string) *speedRun {
	if l.runs[name] == nil {
		l.runs[name] = &speedRun{seen: map[string][]bool{}}
	}
	return l.runs[name]
}

// tell wakes who waits, once there is enough.
func (r *speedRun) tell() {
	if r.want > 0 && r.report.Deliveries >= r.want {
		close(r.reached)
		r.want = 0
	}
}

// control answers /_/report?run=&want= once so many deliveries have arrived or
// no more come, and /_/answer?status=, which sets the status of all answers.
func (l *speedLedger) control(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_/answer" {
		status, _ := strconv.Atoi(r.FormValue("status"))
		l.status.Store(int32(status))
		return
	}
	want, _ := strconv.Atoi(r.FormValue("want"))
	_ = json.NewEncoder(w).Encode(l.report(r.FormValue("run"), want))
}

func (l *speedLedger) report(name string, want int) speedReport {
	l.mu.Lock()
	r, reached := l.runLocked(name), make(chan struct{})
	r.want, r.reached = want, reached
	r.tell()
	waiting, before := r.want > 0, r.report.Deliveries
	l.mu.Unlock()
	for waiting {
		select {
		case <-reached:
			waiting = false
		case <-time.After(stalled):
			l.mu.Lock()
			waiting, before = r.report.Deliveries > before, r.report.Deliveries
			l.mu.Unlock()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	report := r.report
	if sorted := slices.Sorted(slices.Values(r.took)); len(sorted) > 0 {
		report.P50 = float64(sorted[len(sorted)/2]) / 1000
		report.P99 = float64(sorted[len(sorted)*99/100]) / 1000
	}
	return report
}

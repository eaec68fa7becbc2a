package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// speedVariable holds, as JSON, the role that this test's binary plays where
// the harness runs it as a process of its own.
const speedVariable = "BELFRY_SPEED_ROLE"

// endAtOnce keeps a process with the race detector from waiting a second
// before it ends.
const endAtOnce = "GORACE=atexit_sleep_ms=0"

// The roles beside Belfry and its database.
const (
	playReceiver = "receiver"
	playLoad     = "load"
	playFloor    = "floor"
)

// speedRole is what one process of the harness is to do.
type speedRole struct {
	Play string
	// URL is what the load generator calls, or where the floor's sender posts.
	URL, Key string
	// Event is the type that is published; Run marks the data of one
	// measurement, so that the receiver keeps measurements apart.
	Event, Run string
	// Requests is how many events are published, or posted, in all.
	Requests int
	// Connections is how many of them are under way at once.
	Connections int
	// Batch is how many events one call publishes; 0: one, not in a list.
	Batch int
	// PerSecond spreads the calls evenly; 0: as fast as they are answered.
	PerSecond int
	// Keys sends an Idempotency-Key with each call.
	Keys bool
}

// speedDone is what a load generator or the floor's sender tells at its end.
type speedDone struct {
	// Seconds is from the first request to the last answer, CPU what this
	// process used meanwhile.
	Seconds, CPU float64
	StartedAt    int64 // Unix nanoseconds
	Refused      int64
	Complaint    string // what one refusal said
}

// speedBytes is the size of the data of each event.
const speedBytes = 512

// speedData appends the data of an event: its measurement, its number, the
// moment at which it is sent, and padding.
func speedData(dst []byte, run string, n int, sent time.Time) []byte {
	start := len(dst)
	dst = append(append(append(dst, `{"run":"`...), run...), `","n":`...)
	dst = append(strconv.AppendInt(dst, int64(n), 10), `,"sent":`...)
	dst = append(strconv.AppendInt(dst, sent.UnixNano(), 10), `,"pad":"`...)
	for len(dst)-start < speedBytes-len(`"}`) {
		dst = append(dst, 'x')
	}
	return append(dst, `"}`...)
}

// speedMark is what speedData wrote.
type speedMark struct {
	run  string
	n    int
	sent int64
}

// findSpeedMark reads the mark in a body, however the data is wrapped.
func findSpeedMark(body []byte) (m speedMark, ok bool) {
	_, rest, ok := bytes.Cut(body, []byte(`{"run":"`))
	run, rest, ok1 := bytes.Cut(rest, []byte(`","n":`))
	n, rest, ok2 := bytes.Cut(rest, []byte(`,"sent":`))
	sent, _, ok3 := bytes.Cut(rest, []byte(`,"`))
	if !ok || !ok1 || !ok2 || !ok3 {
		return m, false
	}
	number, err := strconv.Atoi(string(n))
	at, errAt := strconv.ParseInt(string(sent), 10, 64)
	return speedMark{string(run), number, at}, err == nil && errAt == nil && number >= 0
}

// playSpeedRole plays the role this process was started for, if it was.
func playSpeedRole() bool {
	text, ok := os.LookupEnv(speedVariable)
	if !ok {
		return false
	}
	var r speedRole
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		panic(err)
	}
	switch r.Play {
	case playReceiver:
		serveSpeedReceiver()
	case playLoad:
		sayDone(r.load())
	case playFloor:
		sayDone(r.floor())
	}
	os.Exit(0)
	return true
}

func sayDone(d speedDone) { _ = json.NewEncoder(os.Stdout).Encode(d) }

// startSpeedRole starts a process of the harness. It ends with the test: its
// standard input closes when this process is gone, however it ends.
func startSpeedRole(t testing.TB, r speedRole) (cmd *exec.Cmd, out *bufio.Reader) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(os.Args[0], "-test.run=^TestTheSpeedHarness")
	cmd.Env = append(os.Environ(), speedVariable+"="+string(text), endAtOnce)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewReader(stdout)
}

// runSpeedRole runs a load generator or the floor's sender to its end, which
// must be one without a refusal.
func runSpeedRole(t testing.TB, r speedRole) speedDone {
	t.Helper()
	_, out := startSpeedRole(t, r)
	text, err := io.ReadAll(out)
	var d speedDone
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil || d.Refused > 0 {
		t.Fatalf("%s: %d of %d requests were refused: %s (%v)", r.Play, d.Refused, r.Requests, d.Complaint, err)
	}
	return d
}

// ownCPU is the CPU time that this process has used, in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"belfry/worker/signature"
)

// soon is how long a test waits for what should happen at once.
const soon = 60 * time.Second

// transcript keeps what a program prints, and lets tests wait for it.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed and made anew when text grows
}

func newTranscript() *transcript { return &transcript{grown: make(chan struct{})} }

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.text.Write(p)
	close(tr.grown)
	tr.grown = make(chan struct{})
	return len(p), nil
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// wait waits until the pattern is printed or the program has ended, and gives
// its first group; ok is false where it ended without.
func (tr *transcript) wait(pattern string, ended <-chan struct{}) (group string, ok bool) {
	re, limit := regexp.MustCompile(pattern), time.After(soon)
	for {
		tr.mu.Lock()
		found, grown := re.FindStringSubmatch(tr.text.String()), tr.grown
		tr.mu.Unlock()
		if found != nil {
			return found[len(found)-1], true
		}
		select {
		case <-grown:
		case <-ended:
			return "", false
		case <-limit:
			return "", false
		}
	}
}

// running is a Belfry that runs beside the test: in this process, or in one of
// its own.
type running struct {
	t        *testing.T
	url      string
	out, log *transcript
	ended    chan struct{} // closed when it has ended
	code     int           // then
	cancel   func()        // asks it to end, once
	process  *os.Process   // nil: in this process
}

// atPattern finds the address that serve and demo print.
const atPattern = `is at (https?://\S+)\n`

// boot runs the program until the test ends, and waits until it serves.
func boot(t *testing.T, environment map[string]string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, out: newTranscript(), log: newTranscript(), ended: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(r.ended)
		r.code = run(ctx, args, environmentOf(environment), strings.NewReader(""), r.out, r.log)
	}()
	t.Cleanup(func() { r.stop() })
	r.awaitAddress()
	return r
}

func (r *running) awaitAddress() {
	r.t.Helper()
	url, ok := r.out.wait(atPattern, r.ended)
	if !ok {
		r.t.Fatalf("it did not start; it said:\n%s%s", r.out, r.log)
	}
	r.url = url
}

// stop asks the program to end and gives its exit code.
func (r *running) stop() int {
	r.t.Helper()
	r.cancel()
	select {
	case <-r.ended:
	case <-time.After(soon):
		r.t.Fatalf("it did not stop within %v; it said:\n%s%s", soon, r.out, r.log)
	}
	return r.code
}

// processVariable holds the arguments where this test's binary is run as Belfry.
const processVariable = "BELFRY_TEST_ARGS"

// TestMainIsBelfry is main itself where a test runs this binary as a process of
// its own; otherwise it checks that such a process ends with run's exit code.
func TestMainIsBelfry(t *testing.T) {
	if args, ok := os.LookupEnv(processVariable); ok {
		os.Args = append([]string{"belfry"}, strings.Split(args, "\n")...)
		main()
	}
	for args, want := range map[string]int{"version": 0, "serve\n-retries\nmany": 2} {
		cmd := processCommand(t, nil, strings.Split(args, "\n")...)
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q exits with %d, want %d", args, got, want)
		}
	}
}

func processCommand(t *testing.T, environment map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMainIsBelfry$")
	cmd.Env = append(os.Environ(), processVariable+"="+strings.Join(args, "\n"))
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// spawn runs the program as a process of its own and waits until it serves.
func spawn(t *testing.T, environment map[string]string, args ...string) *running {
	t.Helper()
	r := launch(t, environment, args...)
	r.awaitAddress()
	return r
}

// launch starts the program as a process of its own; it may not serve yet.
func launch(t *testing.T, environment map[string]string, args ...string) *running {
	t.Helper()
	cmd := processCommand(t, environment, args...)
	r := &running{t: t, out: newTranscript(), log: newTranscript(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = r.out, r.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.process = cmd.Process
	r.cancel = sync.OnceFunc(func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	go func() {
		defer close(r.ended)
		_ = cmd.Wait()
		r.code = cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(r.kill)
	return r
}

// kill ends the process the hard way and waits until it is gone.
func (r *running) kill() {
	_ = r.process.Kill()
	<-r.ended
}

// ask calls the JSON API with a key and gives the answer's status and body.
func (r *running) ask(key, method, path, body string) (int, []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v\n%s", method, path, err, r.log)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, text
}

// addWebhook registers a receiver for all events and gives its secret.
func (r *running) addWebhook(key, url string) (secret string) {
	r.t.Helper()
	status, body := r.ask(key, "POST", "/api/v1/webhooks", `{"url":"`+url+`"}`)
	var added struct{ Secret string }
	if err := json.Unmarshal(body, &added); status != http.StatusCreated || err != nil || added.Secret == "" {
		r.t.Fatalf("add a webhook: %d %s (%v)", status, body, err)
	}
	return added.Secret
}

// publish publishes an event with this id in its data; it has to be accepted.
func (r *running) publish(key, id string) {
	r.t.Helper()
	status, body := r.ask(key, "POST", "/api/v1/events", `{"event":"order.paid","data":{"id":"`+id+`"}}`)
	if status != http.StatusAccepted || !strings.Contains(string(body), `"deliveries":1`) {
		r.t.Fatalf("publish: %d %s", status, body)
	}
}

// receiver takes deliveries in the test's process.
type receiver struct {
	*httptest.Server
	gate
	arrived  chan string // id of each request as it comes
	answered chan string // id of each request that was answered with 200

	mu     sync.Mutex
	secret string  // verifies, where it is set
	faults []error // what did not verify
}

// newReceiver serves until the test ends and answers at once.
func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{arrived: make(chan string, 10_000), answered: make(chan string, 10_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.Close)
	t.Cleanup(r.letGo)
	return r
}

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	body, id, err := readEvent(req)
	if err != nil {
		return
	}
	r.verify(req.Header, body)
	r.arrived <- id
	if !r.wait(req) {
		return
	}
	w.WriteHeader(http.StatusOK)
	if http.NewResponseController(w).Flush() == nil {
		r.answered <- id
	}
}

func (r *receiver) verify(header http.Header, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secret == "" {
		return
	}
	if err := signature.Verify(header, body, r.secret); err != nil {
		r.faults = append(r.faults, err)
	}
}

// take waits for one more of a receiver's requests.
func take(t *testing.T, from <-chan string, explain func() string) string {
	t.Helper()
	select {
	case id := <-from:
		return id
	case <-time.After(soon):
		t.Fatalf("no request came within %v\n%s", soon, explain())
		return ""
	}
}

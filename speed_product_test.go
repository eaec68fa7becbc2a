package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"belfry/store/storetest"
)

// product is a Belfry that is measured: a process of its own on a database of
// its own.
type product struct {
	t           testing.TB
	db          storetest.Database
	program     string // the binary; empty: this test's plays it
	environment map[string]string
	key, url    string
	log         string // the file that takes the process's log
	process     *exec.Cmd
	ended       chan struct{}
}

// newProduct sets the database up, with limits that hold nothing up.
func newProduct(t testing.TB, program string, db storetest.Database) *product {
	t.Helper()
	p := &product{t: t, db: db, program: program, environment: environmentFor(db), log: filepath.Join(t.TempDir(), "log")}
	p.environment["BELFRY_ADDR"] = "127.0.0.1:0"
	p.environment["BELFRY_ALLOW_TARGETS"] = "127.0.0.0/8"
	p.environment["BELFRY_MAX_WEBHOOKS"] = "100"
	p.environment["BELFRY_RATE_PER_MINUTE"] = "10000000"
	p.environment["BELFRY_API_RATE_PER_MINUTE"] = "10000000"
	p.run("", "migrate")
	p.key = strings.TrimSpace(p.run("", "key", "add", "-name", "speed"))
	return p
}

func (p *product) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.program, args...)
	if p.program == "" {
		cmd = exec.Command(os.Args[0], "-test.run=^TestMainIsBelfry$")
		cmd.Env = []string{processVariable + "=" + strings.Join(args, "\n")}
	}
	cmd.Env = append(append(cmd.Env, os.Environ()...), endAtOnce)
	for name, value := range p.environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// run runs a command to its end and gives what it printed.
func (p *product) run(stdin string, args ...string) string {
	p.t.Helper()
	var out, complaints bytes.Buffer
	code := 0
	if p.program == "" {
		code = run(p.t.Context(), args, environmentOf(p.environment), strings.NewReader(stdin), &out, &complaints)
	} else {
		cmd := p.command(args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaints
		if err := cmd.Run(); err != nil {
			code = cmp.Or(cmd.ProcessState.ExitCode(), -1)
		}
	}
	if code != 0 {
		p.t.Fatalf("belfry %s: code %d\n%s%s", strings.Join(args, " "), code, out.String(), complaints.String())
	}
	return out.String()
}

// start serves until stop, or until the test ends.
func (p *product) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	out, cmd, ended := newTranscript(), p.command("serve"), make(chan struct{})
	cmd.Stdout, cmd.Stderr = out, log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	p.process, p.ended = cmd, ended
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	at, ok := out.wait(atPattern, ended)
	if !ok {
		text, _ := os.ReadFile(p.log)
		p.t.Fatalf("it did not start; it said:\n%s%s", out, text)
	}
	p.url = at
}

func (p *product) stop() {
	p.t.Helper()
	_ = p.process.Process.Signal(syscall.SIGTERM)
	<-p.ended
	if code := p.process.ProcessState.ExitCode(); code != 0 {
		p.t.Fatalf("it ended with code %d; see %s", code, p.log)
	}
}

// families are the processes to be watched; the receiver's is added.
func (p *product) families(receiver *speedSink) map[string]family {
	all := map[string]family{"belfry": family(p.process.Process.Pid), "receiver": family(receiver.process.Process.Pid)}
	if p.db.Kind == storetest.KindPostgres {
		all["database"] = family(p.postmaster())
	}
	return all
}

// postmaster is the process of the Postgres cluster that this test started.
func (p *product) postmaster() int {
	p.t.Helper()
	u, err := url.Parse(p.db.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(u.Query().Get("host"), "data", "postmaster.pid"))
	first, _, _ := strings.Cut(string(text), "\n")
	pid, errPid := strconv.Atoi(first)
	if err != nil || errPid != nil {
		p.t.Fatal("find the database's process:", err, errPid)
	}
	return pid
}

// ask calls the JSON API, which has to answer with that status.
func (p *product) ask(status int, method, path, body string, answer any) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != status || json.Unmarshal(text, answer) != nil {
		p.t.Fatalf("%s %s: %s %s (%v), want %d", method, path, got.Status, text, err, status)
	}
}

// subscribe adds n webhooks for one type of event, on paths of that name, and
// gives their ids.
func (p *product) subscribe(n int, event, url, query string) (webhooks []string) {
	p.t.Helper()
	for i := range n {
		var added struct{ ID string }
		p.ask(http.StatusCreated, "POST", "/api/v1/webhooks", fmt.Sprintf(`{"url":"%s/%s/%d%s","events":["%s"]}`, url, event, i, query, event), &added)
		webhooks = append(webhooks, added.ID)
	}
	return webhooks
}

// settle waits until the webhooks have nothing to do any more: what was
// answered has been recorded.
func (p *product) settle(webhooks []string) {
	p.t.Helper()
	until := time.Now().Add(stalled)
	for _, id := range webhooks {
		var s struct{ Pending, Processing int }
		for s.Pending = 1; s.Pending+s.Processing > 0; time.Sleep(10 * time.Millisecond) {
			p.ask(http.StatusOK, "GET", "/api/v1/webhooks/"+id+"/deliveries/summary", "", &s)
			if time.Now().After(until) {
				p.t.Fatalf("webhook %s has %d pending and %d under way after all was answered", id, s.Pending, s.Processing)
			}
		}
	}
}

// durability is what doctor reads back of the database.
func (p *product) durability() string {
	p.t.Helper()
	for line := range strings.Lines(p.run("", "doctor")) {
		if _, found, ok := strings.Cut(line, "durability"); ok && strings.HasPrefix(line, "ok") {
			return strings.TrimSpace(found)
		}
	}
	p.t.Fatal("doctor does not say that what is accepted is safe")
	return ""
}

// speedSink is the receiver's process, seen from here.
type speedSink struct {
	t       testing.TB
	process *exec.Cmd
	url     string
}

func startSpeedSink(t testing.TB) *speedSink {
	t.Helper()
	cmd, out := startSpeedRole(t, speedRole{Play: playReceiver})
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &speedSink{t, cmd, strings.TrimSpace(line)}
}

// await waits until so many deliveries of a measurement have arrived, and
// fails where some are missing or came again.
func (s *speedSink) await(run string, want int) speedReport {
	s.t.Helper()
	report := s.report(run, want)
	if report.Deliveries != want || report.Repeated > 0 {
		s.t.Fatalf("%s: %d deliveries arrived, %d of them again; want %d, each once", run, report.Deliveries, report.Repeated, want)
	}
	return report
}

func (s *speedSink) report(run string, want int) (report speedReport) {
	s.t.Helper()
	answer, err := http.Get(fmt.Sprintf("%s/_/report?run=%s&want=%d", s.url, run, want))
	if err == nil {
		defer answer.Body.Close()
		err = json.NewDecoder(answer.Body).Decode(&report)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// answer sets the status of all answers from now on.
func (s *speedSink) answer(status int) {
	s.t.Helper()
	answer, err := http.Get(fmt.Sprintf("%s/_/answer?status=%d", s.url, status))
	if err != nil {
		s.t.Fatal(err)
	}
	answer.Body.Close()
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"belfry/worker/signature"
)

// maxReceived bounds what is read of one request.
const maxReceived = 16 << 20

// listener receives webhooks, verifies and prints them.
type listener struct {
	secrets []string
	status  int
	delay   time.Duration

	mu  sync.Mutex // one delivery is printed at a time
	out io.Writer
}

func prepareListen(p *program, flags *flagSet) action {
	addr := "127.0.0.1:9000"
	flags.check("addr", addr, "where to listen, as `host:port`", func(v string) error {
		addr = v
		return checkAddr(v)
	})
	status := flags.whole("status", http.StatusOK, 200, 599, "the `status` to answer what is genuine with; with a secret, all else gets 400")
	delay := flags.pause("delay", "`how long` to wait before the answer")
	var secrets []string
	flags.check("secret", "", "the webhook's `secret`; - reads it from standard input. Give it twice while a rotation overlaps. Without one nothing is verified", func(v string) error {
		secrets = append(secrets, v)
		if v == "-" {
			return nil
		}
		return signature.Check(v)
	})
	return func(ctx context.Context, _ *config) (err error) {
		l := &listener{status: *status, delay: *delay, out: p.stdout}
		if l.secrets, err = p.listenSecrets(secrets); err != nil {
			return err
		}
		return l.run(ctx, addr)
	}
}

// listenSecrets checks the secrets given, and takes those of standard input and
// of the environment.
func (p *program) listenSecrets(given []string) ([]string, error) {
	origin := "-secret"
	if len(given) == 0 && p.getenv(listenSecretVariable) != "" {
		given, origin = []string{p.getenv(listenSecretVariable)}, listenSecretVariable
	}
	for i := range given {
		if given[i] == "-" {
			line, err := bufio.NewReader(p.stdin).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("read the secret from standard input: %w", err)
			}
			given[i] = strings.TrimSpace(line)
		}
		if err := signature.Check(given[i]); err != nil {
			return nil, &usageError{faults: []string{origin + ": " + err.Error()}}
		}
	}
	return given, nil
}

// run receives until ctx ends.
func (l *listener) run(ctx context.Context, addr string) error {
	socket, err := net.Listen("tcp", addr)
	if err != nil {
		return explainListen(err, addr)
	}
	server := &http.Server{Handler: http.HandlerFunc(l.receive), ReadHeaderTimeout: 10 * time.Second}
	l.introduce(openAt(socket.Addr()))
	stopped := context.AfterFunc(ctx, func() { server.Close() })
	defer stopped()
	if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// introduce tells how to have webhooks sent here.
func (l *listener) introduce(url string) {
	host, _, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	fmt.Fprintf(l.out, "Listening. Start the server so that it may send here\n\n    %s serve -allow-targets %s\n\nand register this URL\n\n    %s/\n\n", invocation(), host, url)
	if len(l.secrets) == 0 {
		fmt.Fprint(l.out, "Nothing is verified: no secret was given (-secret, or BELFRY_LISTEN_SECRET).\n\n")
	}
}

// receive prints one request and answers it.
func (l *listener) receive(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReceived))
	if err != nil {
		http.Error(w, "the body can't be read", http.StatusBadRequest)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "webhooks come by POST", http.StatusMethodNotAllowed)
		return
	}
	status := l.print(at, r, body)
	select {
	case <-time.After(l.delay):
	case <-r.Context().Done():
	}
	w.WriteHeader(status)
	fmt.Fprintln(w, http.StatusText(status))
}

// print shows a delivery: when, what, which attempt, whether it is genuine, and
// its body. It gives the status to answer with.
func (l *listener) print(at time.Time, r *http.Request, body []byte) (status int) {
	var event struct{ Event string }
	if json.Unmarshal(body, &event) != nil || event.Event == "" {
		event.Event = "(no event)"
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s  %s", at.Format("15:04:05.000"), printable(event.Event))
	if attempt := ownHeader(r.Header, "-Attempt"); attempt != "" {
		fmt.Fprintf(&text, "  attempt %s", printable(attempt))
	}
	verdict, genuine := l.verdict(r.Header, body)
	if status = l.status; !genuine {
		status = http.StatusBadRequest
	}
	fmt.Fprintf(&text, "  %s  answered %d\n", verdict, status)
	if id := r.Header.Get(signature.HeaderID); id != "" {
		fmt.Fprintf(&text, "  delivery %s\n", printable(id))
	}
	text.WriteString(pretty(body) + "\n\n")
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.out.Write(text.Bytes())
	return status
}

// verdict says in words whether a request is genuine, and by which signature.
// Without a secret to tell, it passes for genuine.
func (l *listener) verdict(header http.Header, body []byte) (words string, genuine bool) {
	_, _, inBody := signature.SplitSignature(body)
	if header.Get(signature.HeaderSignature) == "" && !inBody {
		return "unsigned", len(l.secrets) == 0
	}
	if len(l.secrets) == 0 {
		return "signed, not verified", true
	}
	if err := signature.Verify(header, body, l.secrets...); err != nil {
		return "NOT VERIFIED: " + strings.TrimPrefix(err.Error(), "signature: "), false
	}
	if err := signature.VerifyBody(body, l.secrets...); err != nil {
		return "verified by webhook-signature; the body's own signature is of another secret", true
	}
	return "verified", true
}

// ownHeader finds one of Belfry's headers, whatever their prefix is.
func ownHeader(header http.Header, suffix string) string {
	for name := range header {
		if strings.HasSuffix(name, suffix) {
			return header.Get(name)
		}
	}
	return ""
}

// pretty indents JSON; anything else is quoted, so that a terminal obeys none
// of it.
func pretty(body []byte) string {
	var text bytes.Buffer
	if json.Indent(&text, body, "  ", "  ") != nil {
		return fmt.Sprintf("  %q", body)
	}
	return "  " + printable(text.String())
}

// printable drops control characters, but for the ends of lines.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

package handlers

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/worker/signature"
)

// receiverCommands start the receivers that the page shows, as it says.
func receiverCommands(port string) map[string][]string {
	return map[string][]string{
		"receiver.py":   {"python3", "receiver.py"},
		"receiver.mjs":  {"node", "receiver.mjs"},
		"receiver.go":   {"go", "run", "receiver.go"},
		"receiver.php":  {"php", "-S", "127.0.0.1:" + port, "receiver.php"},
		"receiver.rb":   {"ruby", "receiver.rb"},
		"Receiver.java": {"java", "Receiver.java"},
	}
}

func TestTheReceiversThatThePageShowsVerifyRealDeliveries(t *testing.T) {
	for kind, own := range map[string]string{"a generated secret": "", "a secret of one's own": `it's "a" \n $b #{c} <&> ?>`} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, storetest.SQLite(t), nil)
			secret, receivers := s.shownReceivers(own)
			if own != "" && secret != own {
				t.Fatalf("the page shows the secret %q", secret)
			}
			if len(receivers) != len(receiverCommands("")) {
				t.Fatalf("the page shows %d receivers", len(receivers))
			}
			for file, code := range receivers {
				t.Run(file, func(t *testing.T) { tryReceiver(t, file, code, secret) })
			}
		})
	}
}

// shownReceivers adds a webhook as a visitor does and takes from its secret page
// the secret and each receiver, by the name of its file.
func (s *site) shownReceivers(own string) (secret string, receivers map[string]string) {
	s.t.Helper()
	b := s.signedIn(store.RoleAdmin)
	action, fields := filled(s.t, b.get("/setup/webhooks/new").dom(s.t), "main form")
	if set(fields, "url", "https://one.example/hook"); own != "" {
		set(fields, "secret_kind", "own", "secret", own)
	}
	doc := b.get(b.post(action, fields).Header.Get("Location")).dom(s.t)
	secret, receivers = doc.Find("#secret").Text(), map[string]string{}
	for i := range doc.Find("#verify nav a").Length() {
		doc = b.get(doc.Find("#verify nav a").Eq(i).AttrOr("href", "")).dom(s.t)
		receivers[doc.Find("#snippet").AttrOr("data-file", "")] = doc.Find("#snippet").Text()
	}
	return secret, receivers
}

// tryReceiver runs a receiver and sends it deliveries, good and forged ones.
func tryReceiver(t *testing.T, file, code, secret string) {
	at := startReceiver(t, file, code)
	const id = "01a1fe83-a210-7d8a-ad7e-70bd55f634bc"
	body, _ := signature.Body("call.ended", "2026-11-21T14:30:00Z", []byte(`{"note":"Grüße, \"<&>\" 日本"}`), secret)
	now := time.Now().Unix()
	good := standardSignature(t, secret, id, now, body)
	other := standardSignature(t, "another secret", id, now, body)
	for _, try := range []struct {
		what, sent string
		at         int64
		body       []byte
		want       int
	}{
		{"a good one", good, now, body, http.StatusNoContent},
		{"one with the new secret's signature behind the old one's", other + " " + good, now, body, http.StatusNoContent},
		{"one whose body was changed", good, now, bytes.Replace(body, []byte("call.ended"), []byte("call.endex"), 1), http.StatusBadRequest},
		{"one signed by somebody else", other, now, body, http.StatusBadRequest},
		{"one without a signature", "", now, body, http.StatusBadRequest},
		{"one with another timestamp", good, now - 1, body, http.StatusBadRequest},
		{"one of six minutes ago", standardSignature(t, secret, id, now-360, body), now - 360, body, http.StatusBadRequest},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, bytes.NewReader(try.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("webhook-id", id)
		r.Header.Set("webhook-timestamp", strconv.FormatInt(try.at, 10))
		if try.sent != "" {
			r.Header.Set("webhook-signature", try.sent)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", try.what, err)
		}
		resp.Body.Close()
		if resp.StatusCode != try.want {
			t.Errorf("%s is answered %d, want %d", try.what, resp.StatusCode, try.want)
		}
	}
}

// startReceiver runs the program until the test ends, and gives its address once
// it listens.
func startReceiver(t *testing.T, file, code string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	args := receiverCommands(port)[file]
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Fatalf("%s is needed to try the receiver in it: run `make deps` (%v)", args[0], err)
	}
	var output bytes.Buffer
	command := exec.Command(args[0], args[1:]...)
	command.Dir, command.Stdout, command.Stderr = dir, &output, &output
	command.Env = append(os.Environ(), "PORT="+port)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run has a child
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		if err := syscall.Kill(-command.Process.Pid, syscall.SIGKILL); err == nil {
			<-ended
		}
	})
	if err := listens(t.Context(), port, ended); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, output.String())
	}
	return "http://127.0.0.1:" + port + "/hook"
}

// listens waits until somebody listens on the port.
func listens(ctx context.Context, port string, ended <-chan error) error {
	again, limit := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			return fmt.Errorf("it ended before it listened: %w", err)
		case <-limit:
			return fmt.Errorf("it does not listen after a minute: %w", err)
		case <-again.C:
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func standardSignature(t *testing.T, secret, id string, at int64, body []byte) string {
	t.Helper()
	signed, err := signature.Standard(secret, id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

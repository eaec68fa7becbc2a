package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"belfry/store/storetest"
	"belfry/worker/signature"
)

const listenSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="

// listening runs the listen command until the test ends and gives its URL.
func listening(t *testing.T, environment map[string]string, args ...string) (url string, out *transcript) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, ended, code := newTranscript(), make(chan struct{}), -1
	go func() {
		defer close(ended)
		code = run(ctx, append([]string{"listen", "-addr", "127.0.0.1:0"}, args...), environmentOf(environment), strings.NewReader(listenSecret+"\n"), out, out)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if code != 0 {
			t.Errorf("listen exits with %d, want 0", code)
		}
	})
	url, ok := out.wait(`register this URL\n\n +(http://\S+)\n`, ended)
	if !ok {
		t.Fatalf("listen did not start:\n%s", out)
	}
	return url, out
}

// says waits until the pattern is printed.
func says(t *testing.T, out *transcript, pattern string) {
	t.Helper()
	if _, ok := out.wait(pattern, nil); !ok {
		t.Errorf("it never printed %q:\n%s", pattern, out)
	}
}

// send posts a body as a delivery that was signed with the secret; empty:
// unsigned.
func send(t *testing.T, url, secret string, body []byte, change func(*http.Request)) int {
	t.Helper()
	headers, err := signature.Headers(signature.Attempt{ID: "delivery-1", Number: 2, At: time.Now(), Event: "call.ended", Body: body, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		req.Header.Set(h.Name, h.Value)
	}
	if change != nil {
		change(req)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestListenVerifiesWhatTheServerDelivers(t *testing.T) {
	url, out := listening(t, map[string]string{"BELFRY_LISTEN_SECRET": listenSecret})
	target, ok := out.wait(`-allow-targets (\S+)\n`, nil)
	if !ok {
		t.Fatalf("no -allow-targets line:\n%s", out)
	}
	environment := environmentFor(storetest.SQLite(t))
	key := strings.TrimSpace(must(t, environment, "", "key", "add", "-name", "test"))
	r := boot(t, environment, "-addr", "127.0.0.1:0", "-allow-targets", target, "-header-prefix", "X-Rine")
	if status, body := r.ask(key, "POST", "/api/v1/webhooks", `{"url":"`+url+`","secret":"`+listenSecret+`"}`); status != http.StatusCreated {
		t.Fatalf("the URL is refused: %d %s", status, body)
	}
	r.publish(key, "one")
	says(t, out, `order\.paid  attempt 1  verified  answered 200\n  delivery [0-9a-f-]{36}\n  \{\n    "event": "order\.paid",`)
}

func TestListenTellsWhatIsNotGenuine(t *testing.T) {
	data := []byte(`{"call_id":"call_1"}`)
	signed, _ := signature.Body("call.ended", "2026-01-15T10:30:00Z", data, listenSecret)
	url, out := listening(t, nil, "-secret", "-")
	send(t, url, listenSecret, signed, nil)
	says(t, out, `call\.ended  attempt 2  verified  `)
	send(t, url, "", signature.Unsigned("call.unsigned", "2026-01-15T10:30:00Z", data), nil)
	says(t, out, `call\.unsigned  attempt 2  unsigned  answered 400`)
	forged, _ := signature.Body("call.forged", "2026-01-15T10:30:00Z", data, "another secret")
	if status := send(t, url, "another secret", forged, nil); status != http.StatusBadRequest {
		t.Errorf("a forged request is answered with %d, want the 400 that a receiver owes it", status)
	}
	says(t, out, `call\.forged  attempt 2  NOT VERIFIED: no signature matches a known secret  answered 400`)
	send(t, url, listenSecret, signed, func(r *http.Request) { r.Header.Set(signature.HeaderTimestamp, "1") })
	says(t, out, `NOT VERIFIED: webhook-timestamp is more than 5 minutes ago`)
	send(t, url, listenSecret, []byte("\x1b[2Jno JSON"), nil)
	says(t, out, `"\\x1b\[2Jno JSON"`)
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a control character of a sender reached the terminal")
	}
}

func TestListenWithoutASecretSaysThatNothingIsVerified(t *testing.T) {
	url, out := listening(t, nil, "-status", "503")
	says(t, out, "Nothing is verified")
	body, _ := signature.Body("call.ended", "2026-01-15T10:30:00Z", []byte("{}"), listenSecret)
	if status := send(t, url, listenSecret, body, nil); status != http.StatusServiceUnavailable {
		t.Errorf("answered %d, want the 503 asked for", status)
	}
	says(t, out, `signed, not verified  answered 503`)
}

func TestListenRefusesSettingsThatCantBe(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel() // what is not refused ends at once
	for _, args := range [][]string{{"-secret", "short"}, {"-secret", "whsec_%%%"}, {"-status", "99"}, {"-addr", "127.0.0.1:9000x"}, {"-delay", "-1s"}, nil} {
		environment, says := map[string]string{}, "BELFRY_LISTEN_SECRET"
		if args != nil {
			says = args[0]
		} else {
			environment[says] = "short"
		}
		var out, complaints strings.Builder
		code := run(over, append([]string{"listen"}, args...), environmentOf(environment), strings.NewReader(""), &out, &complaints)
		if code != 2 || !strings.HasPrefix(complaints.String(), "belfry: "+says+": ") {
			t.Errorf("listen %v: code %d, %q; want 2 and %s named", args, code, complaints.String(), says)
		}
	}
}

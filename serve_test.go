package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"belfry/store/storetest"
)

// get asks an address and gives the answer's status and body.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestServeStartsAnswersAndStops(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		r := boot(t, environmentFor(db), "-addr", "127.0.0.1:0")
		for _, path := range []string{"/healthz", "/readyz", "/welcome"} {
			if status, body := get(t, r.url+path); status != http.StatusOK {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		if _, ok := r.out.wait(`/welcome\n[^-]*\n +(\w{4}-\w{4}-\w{4}-\w{4})\n`, r.ended); !ok {
			t.Errorf("no first-run code was printed:\n%s", r.out)
		}
		began := time.Now()
		if code := r.stop(); code != 0 {
			t.Errorf("exit code %d, want 0\n%s", code, r.log)
		}
		if took := time.Since(began); took > answerTime {
			t.Errorf("it took %v to stop with nothing under way", took)
		}
		if strings.Contains(r.log.String(), "level=ERROR") {
			t.Errorf("the log has errors:\n%s", r.log)
		}
	})
}

func TestTheFirstRunCodeIsNotPrintedOnceSomebodyCanSignIn(t *testing.T) {
	environment := environmentFor(storetest.NoDatabase(t))
	must(t, environment, "correct horse battery", "user", "add", "-email", "mira@example.com")
	r := boot(t, environment, "-addr", "127.0.0.1:0")
	if strings.Contains(r.out.String(), "/welcome") {
		t.Errorf("printed\n%s\nthough there is a user", r.out)
	}
}

func TestASecondProcessOnOneSQLiteFileIsRefused(t *testing.T) {
	environment := environmentFor(storetest.NoDatabase(t))
	boot(t, environment, "-addr", "127.0.0.1:0")
	got := call(t, environment, "", "serve", "-addr", "127.0.0.1:0")
	if got.code != 1 || !strings.Contains(got.errors, "another process serves") || !strings.Contains(got.errors, "-data-dir") {
		t.Errorf("code %d, %q; want that another process serves, and what to do", got.code, got.errors)
	}
}

func TestSeveralNodesShareOnePostgres(t *testing.T) {
	environment := environmentFor(storetest.Postgres(t))
	for range 2 {
		r := boot(t, environment, "-addr", "127.0.0.1:0")
		if status, body := get(t, r.url+"/readyz"); status != http.StatusOK {
			t.Errorf("a node is not ready: %d %s", status, body)
		}
	}
}

func TestATakenAddressIsExplained(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	for _, args := range [][]string{{"serve", "-addr", addr}, {"demo", "-addr", addr}, {"listen", "-addr", addr}} {
		got := call(t, environmentFor(storetest.SQLite(t)), "", args...)
		if got.code != 1 || !strings.Contains(got.errors, "listens on "+addr+" already") || !strings.Contains(got.errors, "such as -addr 127.0.0.1:") {
			t.Errorf("%s: code %d, %q; want the address and another one", args[0], got.code, got.errors)
		}
	}
}

func TestAPublicAddressWithoutHTTPSIsWarnedOf(t *testing.T) {
	const warning = "passwords and keys can be read on the way"
	for _, tt := range []struct {
		addr, baseURL string
		warned        bool
	}{
		{"0.0.0.0:0", "", true},
		{":0", "", true},
		{":0", "http://hooks.example.com", true},
		{":0", "https://hooks.example.com", false},
		{"127.0.0.1:0", "", false},
		{"localhost:0", "", false},
	} {
		r := boot(t, environmentFor(storetest.SQLite(t)), "-addr", tt.addr, "-base-url", tt.baseURL)
		r.stop()
		if warned := strings.Contains(r.log.String(), warning); warned != tt.warned {
			t.Errorf("%s with base URL %q: warned is %v, want %v", tt.addr, tt.baseURL, warned, tt.warned)
		}
	}
}

func TestMetricsStandOnTheirOwnAddress(t *testing.T) {
	r := boot(t, environmentFor(storetest.SQLite(t)), "-addr", "127.0.0.1:0", "-metrics-addr", "localhost:0")
	url, ok := r.log.wait(`url=(http://\S+/metrics)`, r.ended)
	if !ok {
		t.Fatalf("the log does not say where metrics are:\n%s", r.log)
	}
	get(t, r.url+"/healthz")
	status, body := get(t, url)
	for _, name := range []string{"belfry_attempts_under_way", "belfry_http_requests_total", "go_goroutines"} {
		if status != http.StatusOK || !strings.Contains(body, name) {
			t.Errorf("%d, and metrics lack %s", status, name)
		}
	}
}

func TestAKeyPublishesAndASignedDeliveryArrives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment := migrated(t, db)
		environment["BELFRY_ALLOW_TARGETS"] = "127.0.0.0/8"
		r := boot(t, environment, "-addr", "127.0.0.1:0")
		key := strings.TrimSpace(must(t, environment, "", "key", "add", "-name", "ci"))
		to := newReceiver(t)
		to.secret = r.addWebhook(key, to.URL)
		r.publish(key, "by API")
		if id := take(t, to.answered, r.log.String); id != "by API" {
			t.Errorf("%q came first", id)
		}
		// The worker looks by itself once a second: five in a row would take 5.
		began := time.Now()
		for range 5 {
			out := must(t, environment, "", "publish", "-event", "order.paid", "-data", `{"id":"by command"}`)
			if !strings.Contains(out, `"deliveries":1`) {
				t.Errorf("publish prints %q", out)
			}
			if id := take(t, to.answered, r.log.String); id != "by command" {
				t.Errorf("%q came then", id)
			}
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the server took %v to notice what commands published", took)
		}
		if len(to.faults) > 0 {
			t.Errorf("deliveries do not verify: %v", to.faults)
		}
	})
}

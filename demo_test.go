package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

func TestTheDemoIsAliveAndLeavesNothingBehind(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	elsewhere := map[string]string{"BELFRY_DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "BELFRY_DATA_DIR": "/does/not/exist"}
	began, turns := time.Now(), processorTurns(t)
	r := boot(t, elsewhere, "demo", "-addr", "127.0.0.1:0", "-rate", "3000", "-days", "2")
	page := signedInPage(t, r)
	for _, w := range demoWebhooks() {
		if !strings.Contains(page, w.Description) {
			t.Errorf("the page does not show %q", w.Description)
		}
	}
	seeEveryFate(t, temp)
	if took, stretch := time.Since(began), processorTurns(t).stretchSince(turns); took.Seconds() > 10*stretch {
		t.Errorf("it took %v to come alive, %.1f times as long as with processors of its own; want 10 s at most with those", took, stretch)
	}
	if code := r.stop(); code != 0 || r.log.String() != "" || !strings.HasSuffix(r.out.String(), "its data is gone.\n") {
		t.Errorf("exit code %d, want 0, nothing logged and a last word:\n%s%s", code, r.out, r.log)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
}

// signedInPage signs in with what the demo prints, and gives the first page.
func signedInPage(t *testing.T, r *running) string {
	t.Helper()
	password, ok := r.out.wait(`password  (\S+)\n`, r.ended)
	if !ok {
		t.Fatalf("no password was printed:\n%s", r.out)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	answer, err := client.PostForm(r.url+"/login", url.Values{"email": {demoEmail}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Request.URL.Path != "/setup/webhooks" {
		t.Fatalf("signing in leads to %s: %d %s (%v)", answer.Request.URL, answer.StatusCode, page, err)
	}
	return string(page)
}

// seeEveryFate looks into the demo's database until each kind of receiver has
// shown itself.
func seeEveryFate(t *testing.T, temp string) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(temp, "belfry-demo-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("data folders of the demo: %v (%v)", dirs, err)
	}
	st, err := store.Open(t.Context(), store.Options{DataDir: dirs[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	account, err := st.EnsureDefaultAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fates := map[string]store.DeliveryFilter{
		"delivered":   {Status: []store.Status{store.Delivered}},
		"in mid-POST": {Status: []store.Status{store.Processing}, Event: "call.transcript_ready"},
		"untrusted":   {Error: "tls"},
		"gone":        {Status: []store.Status{store.Dead}},
		"failing":     {Error: "status", Event: "call.ended"},
	}
	look, limit := time.NewTicker(20*time.Millisecond), time.After(soon)
	defer look.Stop()
	for len(fates) > 0 {
		for fate, filter := range fates {
			if list, _, err := st.Deliveries(t.Context(), account.ID, filter); err == nil && len(list) > 0 {
				delete(fates, fate)
			}
		}
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("never seen: %v", fates)
		}
	}
}

func TestThePastOfAnExpiredCertificateEndsInItsHandshake(t *testing.T) {
	for _, r := range demoReceivers() {
		if !r.expired {
			continue
		}
		a := r.past(time.Now().Add(-time.Hour), time.Hour, uuid.New(), rand.New(rand.NewPCG(1, 2)))
		if p := a.Phases; a.Err == nil || p.TLS == 0 || p.FirstByte != 0 || a.Duration != p.DNS+p.Connect+p.TLS {
			t.Errorf("%s: %v after %v, of which %+v", r.host, a.Err, a.Duration, p)
		}
		return
	}
	t.Error("no receiver has an expired certificate")
}

func TestSampleEventsAreVariedAndWellFormed(t *testing.T) {
	source, seen := newEventSource(rand.New(rand.NewPCG(1, 2))), map[string]bool{}
	for range 2000 {
		e := source.next(time.Now())
		if !json.Valid(e.Data) || store.CheckTypeName(e.Type) != nil {
			t.Fatalf("%s has the data %s", e.Type, e.Data)
		}
		seen[e.Type] = true
	}
	for _, m := range demoMix {
		if !seen[m.name] {
			t.Errorf("%s never came", m.name)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// How long a page may take, 19 of 20 times, where an index finds what it shows,
// and where it has to be looked for.
const (
	foundWithin  = 25 * time.Millisecond
	lookedWithin = 300 * time.Millisecond
)

// longLog is a server whose log holds a month of ten webhooks.
type longLog struct {
	*running
	visitor  *http.Client
	key      string
	webhook  string // an id, as the next two
	delivery string
	event    string
}

func newLongLog(t *testing.T, db storetest.Database, deliveries int) *longLog {
	t.Helper()
	l := &longLog{webhook: seedLog(t, db, deliveries).ID.String()}
	// Nothing is old enough to be removed, and the key may ask as often as it likes:
	// pages are measured, not tidying or limits.
	visitor, r, key := signedIn(t, environmentFor(db), "-retention-bodies", "720h", "-api-rate-per-minute", "100000")
	l.visitor, l.running, l.key = visitor, r, key
	l.find()
	return l
}

// signedIn starts the program with a user who has signed in, and a key.
func signedIn(t *testing.T, environment map[string]string, args ...string) (visitor *http.Client, r *running, key string) {
	t.Helper()
	const email, password = "mira@example.com", "correct horse battery"
	must(t, environment, password+"\n", "user", "add", "-email", email)
	key = strings.TrimSpace(must(t, environment, "", "key", "add", "-name", "test"))
	r = spawn(t, environment, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	visitor = &http.Client{Jar: jar}
	answer, err := visitor.PostForm(r.url+"/login", url.Values{"email": {email}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return visitor, r, key
}

// find takes one of the deliveries.
func (l *longLog) find() {
	l.t.Helper()
	status, text := l.ask(l.key, "GET", "/api/v1/webhooks/"+l.webhook+"/deliveries?limit=1&offset=100", "")
	var list []struct {
		ID      string
		EventID string `json:"event_id"`
	}
	if err := json.Unmarshal(text, &list); status != http.StatusOK || err != nil || len(list) != 1 {
		l.t.Fatalf("no delivery: %d %s", status, text)
	}
	l.delivery, l.event = list[0].ID, list[0].EventID
}

// idAt is the id of what was made that long ago.
func idAt(ago time.Duration) string {
	ms := time.Now().Add(-ago).UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000000", ms>>16, ms&0xffff)
}

// What few deliveries have, all of them in the middle of the month.
const (
	rareType  = "call.transferred"
	rareAgent = "agent_of_one_day"
	rareError = "tls"
)

// seedLog makes ten webhooks and their month, and gives the first of them.
func seedLog(t *testing.T, db storetest.Database, deliveries int) (first store.Webhook) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DatabaseURL: db.URL, DataDir: db.Dir, SecretKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	account, err := s.EnsureDefaultAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 10 {
		w, _, _, err := s.CreateWebhook(t.Context(), account.ID, store.NewWebhook{URL: fmt.Sprintf("https://93.184.216.%d/hook", i+1), Active: i > 0})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = w
		}
		storetest.Seed(t, db, storetest.Past{
			Account: account.ID, Webhook: w.ID, Events: deliveries / 10, Mixed: true,
			From: now.Add(-29*24*time.Hour + time.Duration(i)*time.Millisecond), To: now,
		})
	}
	storetest.Seed(t, db, storetest.Past{
		Account: account.ID, Webhook: first.ID, Events: 30, Mixed: true, Type: rareType, Agent: rareAgent, Error: rareError,
		From: now.Add(-15*24*time.Hour - 20*time.Hour), To: now.Add(-15*24*time.Hour - time.Hour),
	})
	return first
}

// measure asks for a page again and again.
func (l *longLog) measure(p timedPage, times int) (median, p95 time.Duration) {
	l.t.Helper()
	took := make([]time.Duration, times)
	for i := range took {
		took[i] = l.once(p)
	}
	slices.Sort(took)
	return took[times/2], took[times*19/20]
}

// once asks for a page and says how long that took.
func (l *longLog) once(p timedPage) time.Duration {
	l.t.Helper()
	ctx, leave := context.WithCancel(l.t.Context())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, "GET", l.url+p.path, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if p.key {
		req.Header.Set("Authorization", "Bearer "+l.key)
	}
	begin := time.Now()
	answer, err := l.visitor.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer answer.Body.Close()
	var text []byte
	if p.begun {
		_, err = answer.Body.Read(make([]byte, 1))
	} else {
		text, err = io.ReadAll(answer.Body)
	}
	took := time.Since(begin)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Request.URL.Path == "/login" {
		l.t.Fatalf("%s: %s at %s (%v)", p.path, answer.Status, answer.Request.URL, err)
	}
	if *torture && !strings.Contains(string(text), p.says) {
		l.t.Errorf("%s does not say %q", p.path, p.says)
	}
	return took
}

// TestWorstDayPagesAreFastBesideALongLog holds pages to their times in the long
// form only, where the machine does nothing else.
func TestWorstDayPagesAreFastBesideALongLog(t *testing.T) {
	eachMeasured(t, func(t *testing.T, db storetest.Database) {
		l := newLongLog(t, db, sized(1_500, 5_000_000))
		for _, p := range l.pages() {
			median, p95 := l.measure(p, sized(1, p.times))
			t.Logf("%-90s median %6.1f ms  p95 %6.1f ms", strings.ReplaceAll(p.path, l.webhook, "…"), ms(median), ms(p95))
			if *torture && p95 > p.within {
				t.Errorf("%s takes %v, may take %v", p.path, p95, p.within)
			}
		}
	})
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

package handlers

import (
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
	"belfry/views"
)

// firstLoad is how many bytes the first load of a page may take over the wire,
// and all that it needs with it.
const firstLoad = 60 << 10

// partRoutes are the addresses that no browser opens as a page: parts and streams
// of pages, files that are saved, and ways to another page.
var partRoutes = regexp.MustCompile(`^/$|/(live|answer|progress|export|check-url|sample|find)$|^/(static|healthz|readyz|metrics|api)(/|$)|^` + views.FirstTestAddress + `$`)

// TestAPageComesWithAllItNeedsInSixtyKilobytes loads each page as a browser with
// an empty cache does: what the page names is all there is, and nothing of it
// names more.
func TestAPageComesWithAllItNeedsInSixtyKilobytes(t *testing.T) {
	s := newSite(t, storetest.SQLite(t), nil)
	b := s.visitor()
	w := weights{browser: b, files: map[string]int{}, routes: map[string]bool{}}
	w.weighPage("/welcome")
	b.user = s.signedIn(store.RoleOwner).user
	w.weighPage("/login")
	b.plantSession()
	for _, path := range s.heavyPages(b) {
		w.weighPage(path)
	}
	for _, r := range s.web.Echo().Routes() {
		if r.Method == http.MethodGet && !partRoutes.MatchString(r.Path) && !w.routes[r.Path] {
			t.Errorf("%s was not weighed", r.Path)
		}
	}
}

// heavyPages fills the account and gives the addresses of all its pages.
func (s *site) heavyPages(b *browser) []string {
	s.t.Helper()
	secret := b.addsSecret()
	var hook store.Webhook
	for i := range 9 {
		hook = s.addHook(fmt.Sprintf("https://hooks-%d.example/a/rather/long/path/to/the/endpoint", i))
	}
	twice, long := s.answersLongTwice(), longData()
	longEvent, longDelivery := s.event("call.ended", long)
	event, delivery := s.event("call.ended", `{"transcript":"`+strings.Repeat("Hello, how can I help? ", 40)+`"}`)
	for range 12 {
		s.event("call.ended", `{"call_id":"call_123456"}`)
	}
	s.answer(http.StatusServiceUnavailable)
	_, unsent := s.event("call.ended", long)
	answered := s.answersLong()
	run, _, err := s.store.StartResend(s.t.Context(), s.account.ID, store.NewResend{Pace: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	at := "/setup/webhooks/" + hook.ID.String()
	return []string{
		homePath, "/setup/webhooks/new", at, at + "/edit", secret, logsPath, deliveryPath(delivery), eventsPath, eventPath(event),
		deliveryPath(longDelivery), eventPath(longEvent), eventPath(longEvent) + "?body=raw", deliveryPath(unsent), deliveryPath(answered), deliveryPath(twice) + "?attempt=1&with=2", trialPath + "?delivery=" + answered.String(),
		trialPath, inboxPath, debuggerPath, views.BulkAddress + "?status=failed", views.RunsAddress, views.RunsAddress + "/" + run.ID.String(),
		cataloguePath, cataloguePath + "/new", limitsPath, keysPath, keysPath + "/new", styleguidePath, styleguidePath + "/parts",
	}
}

// answersLong fills the test inbox, and gives a test that was answered with as much
// as Belfry keeps.
func (s *site) answersLong() uuid.UUID {
	s.t.Helper()
	noise := longData()
	for i := range store.InboxKept {
		err := s.store.KeepInboxRequest(s.t.Context(), store.InboxRequest{
			AccountID: s.account.ID, DeliveryID: uuid.New(), EventType: "call.ended", Attempt: 1, Verified: store.VerifiedBySecret, StatusCode: 200,
			Headers: []store.Header{{Name: "webhook-id", Value: uuid.New().String()}, {Name: "webhook-signature", Value: "v1," + noise[i*40:][:40]}}, Body: []byte(noise[i*1000:][:16<<10]),
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	a := store.Attempt{Duration: time.Second, ResponseBody: []byte(noise[:64<<10])}
	for i := range 60 {
		a.Response = append(a.Response, store.Header{Name: fmt.Sprintf("X-Noise-%d", i), Value: noise[i*1000:][:1000]})
	}
	return s.testAnswered(a)
}

// answersLongTwice gives a delivery whose two attempts were answered with as many and
// as long headers as Belfry keeps, none of them the same.
func (s *site) answersLongTwice() uuid.UUID {
	s.t.Helper()
	noise := longData()
	_, id := s.event("call.ended", `{}`)
	for attempt := range 2 {
		if _, err := s.store.Resend(s.t.Context(), s.account.ID, id); attempt > 0 && err != nil {
			s.t.Fatal(err)
		}
		a := store.Attempt{Number: attempt + 1, StartedAt: s.now(), StatusCode: http.StatusOK, Request: []store.Header{{Name: "Content-Type", Value: "application/json"}}, ResponseBody: []byte(noise[attempt:][:64<<10])}
		for i := range 60 {
			a.Response = append(a.Response, store.Header{Name: fmt.Sprintf("X-Noise-%d", i), Value: noise[(attempt*60+i)*1000:][:1000]})
		}
		for jobs := s.claim(); len(jobs) > 0; jobs = s.claim() {
			for _, j := range jobs {
				if err := s.store.Record(s.t.Context(), []store.Result{{Job: j, Next: store.Delivered, Attempt: a}}); err != nil {
					s.t.Fatal(err)
				}
			}
		}
	}
	return id
}

// longData is data of 200 KiB that hardly gets smaller when it is compressed.
func longData() string {
	noise := make([]byte, 150<<10)
	rand.NewChaCha8([32]byte{}).Read(noise)
	return `{"noise":"` + base64.StdEncoding.EncodeToString(noise) + `"}`
}

// Of a long body the page shows the beginning, nothing that is copied is less than
// all of it, and one link leads to all.
func TestALongBodyIsShownWholeWhereItIsAskedFor(t *testing.T) {
	s := newSite(t, storetest.SQLite(t), nil)
	s.addHook("https://one.example/hook")
	b, data := s.signedIn(store.RoleAdmin), longData()
	event, delivery := s.event("call.ended", data)
	pages := map[string]string{eventPath(event): "#event-data", deliveryPath(delivery): "#carried"}
	check := func() {
		for path, body := range pages {
			first := b.get(path).wants(t, http.StatusOK).dom(t)
			has(t, plain(first, "main"), "The first 3 KiB.", "Show all 200 KiB")
			if n := first.Find("[data-copy-from='" + strings.TrimPrefix(body, "#") + "'], [data-copy*=noise]").Length(); n != 0 {
				t.Errorf("%s: %d buttons copy a part of the body", path, n)
			}
			to := first.Find(body+" + p a").AttrOr("href", "")
			if whole := b.get(to).wants(t, http.StatusOK).dom(t); !strings.Contains(whole.Find(body).Text(), data[10:len(data)-2]) || strings.Contains(plain(whole, "main"), "Show all") {
				t.Errorf("%s does not show all of the body", to)
			}
		}
	}
	check()
	s.answer(http.StatusServiceUnavailable)
	answered := s.answersLong()
	for path, part := range map[string]string{deliveryPath(answered): ".exchange", trialPath + "?delivery=" + answered.String(): "#answer"} {
		short := b.get(path).wants(t, http.StatusOK).dom(t).Find(part)
		has(t, short.Text(), "Show all 59", "Show all 64 KiB")
		to := short.Find("a:contains('Show all 59')").AttrOr("href", "")
		has(t, plain(b.get(to).wants(t, http.StatusOK).dom(t), "main"), data[59*1000+10:][:900])
	}
	apart := b.get(inboxPath).dom(t).Find("#arrivals a:contains('Show what arrived')")
	if to := apart.Last().AttrOr("href", ""); apart.Length() != store.InboxKept-3 || b.get(to).dom(t).Find("details[open] pre").Length() != 1 {
		t.Errorf("of the test inbox %d are shown apart, and %q does not show the last", apart.Length(), to)
	}
	pages = map[string]string{deliveryPath(delivery): "#request-body", deliveryPath(delivery) + "?body=raw": "#request-body", eventPath(event) + "?body=raw": "#event-data"}
	check()
	to := b.get(deliveryPath(delivery)).dom(t).Find(".head a:contains('Make curl')").AttrOr("href", "")
	if command := b.get(to).wants(t, http.StatusOK).dom(t).Find("[data-copy^='# '], [data-copy^=curl]").AttrOr("data-copy", ""); !strings.Contains(command, data[10:len(data)-2]) {
		t.Errorf("the command of %s lacks the body", to)
	}
}

// weights keeps what was weighed: files by what they took over the wire, and the
// routes of pages.
type weights struct {
	*browser
	files  map[string]int
	routes map[string]bool
}

// weighPage fails the test for a page that takes too much with what it names.
func (w *weights) weighPage(path string) {
	w.t.Helper()
	page, total := w.weigh(path)
	parts := []string{fmt.Sprintf("page %d", total)}
	for file := range namedFiles(w.t, page) {
		if _, known := w.files[file]; !known {
			var text string
			if text, w.files[file] = w.weigh(file); strings.HasSuffix(file, ".css") && regexp.MustCompile(`@import|url\((?:"|')?[^d"'#]`).MatchString(text) {
				w.t.Errorf("%s asks for more files", file)
			}
		}
		total += w.files[file]
		parts = append(parts, fmt.Sprintf("%s %d", file[strings.LastIndex(file, "/")+1:], w.files[file]))
	}
	w.t.Logf("%s: %d bytes (%s)", path, total, strings.Join(parts, ", "))
	if total > firstLoad {
		w.t.Errorf("%s takes %d bytes, at most %d are promised", path, total, firstLoad)
	}
	asked := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, path, nil)
	c := w.web.Echo().NewContext(asked, nil)
	w.web.Echo().Router().Find(http.MethodGet, asked.URL.Path, c)
	w.routes[c.Path()] = true
}

// weigh gets a file, once as some are shown only once, and what it took over the
// wire, without its head.
func (w *weights) weigh(path string) (text string, took int) {
	w.t.Helper()
	small := w.send(http.MethodGet, path, nil, map[string]string{"Accept-Encoding": "gzip"}).wants(w.t, http.StatusOK)
	unpacked, err := gzip.NewReader(strings.NewReader(small.body))
	if err != nil {
		w.t.Fatalf("%s is not compressed: %v", path, err)
	}
	whole, err := io.ReadAll(unpacked)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(whole), len(small.body)
}

// namedFiles are the files that a page names.
func namedFiles(t *testing.T, page string) map[string]bool {
	t.Helper()
	files := map[string]bool{}
	for _, name := range regexp.MustCompile(`(?:href|src)="(/static/[^"#]+)`).FindAllStringSubmatch(page, -1) {
		files[name[1]] = true
	}
	if len(files) < 4 {
		t.Fatalf("only %d files were found on the page", len(files))
	}
	return files
}

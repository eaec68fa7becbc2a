package handlers

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/views"
)

// firstLoad is how many bytes the first load of a page may take over the wire,
// and all that it needs with it.
const firstLoad = 60 << 10

// TestAPageComesWithAllItNeedsInSixtyKilobytes loads each page as a browser with
// an empty cache does: what the page names is all there is, and nothing of it
// names more.
func TestAPageComesWithAllItNeedsInSixtyKilobytes(t *testing.T) {
	s := newSite(t, storetest.SQLite(t), nil)
	b := s.signedIn(store.RoleOwner)
	var hook store.Webhook
	for i := range 10 {
		hook = s.addHook(fmt.Sprintf("https://hooks-%d.example/a/rather/long/path/to/the/endpoint", i))
	}
	event, delivery := s.event("call.ended", `{"transcript":"`+strings.Repeat("Hello, how can I help? ", 40)+`"}`)
	for range 12 {
		s.event("call.ended", `{"call_id":"call_123456"}`)
	}
	s.answer(http.StatusServiceUnavailable)
	at := "/setup/webhooks/" + hook.ID.String()
	for _, path := range []string{
		"/setup/webhooks", "/setup/webhooks/new", at, at + "/edit", logsPath, deliveryPath(delivery), eventsPath, eventsPath + "/" + event.String(),
		trialPath, inboxPath, debuggerPath, views.BulkAddress + "?status=failed", views.RunsAddress, cataloguePath, cataloguePath + "/new",
		limitsPath, keysPath, keysPath + "/new", styleguidePath,
	} {
		page := b.weigh(path)
		total, parts := page.weight, []string{fmt.Sprintf("page %d", page.weight)}
		for file := range namedFiles(t, page.answer) {
			f := b.weigh(file)
			if strings.HasSuffix(file, ".css") && regexp.MustCompile(`@import|url\((?:"|')?[^d"'#]`).MatchString(f.body) {
				t.Errorf("%s asks for more files", file)
			}
			total += f.weight
			parts = append(parts, fmt.Sprintf("%s %d", file[strings.LastIndex(file, "/")+1:], f.weight))
		}
		t.Logf("%s: %d bytes (%s)", path, total, strings.Join(parts, ", "))
		if total > firstLoad {
			t.Errorf("%s takes %d bytes, at most %d are promised", path, total, firstLoad)
		}
	}
}

type weighed struct {
	answer
	weight int
}

// weigh gets a file and what it took over the wire, without its head.
func (b *browser) weigh(path string) weighed {
	b.t.Helper()
	small := b.send(http.MethodGet, path, nil, map[string]string{"Accept-Encoding": "gzip"}).wants(b.t, http.StatusOK)
	return weighed{b.get(path).wants(b.t, http.StatusOK), len(small.body)}
}

// namedFiles are the files that a page names.
func namedFiles(t *testing.T, page answer) map[string]bool {
	t.Helper()
	files := map[string]bool{}
	for _, name := range regexp.MustCompile(`(?:href|src)="(/static/[^"#]+)`).FindAllStringSubmatch(page.body, -1) {
		files[name[1]] = true
	}
	if len(files) < 4 {
		t.Fatalf("only %d files were found on the page", len(files))
	}
	return files
}

package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
)

func TestTheLogSaysWhichFiltersItDoesNotUnderstand(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.event("call.ended", `{}`)
		b := s.signedIn(store.RoleViewer)
		for query, want := range map[string]string{
			"status=nonsense&time=zzz&code=20": "Not understood: status “nonsense”, code “20”, time “zzz”.", "error=" + strings.Repeat("x", 50): "error “" + strings.Repeat("x", 40) + "…”",
			"from=yesterday": "from “yesterday”", "": "", "status=held&error=dns&code=500&time=1h": "", "time=range": "", "time=1h&from=2026-01-02": "",
		} {
			doc := b.get(logsPath+"?"+query).wants(t, http.StatusOK).dom(t)
			if got := plain(doc, "#deliveries .message"); want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("%q: it says %q, want %q", query, got, want)
			}
		}
	})
}

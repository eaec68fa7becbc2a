package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
)

// happen publishes n events and has the endpoint answer each with the status.
func (s *site) happen(n, status int) {
	s.t.Helper()
	for range n {
		s.event("call.ended", `{}`)
	}
	s.answer(status)
}

func TestListAndPageCountAllFailuresAndNameTheMostFrequent(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		s.happen(3, http.StatusServiceUnavailable)
		s.happen(2, http.StatusInternalServerError)
		s.happen(2, http.StatusOK)
		b := s.signedIn(store.RoleViewer)
		has(t, plain(b.get("/setup/webhooks").dom(t), "#list .at-state"), "Failing 5 of 7 failed, most often 503, since")
		has(t, plain(b.get("/setup/webhooks/"+w.ID.String()).dom(t), ".message.tone-bad"), "5 of 7 attempts in the last hour failed, most often with 503 Service Unavailable.")
	})
}

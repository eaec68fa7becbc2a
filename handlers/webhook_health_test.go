package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
	"belfry/views"
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
		has(t, plain(b.get("/setup/webhooks").dom(t), "#list .second"), "5 of 7, mostly 503, since")
		has(t, plain(b.get("/setup/webhooks/"+w.ID.String()).dom(t), ".message.tone-bad"), "5 of 7 attempts in the last hour failed, most often with 503 Service Unavailable.")
	})
}

func TestTheDeliveredOfADayAreThoseThatItsLinkLists(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		kept, gone := s.addHook("https://one.example/hook"), s.addHook("https://gone.example/hook")
		s.happen(3, http.StatusOK)
		_, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{WebhookID: kept.ID, Event: "call.ended"})
		if err != nil {
			t.Fatal(err)
		}
		s.answer(http.StatusOK)
		if err := s.store.DeleteWebhook(t.Context(), s.account.ID, gone.ID); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleViewer)
		cell := b.get("/setup/webhooks").dom(t).Find("#webhooks .strip a").First()
		if got := strings.Join(strings.Fields(cell.Text()), " "); got != "Delivered, 24 h 7" {
			t.Errorf("the number is %q, want 7: 3 of each webhook and a test", got)
		}
		has(t, plain(b.get(cell.AttrOr("href", "")).dom(t), "main"), "7 deliveries match")
	})
}

func TestAWebhookWhoseLatestAttemptsFailedIsNotShownAsCalm(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://calm.example/hook", "message.sent")
		w := s.addHook("https://one.example/hook", "call.ended")
		s.happen(2, http.StatusOK)
		s.happen(2, http.StatusServiceUnavailable)
		b := s.signedIn(store.RoleViewer)
		row := b.get("/setup/webhooks").dom(t).Find("#list tbody tr").First()
		if got := strings.Join(strings.Fields(row.Find(".at-state").Text()), " "); got != "Healthylast 2 attempts failed: 503 Service Unavailable" {
			t.Errorf("the first row says %q", got)
		}
		if row.Find(".state.tone-warn").Length() != 1 || row.Find(".second .bad").Length() != 1 {
			t.Error("it is as quiet as a healthy one")
		}
		doc := b.get("/setup/webhooks/" + w.ID.String()).dom(t)
		has(t, plain(doc, ".message.tone-warn"), "Healthy, but the last 2 attempts failed: 503 Service Unavailable.", "See last answer")
		if doc.Find(".pill.tone-warn").Length() != 1 {
			t.Error("the page's own state is plain green")
		}
		o, err := s.store.Overview(t.Context(), s.account.ID, w.ID)
		if err != nil || o.Health.State != store.HealthHealthy || o.Trouble() {
			t.Errorf("the rule itself is another one now: %s, %v", o.Health.State, err)
		}
	})
}

func TestAWebhookThatGotTestsOnlyIsNotSaidToHaveNoDeliveries(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleViewer)
		path := views.WebhookAddress(w.ID)
		health := func() string { return plain(b.get(path).dom(t), "#health") }
		has(t, health(), "No deliveries yet")
		if _, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{WebhookID: w.ID, Event: "call.ended"}); err != nil {
			t.Fatal(err)
		}
		s.answer(http.StatusOK)
		has(t, health(), "Only tests so far")
		s.event("call.ended", `{}`)
		has(t, health(), "No answer yet")
		has(t, plain(b.get(views.WebhooksAddress).dom(t), "#list .at-state"), "No answer yet")
		s.answer(http.StatusOK)
		has(t, health(), "Healthy")
	})
}

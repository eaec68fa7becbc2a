package handlers

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"belfry/store"
)

func TestTheTestInboxShowsWhatArrivedAndWhetherItVerified(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		has(t, plain(b.get(inboxPath).dom(t), "main"), "No webhook leads here yet", "Add Webhook")
		if got, _ := b.get("/setup/webhooks/new?url=inbox:").dom(t).Find("#url").Attr("value"); got != store.InboxURL {
			t.Errorf("the form offers %q", got)
		}
		s.addHook(store.InboxURL)
		has(t, plain(b.get("/setup/webhooks").dom(t), "main"), "Test inbox")
		err := s.store.KeepInboxRequest(t.Context(), store.InboxRequest{
			AccountID: s.account.ID, DeliveryID: uuid.New(), EventType: "call.ended", Attempt: 1, Verified: store.VerifiedByBoth, StatusCode: 200,
			Headers: []store.Header{{Name: "webhook-id", Value: "one"}}, Body: []byte(`{"event":"call.ended"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		doc := b.get(inboxPath).dom(t)
		has(t, plain(doc, "#arrivals"), "call.ended", "Verified", "old secret", "webhook-id", "answered 200")
		fields := fieldsOf(doc, ".inbox-answer")
		fields.Set("answer", "500")
		if a := b.post(inboxPath, fields); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d: %s", a.StatusCode, a.body)
		}
		if got := fieldsOf(b.get(inboxPath).dom(t), ".inbox-answer").Get("answer"); got != "500" {
			t.Errorf("the inbox answers %s", got)
		}
		viewer := s.signedIn(store.RoleViewer)
		has(t, plain(viewer.get(inboxPath).dom(t), "#arrivals"), "call.ended")
	})
}

package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
	"belfry/views"
)

func TestTheTestInboxShowsWhatArrivedAndWhetherItVerified(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		has(t, plain(b.get(inboxPath).dom(t), "main"), "No webhook leads here yet", "Start the test inbox")
		if got, _ := b.get("/setup/webhooks/new?url=inbox:").dom(t).Find("#url").Attr("value"); got != store.InboxURL {
			t.Errorf("the form offers %q", got)
		}
		s.addHook(store.InboxURL)
		has(t, plain(b.get("/setup/webhooks").dom(t), "main"), "Test inbox")
		arrived := uuid.New()
		err := s.store.KeepInboxRequest(t.Context(), store.InboxRequest{
			AccountID: s.account.ID, DeliveryID: arrived, EventType: "call.ended", Attempt: 1, Verified: store.VerifiedByBoth, StatusCode: 200,
			Headers: []store.Header{{Name: "webhook-id", Value: "one"}}, Body: []byte(`{"event":"call.ended"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		doc := b.get(inboxPath).dom(t)
		if asked := b.get(views.InboxAddress(arrived.String())).dom(t); doc.Find("details[open]").Length() != 0 || asked.Find("#arrivals details[open]").Length() != 1 {
			t.Error("what is asked for is open, and nothing else")
		}
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

func TestALongBodyInTheTestInboxLeadsToItsDelivery(t *testing.T) {
	s := newSite(t, storetest.SQLite(t), nil)
	s.addHook("https://one.example/hook")
	b, data := s.signedIn(store.RoleAdmin), longData()
	_, delivery := s.event("call.ended", data)
	err := s.store.KeepInboxRequest(t.Context(), store.InboxRequest{
		AccountID: s.account.ID, DeliveryID: delivery, EventType: "call.ended", Attempt: 1, Verified: store.VerifiedBySecret, StatusCode: 200, Body: []byte(data[:16<<10]),
	})
	if err != nil {
		t.Fatal(err)
	}
	inbox := b.get(inboxPath).dom(t)
	has(t, plain(inbox, "#arrivals"), "The first 3 KiB.")
	if all := inbox.Find("#arrivals .sunk p a").AttrOr("href", ""); !strings.Contains(b.get(all).wants(t, http.StatusOK).body, data[10:len(data)-2]) {
		t.Errorf("%q does not show all of the body", all)
	}
}

func TestTheTestInboxIsTriedWithOnePress(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, viewer := s.signedIn(store.RoleAdmin), s.signedIn(store.RoleViewer)
		if viewer.get("/setup/webhooks").dom(t).Find("main form").Length() != 0 {
			t.Error("a viewer is offered to add a webhook")
		}
		start := fieldsOf(b.get("/setup/webhooks").dom(t), `form[action="`+views.InboxStartAddress+`"]`)
		viewer.post(views.InboxStartAddress, start).wants(t, http.StatusForbidden)
		to := b.post(views.InboxStartAddress, start).wants(t, http.StatusSeeOther).Header.Get("Location")
		again := b.post(views.InboxStartAddress, url.Values{"token": {store.NewFormToken()}})
		if got := again.wants(t, http.StatusSeeOther).Header.Get("Location"); got != to {
			t.Errorf("started once more it leads to %s, not %s", got, to)
		}
		list, err := s.store.Webhooks(t.Context(), s.account.ID)
		if err != nil || len(list) != 1 || list[0].URL != store.InboxURL || !list[0].HasSecret || !list[0].Active {
			t.Fatalf("the webhooks are %+v, %v", list, err)
		}
		form := b.get(to).wants(t, http.StatusOK).dom(t)
		has(t, plain(form, "#preview"), "POST inbox:", "x-webhook-signature")
		answered := b.get(b.sendTrial(fieldsOf(form, "#test-form form"), http.StatusOK).Header.Get("Location")).dom(t)
		has(t, plain(answered, "#answer"), "The test inbox answered within 10 s.")
		see, _ := answered.Find(`#answer a[href*="/inbox"]`).Attr("href")
		if last := b.get(views.FirstTestAddress).wants(t, http.StatusSeeOther).Header.Get("Location"); last != see || see == "" {
			t.Errorf("the last of the first steps leads to %q, the answer to %q", last, see)
		}
		b.get(see).wants(t, http.StatusOK)
	})
}

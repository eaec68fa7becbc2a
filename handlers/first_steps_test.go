package handlers

import (
	"net/http"
	"testing"

	"belfry/store"
	"belfry/views"
)

func TestTheFirstStepsLeadFromAWebhookToWhatItReceived(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		if to := b.get(views.FirstTestAddress).wants(t, http.StatusSeeOther).Header.Get("Location"); to != trialPath {
			t.Errorf("where no test was sent, seeing it leads to %s", to)
		}
		w := s.addHook("https://one.example/hook")
		doc := b.get("/setup/webhooks").wants(t, http.StatusOK).dom(t)
		has(t, plain(doc, "#first-steps .done"), "Add a webhook", "one.example/hook")
		has(t, plain(doc, "#first-steps [aria-current=step]"), "Send a test")
		send, _ := doc.Find("#first-steps [aria-current=step] a").Attr("href")
		b.sendTrial(fieldsOf(b.get(send).wants(t, http.StatusOK).dom(t), "#test-form form"), http.StatusOK)

		doc = b.get("/setup/webhooks").dom(t)
		has(t, plain(doc, "#first-steps .done"), "Send a test", "The last one: 200 in")
		has(t, plain(doc, "#first-steps [aria-current=step]"), "See it")
		see, _ := doc.Find("#first-steps [aria-current=step] a").Attr("href")
		delivery := b.get(see).Header.Get("Location")
		has(t, b.get(delivery).wants(t, http.StatusOK).body, w.ID.String())
		if b.get("/setup/webhooks").dom(t).Find("#first-steps").Length() != 0 {
			t.Error("the steps stay after the last one")
		}
	})
}

func TestTheFirstStepsAreForWhoNeedsThem(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		shown := func(b *browser) bool { return b.get("/setup/webhooks").dom(t).Find("#first-steps").Length() > 0 }
		b, viewer, other := s.signedIn(store.RoleAdmin), s.signedIn(store.RoleViewer), s.signedIn(store.RoleOwner)
		if !shown(b) || shown(viewer) {
			t.Error("the steps are there for an admin, and for nobody who may only read")
		}
		b.post(views.FirstStepsAddress, nil).wants(t, http.StatusSeeOther)
		if shown(b) || !shown(other) {
			t.Error("who dismisses the steps has done so for nobody else")
		}
		viewer.post(views.FirstStepsAddress, nil).wants(t, http.StatusForbidden)
		s.event("call.ended", `{}`)
		if shown(other) {
			t.Error("the steps stay where events are sent already")
		}
	})
}

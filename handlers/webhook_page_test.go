package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/store"
)

func TestAWebhooksPageSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook", "call.*")
		for range 5 {
			s.event("call.ended", `{"agent_id":"berlin"}`)
		}
		s.answer(http.StatusServiceUnavailable)
		b := s.signedIn(store.RoleAdmin)
		doc := b.get("/setup/webhooks/"+w.ID.String()).wants(t, http.StatusOK).dom(t)
		has(t, plain(doc, ".message.tone-bad"), "Failing since", "5 of 5 attempts in the last hour answered 503 Service Unavailable", "See last answer")
		has(t, plain(doc, "#numbers"), "All 5", "Pending 5")
		has(t, plain(doc, "main"), "status 503", "Retry-After is honoured", "5 failed attempts in 24 h", "0 of 16 in flight", "All agents")
		if n := doc.Find("#recent tr").Length(); n != 5 {
			t.Errorf("%d recent deliveries, want 5", n)
		}
		link := doc.Find(".message a.btn").AttrOr("href", "")
		b.get(link).wants(t, http.StatusOK)
		if href := doc.Find("th .kind-name").AttrOr("href", ""); b.get(href).dom(t).Find("#rows tr").Length() != 5 {
			t.Errorf("the kind of failure leads to %q, which shows other deliveries", href)
		}
		for _, r := range []string{"1h", "24h", "7d", "30d", "nonsense"} {
			doc := b.get("/setup/webhooks/"+w.ID.String()+"?range="+r).wants(t, http.StatusOK).dom(t)
			want := map[string]string{"1h": "1 h", "7d": "7 d", "30d": "30 d"}[r]
			if want == "" {
				want = "24 h"
			}
			if got := plain(doc, `[aria-label="Time covered"] [aria-current]`); got != want {
				t.Errorf("?range=%s shows %q", r, got)
			}
			has(t, plain(doc, ".section-head"), "5 in "+want+", 0% succeed")
		}
	})
}

func TestRotatingShowsTheNewSecretAndBothSignUntilSwitched(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleAdmin)
		at := "/setup/webhooks/" + w.ID.String()
		page := b.get(at + "?confirm=rotate").dom(t)
		if _, open := page.Find("dialog#rotate").Attr("open"); !open {
			t.Error("without scripts the dialog is not open")
		}
		action, fields := filled(t, page, "#rotate form")
		doc := b.post(action, set(fields, "secret_kind", "own", "secret", "short")).wants(t, http.StatusUnprocessableEntity).dom(t)
		has(t, plain(doc, "#rotate[open]"), "8 to 256")
		action, fields = filled(t, doc, "#rotate form")
		b.post(action, set(fields, "secret_kind", "generate", "overlap_hours", "72")).leads(t, at+"/secret")
		b.post(action, fields).leads(t, at+"/secret")
		has(t, plain(b.get(at+"/secret").dom(t), "main"), "Copy the new signing secret now", "whsec_")
		now, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
		if left := time.Until(now.OverlapEndsAt.Time); err != nil || left < 71*time.Hour || left > 73*time.Hour {
			t.Errorf("the overlap lasts %v, %v", left, err)
		}
		doc = b.get(at).dom(t)
		has(t, plain(doc, ".message.tone-info"), "Two secrets sign until", "Switch now")
		_, again := filled(t, doc, "#rotate form")
		has(t, plain(b.post(action, again).wants(t, http.StatusConflict).dom(t), "#rotate[open] [role=alert]"), "still overlaps")
		action, fields = filled(t, doc, `form[action$="/switch-secret"]`)
		for range 2 {
			b.post(action, fields).leads(t, at)
		}
		if text := plain(b.get(at).dom(t), "main"); strings.Contains(text, "Two secrets") {
			t.Error("both secrets still sign")
		}
	})
}

func TestDeletingNamesWhatFollowsAndLeavesTheLog(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		s.event("call.ended", `{}`)
		b := s.signedIn(store.RoleAdmin)
		at := "/setup/webhooks/" + w.ID.String()
		page := b.get(at + "?confirm=delete").dom(t)
		has(t, plain(page, "dialog#delete[open]"), "one.example/hook gets nothing more", "1 waiting delivery becomes dead", "can't be undone", "Keep it")
		action, fields := filled(t, page, "#delete form")
		for range 2 {
			b.post(action, fields).leads(t, "/setup/webhooks")
		}
		has(t, plain(b.get("/setup/webhooks").dom(t), "#toasts"), "Deleted one.example/hook")
		doc := b.get(at).wants(t, http.StatusOK).dom(t)
		has(t, plain(doc, "main"), "Deleted on", "Secret destroyed", "Dead 1")
		if n := doc.Find("main form, main dialog").Length(); n != 0 {
			t.Errorf("a deleted webhook's page offers %d forms", n)
		}
		b.get(at+"/edit").wants(t, http.StatusGone)
		b.post(at+"/toggle", url.Values{"active": {"true"}}).wants(t, http.StatusGone)
		b.post(at+"/rotate-secret", url.Values{"token": {store.NewFormToken()}, "overlap_hours": {"0"}}).wants(t, http.StatusGone)
	})
}

func TestReactivatingOffersWhatWasMissedAndSendsItOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addBound("https://one.example/hook", "One", "", false)
		for range 3 {
			s.event("call.ended", `{}`)
		}
		b := s.signedIn(store.RoleAdmin)
		at := "/setup/webhooks/" + w.ID.String()
		doc := b.get(at).dom(t)
		has(t, plain(doc, ".message"), "Paused by mira@example.com", "No deliveries wait")
		action, _ := filled(t, doc, ".actions .switch-form")
		b.post(action, url.Values{"active": {doc.Find(".actions .switch").AttrOr("value", "")}}).leads(t, at)
		doc = b.get(at).dom(t)
		has(t, plain(doc, ".message.tone-ok"), "Active again", "3 events came in meanwhile", "Send 3 missed events")
		page := b.get(doc.Find(".message.tone-ok a").AttrOr("href", "")).dom(t)
		has(t, plain(page, "dialog#missed[open]"), "Send 3 missed events?", "oldest first")
		action, fields := filled(t, page, "#missed form")
		for range 2 {
			b.post(action, fields).leads(t, at)
		}
		doc = b.get(at).dom(t)
		has(t, plain(doc, "#toasts"), "3 missed events are on the way")
		has(t, plain(doc, "#numbers"), "Pending 3")
		if doc.Find(".message.tone-ok").Length() != 0 {
			t.Error("what was sent is offered again")
		}
	})
}

func TestHeldDeliveriesAreAnnouncedAWeekBeforeTheyAreGivenUp(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		s.event("call.ended", `{}`)
		off := false
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Active: &off}); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleAdmin)
		at := "/setup/webhooks/" + w.ID.String()
		for days, want := range map[int]bool{1: false, 22: false, 24: true, 29: true} {
			s.handlers.opt.Now = func() time.Time { return time.Now().Add(time.Duration(days) * 24 * time.Hour) }
			text := plain(b.get(at).dom(t), ".message")
			if strings.Contains(text, "1 held delivery will be given up") != want {
				t.Errorf("after %d days the page says %q", days, text)
			}
		}
	})
}

func TestAWebhooksPageFollowsWhatHappens(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		other := s.addHook("https://two.example/hook", "message.*")
		b := s.signedIn(store.RoleViewer)
		lines, end := b.listen("/setup/webhooks/" + w.ID.String() + "/live")
		defer end()
		until(t, lines, "No deliveries yet")
		if _, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{WebhookID: other.ID, Event: "message.sent"}); err != nil {
			t.Fatal(err)
		}
		s.event("call.ended", `{"agent_id":"support-berlin"}`)
		until(t, lines, "support-berlin")
	})
}

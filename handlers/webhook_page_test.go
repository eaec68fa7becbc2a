package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
	"belfry/views"
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
		if n := doc.Find("#rows tr").Length(); n != 5 {
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
			has(t, plain(doc, ".section-head"), "0% of 5 attempts in "+want+" succeeded")
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
		b.post(action, fields).leads(t, at+"/secret?again="+fields.Get(tokenField))
		now, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
		has(t, plain(b.get(at+"/secret").dom(t), "main"), "Copy the new signing secret now", "whsec_", "The old secret still signs, too, until "+views.FullTime(now.OverlapEndsAt.Time))
		if left := time.Until(now.OverlapEndsAt.Time); err != nil || left < 71*time.Hour || left > 73*time.Hour {
			t.Errorf("the overlap lasts %v, %v", left, err)
		}
		doc = b.get(at).dom(t)
		has(t, plain(doc, ".message.tone-info"), "Two secrets sign until", "Switch now")
		_, again := filled(t, doc, "#rotate form")
		has(t, plain(b.post(action, again).wants(t, http.StatusConflict).dom(t), "#rotate[open] [role=alert]"), "still overlaps")
		form, _ := doc.Find(".message.tone-info button").Attr("form")
		action, fields = filled(t, doc, "form#"+form)
		for range 2 {
			b.post(action, fields).leads(t, at)
		}
		if text := plain(b.get(at).dom(t), "main"); strings.Contains(text, "Two secrets") {
			t.Error("both secrets still sign")
		}
		action, fields = filled(t, b.get(at).dom(t), "#rotate form")
		b.post(action, set(fields, "secret_kind", "generate", "overlap_hours", "0")).leads(t, at+"/secret")
		has(t, plain(b.get(at+"/secret").dom(t), "main"), "From now on only this secret signs.")
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
		has(t, plain(doc, ".message"), "Paused by mira@example.com", "No deliveries wait", "3 events came in since")
		action, _ := filled(t, doc, ".actions .switch-form")
		b.post(action, url.Values{"active": {doc.Find(".actions .switch").AttrOr("value", "")}}).leads(t, at)
		doc = b.get(at).dom(t)
		today := time.Now().UTC().Format("2 Jan")
		has(t, plain(doc, ".message.tone-ok"), "Active again: 3 missed events", "They came in while it was inactive, on "+today, "Send 3 missed events")
		page := b.get(at + "?confirm=missed").dom(t)
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

func TestTheSwitchOfAWebhooksPageCanBeTakenBack(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w, b := s.addHook("https://one.example/hook"), s.signedIn(store.RoleAdmin)
		at := "/setup/webhooks/" + w.ID.String()
		doc := b.get(at).dom(t)
		action, _ := filled(t, doc, ".actions .switch-form")
		b.post(action, url.Values{"active": {"false"}}).leads(t, at)
		doc = b.get(at).dom(t)
		has(t, plain(doc, "#toasts"), "Paused one.example/hook. No deliveries wait.")
		undo, fields := filled(t, doc, "#toasts form")
		b.post(undo, fields).leads(t, at)
		doc = b.get(at).dom(t)
		has(t, plain(doc, "#toasts"), "one.example/hook is active again.")
		if doc.Find(".actions .switch[aria-checked=true]").Length() != 1 {
			t.Error("the webhook is still paused")
		}
	})
}

func TestMissedEventsAreDismissedOnceAskedAndNeverOfferedAgain(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addBound("https://one.example/hook", "One", "", false)
		s.event("call.ended", `{}`)
		on := true
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Active: &on}); err != nil {
			t.Fatal(err)
		}
		at := "/setup/webhooks/" + w.ID.String()
		if n := s.signedIn(store.RoleViewer).get(at).dom(t).Find(".message a.btn").Length(); n != 0 {
			t.Errorf("a viewer is offered %d things to do about missed events", n)
		}
		b := s.signedIn(store.RoleAdmin)
		page := b.get(at+"?confirm=dismiss").wants(t, http.StatusOK).dom(t)
		has(t, plain(page, "dialog#dismiss[open]"), "Dismiss 1 missed event?", "never gets them", "can't be undone", "Keep the offer")
		action, fields := filled(t, page, "#dismiss form")
		for range 2 {
			b.post(action, fields).leads(t, at)
		}
		doc := b.get(at).dom(t)
		has(t, plain(doc, "#toasts"), "Dismissed 1 missed event.")
		has(t, plain(doc, "#numbers"), "All 0")
		if doc.Find(".message").Length() != 0 {
			t.Error("what was dismissed is offered again")
		}
	})
}

func TestAWebhooksPageSaysWhatWaitsAndUntilWhen(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleViewer)
		waiting := func() string { return plain(b.get("/setup/webhooks/"+w.ID.String()).dom(t), "#waiting") }
		if text := waiting(); text != "" {
			t.Errorf("where nothing waits the page says %q", text)
		}
		s.event("call.ended", `{}`)
		s.answer(http.StatusServiceUnavailable)
		has(t, waiting(), "1 delivery waits for the next attempt.", "Next in")
		s.event("call.ended", `{}`)
		s.event("call.ended", `{}`)
		has(t, waiting(), "2 deliveries are due.", "16 at once at most", "1 delivery waits for the next attempt.")
		for range 8 {
			s.event("call.ended", `{}`)
		}
		s.answer(http.StatusServiceUnavailable)
		has(t, waiting(), "11 deliveries are held while the endpoint is probed", "Next probe in")
		off := false
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Active: &off}); err != nil {
			t.Fatal(err)
		}
		doc := b.get("/setup/webhooks/" + w.ID.String()).dom(t)
		has(t, plain(doc, ".message"), "11 deliveries are held until it is active again, until ")
	})
}

func TestEachKindOfFailureSaysWhatToDoAboutIt(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		ended := time.Now().UTC().Add(-72 * time.Hour)
		kinds := []struct {
			code               int
			kind, detail, want string
			answer             []store.Header
		}{
			{401, "status", "", "The receiver refuses our signature", nil},
			{404, "status", "", "There is nothing at this path", nil},
			{429, "status", "", "Retry-After is honoured", nil},
			{301, "redirect", "", "leads to https://new.example/hook; set the URL to that.", []store.Header{{Name: "Location", Value: "https://new.example/hook"}}},
			{0, "tls", "the certificate expired on " + ended.Format("2 Jan 2006"), "Renew the certificate: it expired 3 days ago.", nil},
			{0, "dns", "no such host one.example", "Check the host's name", nil},
			{0, "connect", "the endpoint refused the connection", "Nothing listens there", nil},
			{0, "timeout", "", "Answer 2xx first", nil},
			{0, "blocked_address", "", "Use a public one", nil},
		}
		for range kinds {
			s.event("call.ended", `{}`)
		}
		var results []store.Result
		for i, j := range s.claim() {
			k := kinds[i]
			results = append(results, store.Result{Job: j, Next: store.Pending, Wait: time.Hour, Attempt: store.Attempt{
				Number: j.Attempt, Node: "node-1", StartedAt: store.At(time.Now()), StatusCode: k.code, Error: k.kind, Detail: k.detail, Response: k.answer, URL: j.Endpoint.URL,
			}})
		}
		if err := s.store.Record(t.Context(), results); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleViewer)
		doc := b.get("/setup/webhooks/" + w.ID.String() + "?range=7d").dom(t)
		for i, k := range kinds {
			row := doc.Find("tr").FilterFunction(func(_ int, row *goquery.Selection) bool { return strings.Contains(row.Text(), k.want) })
			if row.Length() != 1 {
				t.Errorf("%s %d: %d rows say %q", k.kind, k.code, row.Length(), k.want)
				continue
			}
			if href := row.Find("td a.link").AttrOr("href", ""); href != "/setup/webhooks/deliveries/"+results[i].Job.DeliveryID.String() {
				t.Errorf("%s %d: its last delivery is at %q", k.kind, k.code, href)
			}
			href := row.Find(".kind-name").AttrOr("href", "")
			if n := b.get(href).dom(t).Find("#rows tr").Length(); n != 1 || !strings.Contains(href, "time=7d") {
				t.Errorf("%s %d: %q shows %d deliveries", k.kind, k.code, href, n)
			}
		}
		s.event("call.ended", `{}`)
		s.answer(http.StatusOK)
		has(t, plain(b.get("/setup/webhooks/"+w.ID.String()).dom(t), "main"), "Later attempts succeeded: nothing to do unless it comes back.")
	})
}

func TestChartsSayInASentenceAndInATableWhatTheyShow(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleViewer)
		at := "/setup/webhooks/" + w.ID.String()
		has(t, plain(b.get(at).dom(t), "#history"), "No attempts in this time", "No answers in this time")
		for _, status := range []int{http.StatusOK, http.StatusOK, http.StatusServiceUnavailable} {
			s.event("call.ended", `{}`)
			s.answer(status)
		}
		doc := b.get(at).dom(t)
		charts := doc.Find(`#history [role=img]`)
		has(t, charts.Eq(0).AttrOr("aria-label", ""), "3 attempts in 24 h: 2 answered 2xx, 1 failed", "in one hour, most failures at ")
		has(t, charts.Eq(1).AttrOr("aria-label", ""), "Response times in 24 h", "the limit is 10 s")
		good, bad := 0, 0
		doc.Find("#history .as-table").Eq(0).Find("tbody tr").Each(func(_ int, row *goquery.Selection) {
			n, _ := strconv.Atoi(row.Find("td").Eq(0).Text())
			m, _ := strconv.Atoi(row.Find("td").Eq(1).Text())
			good, bad = good+n, bad+m
		})
		if good != 2 || bad != 1 {
			t.Errorf("the table behind the chart counts %d and %d", good, bad)
		}
		if text := b.get("/setup/webhooks").dom(t).Find("svg.spark[role=img]").AttrOr("aria-label", ""); !strings.Contains(text, "3 attempts in 24 h: 2 answered 2xx, 1 failed") {
			t.Errorf("the bars of the list say %q", text)
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

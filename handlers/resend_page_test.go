package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
)

// ask opens the question before a resend and gives its form's fields.
func (b *browser) ask(query string) (fields url.Values, text string) {
	b.t.Helper()
	doc := b.get(views.BulkAddress + query).dom(b.t)
	token, _ := doc.Find("main form input[name=token]").Attr("value")
	pace, _ := doc.Find("main form input[name=pace][checked]").Attr("value")
	return url.Values{"token": {token}, "pace": {pace}}, plain(doc, "main")
}

func TestAResendOfManyIsAskedForInNumbersAndLeadsToItsProgress(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		held := s.addHook("https://one.example/hook")
		s.addHook("https://two.example/hook")
		s.failed(3)
		off := false
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, held.ID, store.WebhookPatch{Active: &off}); err != nil {
			t.Fatal(err)
		}
		fields, text := b.ask("?event=call.*&time=7d")
		has(t, text, "Resend 6 failed deliveries?", "Eventcall.*", "one.example/hookHelduntil you reactivate the webhook3", "two.example/hookSent3", "About 4 s", "Each gets 6 attempts on top of those it has not used.", "Resend 6")
		if fields.Get("pace") != usualPace {
			t.Errorf("the pace chosen is %q", fields.Get("pace"))
		}
		s.event("call.ended", `{}`)
		s.answer(http.StatusOK)
		_, arrived := b.ask("?status=delivered")
		has(t, arrived, "Each gets 6 attempts on top of those it has not used: up to 11 where the first attempt arrived.")
		_, none := b.ask("?status=dead")
		has(t, none, "Nothing to resend", "StatusDead")

		refused := b.post(views.BulkAddress, url.Values{"token": {fields.Get("token")}, "pace": {"7"}})
		if refused.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(plain(refused.dom(t), "main"), "Choose how fast") {
			t.Errorf("another pace: %s", refused.Status)
		}
		first, again := b.post(views.BulkAddress+"?event=call.*", fields), b.post(views.BulkAddress+"?event=call.*", fields)
		run := first.Header.Get("Location")
		if first.StatusCode != http.StatusSeeOther || again.Header.Get("Location") != run {
			t.Fatalf("begun: %s to %q, sent again to %q", first.Status, run, again.Header.Get("Location"))
		}
		has(t, plain(b.get(run).dom(t), "main"), "Resending 6 failed deliveries", "0 sent", "6 to go", "100 per minute, about 4 s left", "Begun by admin@example.com", "The first deliveries go out in a moment")

		fields, text = b.ask("")
		has(t, text, "Another resend has not ended", "Show it")
		if second := b.post(views.BulkAddress, fields); second.StatusCode != http.StatusConflict || !strings.Contains(second.body, run) {
			t.Errorf("a second one: %s", second.Status)
		}
	})
}

func TestARunShowsWhatBecameOfEachDelivery(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleViewer)
		s.addHook("https://one.example/hook")
		s.failed(4)
		run, _, err := s.store.StartResend(t.Context(), s.account.ID, store.NewResend{By: "mira@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		s.resend()
		s.answer(http.StatusOK)
		s.resend()
		doc := b.get(runPath(run.ID)).dom(t)
		has(t, plain(doc, "main"), "Finished", "Resent 4 failed deliveries", "4 delivered", "All 4", "2 of 12")
		if n := doc.Find("main tbody tr").Length(); n != 4 {
			t.Errorf("%d rows, want 4", n)
		}
		if doc.Find("#run form").Length() != 0 || doc.Find("#run[hx-trigger]").Length() != 0 {
			t.Error("a run that is over can be changed, or is followed")
		}
		has(t, plain(b.get(runPath(run.ID)+"?outcome=failed").dom(t), "main"), "None here")
		has(t, plain(b.get(views.RunsAddress).dom(t), "main"), "FinishedResent 4 failed deliveries4 4 delivered, 0 failed again00mira@example.com")
		if a := b.get(runPath(uuid.MustParse(nobodysID))); a.StatusCode != http.StatusNotFound {
			t.Errorf("a run that nobody has: %s", a.Status)
		}
	})
}

func TestARunIsPausedContinuedAndCancelledByThoseWhoMay(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		admin, viewer := s.signedIn(store.RoleAdmin), s.signedIn(store.RoleViewer)
		s.addHook("https://one.example/hook")
		s.failed(2)
		run, _, err := s.store.StartResend(t.Context(), s.account.ID, store.NewResend{Pace: 100, By: "mira@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		path := runPath(run.ID)
		if doc := viewer.get(path).dom(t); doc.Find("main form").Length() != 0 || doc.Find("progress").Length() != 1 {
			t.Error("a viewer sees buttons, or no progress")
		}
		for _, step := range []struct{ verb, state, title string }{
			{"pause", store.ResendPaused, "Paused: 2 failed deliveries"}, {"continue", store.ResendRunning, "Resending 2 failed deliveries"}, {"cancel", store.ResendCancelled, "Cancelled: 0 of 2 failed deliveries resent"},
		} {
			action := path + "/" + step.verb
			token, _ := admin.get(path).dom(t).Find("form[action='" + action + "'] input[name=token]").Attr("value")
			if a := admin.post(action, url.Values{"token": {token}}); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != path {
				t.Errorf("%s: %s to %q", step.verb, a.Status, a.Header.Get("Location"))
			}
			if got, err := s.store.ResendRun(t.Context(), s.account.ID, run.ID); err != nil || got.State != step.state || got.ChangedBy != "admin@example.com" {
				t.Errorf("after %s: %+v %v", step.verb, got, err)
			}
			has(t, plain(admin.get(path).dom(t), "main"), step.title)
		}
		if a := admin.post(path+"/continue", url.Values{"token": {store.NewFormToken()}}); a.StatusCode != http.StatusConflict {
			t.Errorf("a cancelled one goes on: %s", a.Status)
		}
		part := admin.post(path+"/cancel?in="+views.StripID, url.Values{"token": {store.NewFormToken()}})
		if part.Header.Get("Location") != path+"/progress" {
			t.Errorf("from the log: %s to %q", part.Status, part.Header.Get("Location"))
		}
	})
}

func TestTheLogOffersToResendWhatItShowsAndFollowsTheRun(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		admin, viewer := s.signedIn(store.RoleAdmin), s.signedIn(store.RoleViewer)
		s.addHook("https://one.example/hook")
		s.event("message.sent", `{}`)
		s.answer(http.StatusOK)
		s.failed(3)
		for query, want := range map[string]string{
			"": "Resend 3 failed…", "?status=failed": "Resend 3 failed…", "?status=delivered": "Resend 1 delivered…", "?event=message.sent": "", "?status=pending": "",
			"?status=dead": "", "?status=held": "", "?q=call_id": "Resend failed…",
		} {
			link := admin.get(logsPath + query).dom(t).Find("#deliveries .under-filters a.btn")
			if got := strings.TrimSpace(link.Text()); got != want {
				t.Errorf("%q offers %q, want %q", query, got, want)
			}
			if href, _ := link.Attr("href"); want != "" && href != views.BulkAddress+query {
				t.Errorf("%q leads to %q", query, href)
			}
			if viewer.get(logsPath+query).dom(t).Find("#deliveries .under-filters a.btn").Length() > 0 {
				t.Errorf("%q is offered to a viewer", query)
			}
		}
		if strip := viewer.get(logsPath).dom(t).Find("#resend-strip[hidden]"); strip.Length() != 1 {
			t.Error("a progress where nothing is resent")
		}
		run, _, err := s.store.StartResend(t.Context(), s.account.ID, store.NewResend{Pace: 100, By: "mira@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		for b, forms := range map[*browser]int{admin: 2, viewer: 0} {
			for _, page := range []string{logsPath, runPath(run.ID) + "/progress"} {
				strip := b.get(page).dom(t).Find("#resend-strip")
				has(t, strings.Join(strings.Fields(strip.Text()), " "), "Resending 3 failed deliveries", "3 to go")
				if at, _ := strip.Attr("hx-get"); at != runPath(run.ID)+"/progress" || strip.Find("form").Length() != forms {
					t.Errorf("%s: followed at %q, with %d forms, want %d", page, at, strip.Find("form").Length(), forms)
				}
			}
		}
	})
}

func TestAnOpenLogIsToldOfARunThatSomebodyBegins(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.failed(1)
		list := &liveDeliveries{h: s.handlers, account: s.account.ID}
		above := func() string {
			t.Helper()
			part, err := list.count(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			data, err := rendered(t.Context(), part)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		if before := above(); strings.Contains(before, "resend-news") {
			t.Errorf("a run before one began: %s", before)
		}
		run, _, err := s.store.StartResend(t.Context(), s.account.ID, store.NewResend{Pace: 100})
		if err != nil {
			t.Fatal(err)
		}
		running := above()
		has(t, running, `hx-target="#resend-news"`, `hx-get="`+runPath(run.ID)+`/progress"`)
		if _, err := s.store.ChangeResend(t.Context(), s.account.ID, run.ID, store.ResendPaused, ""); err != nil {
			t.Fatal(err)
		}
		if above() == running {
			t.Error("a run that was paused is no news")
		}
	})
}

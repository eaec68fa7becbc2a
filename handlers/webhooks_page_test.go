package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
)

// addBound registers an endpoint for one agent.
func (s *site) addBound(address, description, agent string, active bool) store.Webhook {
	s.t.Helper()
	w, _, _, err := s.store.CreateWebhook(s.t.Context(), s.account.ID, store.NewWebhook{
		URL: address, Description: description, AgentID: agent, Active: active, By: "mira@example.com",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

func TestWithoutWebhooksTheListTeaches(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		doc := s.signedIn(store.RoleAdmin).get("/setup/webhooks").wants(t, http.StatusOK).dom(t)
		has(t, plain(doc, ".hero"), "Add a webhook", "all 22 (not Belfry's own webhook.*)")
		has(t, plain(doc, ".sample"), "call.ended", "webhook-signature", "belfry listen")
		has(t, plain(doc, ".live-line"), "Ready, nothing to deliver")
		if doc.Find(`a.primary[href="/setup/webhooks/new"]`).Length() != 1 {
			t.Error("there is no button to add a webhook")
		}
		if s.signedIn(store.RoleViewer).get("/setup/webhooks").dom(t).Find(`a[href="/setup/webhooks/new"]`).Length() != 0 {
			t.Error("a viewer is offered to add a webhook")
		}
	})
}

func TestTheListIsSearchedByEventToo(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook", "call.*", "message.sent")
		s.addHook("https://two.example/hook", "agent.created")
		b := s.signedIn(store.RoleViewer)
		for text, want := range map[string]string{"call.ended": "one.example", "message": "one.example", "agent.cre": "two.example"} {
			rows := b.get("/setup/webhooks?q=" + text).dom(t).Find("#list tbody tr")
			if rows.Length() != 1 || !strings.Contains(rows.Text(), want) {
				t.Errorf("%q finds %q, want %s alone", text, rows.Text(), want)
			}
		}
	})
}

func TestTheListShowsTroubleFirstAndNarrowsToWhatIsAskedFor(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addBound("https://paused.example/hook", "Paused one", "", false)
		s.addBound("https://quiet.example/hook", "Quiet one", "sales-eu", true)
		bad := s.addHook("https://failing.example/hook")
		for range 5 {
			s.event("call.ended", `{"call_id":"c1"}`)
		}
		s.answer(http.StatusServiceUnavailable)
		b := s.signedIn(store.RoleAdmin)
		doc := b.get("/setup/webhooks").wants(t, http.StatusOK).dom(t)
		if first := doc.Find("#list tbody tr").First(); first.AttrOr("id", "") != "webhook-"+bad.ID.String() || !strings.Contains(first.Text(), "503 on 5 of 5") {
			t.Errorf("the first row is %q", first.Text())
		}
		has(t, plain(doc, "#list"), "Paused one", "paused by mira", "sales-eu", "All events")
		has(t, plain(doc, ".quota"), "3 of 10 used")
		has(t, plain(doc, "#side-nav .count"), "1")
		for query, want := range map[string]int{
			"": 3, "state=trouble": 1, "state=active": 2, "state=inactive": 1, "state=nonsense": 3, "agent=sales-eu": 1, "agent=nobody": 0,
			"q=QUIET": 1, "q=failing.example": 1, "q=" + bad.ID.String(): 1, "q=nowhere": 0, "q=one&state=inactive": 1,
		} {
			doc := b.get("/setup/webhooks?"+query).wants(t, http.StatusOK).dom(t)
			if n := doc.Find("#list tbody tr").Length(); n != want {
				t.Errorf("%q: %d rows, want %d", query, n, want)
			}
			if want == 0 {
				has(t, plain(doc, "#list"), "Nothing matches these filters", "3 webhooks without them")
			}
		}
		narrowed := b.get("/setup/webhooks?q=one&agent=sales-eu").dom(t)
		if href := narrowed.Find("#states a").Eq(2).AttrOr("href", ""); href != "/setup/webhooks?agent=sales-eu&q=one&state=active" {
			t.Errorf("a state's link forgets the other filters: %q", href)
		}
	})
}

func TestTheListIsSortedByTheColumnInItsAddress(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://b.example/bad")
		s.event("call.ended", `{}`)
		s.answer(http.StatusServiceUnavailable)
		s.addHook("https://c.example/good", "call.ended")
		for range 2 {
			s.event("message.sent", `{}`)
			s.event("call.ended", `{}`)
		}
		s.answer(http.StatusOK)
		s.event("message.sent", `{}`)
		s.answer(http.StatusOK)
		s.addHook("https://a.example/new")
		b := s.signedIn(store.RoleViewer)
		for sort, want := range map[string]string{
			"": "b c a", "nonsense": "b c a", "endpoint": "a b c", "-endpoint": "c b a", "-attempts": "b c a", "attempts": "a c b",
			"success": "b c a", "-success": "c b a", "-last": "b c a", "last": "c b a", "-health": "a b c",
		} {
			doc := b.get("/setup/webhooks?q=.example&sort="+sort).wants(t, http.StatusOK).dom(t)
			var order []string
			doc.Find("#list .endpoint b").Each(func(_ int, host *goquery.Selection) {
				order = append(order, strings.TrimSuffix(host.Text(), ".example"))
			})
			if got := strings.Join(order, " "); got != want {
				t.Errorf("sorted by %q: %q, want %q", sort, got, want)
			}
			if n := doc.Find("#list th[aria-sort]").Length(); n != 1 {
				t.Errorf("sorted by %q: %d heads say so", sort, n)
			}
		}
		doc := b.get("/setup/webhooks?q=.example&sort=success").dom(t)
		if name := plain(doc, `#list th[aria-sort="ascending"]`); name != "Success" {
			t.Errorf("sorted by success the head that says so is %q", name)
		}
		if href := doc.Find(`#list th[aria-sort] a`).AttrOr("href", ""); href != "/setup/webhooks?q=.example&sort=-success" {
			t.Errorf("the head that is sorted by leads to %q", href)
		}
	})
}

func TestAViewerIsOfferedNoFormOnTheList(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleViewer)
		for _, page := range []string{"/setup/webhooks", "/setup/webhooks/" + w.ID.String()} {
			doc := b.get(page).wants(t, http.StatusOK).dom(t)
			if n := doc.Find(`form[method=post]:not([action="/logout"])`).Length(); n != 0 {
				t.Errorf("%s offers a viewer %d forms", page, n)
			}
		}
	})
}

func TestPausingInTheListSaysWhatIsHeldAndCanBeUndone(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		s.event("call.ended", `{}`)
		s.event("call.ended", `{}`)
		b := s.signedIn(store.RoleAdmin)
		list := b.get("/setup/webhooks?q=one").dom(t)
		action, _ := filled(t, list, "#list .switch-form")
		button := list.Find("#list .switch")
		for range 2 { // a double click changes nothing more
			b.post(action, url.Values{"active": {button.AttrOr("value", "")}}).leads(t, "/setup/webhooks?q=one")
		}
		doc := b.get("/setup/webhooks?q=one").dom(t)
		has(t, plain(doc, "#toasts .toast:last-child"), "Paused one.example/hook. 2 deliveries are held.", "Undo")
		if now, _ := s.store.Webhook(t.Context(), s.account.ID, w.ID); now.Active || now.ChangedBy != "admin@example.com" {
			t.Errorf("the webhook is %+v", now)
		}
		if n := b.get("/setup/webhooks").dom(t).Find("#toasts .toast").Length(); n != 0 {
			t.Errorf("%d toasts come back on the next page", n)
		}
		s.event("call.ended", `{}`) // missed
		undo, fields := filled(t, doc, "#toasts .toast:last-child form")
		b.post(undo, fields).leads(t, "/setup/webhooks?q=one")
		doc = b.get("/setup/webhooks?q=one").dom(t)
		has(t, plain(doc, "#toasts"), "is active again", "1 event came in meanwhile", "Undo")
		if href := doc.Find("#toasts a").AttrOr("href", ""); href != "/setup/webhooks/"+w.ID.String()+"?confirm=missed" {
			t.Errorf("the missed events are offered at %q", href)
		}
	})
}

func TestWhereAllWebhooksAreUsedTheButtonSaysSo(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		one := 1
		if err := s.store.SetAccountLimits(t.Context(), s.account.ID, store.AccountLimits{MaxWebhooks: &one}); err != nil {
			t.Fatal(err)
		}
		s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleAdmin)
		has(t, plain(b.get("/setup/webhooks").dom(t), ".actions [aria-disabled=true]"), "All 1 webhooks are used")
		doc := b.get("/setup/webhooks/new").wants(t, http.StatusOK).dom(t)
		has(t, plain(doc, ".message"), "No webhook can be added")
		fields := url.Values{"token": {store.NewFormToken()}, "url": {"https://two.example/hook"}, "which": {"all"}, "secret_kind": {"generate"}, "active": {"true"}}
		doc = b.post("/setup/webhooks", fields).wants(t, http.StatusForbidden).dom(t)
		has(t, plain(doc, ".message"), "All 1 webhooks")
		if got := doc.Find("#url").AttrOr("value", ""); got != "https://two.example/hook" {
			t.Errorf("the URL that comes back is %q", got)
		}
	})
}

func TestHTMXIsToldOfARefusalWithoutLosingThePage(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		if err := s.store.DeleteWebhook(t.Context(), s.account.ID, w.ID); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleAdmin)
		part := map[string]string{"HX-Request": "true", "HX-Request-Type": "full"} // it selects a part of the answer
		a := b.send(http.MethodPost, "/setup/webhooks/"+w.ID.String()+"/toggle", url.Values{"active": {"false"}}, part).wants(t, http.StatusGone)
		if a.Header.Get("HX-Retarget") != "#toasts" || a.Header.Get("HX-Reselect") != ".toast" {
			t.Errorf("the answer would replace the list: %v", a.Header)
		}
		has(t, plain(a.dom(t), ".toast"), "was deleted")
		a = s.visitor().send(http.MethodPost, "/setup/webhooks/"+w.ID.String()+"/toggle", url.Values{"active": {"false"}}, part).wants(t, http.StatusNoContent)
		if a.Header.Get("HX-Redirect") != "/login" {
			t.Errorf("whose session ended is led to %q", a.Header.Get("HX-Redirect"))
		}
	})
}

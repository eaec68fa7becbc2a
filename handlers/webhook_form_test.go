package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
)

func TestAWebhookIsAddedWithoutScriptsAndLeadsToItsSecret(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		action, fields := filled(t, b.get("/setup/webhooks/new").wants(t, http.StatusOK).dom(t), "main form")
		fields.Add("header_name", "X-Tenant")
		fields.Add("header_value", "northline")
		fields["events"] = []string{"call.*", "call.ended", "message.sent"}
		a := b.post(action, set(fields, "url", "https://one.example/hook", "description", "One", "which", "some", "agent_id", "sales-eu"))
		list, err := s.store.Webhooks(t.Context(), s.account.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("webhooks %v, %v\n%.900s", list, err, a.body)
		}
		w := list[0]
		a.leads(t, "/setup/webhooks/"+w.ID.String()+"/secret")
		if strings.Join(w.Events, " ") != "call.* message.sent" || w.AgentID != "sales-eu" || !w.Active || !w.HasSecret || len(w.Headers) != 1 || w.Headers[0].Name != "X-Tenant" || w.ChangedBy != "admin@example.com" {
			t.Errorf("the webhook is %+v", w)
		}
	})
}

func TestADoubleClickAddsOneWebhookAndShowsItsSecret(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		action, fields := filled(t, b.get("/setup/webhooks/new").dom(t), "main form")
		set(fields, "url", "https://one.example/hook")
		answers := make([]answer, 3)
		var sent sync.WaitGroup
		for i := range answers {
			sent.Go(func() { answers[i] = b.post(action, fields) })
		}
		sent.Wait()
		list, err := s.store.Webhooks(t.Context(), s.account.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d webhooks, %v", len(list), err)
		}
		for _, a := range answers {
			if path, _, _ := strings.Cut(a.Header.Get("Location"), "?"); a.StatusCode != http.StatusSeeOther || path != "/setup/webhooks/"+list[0].ID.String()+"/secret" {
				t.Errorf("it leads to %d %q", a.StatusCode, path)
			}
		}
		has(t, plain(b.get(answers[2].Header.Get("Location")).dom(t), "#secret"), "whsec_")
	})
}

func TestARefusedFormKeepsWhatWasTypedAndSaysWhatToDo(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		action, fields := filled(t, b.get("/setup/webhooks/new").dom(t), "main form")
		fields["header_name"], fields["header_value"] = []string{"Host", ""}, []string{"elsewhere", ""}
		fields["events"] = []string{"call.endet"}
		set(fields, "url", "https://one.private.example/hook", "description", "Kept", "which", "some", "secret_kind", "own", "secret", "short", "agent_id", strings.Repeat("a", 129))
		fields.Del("active")
		doc := b.post(action, fields).wants(t, http.StatusUnprocessableEntity).dom(t)
		has(t, plain(doc, ".form-error"), "one.private.example leads to a private address", "call.ended", "8 to 256", "128", "header is Belfry's")
		has(t, plain(doc, ".summary"), "5 things need another look")
		var order []string
		doc.Find(".summary a").Each(func(_ int, a *goquery.Selection) { order = append(order, a.AttrOr("href", "")) })
		if want := []string{"#url", "#which-error", "#secret", "#agent_id", "#header-error-1"}; !slices.Equal(order, want) {
			t.Errorf("the summary leads to %q, the fields stand as %q", order, want)
		}
		if marked := doc.Find(".header-row [aria-invalid]"); marked.AttrOr("value", "") != "Host" || marked.AttrOr("aria-describedby", "") != "header-error-1" {
			t.Errorf("of a refused name %d fields are marked, the first of them %q", marked.Length(), marked.AttrOr("value", ""))
		}
		doc.Find(".summary a").Each(func(_ int, a *goquery.Selection) {
			if id := strings.TrimPrefix(a.AttrOr("href", ""), "#"); doc.Find(`[id="`+id+`"]`).Length() != 1 {
				t.Errorf("the summary leads to %q, which is not on the page", id)
			}
		})
		_, again := filled(t, doc, "main form")
		for name, want := range map[string]string{"url": "https://one.private.example/hook", "description": "Kept", "which": "some", "secret_kind": "own", "secret": "short", "header_name": "Host", "header_value": "elsewhere", "active": "", "token": fields.Get("token")} {
			if got := again.Get(name); got != want {
				t.Errorf("%s comes back as %q, want %q", name, got, want)
			}
		}
		fields["header_name"], fields["header_value"] = []string{"X-Host", ""}, []string{"", ""}
		if name := b.post(action, fields).dom(t).Find(".header-row [aria-invalid]").AttrOr("name", ""); name != "header_value" {
			t.Errorf("where the value is missing %q is marked", name)
		}
		fields["events"], fields["header_value"] = []string{"call.ended"}, []string{"elsewhere", ""}
		a := b.post(action, set(fields, "url", "https://one.example/hook", "secret", "long enough", "agent_id", ""))
		if a.StatusCode != http.StatusSeeOther {
			t.Errorf("the mended form is refused: %d\n%.600s", a.StatusCode, a.body)
		}
	})
}

func TestChoosingNothingAndAnEmptyOwnSecretAreRefusedTogether(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := url.Values{"token": {store.NewFormToken()}, "url": {"ftp://one.example"}, "which": {"some"}, "secret_kind": {"own"}}
		doc := b.post("/setup/webhooks", fields).wants(t, http.StatusUnprocessableEntity).dom(t)
		has(t, plain(doc, ".summary"), "3 things", "Choose at least one event", "Type your secret", "https://")
	})
}

func TestTheURLIsCheckedOnLeavingTheField(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		check := func(address string) string {
			a := b.get("/setup/webhooks/check-url?url="+url.QueryEscape(address)).wants(t, http.StatusOK)
			if a.dom(t).Find("#url").Length() != 0 {
				t.Error("the field comes back with its checks: what is typed meanwhile would be lost")
			}
			return plain(a.dom(t), "[data-says]")
		}
		has(t, check("https://one.example/hook"), "Well formed", "HTTPS", "Public address, 93.184.216.34", "Not called yet")
		hook := s.addHook("https://one.example/hook")
		has(t, check("https://one.example/hook"), "Registered already, as one.example/hook")
		has(t, check("https://ONE.example/hook/?a=1"), "Looks like a duplicate of one.example/hook")
		agent := b.get("/setup/webhooks/check-url?agent_id=a&url=" + url.QueryEscape(hook.URL))
		has(t, plain(agent.dom(t), "[data-says]"), "Used already, for all agents, by one.example/hook")
		if href := agent.dom(t).Find("a").AttrOr("href", ""); href != "/setup/webhooks/"+hook.ID.String() {
			t.Errorf("the duplicate is at %q", href)
		}
		own := b.get("/setup/webhooks/check-url?webhook=" + hook.ID.String() + "&url=" + url.QueryEscape(hook.URL))
		has(t, plain(own.dom(t), "[data-says]"), "Not called yet")
		s.event("call.ended", `{}`)
		s.answer(http.StatusOK)
		if said := check("https://one.example/hook"); strings.Contains(said, "Not called yet") || !strings.Contains(said, "Public address") {
			t.Errorf("of a URL that was called is said: %s", said)
		}
		has(t, check("https://one.private.example/hook"), "one.private.example leads to a private address", "ask the operator")
		has(t, check("http://one.example/hook"), "must start with https://")
		has(t, check("https://mira:pw@one.example/hook"), "user")
	})
}

func TestTheSampleFollowsTheEventAskedFor(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		text := plain(b.get("/setup/webhooks/sample?event=message.received&url=https://one.example/in").wants(t, http.StatusOK).dom(t), "#sample")
		has(t, text, "/in", "one.example", "message.received", "message_id", "tried again after 5 s, 1 min, 10 min, 1 h and 6 h")
		b.get("/setup/webhooks/sample?event=no.such").wants(t, http.StatusOK)
		has(t, plain(b.get("/setup/webhooks/new").dom(t), "main"), "Also those added later, not Belfry's webhook.*")
	})
}

func TestTheSampleHasAllHeadersOfARealRequest(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/in", "call.*")
		s.event("call.ended", `{}`)
		job := s.claim()[0]
		real, _, err := job.Request(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleAdmin)
		names := func(query string) (names []string) {
			dom := b.get("/setup/webhooks/sample?event=call.ended&url=" + w.URL + query).dom(t)
			dom.Find("#sample dt").Each(func(_ int, name *goquery.Selection) { names = append(names, name.Text()) })
			return names
		}
		want := []string{"POST", "host", "content-type", "user-agent", "accept-encoding"}
		for _, header := range real.Header {
			want = append(want, strings.ToLower(header.Name))
		}
		if got := names(""); !slices.Equal(got, want) || !slices.Contains(got, "x-webhook-signature") || !slices.Contains(got, "x-webhook-delivery") {
			t.Errorf("the sample has %q, a real request %q", got, want)
		}
		if got := names("&header_name=X-Tenant&header_name="); !slices.Equal(got, append(want, "x-tenant")) {
			t.Errorf("with a custom header the sample has %q", got)
		}
		if got := strings.Join(names("&secret_kind=none"), " "); strings.Contains(got, "signature") || !strings.Contains(got, "webhook-timestamp") {
			t.Errorf("without a secret the sample has %q", got)
		}
	})
}

func TestEditingKeepsHeadersThatAreLeftAlone(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w, _, _, err := s.store.CreateWebhook(t.Context(), s.account.ID, store.NewWebhook{
			URL: "https://one.example/hook", Active: true, Events: []string{"call.*"}, Headers: []store.Header{{Name: "X-Key", Value: "a-long-value-1234"}, {Name: "X-Gone", Value: "to be removed"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleAdmin)
		at := "/setup/webhooks/" + w.ID.String()
		page := b.get(at+"/edit").wants(t, http.StatusOK)
		if strings.Contains(page.body, "a-long-value") || strings.Contains(page.body, "whsec_") && strings.Contains(page.body, "secret_kind") {
			t.Error("the form to edit shows a secret")
		}
		action, fields := filled(t, page.dom(t), "main form")
		fields["header_name"][1] = ""
		b.post(action, set(fields, "description", "Named now")).leads(t, at)
		has(t, plain(b.get(at).dom(t), "#toasts"), "Saved")
		now, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
		if err != nil || now.Description != "Named now" || len(now.Headers) != 1 || now.Headers[0] != (store.Header{Name: "X-Key", Value: "••••1234"}) || strings.Join(now.Events, " ") != "call.*" {
			t.Errorf("the webhook is %+v, %v", now, err)
		}
	})
}

func TestAStaleEditShowsBothValuesAndSavingAgainKeepsOnes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleAdmin)
		at := "/setup/webhooks/" + w.ID.String()
		action, fields := filled(t, b.get(at+"/edit").dom(t), "main form")
		theirs := "Theirs"
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Description: &theirs}); err != nil {
			t.Fatal(err)
		}
		doc := b.post(action, set(fields, "description", "Mine")).wants(t, http.StatusConflict).dom(t)
		has(t, plain(doc, ".both-values"), "Description", "Mine", "Theirs")
		if strings.Contains(plain(doc, ".both-values"), "Endpoint") {
			t.Error("a field in which both agree is shown, too")
		}
		action, fields = filled(t, doc, "main form")
		if fields.Get("description") != "Mine" {
			t.Errorf("what was typed came back as %q", fields.Get("description"))
		}
		b.post(action, fields).leads(t, at)
		if now, _ := s.store.Webhook(t.Context(), s.account.ID, w.ID); now.Description != "Mine" {
			t.Errorf("the description is %q", now.Description)
		}
	})
}

func TestTheSameURLAndAgentTwiceIsAConflictThatKeepsTheForm(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		one, two := s.addHook("https://one.example/hook"), s.addHook("https://two.example/hook")
		b := s.signedIn(store.RoleAdmin)
		action, fields := filled(t, b.get("/setup/webhooks/"+two.ID.String()+"/edit").dom(t), "main form")
		doc := b.post(action, set(fields, "url", "https://one.example/hook")).wants(t, http.StatusConflict).dom(t)
		has(t, plain(doc, ".message"), "has this URL and agent already")
		if to, _ := doc.Find(".message a").Attr("href"); to != "/setup/webhooks/"+one.ID.String() {
			t.Errorf("the message leads to %q, want the webhook that has the URL", to)
		}
		if doc.Find(".both-values").Length() != 0 {
			t.Error("it is shown as somebody else's change")
		}
	})
}

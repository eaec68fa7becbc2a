package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
)

// fieldsOf is the form as a browser would send it.
func fieldsOf(doc *goquery.Document, selector string) url.Values {
	fields := url.Values{}
	form := doc.Find(selector)
	form.Find("input, textarea").Each(func(_ int, in *goquery.Selection) {
		name, _ := in.Attr("name")
		kind, _ := in.Attr("type")
		_, checked := in.Attr("checked")
		if value, _ := in.Attr("value"); kind != "radio" && kind != "checkbox" || checked {
			if goquery.NodeName(in) == "textarea" {
				value = in.Text()
			}
			fields.Add(name, value)
		}
	})
	form.Find("select").Each(func(_ int, choice *goquery.Selection) {
		name, _ := choice.Attr("name")
		value, ok := choice.Find("option[selected]").Attr("value")
		if !ok {
			value, _ = choice.Find("option").First().Attr("value")
		}
		fields.Add(name, value)
	})
	return fields
}

// sendTrial posts the form while an endpoint answers with the status.
func (b *browser) sendTrial(fields url.Values, status int) answer {
	b.t.Helper()
	bell := b.store.Changes(func(change store.Change) bool { return change.Kind == store.ChangeDelivery })
	defer bell.Close()
	var posting sync.WaitGroup
	var a answer
	posting.Go(func() { a = b.post(trialPath, fields) })
	<-bell.C
	b.site.answer(status)
	posting.Wait()
	return a
}

func TestATestIsSentOnceAndItsAnswerStandsOnThePage(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook", "message.*")
		b := s.signedIn(store.RoleAdmin)
		doc := b.get(trialPath + "?webhook=" + w.ID.String()).dom(t)
		has(t, plain(doc, "main"), "The answer will stand here", "20 of 20 tests left this minute.")
		fields := fieldsOf(doc, "#test-form form")
		if fields.Get("event") != "message.received" || !strings.Contains(fields.Get("data"), "message_id") {
			t.Errorf("the form begins with %q and %q", fields.Get("event"), fields.Get("data"))
		}
		a := b.sendTrial(fields, http.StatusUnauthorized)
		if a.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d: %s", a.StatusCode, a.body)
		}
		if again := b.post(trialPath, fields); again.Header.Get("Location") != a.Header.Get("Location") {
			t.Error("sent twice it leads elsewhere")
		}
		doc = b.get(a.Header.Get("Location")).dom(t)
		has(t, plain(doc, "#answer"), "401 Unauthorized", "12 ms", "test", "Not delivered.", "verifies with the current secret", "set-cookie", "Open the delivery")
		has(t, plain(doc, "main"), "19 of 20 tests left this minute.")
		if got := fieldsOf(doc, "#test-form form"); got.Get("webhook") != w.ID.String() || got.Get("data") != fields.Get("data") {
			t.Error("the form is not as it was sent")
		}
		list, _, err := s.store.Deliveries(t.Context(), s.account.ID, store.DeliveryFilter{Tests: true})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d tests, %v; want one", len(list), err)
		}
		has(t, b.get(trialPath+"/answer?delivery="+list[0].ID.String()).body, `id="answer"`, "401")
	})
}

func TestATestThatWaitsSaysSoAndOffersToWait(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		b := s.signedIn(store.RoleAdmin)
		d, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{URL: "https://free.example/x", Event: "call.ended"})
		if err != nil {
			t.Fatal(err)
		}
		doc := b.get(trialPath + "?delivery=" + d.ID.String()).dom(t)
		has(t, plain(doc, "#answer"), "has not answered yet", "Wait for the answer")
		if url, _ := doc.Find("#answer").Attr("hx-get"); url != trialPath+"/answer?delivery="+d.ID.String() {
			t.Error("nothing fetches the answer:", url)
		}
		if got, _ := doc.Find("input[name=url]").Attr("value"); got != "https://free.example/x" {
			t.Error("the URL is not kept:", got)
		}
	})
}

func TestAWrongTestKeepsWhatWasTyped(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(trialPath).dom(t), "#test-form form")
		fields.Set("to", "url")
		fields.Set("url", "https://box.private.example/x")
		fields.Set("data", "[1]")
		a := b.post(trialPath, fields)
		doc := a.dom(t)
		if a.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%d", a.StatusCode)
		}
		has(t, plain(doc, "#url-error")+plain(doc, "#data-error"), "private", "object")
		if got := fieldsOf(doc, "#test-form form"); got.Get("url") != fields.Get("url") || got.Get("data") != "[1]" || got.Get("token") != fields.Get("token") {
			t.Error("typed values are lost:", got)
		}
		fields.Set("to", "webhook")
		has(t, plain(b.post(trialPath, fields).dom(t), "#test-form"), "Choose the webhook")
	})
}

func TestASampleIsLoadedWithoutScriptsAndTheRestStays(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(trialPath).dom(t), "#test-form form")
		fields.Set("to", "url")
		fields.Set("url", "https://one.example/typed")
		fields.Set("event", "agent.created")
		fields.Set("load", "sample")
		a := b.post(trialPath, fields)
		got := fieldsOf(a.dom(t), "#test-form form")
		if a.StatusCode != http.StatusOK || got.Get("url") != "https://one.example/typed" || !strings.Contains(got.Get("data"), "agent_id") || strings.Contains(got.Get("data"), "call_id") {
			t.Errorf("%d: %v", a.StatusCode, got)
		}
		has(t, b.get(trialPath+"/sample?event=call.missed").body, `id="data-field"`, "call_id", "Valid, fits the schema")
		has(t, b.post(trialPath+"/check", url.Values{"event": {"call.ended"}, "data": {`{"call_id":1}`}}).body, "call_id should be of type string", "The schema asks for")
		has(t, b.post(trialPath+"/check", url.Values{"event": {"call.ended"}, "data": {`{`}}).body, "Not a JSON object")
	})
}

func TestTheTwentyFirstTestOfAMinuteIsRefusedOnThePage(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(trialPath).dom(t), "#test-form form")
		for range 20 {
			if _, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{URL: "https://free.example/x", Event: "call.ended"}); err != nil {
				t.Fatal(err)
			}
		}
		fields.Set("to", "url")
		fields.Set("url", "https://free.example/x")
		a := b.post(trialPath, fields)
		if a.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%d, want 429", a.StatusCode)
		}
		has(t, plain(a.dom(t), "main"), "The test was not sent.", "20 tests of this minute", "0 of 20 tests left")
	})
}

func TestAViewerSeesWhyThereIsNoFormForTests(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleViewer)
		doc := b.get(trialPath).dom(t)
		has(t, plain(doc, "main"), "You can't send tests.", "Your role is viewer")
		if doc.Find("main form").Length() != 0 {
			t.Error("there is a form")
		}
	})
}

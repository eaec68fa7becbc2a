package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
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
	return b.sendTrialTo(trialPath, fields, status)
}

func (b *browser) sendTrialTo(path string, fields url.Values, status int) answer {
	b.t.Helper()
	bell := b.store.Changes(func(change store.Change) bool { return change.Kind == store.ChangeDelivery })
	defer bell.Close()
	var posting sync.WaitGroup
	var a answer
	posting.Go(func() { a = b.post(path, fields) })
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
		has(t, plain(doc, "main"), "What will be sent", "20 of 20 tests left this minute.")
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
		has(t, plain(doc, "#answer"), "Sending… 0 s of 10 s", "has not answered yet", "Wait for the answer")
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
	})
}

func TestTheDataIsCheckedWhileItIsTyped(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		check := func(data string) string {
			return b.post(trialPath+"/check", url.Values{"event": {"call.ended"}, "to": {"url"}, "data": {data}}).wants(t, http.StatusOK).body
		}
		has(t, check(`{"call_id":1}`), "call_id should be of type string", "The schema asks for")
		started := url.Values{"event": {"call.started"}, "to": {"url"}, "data": {`{"direction":"sideways"}`}}
		has(t, b.post(trialPath+"/check", started).wants(t, http.StatusOK).body, "direction should be inbound or outbound")
		has(t, check("{\n  \"é\": 1,\n}"), "Line 3, column 1: the comma before this is one too many.", "Waits for valid data")
		has(t, check(`{"é": 1 "b": 2}`), "Line 1, column 9: a comma or } is missing before this.")
		has(t, check("{\"a\": [1\n"), "Line 1, column 9: the text ends too early")
		has(t, check(`[1]`), "one JSON object")
		has(t, check(" "), "Empty: the sample is sent")
		long := `{"long": "` + strings.Repeat("x", 300<<10) + `"}`
		has(t, check(long), "Data has at most 256 KiB without the spaces between its parts; this has 301 KiB.", "Waits for valid data")
		fields := fieldsOf(b.get(trialPath).dom(t), "#test-form form")
		fields.Set("to", "url")
		fields.Set("url", "https://free.example/x")
		fields.Set("data", long)
		refused := b.post(trialPath, fields).wants(t, http.StatusRequestEntityTooLarge).dom(t)
		has(t, plain(refused, "#data-error"), "this has 301 KiB.")
		if data := refused.Find("#data[aria-invalid]"); data.Text() != long {
			t.Error("the field is not marked, or what was typed is lost")
		}
	})
}

func TestAnotherEventBringsItsSampleUnlessTheDataWasEdited(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(trialPath).dom(t), "#test-form form")
		fields.Set("to", "url")
		fields.Set("event", "message.received")
		choose := func() string { return b.post(trialPath+"/sample?edited=keep", fields).wants(t, http.StatusOK).body }
		has(t, choose(), `id="data-field"`, "conversation_id", "Valid, fits the schema", `<dd>message.received </dd>`)
		fields.Set("data", `{"mine":1}`)
		has(t, choose(), "mine", "The schema asks for")
		has(t, b.post(trialPath+"/sample", fields).body, "conversation_id") // back to the sample
	})
}

func TestAPreviewIsTheRequestThatWillBeSent(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w, _, _, err := s.store.CreateWebhook(t.Context(), s.account.ID, store.NewWebhook{
			URL: "https://one.example/hook", Secret: store.SecretChoice{Own: "a secret of one's own"}, Active: true,
			Headers: []store.Header{{Name: "Authorization", Value: "Bearer 0123456789"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(trialPath+"?webhook="+w.ID.String()).dom(t), "#test-form form")
		fields.Set("data", `{ "call_id" : "typed" }`)
		fields.Set("load", "preview")
		a := b.post(trialPath, fields).wants(t, http.StatusOK)
		shown := plain(a.dom(t), "#preview")
		has(t, shown, "POST https://one.example/hook", "content-type", "user-agent", "Belfry/test", "x-webhook-event", "x-webhook-signature", "webhook-timestamp", "webhook-signature", "••••6789", `"typed"`, `"signature": "sha256=`)
		for _, secret := range []string{"0123456789", "one's own"} {
			if strings.Contains(a.body, secret) {
				t.Errorf("the page holds %q", secret)
			}
		}
		if got := fieldsOf(a.dom(t), "#test-form form"); got.Get("data") != fields.Get("data") || got.Get("token") != fields.Get("token") {
			t.Error("typed values are lost:", got)
		}
		if list, _, err := s.store.Deliveries(t.Context(), s.account.ID, store.DeliveryFilter{Tests: true}); err != nil || len(list) != 0 {
			t.Errorf("%d tests were sent, %v", len(list), err)
		}
		fields.Set("to", "url")
		fields.Set("url", "https://free.example/x")
		if shown := plain(b.post(trialPath, fields).dom(t), "#preview"); strings.Contains(shown, "signature\"") || !strings.Contains(shown, "https://free.example/x") {
			t.Error("without a secret the preview is", shown)
		}
		fields.Set("secret", "whsec_?")
		has(t, plain(b.post(trialPath, fields).dom(t), "#preview"), "Waits for a secret that can sign")
	})
}

func TestATestIsSentAgainAsItWasWithOnePress(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(trialPath).dom(t), "#test-form form")
		for name, value := range map[string]string{"to": "url", "url": "https://free.example/x", "secret": "a secret of one's own", "data": `{"call_id":"typed"}`} {
			fields.Set(name, value)
		}
		first := b.get(b.sendTrial(fields, http.StatusOK).Header.Get("Location")).dom(t)
		again := fieldsOf(first, "#answer form")
		a := b.sendTrialTo(trialPath+"/again", again, http.StatusOK).wants(t, http.StatusSeeOther)
		if twice := b.post(trialPath+"/again", again); twice.Header.Get("Location") != a.Header.Get("Location") {
			t.Error("pressed twice it leads elsewhere")
		}
		list, _, err := s.store.Deliveries(t.Context(), s.account.ID, store.DeliveryFilter{Tests: true})
		if err != nil || len(list) != 2 {
			t.Fatalf("%d tests, %v; want two", len(list), err)
		}
		for _, d := range list {
			attempts, err := s.store.Attempts(t.Context(), s.account.ID, d.ID)
			if err != nil || len(attempts) != 1 || !strings.Contains(string(attempts[0].RequestBody), `"data":{"call_id":"typed"}`) || d.URL != "https://free.example/x" {
				t.Errorf("sent was %+v, %v", attempts, err)
			}
		}
		other, err := s.store.AddAccount(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := s.store.SendTest(t.Context(), other.ID, store.NewTest{URL: "https://free.example/x", Event: "call.ended"})
		if err != nil {
			t.Fatal(err)
		}
		b.post(trialPath+"/again", url.Values{"token": {store.NewFormToken()}, "delivery": {theirs.ID.String()}}).wants(t, http.StatusNotFound)
		doc := b.get(a.Header.Get("Location")).dom(t)
		has(t, plain(doc, "main"), "18 of 20 tests left this minute.", "Earlier tests")
		for range 18 {
			if _, err := s.store.SendTest(t.Context(), s.account.ID, store.NewTest{URL: "https://free.example/x", Event: "call.ended"}); err != nil {
				t.Fatal(err)
			}
		}
		refused := b.post(trialPath+"/again", fieldsOf(doc, "#answer form")).wants(t, http.StatusTooManyRequests)
		if n := refused.dom(t).Find("main tbody tr").Length(); n != 10 {
			t.Errorf("%d earlier tests are listed, want the last ten", n)
		}
		has(t, plain(refused.dom(t), "main"), "The test was not sent.", "Send again Sending…: All tests of this minute are sent")
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
		has(t, plain(a.dom(t), "main"), "The test was not sent.", "20 tests of this minute", "0 of 20 tests left this minute. Next in ")
		refresh := a.dom(t).Find("#test-send[hx-get='/setup/webhooks/test']").AttrOr("hx-trigger", "")
		var wait int
		if _, err := fmt.Sscanf(refresh, "load delay:%ds", &wait); err != nil || wait < 30 || wait > 62 {
			t.Errorf("the button comes back by %q", refresh)
		}
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

func TestAnAnswerThatIsNoTextIsSaidToBeBinary(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		image := "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\xff", 40)
		id := s.testAnswered(store.Attempt{Response: []store.Header{{Name: "Content-Type", Value: "image/png"}}, ResponseBody: []byte(image)})
		b := s.signedIn(store.RoleAdmin)
		for path, part := range map[string]string{trialPath + "?delivery=" + id.String(): "#answer", deliveryPath(id): ".exchange", deliveryPath(id) + "?body=raw&all=1": ".exchange"} {
			answered := b.get(path).wants(t, http.StatusOK).dom(t).Find(part)
			has(t, answered.Text(), "Binary, 88 bytes kept, content type image/png.", "89 50 4e 47 0d 0a 1a 0a")
			if strings.Contains(answered.Text(), "\uFFFD") || answered.Find("[data-copy-from=answer-body]").Length() != 0 {
				t.Error(path, "shows bytes as text, or copies them")
			}
		}
	})
}

func TestAnAnswerThatNearlyCameTooLateSaysSo(t *testing.T) {
	s := newSite(t, storetest.SQLite(t), nil)
	b := s.signedIn(store.RoleAdmin)
	for took, want := range map[time.Duration]string{9 * time.Second: "took 9 s of the 10 s that it has", 8 * time.Second: "Close to the limit", 7 * time.Second: "answered within 10 s"} {
		id := s.testAnswered(store.Attempt{Duration: took})
		shown := plain(b.get(trialPath+"?delivery="+id.String()).dom(t), "#answer")
		has(t, shown, "Delivered.", want)
		if late := strings.Contains(shown, "Close to the limit"); late != (took >= 8*time.Second) {
			t.Errorf("after %v it says %s", took, shown)
		}
	}
}

// testAnswered gives a test that was answered 200 as the attempt says.
func (s *site) testAnswered(a store.Attempt) uuid.UUID {
	s.t.Helper()
	test, err := s.store.SendTest(s.t.Context(), s.account.ID, store.NewTest{URL: "https://free.example/", Event: "call.ended"})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, j := range s.claim() {
		a.Number, a.StartedAt, a.StatusCode, a.URL, a.Protocol = j.Attempt, s.now(), http.StatusOK, j.Endpoint.URL, "HTTP/1.1"
		a.Request = []store.Header{{Name: "Content-Type", Value: "application/json"}}
		if err := s.store.Record(s.t.Context(), []store.Result{{Job: j, Next: store.Delivered, Attempt: a}}); err != nil {
			s.t.Fatal(err)
		}
	}
	return test.ID
}

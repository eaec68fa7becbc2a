package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
)

func TestTheCatalogueSaysWhatATypeHoldsAndWhoWantsIt(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook", "call.*")
		s.event("call.ended", `{}`)
		s.event("order.paid", `{}`)
		b := s.signedIn(store.RoleViewer)
		doc := b.get(cataloguePath + "?open=call.ended").dom(t)
		has(t, plain(doc, `details[id="call.ended"][open]`), "1 webhook", "1 in 24 h", "one.example/hook", "call_id", "recording_url")
		has(t, plain(doc, `details[id="order.paid"]`), "discovered", "nobody subscribes")
		if doc.Find(".actions a").Length() != 0 {
			t.Error("a viewer may add types")
		}
		doc = b.get(cataloguePath + "?source=discovered").dom(t)
		if doc.Find("details.type-line").Length() != 1 {
			t.Error("the filter of sources does nothing")
		}
		has(t, plain(b.get(cataloguePath+"?q=nowhere").dom(t), "#catalogue"), "Nothing matches", "Clear filters")
	})
}

func TestATypeOfOnesOwnIsAddedOnceOrShownWithWhatIsWrong(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(cataloguePath+"/new").dom(t), "main form")
		fields.Set("name", "Order Paid")
		fields.Set("description", "An order was paid")
		fields.Set("sample", "[]")
		a := b.post(cataloguePath, fields)
		doc := a.dom(t)
		if a.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%d", a.StatusCode)
		}
		has(t, plain(doc, "#sample-error"), "JSON object")
		if got := fieldsOf(doc, "main form"); got.Get("name") != "Order Paid" || got.Get("description") != "An order was paid" || got.Get("sample") != "[]" {
			t.Error("typed values are lost:", got)
		}
		fields.Set("name", "order.paid")
		fields.Set("sample", "{\n  \"order_id\": oops\n}")
		broken := b.post(cataloguePath, fields)
		has(t, plain(broken.dom(t), "#sample-error"), "line 2, column 15")
		if got := fieldsOf(broken.dom(t), "main form").Get("sample"); got != fields.Get("sample") {
			t.Errorf("typed %q, kept %q", fields.Get("sample"), got)
		}
		fields.Set("sample", `{"order_id":"o1"}`)
		for range 2 {
			if a := b.post(cataloguePath, fields); a.StatusCode != http.StatusSeeOther {
				t.Fatalf("%d: %s", a.StatusCode, a.body)
			}
		}
		page := b.get(strings.Split(a.Header.Get("Location")+cataloguePath, "#")[0])
		has(t, plain(page.dom(t), `details[id="order.paid"]`), "own", "An order was paid", "order_id")
		other := fieldsOf(b.get(cataloguePath+"/new").dom(t), "main form")
		other.Set("name", "order.paid")
		if a := b.post(cataloguePath, other); a.StatusCode != http.StatusConflict {
			t.Errorf("added twice: %d, want 409", a.StatusCode)
		}
	})
}

func TestLimitsAreShownWithTheirUse(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.event("call.ended", `{"a":"b"}`)
		s.answer(http.StatusOK)
		b := s.signedIn(store.RoleViewer)
		text := plain(b.get(limitsPath).dom(t), "main")
		has(t, text, "1,000 per min", "1 used", "9 left", "16 KiB", "256 KiB", "9 bytes, p95", "p95", "30 days", "5, so 6 attempts within about 7 h 11 min, each wait ±20%", "wait 10 min", "11 min 5 s", "410 Gone", "the webhook is deactivated, and webhook.disabled goes to the webhooks that take it.", "one request at a time, after 5 s, 1 min, 10 min, then every 15 min")
	})
}

func TestAnEventSaysWhoGotItAndWhoDidNot(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook", "call.*")
		s.addHook("https://two.example/hook", "message.*")
		id, delivery := s.event("call.ended", `{"call_id":"c1","agent_id":"berlin"}`)
		b := s.signedIn(store.RoleViewer)
		row := plain(b.get(eventsPath+"?event=call.*&agent=berlin&q=c1").dom(t), "#events tbody tr")
		has(t, row, "call.ended", "berlin", "to 1 webhook")
		has(t, plain(b.get(eventsPath+"?q=nowhere").dom(t), "#events"), "Nothing matches")
		doc := b.get(eventPath(id)).dom(t)
		has(t, plain(doc, ".event-cols"), "Pending", "Its delivery", "Not subscribed", "It did not take call.ended.", `"call_id": "c1"`, "berlin")
		if got := b.get(eventPath(id) + "?body=raw").dom(t).Find("#event-data").Text(); got != `{"call_id":"c1","agent_id":"berlin"}` {
			t.Error("the raw data is", got)
		}
		if link, _ := doc.Find(".event-cols a.link").Attr("href"); link != deliveryPath(delivery) {
			t.Error("its delivery is at", link)
		}
	})
}

func TestAnEventOfBelfrysOwnSaysWhyAllEventsLeavesItOut(t *testing.T) {
	for list, want := range map[string]string{
		"webhook.disabled": "It did not name webhook.disabled. All events leaves out Belfry's own webhook.*, which must be chosen.",
		"call.ended":       "It did not take call.ended.",
	} {
		if got := verdictLine(store.Verdict{Reason: store.NotSubscribed}, store.Webhook{}, store.Event{Type: list}).Text; got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

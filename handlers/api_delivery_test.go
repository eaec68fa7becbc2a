package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/uuid"
)

// publish publishes one call.ended and gives its id.
func (k *caller) publish() uuid.UUID {
	k.t.Helper()
	var accepted store.Accepted
	k.post("/events", `{"event":"call.ended","data":{"call_id":"call_1"}}`).is(http.StatusAccepted).into(&accepted)
	return accepted.ID
}

// deliveries lists what the path gives.
func (k *caller) deliveries(path string) (list []deliveryJSON) {
	k.t.Helper()
	k.get(path).is(http.StatusOK).into(&list)
	return list
}

func TestDeliveriesAreLeafedThroughByOffsetAndByCursor(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		batch := strings.TrimSuffix(strings.Repeat(`{"event":"call.ended","data":{}},`, 25), ",")
		var accepted []store.Accepted
		k.post("/events/batch", "["+batch+"]").is(http.StatusAccepted).into(&accepted)
		path := "/webhooks/" + w.ID.String() + "/deliveries"

		first := k.get(path).is(http.StatusOK)
		var page []deliveryJSON
		first.into(&page)
		if len(page) != 20 || first.header.Get("X-Total-Count") != "25" || page[0].EventID != accepted[24].ID {
			t.Errorf("first page: %d of %s", len(page), first.header.Get("X-Total-Count"))
		}
		next := k.get(strings.TrimPrefix(nextOf(t, first), apiPath)).is(http.StatusOK)
		var rest []deliveryJSON
		next.into(&rest)
		if len(rest) != 5 || rest[0].EventID != accepted[4].ID || next.header.Get("Link") != "" {
			t.Errorf("by cursor: %d, Link %q", len(rest), next.header.Get("Link"))
		}
		if by := k.deliveries(path + "?offset=20"); len(by) != 5 || by[0].ID != rest[0].ID {
			t.Errorf("by offset: %d", len(by))
		}
		small := k.get(path + "?limit=2&offset=3&status=pending")
		if link := nextOf(t, small); !strings.Contains(link, "limit=2") || !strings.Contains(link, "status=pending") || strings.Contains(link, "offset") {
			t.Errorf("the next page forgets the filters: %s", link)
		}
		if got := k.deliveries(path + "?offset=10000"); got == nil || len(got) != 0 {
			t.Errorf("behind the end: %v", got)
		}
	})
}

// nextOf gives the address of the next page.
func nextOf(t *testing.T, r reply) string {
	t.Helper()
	address, rel, _ := strings.Cut(r.header.Get("Link"), ">")
	if rel != `; rel="next"` {
		t.Fatalf("Link is %q", r.header.Get("Link"))
	}
	return strings.TrimPrefix(address, "<")
}

func TestDeliveriesAreCountedAndFilteredByStatus(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		path := "/webhooks/" + w.ID.String() + "/deliveries"
		k.publish()
		s.answer(http.StatusOK)
		k.publish()
		k.post("/webhooks/"+w.ID.String()+"/test", `{"event":"call.ended"}`).is(http.StatusAccepted)
		for status, want := range map[string]int{"": 3, "pending": 2, "processing": 0, "delivered": 1, "failed": 0, "dead": 0} {
			got := k.get(path + "?status=" + status).is(http.StatusOK)
			var list []deliveryJSON
			got.into(&list)
			if len(list) != want || got.header.Get("X-Total-Count") != fmt.Sprint(want) {
				t.Errorf("%q: %d of %s, want %d", status, len(list), got.header.Get("X-Total-Count"), want)
			}
		}
		if got := k.get(path + "/summary"); string(got.body) != `{"total":2,"pending":1,"processing":0,"delivered":1,"failed":0,"dead":0}`+"\n" {
			t.Errorf("a test counts in the summary: %s", got.body)
		}
		for parameters, field := range map[string]string{
			"status=lost": "status", "limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "offset=-1": "offset", "offset=10001": "offset",
			"cursor=x": "cursor", "offset=1&cursor=" + w.ID.String(): "offset", "limit=1&limit=2": "limit", "statsu=failed": "statsu",
		} {
			k.get(path + "?" + parameters).is(http.StatusUnprocessableEntity).names(field)
		}
	})
}

func TestADeliveryTellsItsAttempts(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		event := k.publish()
		id := k.deliveries("/webhooks/" + w.ID.String() + "/deliveries")[0].ID
		fresh := k.get("/deliveries/" + id.String()).is(http.StatusOK)
		if !strings.Contains(string(fresh.body), `"attempt_log":[]`) {
			t.Errorf("no attempt yet: %s", fresh.body)
		}
		s.answer(http.StatusInternalServerError)
		var d struct {
			deliveryJSON
			AttemptLog []attemptJSON `json:"attempt_log"`
		}
		k.get("/deliveries/" + id.String()).is(http.StatusOK).into(&d)
		if d.WebhookID == nil || *d.WebhookID != w.ID || d.EventID != event || d.Status != "pending" || d.Attempts != 1 || d.MaxAttempts != 6 ||
			d.NextAttemptAt == nil || *d.LastStatusCode != 500 || *d.LastError != "status" || d.DeliveredAt != nil || d.Held != nil {
			t.Errorf("delivery %+v", d.deliveryJSON)
		}
		if len(d.AttemptLog) != 1 {
			t.Fatalf("%d attempts", len(d.AttemptLog))
		}
		a := d.AttemptLog[0]
		if a.Number != 1 || *a.StatusCode != 500 || a.DurationMS != 12.4 || a.Node != "node-1" || *a.RemoteAddress != "93.184.216.34:443" || a.Phases != (phasesJSON{0, 0.2, 0, 11.9}) {
			t.Errorf("attempt %+v", a)
		}
		if a.Request.Headers["X-Env"] != "••••prod" || !strings.HasPrefix(*a.Request.Body, `{"event":"call.ended","timestamp":"`) || !strings.HasSuffix(*a.Request.Body, `"data":{"call_id":"call_1"},"signature":"sha256=00"}`) {
			t.Errorf("request %+v %s", a.Request.Headers, *a.Request.Body)
		}
		if a.Response.Headers["Set-Cookie"] != "a=1, b=2" || *a.Response.Body != "caf�" || a.Response.Truncated {
			t.Errorf("response %+v %q", a.Response.Headers, *a.Response.Body)
		}
	})
}

func TestResendingSaysWhatBecomesOfTheDelivery(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		k.publish()
		path := "/deliveries/" + k.deliveries("/webhooks/" + w.ID.String() + "/deliveries")[0].ID.String()
		resend := func() (d deliveryJSON) {
			t.Helper()
			k.post(path+"/resend", "").is(http.StatusAccepted).into(&d)
			return d
		}
		s.answer(http.StatusOK)
		if d := resend(); d.Status != "pending" || d.MaxAttempts != 12 || d.Attempts != 1 || d.DeliveredAt != nil {
			t.Errorf("a delivered one: %+v", d)
		}
		if d := resend(); d.MaxAttempts != 12 {
			t.Errorf("a pending one gets more attempts: %+v", d)
		}
		jobs := s.claim()
		k.post(path+"/resend", "").is(http.StatusConflict).code("conflict")
		if err := s.store.GiveBack(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		k.patch("/webhooks/"+w.ID.String(), `{"active":false}`).is(http.StatusOK)
		if d := resend(); d.Held == nil || *d.Held != "inactive" || d.NextAttemptAt != nil {
			t.Errorf("on an inactive webhook: %+v", d)
		}
		k.post(path+"/resend", `{"force":true}`).is(http.StatusUnprocessableEntity).names("force")
		var test deliveryJSON
		k.post("/webhooks/"+w.ID.String()+"/test", `{"event":"call.ended"}`).is(http.StatusAccepted).into(&test)
		k.post("/deliveries/"+test.ID.String()+"/resend", "").is(http.StatusConflict)
	})
}

func TestWhatAWebhookMissedIsCountedAndSent(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.addWebhook(`{"url":"https://a.example/","active":false}`)
		path := "/webhooks/" + w.ID.String()
		k.publish()
		k.publish()
		for body, want := range map[string]float64{`{"dry_run":true}`: 2, `{"dry_run":true,"since":"2100-01-01T00:00:00Z"}`: 0} {
			if got := k.post(path+"/send-missed", body).is(http.StatusAccepted).member("count"); got != want {
				t.Errorf("%s: %v", body, got)
			}
		}
		k.post(path+"/send-missed", "").is(http.StatusConflict)
		k.patch(path, `{"active":true}`).is(http.StatusOK)
		if got := k.post(path+"/send-missed", "").is(http.StatusAccepted).member("count"); got != 2.0 {
			t.Errorf("sent %v", got)
		}
		if list := k.deliveries(path + "/deliveries"); len(list) != 2 {
			t.Errorf("%d deliveries", len(list))
		}
		k.post(path+"/send-missed", `{"since":"yesterday"}`).is(http.StatusUnprocessableEntity).names("since")
	})
}

func TestATestIsADeliveryOfItsOwnKind(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.addWebhook(`{"url":"https://a.example/","events":["message.*"],"active":false}`)
		path := "/webhooks/" + w.ID.String() + "/test"
		var d deliveryJSON
		k.post(path, `{"event":"call.ended","data":{"a":1}}`).is(http.StatusAccepted).into(&d)
		if !d.Test || *d.WebhookID != w.ID || d.MaxAttempts != 1 || d.Event != "call.ended" || d.Held != nil {
			t.Errorf("to a webhook: %+v", d)
		}
		k.post(path, `{"event":"webhook.test"}`).is(http.StatusAccepted)
		for body, field := range map[string]string{
			`{"event":"no.such"}`: "event", `{}`: "event", `{"event":"call.ended","data":[]}`: "data", `{"event":"call.ended","data":null}`: "data",
		} {
			k.post(path, body).is(http.StatusUnprocessableEntity).names(field)
		}
		k.post("/test", `{"url":"https://free.example/","event":"call.ended","secret":"an own secret"}`).is(http.StatusAccepted).into(&d)
		if !d.Test || d.WebhookID != nil {
			t.Errorf("to a free URL: %+v", d)
		}
		k.get("/deliveries/" + d.ID.String()).is(http.StatusOK)
		k.post("/test", `{"url":"https://10.0.0.1/","event":"call.ended"}`).is(http.StatusUnprocessableEntity).names("url")
		k.post("/test", `{"url":"https://free.example/","event":"call.ended","secret":""}`).is(http.StatusUnprocessableEntity).names("secret")
	})
}

func TestAnAccountSendsTwentyTestsAMinute(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		for range 20 {
			k.post("/test", `{"url":"https://free.example/","event":"call.ended"}`).is(http.StatusAccepted)
		}
		got := k.post("/test", `{"url":"https://free.example/","event":"call.ended"}`).is(http.StatusTooManyRequests).code("rate_limited")
		if got.header.Get("Retry-After") == "" {
			t.Error("Retry-After is missing")
		}
		// What is wrong with the input comes first.
		k.post("/test", `{"url":"http://free.example/","event":"call.ended"}`).is(http.StatusUnprocessableEntity)
	})
}

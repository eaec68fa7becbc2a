package handlers

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestAPublishedEventIsKeptAsItWasSent(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish, store.ScopeRead)
		s.caller(store.ScopeManage).hook("https://a.example/")
		var accepted store.Accepted
		k.post("/events", `{"event":"call.ended","timestamp":"2024-01-15T12:30:00+02:00","data": { "z" : 1, "a":"é\/", "big":12345678901234567890.10, "agent_id":"agent_1" }}`).is(http.StatusAccepted).into(&accepted)
		if accepted.Event != "call.ended" || accepted.Deliveries != 1 {
			t.Errorf("accepted %+v", accepted)
		}
		got := k.get("/events/" + accepted.ID.String()).is(http.StatusOK)
		if !strings.Contains(string(got.body), `"data":{"z":1,"a":"é\/","big":12345678901234567890.10,"agent_id":"agent_1"}`) {
			t.Errorf("data changed: %s", got.body)
		}
		var e struct {
			eventJSON
			Verdicts []verdictJSON
		}
		got.into(&e)
		if *e.AgentID != "agent_1" || !e.Timestamp.Equal(time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)) || e.Test {
			t.Errorf("event %+v", e)
		}
	})
}

func TestAnEventTellsWhyItWentWhere(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		want := map[string]string{}
		for verdict, body := range map[string]string{
			"sent":           `{"url":"https://a.example/"}`,
			"not_subscribed": `{"url":"https://b.example/","events":["message.*"]}`,
			"other_agent":    `{"url":"https://c.example/","agent_id":"agent_2"}`,
			"inactive":       `{"url":"https://d.example/","active":false}`,
		} {
			want[k.addWebhook(body).ID.String()] = verdict
		}
		check := func(body string) {
			t.Helper()
			var accepted store.Accepted
			k.post("/events", body).is(http.StatusAccepted).into(&accepted)
			var e eventJSON
			k.get("/events/" + accepted.ID.String()).is(http.StatusOK).into(&e)
			var list []eventJSON
			if k.get("/events?limit=1").is(http.StatusOK).into(&list); !reflect.DeepEqual(list, []eventJSON{e}) {
				t.Errorf("the list has\n%+v\nthe event by itself is\n%+v", list, e)
			}
			if len(e.Verdicts) != len(want) {
				t.Errorf("%d verdicts", len(e.Verdicts))
			}
			for _, v := range e.Verdicts {
				if want[v.WebhookID.String()] != v.Verdict || (v.DeliveryID != nil) != (v.Verdict == "sent") {
					t.Errorf("verdict %+v, want %s", v, want[v.WebhookID.String()])
				}
			}
		}
		check(`{"event":"call.ended","data":{},"agent_id":"agent_1"}`)
		for id, verdict := range want {
			if verdict == "other_agent" {
				want[id] = "no_agent"
			}
		}
		check(`{"event":"call.ended","data":{"from_agent_id":"agent_2"}}`)
	})
}

func TestABatchIsAllOrNothing(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish, store.ScopeRead)
		var accepted []store.Accepted
		k.post("/events/batch", `[{"event":"call.started","data":{}},{"event":"order.paid","data":{}}]`).is(http.StatusAccepted).into(&accepted)
		if len(accepted) != 2 || accepted[1].Event != "order.paid" || accepted[1].Deliveries != 0 {
			t.Errorf("accepted %+v", accepted)
		}
		k.post("/events/batch", `[{"event":"call.started","data":{}},{"event":"Call","data":1},{"event":"webhook.test","data":{},"agent_id":"`+strings.Repeat("a", 129)+`"}]`).
			is(http.StatusUnprocessableEntity).names("[1].event", "[1].data", "[2].event", "[2].agent_id")
		k.post("/events/batch", `[{"event":"call.started","data":{}},{"event":"call.started","data":{},"agent_id":""}]`).is(http.StatusUnprocessableEntity).names("[1].agent_id")
		k.post("/events/batch", `[{"event":"call.started","data":{"a":{"b":1,"b":2}}}]`).is(http.StatusUnprocessableEntity).names("[0].data.a.b")
		k.post("/events/batch", `[]`).is(http.StatusUnprocessableEntity).tells("a batch has 1 to 500 events")
		k.post("/events/batch", `{}`).is(http.StatusUnprocessableEntity).tells(`The body must be an array of events such as {"event":"call.ended","data":{}}, not an object.`)
		k.post("/events/batch", "["+strings.TrimSuffix(strings.Repeat(`{"event":"call.ended","data":{}},`, 501), ",")+"]").is(http.StatusUnprocessableEntity)
		k.post("/events/batch", "["+strings.Repeat(`{},`, 100_000)+"{}]").is(http.StatusUnprocessableEntity)
		var list []eventJSON
		k.get("/events?limit=100").into(&list)
		if len(list) != 2 {
			t.Errorf("%d events are kept", len(list))
		}
	})
}

func TestTheSameIdempotencyKeyGivesTheSameAnswer(t *testing.T) {
	const key = "Idempotency-Key"
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish, store.ScopeRead)
		first := k.call(http.MethodPost, "/events", `{"event":"call.ended","data":{"a":1}}`, key, "k1").is(http.StatusAccepted)
		again := k.call(http.MethodPost, "/events", ` { "data": {"a": 1}, "event":"call.ended" } `, key, "k1").is(http.StatusOK)
		if string(first.body) != string(again.body) {
			t.Errorf("%s and then %s", first.body, again.body)
		}
		k.call(http.MethodPost, "/events", `{"event":"call.ended","data":{"a":2}}`, key, "k1").is(http.StatusConflict)
		k.call(http.MethodPost, "/events/batch", `[{"event":"call.ended","data":{"a":1}}]`, key, "k1").is(http.StatusConflict)
		k.call(http.MethodPost, "/events", `{"event":"Call","data":{}}`, key, "k2").is(http.StatusUnprocessableEntity)
		k.call(http.MethodPost, "/events", `{"event":"call.ended","data":{}}`, key, "k2").is(http.StatusAccepted)
		for _, bad := range []string{strings.Repeat("k", 256), "a b", "é"} {
			k.call(http.MethodPost, "/events", `{"event":"call.ended","data":{}}`, key, bad).is(http.StatusUnprocessableEntity).names(key)
		}
		k.call(http.MethodPost, "/events", `{"event":"call.ended","data":{}}`, key, "a", key, "b").is(http.StatusUnprocessableEntity).names(key)
		batch := k.call(http.MethodPost, "/events/batch", `[{"event":"call.ended","data":{}}]`, key, "k3").is(http.StatusAccepted)
		if got := k.call(http.MethodPost, "/events/batch", `[{"event":"call.ended","data":{}}]`, key, "k3").is(http.StatusOK); string(got.body) != string(batch.body) {
			t.Errorf("%s and then %s", batch.body, got.body)
		}
	})
}

func TestOfManyCallsWithOneKeyAtOnceOneCounts(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish, store.ScopeRead)
		var calls sync.WaitGroup
		replies := make([]reply, 8)
		for i := range replies {
			calls.Go(func() {
				replies[i] = k.call(http.MethodPost, "/events", `{"event":"call.ended","data":{}}`, "Idempotency-Key", "one")
			})
		}
		calls.Wait()
		accepted := 0
		for _, r := range replies {
			if r.status == http.StatusAccepted {
				accepted++
			}
			if string(r.body) != string(replies[0].body) {
				t.Errorf("another answer: %s", r.body)
			}
		}
		if accepted != 1 {
			t.Errorf("%d calls counted", accepted)
		}
	})
}

func TestAnEventIsRefusedWithTheFieldAndTheReason(t *testing.T) {
	tests := []struct{ body, field string }{
		{`{"data":{}}`, "event"},
		{`{"event":"call.ended"}`, "data"},
		{`{"event":"call.ended","data":"text"}`, "data"},
		{`{"event":"call.ended","data":null}`, "data"},
		{`{"event":"webhook.test","data":{}}`, "event"},
		{`{"event":"` + strings.Repeat("a", 99) + `.b","data":{}}`, "event"},
		{`{"event":"call.ended","data":{},"timestamp":"yesterday"}`, "timestamp"},
		{`{"event":"call.ended","data":{},"agent_id":5}`, "agent_id"},
		{`{"event":"call.ended","data":{},"agent_id":""}`, "agent_id"},
	}
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish)
		for _, test := range tests {
			k.post("/events", test.body).is(http.StatusUnprocessableEntity).names(test.field)
		}
		k.post("/events", `{"event":"call.ended"}`).tells("data: is required: a JSON object, {} where there is nothing to tell")
		k.post("/events", `{"data":{}}`).tells("event: is required: a type such as call.ended")
		k.post("/events", `{"event":"call.ended","data":[]}`).tells("data: must be a JSON object")
		data := func(n int) string { return `{"event":"call.ended","data":{"a":"` + strings.Repeat("x", n-8) + `"}}` }
		k.post("/events", data(256<<10)).is(http.StatusAccepted)
		k.post("/events", data(256<<10+1)).is(http.StatusRequestEntityTooLarge).code("too_large").names("data")
		k.post("/events", data(1<<20)).is(http.StatusRequestEntityTooLarge).code("too_large")
	})
}

func TestABatchHasAtMostEightMiB(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish)
		one := `{"event":"call.ended","data":{"a":"` + strings.Repeat("x", 200<<10) + `"}}`
		k.post("/events/batch", "["+strings.Repeat(one+",", 39)+one+"]").is(http.StatusAccepted)
		k.post("/events/batch", "["+strings.Repeat(one+",", 41)+one+"]").is(http.StatusRequestEntityTooLarge)
	})
}

func TestALongListOfLargeEventsComesInMorePages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish, store.ScopeRead)
		one := `{"event":"call.ended","data":{"a":"` + strings.Repeat("x", 250<<10) + `"}}`
		k.post("/events/batch", "["+strings.Repeat(one+",", 19)+one+"]").is(http.StatusAccepted)
		var first, rest []eventJSON
		r := k.get("/events?limit=100").is(http.StatusOK)
		r.into(&first)
		if len(first) != 16 {
			t.Fatalf("%d events of 250 KiB in an answer of 4 MiB", len(first))
		}
		r = k.get(strings.TrimPrefix(nextOf(t, r), apiPath)).is(http.StatusOK)
		r.into(&rest)
		if len(rest) != 4 || r.header.Get("Link") != "" || rest[0].ID == first[15].ID {
			t.Errorf("%d events follow, next %q", len(rest), r.header.Get("Link"))
		}
	})
}

func TestEventsAreListedByTypeAgentAndCursor(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopePublish, store.ScopeRead)
		for i := range 5 {
			k.post("/events", fmt.Sprintf(`{"event":"call.ended","data":{},"agent_id":"agent_%d"}`, i%2)).is(http.StatusAccepted)
		}
		k.post("/events", `{"event":"message.sent","data":{}}`).is(http.StatusAccepted)
		count := func(path string) int {
			t.Helper()
			var list []eventJSON
			k.get(path).is(http.StatusOK).into(&list)
			return len(list)
		}
		for path, want := range map[string]int{
			"/events": 6, "/events?event=call.ended": 5, "/events?event=message.*": 1, "/events?agent_id=agent_1": 2, "/events?event=order.paid": 0,
		} {
			if got := count(path); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		seen, pages := 0, 0
		for path := "/events?limit=2&event=call.*"; path != ""; pages++ {
			r := k.get(path).is(http.StatusOK)
			var list []eventJSON
			r.into(&list)
			seen += len(list)
			if path = ""; r.header.Get("Link") != "" {
				path = strings.TrimPrefix(nextOf(t, r), apiPath)
			}
		}
		if seen != 5 || pages != 3 {
			t.Errorf("%d events on %d pages", seen, pages)
		}
		k.get("/events?limit=0&cursor=x").is(http.StatusUnprocessableEntity).names("limit", "cursor")
		for wrong, says := range map[string]string{"evnt": "did you mean event?", "webhook": "takes agent_id, cursor, event, limit"} {
			got := k.get("/events?limit=1&" + wrong + "=x").is(http.StatusUnprocessableEntity).names(wrong)
			if !strings.Contains(string(got.body), says) {
				t.Errorf("%s is refused with %s", wrong, got.body)
			}
		}
	})
}

func TestEventTypesAreListedAddedAndDiscovered(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		k.post("/events", `{"event":"order.paid","data":{}}`).is(http.StatusAccepted)
		var added eventTypeJSON
		k.post("/event-types", `{"name":"order.sent","description":"On its way","schema":{"type":"object"},"sample":{"b":1,"a":2}}`).is(http.StatusCreated).into(&added)
		if added.Name != "order.sent" || added.Group != "order" || added.Source != store.SourceOwn || string(added.Sample) != `{"b":1,"a":2}` {
			t.Errorf("added %+v", added)
		}
		var list []eventTypeJSON
		k.get("/event-types").is(http.StatusOK).into(&list)
		sources := map[string]store.Source{}
		for _, e := range list {
			sources[e.Name] = e.Source
		}
		if len(list) != 27 || sources["call.ended"] != store.SourceBuiltin || sources["order.paid"] != store.SourceDiscovered || sources["order.sent"] != store.SourceOwn {
			t.Errorf("%d types: %v", len(list), sources)
		}
		k.post("/event-types", `{"name":"order.sent"}`).is(http.StatusConflict)
		k.post("/event-types", `{"name":"call.ended"}`).is(http.StatusConflict)
		for body, field := range map[string]string{
			`{"name":"Order"}`: "name", `{"name":"webhook.own"}`: "name", `{"name":"a.b","schema":[]}`: "schema", `{"name":"a.b","sample":"x"}`: "sample", `{}`: "name",
		} {
			k.post("/event-types", body).is(http.StatusUnprocessableEntity).names(field)
		}
	})
}

func TestLimitsTellTheirUse(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		k.hook("https://a.example/")
		var l limitsJSON
		k.get("/limits").is(http.StatusOK).into(&l)
		if l.Webhooks != (useJSON{1, 10}) || l.RequestsPerMinute != (useJSON{0, 1000}) || l.APIRequestsPerMinute != (useJSON{2, 1000}) || fmt.Sprint(l.Retries) != "[5 60 600 3600 21600]" || l.TimeoutSeconds != 10 || l.RetentionDays != 30 {
			t.Errorf("got %+v", l)
		}
	})
}

func TestAFullDatabaseRefusesEventsAndNothingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		t.Parallel()
		s := newSite(t, db, func(o *store.Options) { o.MaxDatabaseSize = 1 })
		if err := s.store.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		k := s.caller(store.ScopeManage)
		k.post("/events", `{"event":"call.ended","data":{}}`).is(http.StatusInsufficientStorage).code("database_full")
		k.hook("https://a.example/")
	})
}

package handlers

import (
	"net/http"
	"testing"

	"belfry/store"
)

// failed publishes n events and has their deliveries fail for good.
func (s *site) failed(n int) {
	s.t.Helper()
	for range n {
		s.event("call.ended", `{"call_id":"c1"}`)
	}
	jobs := s.claim()
	var results []store.Result
	for _, j := range jobs {
		results = append(results, store.Result{Job: j, Next: store.Failed, Attempt: store.Attempt{Number: j.Attempt, Node: "n", StartedAt: s.now(), StatusCode: 503, Error: "status", Detail: "the endpoint answered 503"}})
	}
	if err := s.store.Record(s.t.Context(), results); err != nil {
		s.t.Fatal(err)
	}
}

// resend has the runs move on until they have nothing more to do at once.
func (s *site) resend() {
	s.t.Helper()
	r := s.store.NewResender()
	for range 5 {
		if _, err := r.Step(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestManyDeliveriesAreCountedResentAndFollowed(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		s.failed(3)
		for body, want := range map[string]int{
			`{"dry_run":true}`: 3, `{"dry_run":true,"status":"failed","webhook_id":"` + w.ID.String() + `"}`: 3, `{"dry_run":true,"status":"dead"}`: 0,
			`{"dry_run":true,"event":"call.*","from":"2020-01-01T00:00:00Z"}`: 3, `{"dry_run":true,"event":"message.sent"}`: 0, `{"dry_run":true,"to":"2020-01-01T00:00:00Z"}`: 0,
			`{"dry_run":true,"status":null,"event":null,"from":null,"to":null,"webhook_id":null}`: 3,
		} {
			var got startedJSON
			k.post("/deliveries/resend", body).is(http.StatusAccepted).into(&got)
			if got.ID != nil || got.Count != want || !got.CountedAll {
				t.Errorf("%s: %+v, want %d", body, got, want)
			}
		}
		var began startedJSON
		r := k.post("/deliveries/resend", `{"webhook_id":"`+w.ID.String()+`"}`).is(http.StatusAccepted)
		r.into(&began)
		path := "/deliveries/resend/" + began.ID.String()
		if began.Count != 3 || r.header.Get("Location") != apiPath+path {
			t.Errorf("began as %+v at %q", began, r.header.Get("Location"))
		}
		k.post("/deliveries/resend", `{}`).is(http.StatusConflict).code("conflict")
		var run runJSON
		k.get(path).is(http.StatusOK).into(&run)
		if run.State != "running" || *run.Status != "failed" || *run.WebhookID != w.ID || run.Count != 3 || run.EndedAt != nil || run.CreatedBy != "API key test" {
			t.Errorf("at first: %+v", run)
		}
		s.resend()
		s.answer(http.StatusOK)
		s.resend()
		k.get(path).is(http.StatusOK).into(&run)
		if run.State != "finished" || run.Resent != 3 || run.Delivered != 3 || run.Skipped != 0 || run.EndedAt == nil {
			t.Errorf("in the end: %+v", run)
		}
	})
}

func TestAResendOfManyIsRefusedWithTheReason(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		for body, field := range map[string]string{
			`{"status":"pending"}`: "status", `{"status":"lost"}`: "status", `{"event":""}`: "event", `{"pace":1}`: "pace", `{"from":"yesterday"}`: "from",
			`{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`: "to", `{"webhook_id":"x"}`: "webhook_id",
		} {
			k.post("/deliveries/resend", body).is(http.StatusUnprocessableEntity).names(field)
		}
		k.post("/deliveries/resend", `{"webhook_id":"`+nobodysID+`","status":"lost"}`).is(http.StatusNotFound)
		k.delete("/webhooks/" + w.ID.String()).is(http.StatusNoContent)
		k.post("/deliveries/resend", `{"webhook_id":"`+w.ID.String()+`"}`).is(http.StatusGone)
		k.get("/deliveries/resend/" + nobodysID).is(http.StatusNotFound)
		k.get("/deliveries/resend/x").is(http.StatusNotFound)
	})
}

package handlers

import (
	"net/http"
	"time"

	"belfry/store"
)

// claim leases all that is due, as a worker does.
func (s *site) claim() []store.Job {
	s.t.Helper()
	jobs, _, err := s.store.Claim(s.t.Context(), store.ClaimRequest{Max: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	return jobs
}

// now is the store's clock.
func (s *site) now() store.Time {
	s.t.Helper()
	now, err := s.store.Now(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return store.At(now)
}

// answer makes all that is due as if the endpoints had answered it with this
// status: 200 delivers, 410 kills, others wait a minute or fail.
func (s *site) answer(status int) {
	s.t.Helper()
	var results []store.Result
	for _, j := range s.claim() {
		r := store.Result{Job: j, Next: store.Delivered, Attempt: store.Attempt{
			Number: j.Attempt, Node: "node-1", StartedAt: s.now(), Duration: 12400 * time.Microsecond, StatusCode: status,
			RemoteAddress: "93.184.216.34:443", Protocol: "HTTP/1.1", URL: j.Endpoint.URL,
			Phases:   store.Phases{Connect: 200 * time.Microsecond, FirstByte: 11900 * time.Microsecond},
			Request:  []store.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Env", Value: "••••prod"}},
			Response: []store.Header{{Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}}, ResponseBody: []byte("caf\xe9"),
		}, BodySignature: "sha256=00"}
		switch {
		case status == http.StatusGone:
			r.Attempt.Error, r.Attempt.Detail, r.Next = "gone", "the endpoint answered 410", store.Dead
		case status >= 300:
			r.Attempt.Error, r.Attempt.Detail, r.Next, r.Wait = "status", "the endpoint answered with a failure", store.Pending, time.Minute
			if j.Attempt >= j.MaxAttempts {
				r.Next = store.Failed
			}
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		s.t.Fatal("nothing is due")
	}
	if err := s.store.Record(s.t.Context(), results); err != nil {
		s.t.Fatal(err)
	}
}

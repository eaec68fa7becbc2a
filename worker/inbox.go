package worker

import (
	"context"
	"net/http"
	"time"

	"belfry/store"
	"belfry/worker/outbound"
	"belfry/worker/signature"
)

// exchange makes the request of a job: to its endpoint, or in process where
// that is the test inbox.
func (w *Worker) exchange(ctx context.Context, j *store.Job, req outbound.Request) outbound.Answer {
	if req.URL != outbound.InboxURL {
		return w.client.Do(ctx, j.Endpoint.Account, req)
	}
	started := time.Now()
	a := outbound.Answer{StartedAt: started.UTC().Truncate(time.Microsecond), Proto: "inbox"}
	w.arrive(ctx, j, req, &a)
	a.Duration = time.Since(started)
	a.Phases.FirstByte = a.Duration
	return a
}

// arrive is the test inbox: it verifies a request as a receiver does, keeps it
// and answers as the account chose.
func (w *Worker) arrive(ctx context.Context, j *store.Job, req outbound.Request, a *outbound.Answer) {
	within, cancel := context.WithTimeout(ctx, w.client.Timeout())
	defer cancel()
	chosen, err := w.store.InboxAnswer(within, j.AccountID)
	a.StatusCode = map[string]int{store.InboxFail: http.StatusInternalServerError, store.InboxGone: http.StatusGone}[chosen]
	if a.StatusCode == 0 {
		a.StatusCode = http.StatusOK
	}
	if err == nil {
		sent := append(w.client.Headers(req.Header), req.Header...)
		err = w.store.KeepInboxRequest(within, store.InboxRequest{
			AccountID: j.AccountID, WebhookID: j.WebhookID, DeliveryID: j.DeliveryID, EventType: j.Event, Attempt: j.Attempt,
			Verified: verified(j.Endpoint, req, time.Now()), Headers: j.Endpoint.MaskHeaders(sent), Body: req.Body, StatusCode: a.StatusCode,
		})
	}
	if err == nil && chosen == store.InboxSlow {
		sleep(within, w.delay)
	}
	switch {
	case ctx.Err() != nil:
		a.StatusCode, a.Err = 0, &outbound.Failure{Kind: outbound.KindInterrupted, Detail: "the attempt was interrupted before it came to an end", Err: ctx.Err()}
	case within.Err() != nil:
		a.StatusCode, a.Err = 0, &outbound.Failure{Kind: outbound.KindTimeout, Detail: "the test inbox took longer than a request may", Err: within.Err()}
	case err != nil: // it is tried again like at any endpoint
		a.StatusCode = http.StatusServiceUnavailable
		w.log.Warn("the test inbox could not keep a request", "error", err)
	}
}

// verified checks a request by the webhook's secrets, as its receiver would,
// and says which of them signed it.
func verified(e *store.Endpoint, req outbound.Request, now time.Time) string {
	header := http.Header{}
	for _, h := range req.Header {
		header.Add(h.Name, h.Value)
	}
	old, next := e.Secrets(now)
	by := func(secret string) bool {
		return secret != "" && signature.VerifyAt(now, header, req.Body, secret) == nil && signature.VerifyHex(e.HeaderPrefix, header, req.Body, secret) == nil
	}
	switch {
	case old == "":
		return store.NotSigned
	case !by(old) || signature.VerifyBody(req.Body, old) != nil || next != "" && !by(next):
		return store.NotVerified
	case next != "":
		return store.VerifiedByBoth
	}
	return store.VerifiedBySecret
}

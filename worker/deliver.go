package worker

import (
	"context"
	"log/slog"
	"time"

	"belfry/store"
	"belfry/worker/outbound"
)

// idleSender is how long a sender waits for its next job before it ends.
const idleSender = 10 * time.Second

// start sends a job that holds a slot. It does not wait: an idle sender takes
// it, or a new one.
func (w *Worker) start(j store.Job) {
	select {
	case w.jobs <- j:
	default:
		w.senders.Add(1)
		go w.sends(j)
	}
}

// sends makes one request after the other: a goroutine that is used again
// keeps the stack that a request needs.
func (w *Worker) sends(j store.Job) {
	defer w.senders.Done()
	idle := time.NewTimer(idleSender)
	defer idle.Stop()
	for {
		if next, ok := w.attempt(&j); ok {
			j = next
			continue
		}
		idle.Reset(idleSender)
		select {
		case j = <-w.jobs:
		case <-idle.C:
			return
		case <-w.stop:
			return
		}
	}
}

// attempt makes one request and hands its result to its recorder. One that the
// end of the process cut short has no result: its lease is taken back later,
// and the log calls it interrupted. One that did not begin is given back: at the
// end, or where this process stood still until its lease was nearly over.
// The slot goes to the next in line, which is returned, if there is one.
func (w *Worker) attempt(j *store.Job) (next store.Job, ok bool) {
	if w.posting.Err() != nil {
		w.keepUnsent(*j)
		w.slots.release(j.QueueID, 1, false)
		return next, false
	}
	if time.Now().After(j.SendBy) {
		w.giveBack([]store.Job{*j})
		w.slots.release(j.QueueID, 1, false)
		return next, false
	}
	result, ok := w.send(w.posting, j)
	if !ok {
		w.slots.release(j.QueueID, 1, false)
		return next, false
	}
	w.recorders.recorder(j.QueueID).results <- result // has room for all that slots let be
	return w.slots.finish(j.QueueID, time.Now())
}

func (w *Worker) keepUnsent(jobs ...store.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unsent = append(w.unsent, jobs...)
}

// send signs, posts and decides.
func (w *Worker) send(ctx context.Context, j *store.Job) (store.Result, bool) {
	req, sum, err := j.Request(time.Now())
	var answer outbound.Answer
	if err == nil {
		answer = w.exchange(ctx, j, req)
	} else { // a secret that is kept was checked, so this is a fault of ours
		answer = outbound.Answer{StartedAt: time.Now().UTC(), Err: &outbound.Failure{Kind: outbound.KindInterrupted, Detail: "the request could not be signed: " + err.Error()}}
	}
	if ctx.Err() != nil && outbound.Classify(answer) == outbound.KindInterrupted {
		return store.Result{}, false
	}
	r, o := w.resultOf(j, req, sum, answer, time.Now())
	r.Keep()
	w.log.LogAttrs(ctx, slog.LevelInfo, "delivery attempted", w.facts(j, answer, o)...)
	w.metrics.attempted(o.kind, answer.Duration)
	return r, true
}

// resultOf says what an answer that came at that moment means for the job.
func (w *Worker) resultOf(j *store.Job, req outbound.Request, sum string, a outbound.Answer, at time.Time) (store.Result, outcome) {
	o := decide(j, a, w.waits, at, w.jitter())
	return store.Result{Job: *j, Attempt: w.kept(j, req, a, o), BodySignature: sum, Next: o.next, Wait: o.wait}, o
}

// Tell gives the result that sending the job would have had, had the endpoint
// answered so then: with it a past is told. Nothing is sent.
func (w *Worker) Tell(j *store.Job, a outbound.Answer) (store.Result, error) {
	req, sum, err := j.Request(a.StartedAt)
	if err != nil {
		return store.Result{}, err
	}
	end := a.StartedAt.Add(a.Duration)
	r, _ := w.resultOf(j, req, sum, a, end)
	r.At = end
	return r, nil
}

// kept is what the log keeps of an attempt.
func (w *Worker) kept(j *store.Job, req outbound.Request, a outbound.Answer, o outcome) store.Attempt {
	header, body := hideEchoes(j.Endpoint, a.Header, a.Body, a.Truncated)
	return store.Attempt{
		Number: j.Attempt, Node: w.store.NodeName(), StartedAt: store.At(a.StartedAt), Duration: a.Duration,
		StatusCode: a.StatusCode, Error: o.kind, Detail: o.detail, RemoteAddress: a.RemoteAddress, Protocol: a.Proto,
		Phases: store.Phases{DNS: a.Phases.DNS, Connect: a.Phases.Connect, TLS: a.Phases.TLS, FirstByte: a.Phases.FirstByte, Reused: a.Phases.Reused},
		URL:    req.URL, Request: j.Endpoint.MaskHeaders(append(w.client.Headers(req.Header), req.Header...)),
		Response: header, ResponseBody: body, Truncated: a.Truncated,
	}
}

// facts is one attempt in the process's log: everything but secrets and bodies.
// What did not happen is left out.
func (w *Worker) facts(j *store.Job, a outbound.Answer, o outcome) []slog.Attr {
	facts := append(make([]slog.Attr, 0, 24),
		slog.String("delivery", j.DeliveryID.String()), slog.String("webhook", j.WebhookID.String()), slog.String("account", j.AccountID.String()),
		slog.String("event_id", j.EventID.String()), slog.String("event", j.Event), slog.Int("attempt", j.Attempt), slog.Int("max_attempts", j.MaxAttempts),
		slog.Int("status_code", a.StatusCode), slog.String("next", o.next.String()), milliseconds("duration_ms", a.Duration),
		milliseconds("first_byte_ms", a.Phases.FirstByte), slog.Bool("reused", a.Phases.Reused), slog.String("remote_address", a.RemoteAddress),
		slog.String("protocol", a.Proto), slog.String("node", w.store.NodeName()))
	if o.kind != "" {
		facts = append(facts, slog.String("error", o.kind), slog.String("detail", o.detail))
	}
	if o.wait > 0 {
		facts = append(facts, slog.Duration("wait", o.wait))
	}
	if !a.Phases.Reused {
		facts = append(facts, milliseconds("dns_ms", a.Phases.DNS), milliseconds("connect_ms", a.Phases.Connect), milliseconds("tls_ms", a.Phases.TLS))
	}
	if j.Test {
		facts = append(facts, slog.Bool("test", true))
	}
	if a.Truncated {
		facts = append(facts, slog.Bool("truncated", true))
	}
	return facts
}

func milliseconds(name string, d time.Duration) slog.Attr {
	return slog.Float64(name, float64(d.Microseconds())/1000)
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"belfry/store"
	"belfry/worker/outbound"
)

// demoExpired is how long ago the certificate of the payroll's receiver expired,
// demoRefused how long some servers of the help desk know an old secret only,
// demoLocked how long the ledger of billing is short of memory, and demoRetired
// how long ago the old CRM ended.
const (
	demoExpired = 5 * time.Hour
	demoRefused = 48 * time.Minute
	demoLocked  = 55 * time.Minute
	demoRetired = 6*24*time.Hour + 3*time.Hour
)

const demoDay = 24 * time.Hour

// The paths of the sample receivers.
const (
	crmPath      = "/events"
	billingPath  = "/calls"
	archivePath  = "/transcripts"
	berlinPath   = "/messages"
	chatPath     = "/alerts"
	helpdeskPath = "/missed"
	payrollPath  = "/shifts"
	retiredPath  = "/calls.php"
	stagingPath  = "/preview"
)

// demoReceivers are the sample receivers, good and bad.
func demoReceivers() []*demoReceiver {
	unavailable := demoReply{code: http.StatusServiceUnavailable, body: `{"error":"maintenance, back soon"}`, slow: 0.3}
	expired := time.Now().Add(-demoExpired).UTC().Format("2 Jan 2006")
	return []*demoReceiver{
		{host: "crm", path: crmPath, typical: 110 * time.Millisecond, spread: 0.35, downs: []demoDown{
			{from: 51 * time.Hour, to: 49*time.Hour + 15*time.Minute, reply: unavailable},
			{from: 17*demoDay + 3*time.Hour, to: 17*demoDay + 2*time.Hour, reply: unavailable},
		}, answer: rarely(300, demoReply{code: http.StatusBadGateway, body: "upstream is not there"})},
		{host: "billing", path: billingPath, typical: 210 * time.Millisecond, spread: 0.4, answer: billingReply},
		{host: "archive", path: archivePath, typical: 5600 * time.Millisecond, spread: 0.14, answer: archiveReply},
		{host: "berlin", path: berlinPath, typical: 150 * time.Millisecond, spread: 0.3, answer: rarely(200, demoReply{kind: outbound.KindReset, body: "the endpoint closed the connection before it answered"})},
		{host: "chat", path: chatPath, typical: 45 * time.Millisecond, spread: 0.3},
		{host: "helpdesk", path: helpdeskPath, typical: 90 * time.Millisecond, spread: 0.35, answer: helpdeskReply},
		{host: "payroll", path: payrollPath, expired: true, typical: 130 * time.Millisecond, spread: 0.25, downs: []demoDown{
			{from: demoExpired, to: -demoDay, reply: demoReply{kind: outbound.KindTLS, body: "the certificate expired on " + expired, slow: 0.1}},
		}},
		{host: "old-crm", path: retiredPath, typical: 80 * time.Millisecond, spread: 0.3, answer: func(q demoRequest) demoReply {
			if q.ago < demoRetired {
				return demoReply{code: http.StatusGone, body: `{"error":"this endpoint was retired"}`}
			}
			return demoAccepted
		}},
		{host: "staging", path: stagingPath, typical: 120 * time.Millisecond, spread: 0.3},
	}
}

// rarely fails one request in so many.
func rarely(oneIn int, failure demoReply) func(demoRequest) demoReply {
	return func(q demoRequest) demoReply {
		if q.rand.IntN(oneIn) == 0 {
			return failure
		}
		return demoAccepted
	}
}

// billingReply fails a third of the requests since the ledger is short of
// memory, some deliveries each time, and always refuses a few.
func billingReply(q demoRequest) demoReply {
	locked := demoReply{code: http.StatusServiceUnavailable, body: `{"error":"the ledger is locked"}`, retryAfter: "5", slow: 2}
	switch {
	case q.share < 0.008:
		return demoReply{code: http.StatusUnprocessableEntity, body: `{"error":"no tariff for this number"}`, slow: 0.4}
	case q.share > 0.9 && q.ago < demoLocked:
		return locked
	}
	most := 400
	if q.ago < demoLocked {
		most = 40
	}
	switch n := q.rand.IntN(most); {
	case n < 9:
		return locked
	case n < 12:
		return demoReply{code: http.StatusBadGateway, body: "upstream is not there"}
	case n < 13:
		return demoReply{kind: outbound.KindReset, body: "the endpoint closed the connection before it answered"}
	}
	return demoAccepted
}

// archiveReply has become slow in the last four days.
func archiveReply(q demoRequest) demoReply {
	slow := demoAccepted
	days := q.ago.Hours() / 24
	slow.slow = min(1, max(0.12, 0.12+0.88*(5-days)/5))
	return slow
}

// helpdeskReply refuses two of five requests since a secret was rotated: some of its
// servers do not know the new one.
func helpdeskReply(q demoRequest) demoReply {
	if q.ago < demoRefused && q.rand.IntN(5) < 2 {
		return demoReply{code: http.StatusUnauthorized, body: `{"error":"signature does not match"}`, slow: 0.2}
	}
	return demoAccepted
}

// demoWebhook is a webhook of the sample account and when it was added.
type demoWebhook struct {
	ago  time.Duration
	path string
	store.NewWebhook
}

// demoWebhooks are the webhooks of the sample account, oldest first.
func demoWebhooks() []demoWebhook {
	return []demoWebhook{
		{demoPast, crmPath, store.NewWebhook{
			Description: "CRM: every call and conversation", Events: []string{"call.*", "conversation.*"},
			Headers: []store.Header{{Name: "X-Env", Value: "demo-sample-prod"}},
		}},
		{demoPast, retiredPath, store.NewWebhook{Description: "Old CRM: retired, answers 410", Events: []string{"call.started"}}},
		{demoPast, berlinPath, store.NewWebhook{
			Description: "Berlin desk: messages and conversations of one agent", AgentID: "support-berlin", Events: []string{"message.*", "conversation.*"},
		}},
		{28 * demoDay, billingPath, store.NewWebhook{Description: "Billing: finished calls", Events: []string{"call.ended", "call.failed"}}},
		{25 * demoDay, chatPath, store.NewWebhook{
			Description: "Team chat: who is there, and webhooks in trouble", Events: []string{"agent.status_changed", "webhook.disabled", "webhook.recovered"},
		}},
		{21 * demoDay, archivePath, store.NewWebhook{Description: "Archive: transcripts and recordings", Events: []string{"call.transcript_ready", "call.recording_ready"}}},
		{16 * demoDay, payrollPath, store.NewWebhook{Description: "Payroll: shifts of all agents", Events: []string{"agent.connected", "agent.disconnected"}}},
		{12 * demoDay, helpdeskPath, store.NewWebhook{Description: "Help desk: calls that nobody took", Events: []string{"call.missed", "call.voicemail_left"}}},
		{9 * demoDay, stagingPath, store.NewWebhook{Description: "CRM staging: paused", Events: []string{"call.ended"}}},
	}
}

// demoSteps are what the admins of the sample account did, oldest first.
func demoSteps(at netip.AddrPort) []demoStep {
	var steps []demoStep
	for _, w := range demoWebhooks() {
		steps = append(steps, demoStep{w.ago, func(ctx context.Context, h *history) error { return h.add(ctx, w, at) }})
	}
	steps = append(steps,
		demoKey(demoPast, "Product: publishes events", store.ScopePublish),
		demoKey(11*demoDay, "Reports: read only", store.ScopeRead),
	)
	slices.SortStableFunc(steps, func(a, b demoStep) int { return cmp.Compare(b.ago, a.ago) })
	return append(steps, demoStep{52 * time.Hour, func(ctx context.Context, h *history) error {
		off := false
		_, _, err := h.st.UpdateWebhook(ctx, h.account, h.ids[stagingPath], store.WebhookPatch{Active: &off, By: demoEmail})
		return err
	}})
}

// demoKey is the step that makes a key.
func demoKey(ago time.Duration, name string, scope store.Scope) demoStep {
	return demoStep{ago, func(ctx context.Context, h *history) error {
		_, _, err := h.st.AddKey(ctx, h.account, name, []store.Scope{scope}, demoEmail)
		return err
	}}
}

// add adds a webhook.
func (h *history) add(ctx context.Context, w demoWebhook, at netip.AddrPort) error {
	for _, r := range demoReceivers() {
		if r.path != w.path {
			continue
		}
		r.at = at
		w.URL, w.Active, w.By = r.url(at), true, demoEmail
		made, _, _, err := h.st.CreateWebhook(ctx, h.account, w.NewWebhook)
		if err != nil {
			return fmt.Errorf("add the sample webhook %s: %w", w.Description, err)
		}
		h.hooks[made.ID], h.ids[w.path] = r, made.ID
	}
	return nil
}

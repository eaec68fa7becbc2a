package views

import (
	"strconv"
	"strings"

	"belfry/store"
)

func webhookHead(p WebhookPage) Head {
	host, rest := SplitURL(p.URL)
	h := Head{Title: host + rest, Mono: true, Beside: webhookBeside(p), Facts: webhookFacts(p)}
	h.Crumbs = []Link{{"Webhooks", WebhooksAddress}, {Label: WebhookName(p.Overview.Webhook)}}
	return h
}

func headerNames(headers []store.Header) string {
	names := make([]string, len(headers))
	for i, h := range headers {
		names[i] = h.Name
	}
	return strings.Join(names, ", ")
}

func kindLogs(p WebhookPage, k store.KindCount) string {
	pairs := []string{"error", k.Kind}
	if k.Code != 0 {
		pairs = append(pairs, "code", strconv.Itoa(k.Code))
	}
	return p.logs(pairs...)
}

func lastAnswer(p WebhookPage) Link {
	if p.LastFailure == "" {
		return Link{}
	}
	return Link{Label: "See last answer", Href: p.LastFailure}
}

// missedNotice offers what came in while the webhook was inactive.
func missedNotice(p WebhookPage) Msg {
	m := Msg{Tone: "ok", Bold: "Active again.", Text: Plural(p.Missed, "event", "events") + " came in meanwhile."}
	if p.CanEdit {
		m.Action = Link{Label: "Send " + Plural(p.Missed, "missed event", "missed events") + "…", Href: p.at() + "?confirm=missed"}
	}
	return m
}

// heldSentence says what waits until the webhook is active again.
func heldSentence(p WebhookPage) string {
	if p.Summary.Pending == 0 {
		return "No deliveries wait."
	}
	if p.Summary.Pending == 1 {
		return "1 delivery is held until then."
	}
	return Count(int(p.Summary.Pending)) + " deliveries are held until it is active again."
}

// waitingEnds says what deleting does to the deliveries that wait; empty: none does.
func waitingEnds(s store.Summary) string {
	switch n := int(s.Pending + s.Processing); n {
	case 0:
		return ""
	case 1:
		return "1 waiting delivery becomes dead."
	default:
		return Count(n) + " waiting deliveries become dead."
	}
}

func byWords(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

// whenWords puts "in" before a time to come.
func whenWords(until string) string {
	if until == "now" {
		return until
	}
	return "in " + until
}

func rotateTitle(p WebhookPage) string {
	if p.HasSecret {
		return "Rotate the secret of " + WebhookName(p.Overview.Webhook) + "?"
	}
	return "Sign what goes to " + WebhookName(p.Overview.Webhook) + "?"
}

func rotateVerb(p WebhookPage) string {
	if p.HasSecret {
		return "Rotate secret"
	}
	return "Add a secret"
}

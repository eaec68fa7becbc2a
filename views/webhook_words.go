package views

import (
	"strconv"
	"strings"

	"belfry/store"
	"belfry/store/uuid"
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

// kindLogs is the log of the deliveries of which an attempt failed so, in the time that the page covers.
func (p WebhookPage) kindLogs(k FailureKind) string {
	pairs := []string{"error", k.Kind, "time", string(p.Chart.Range)}
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

// deliveryHref leads to a delivery; empty where there is none.
func deliveryHref(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return WebhooksAddress + "/deliveries/" + id.String()
}

// missedCount is how many events were missed, in words.
func (p WebhookPage) missedCount() string {
	if p.Missed.Count == 1 {
		return "1 missed event"
	}
	return CountUpTo(p.Missed.Count, store.CountedMissed) + " missed events"
}

// missedWindow is when the missed events came in.
func (p WebhookPage) missedWindow() string {
	first, last := p.Missed.First.UTC(), p.Missed.Last.UTC()
	const minute = "2 Jan 15:04"
	if first.Format(minute) == last.Format(minute) {
		return "on " + first.Format(minute) + " UTC"
	}
	if first.YearDay() == last.YearDay() && first.Year() == last.Year() {
		return "on " + first.Format("2 Jan") + " from " + first.Format("15:04") + " to " + last.Format("15:04") + " UTC"
	}
	return "from " + first.Format(minute) + " to " + last.Format(minute) + " UTC"
}

// heldSentence says what waits until the webhook is active again, and how long at most.
func heldSentence(p WebhookPage) string {
	if p.Summary.Pending == 0 {
		return "No deliveries wait."
	}
	until := ", until " + p.ActiveSince.Add(p.HeldFor).UTC().Format(dayLayout) + " at most."
	if p.Summary.Pending == 1 {
		return "1 delivery is held until it is active again" + until
	}
	return Count(int(p.Summary.Pending)) + " deliveries are held until it is active again" + until
}

// missedMeanwhile says what came in since the webhook is inactive.
func missedMeanwhile(p WebhookPage) string {
	switch p.Missed.Count {
	case 0:
		return "Events that come in meanwhile are remembered for 30 days and offered when you switch it on."
	case 1:
		return "1 event came in since; it is offered when you switch it on."
	}
	return CountUpTo(p.Missed.Count, store.CountedMissed) + " events came in since; they are offered when you switch it on."
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

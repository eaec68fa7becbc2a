package views

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"belfry/store"
)

// FailureKind is a kind of failure with an example: the last of the time that a webhook's page covers, or an attempt itself.
type FailureKind struct {
	store.KindCount
	store.LastFailure
}

// name is what a kind of failure is called: "status 503", "timeout".
func (k FailureKind) name() string {
	if k.Code != 0 {
		return k.Kind + " " + strconv.Itoa(k.Code)
	}
	return strings.ReplaceAll(k.Kind, "_", " ")
}

// words say what happened: of the last example where it is known, or else of the kind.
func (k FailureKind) words(limit time.Duration) string {
	switch k.Kind {
	case "status", "redirect", "gone":
		return http.StatusText(k.Code)
	case "timeout":
		return "no full answer in " + Duration(limit)
	}
	if k.Detail != "" {
		return strings.TrimPrefix(k.Detail, "the endpoint ")
	}
	return map[string]string{
		"dns": "the name has no address", "connect": "no connection", "tls": "certificate or handshake", "reset": "connection closed too early",
		"blocked_address": "address not allowed", "bad_response": "not a proper HTTP answer", "interrupted": "lost on our side",
	}[k.Kind]
}

// lasting says that the kind does not come and go: where an attempt succeeded later, somebody mended it.
func (k FailureKind) lasting() bool {
	switch k.Kind {
	case "tls", "dns", "blocked_address", "redirect":
		return true
	case "status":
		return k.Code == http.StatusUnauthorized || k.Code == http.StatusForbidden || k.Code == http.StatusNotFound || k.Code == http.StatusMethodNotAllowed
	}
	return false
}

// advice says what to do about a kind of failure, and whether there is still something to do.
func (p WebhookPage) advice(k FailureKind, now time.Time) string {
	text := k.Advice(p.Webhook, p.Timeout, now)
	if k.lasting() && !p.troubledBy(k) && p.Health.LastSuccessAt.After(k.LastAt.Time) {
		text += " Later attempts succeeded: nothing to do unless it comes back."
	}
	return text
}

// troubledBy says that the kind is why the webhook is failing now.
func (p WebhookPage) troubledBy(k FailureKind) bool {
	h := p.Health
	return h.State == store.HealthFailing && h.Kind == k.Kind && h.Code == k.Code
}

// Advice says what to do about a kind of failure. Of the webhook that it happened to only how it is signed and its headers
// count; limit is the time that a request may take.
func (k FailureKind) Advice(w store.Webhook, limit time.Duration, now time.Time) string {
	switch k.Kind {
	case "status", "gone":
		return statusAdvice(k.Code, w)
	case "redirect":
		if k.MovedTo != "" {
			return "Redirects are not followed, and this one leads to " + k.MovedTo + "; set the URL to that."
		}
		return "Redirects are not followed. Set the URL to where it leads."
	case "timeout":
		return "Answer 2xx first and do the work afterwards: all of it, from the name look-up to the last byte, may take " + Duration(limit) + "."
	case "dns":
		return "Check the host's name and its DNS records. If it moved, change the URL."
	case "connect":
		return "Nothing listens there, or a firewall drops it. A restart looks just like this; if it stays, check port and firewall."
	case "tls":
		return certificateAdvice(k.Detail, now)
	case "reset":
		return "The endpoint or a proxy before it closed the connection before it had answered. Look for crashes, size limits and short idle times there."
	case "blocked_address":
		return "The name leads to a private or reserved address now. Use a public one, or ask the operator to list it."
	case "bad_response":
		return "What came back is no HTTP, or its headers are over 64 KiB. Check that the port is the web server's."
	case "interrupted":
		return "Belfry was stopped in the middle of it, which costs no retry. The endpoint may have got it."
	}
	return "Look at the delivery for what exactly happened."
}

// dayLayout is how a day is written, by package outbound in its sentences, too.
const dayLayout = "2 Jan 2006"

// certificateAdvice reads the sentence that package outbound makes of a TLS failure.
func certificateAdvice(detail string, now time.Time) string {
	if day, ok := strings.CutPrefix(detail, "the certificate expired on "); ok {
		if end, err := time.Parse(dayLayout, day); err == nil {
			return "Renew the certificate: it expired " + daysAgo(end, now) + "."
		}
	}
	switch {
	case strings.HasPrefix(detail, "the certificate is not valid before "):
		return "The certificate is for later. Serve one that is valid now, and check the clock of the machine that made it."
	case strings.HasPrefix(detail, "the certificate is not for "):
		return "The certificate is for another name. Get one for this host, or set the URL to the name that it is for."
	case strings.Contains(detail, "authority that is not known"):
		return "Serve the whole chain of certificates, up to a public authority. One you signed yourself is not taken."
	case strings.Contains(detail, "does not speak TLS"):
		return "That port answers without TLS. Check the port; plain http is not sent to public addresses."
	case strings.Contains(detail, "handshake"):
		return "The endpoint broke off the handshake. It must speak TLS 1.2 or 1.3 and ask for no client certificate."
	}
	return "Renew the certificate, serve its whole chain, and make sure that it is for this host."
}

// daysAgo writes a day of the past.
func daysAgo(day, now time.Time) string {
	switch days := int(now.Sub(day) / (24 * time.Hour)); days {
	case 0:
		return "today"
	case 1:
		return "yesterday"
	default:
		return Count(days) + " days ago"
	}
}

func statusAdvice(code int, w store.Webhook) string {
	switch {
	case code == http.StatusGone:
		return "The endpoint says it is gone for good, which deactivates the webhook. Change the URL, then activate it again."
	case code == http.StatusUnauthorized:
		return refusedAdvice(w)
	case code == http.StatusForbidden:
		return "The endpoint forbids it. A firewall or a list of allowed addresses before it may keep us out, or it refuses our signature."
	case code == http.StatusNotFound:
		return "There is nothing at this path. Check the URL against the endpoint's routes."
	case code == http.StatusMethodNotAllowed:
		return "The path takes no POST. Check the URL against the endpoint's routes."
	case code == http.StatusRequestEntityTooLarge:
		return "Let the endpoint take bodies of up to 260 KiB."
	case code == http.StatusTooManyRequests:
		return "The endpoint asks for a slower pace. Its Retry-After is honoured; take events into a queue to be faster."
	case code == http.StatusServiceUnavailable:
		return "The endpoint says it is overloaded or down for maintenance. Look at its own log; Retry-After is honoured."
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		return "A proxy before the endpoint got no answer from it. Check that the application behind it runs."
	case code >= 500:
		return "The endpoint fails while working on the event. Its own log says why; the delivery holds what was sent."
	}
	return "The endpoint does not accept the event. Its answer, kept with the delivery, may say why."
}

// refusedAdvice is for 401: what the receiver may not like about how we say who we are.
func refusedAdvice(w store.Webhook) string {
	if !w.HasSecret {
		return "The receiver wants to know who calls, and what we send is not signed. Add a secret, or a custom header with its token."
	}
	text := "The receiver refuses our signature. Check that it verifies with the current secret"
	if !w.RotatedAt.IsZero() {
		text += ", of " + w.RotatedAt.Format(dayLayout)
	}
	if len(w.Headers) > 0 {
		text += ", and what it wants to find in " + headerNames(w.Headers)
	}
	return text + "."
}

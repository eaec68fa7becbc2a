package views

import (
	"net/http"
	"time"

	"belfry/store"
)

// kindWords says in a few words what a kind of failure means.
func kindWords(k store.KindCount, limit time.Duration) string {
	switch k.Kind {
	case "status", "redirect", "gone":
		return http.StatusText(k.Code)
	case "timeout":
		return "no full answer in " + Duration(limit)
	case "dns":
		return "the name has no address"
	case "connect":
		return "no connection"
	case "tls":
		return "certificate or handshake"
	case "reset":
		return "connection closed too early"
	case "blocked_address":
		return "address not allowed"
	case "bad_response":
		return "not a proper HTTP answer"
	case "interrupted":
		return "lost on our side"
	}
	return ""
}

// advice says what to do about a kind of failure.
func advice(k store.KindCount, limit time.Duration) string {
	switch k.Kind {
	case "status", "redirect", "gone":
		return statusAdvice(k.Code)
	case "timeout":
		return "Answer 2xx first and do the work afterwards: all of it, from the name look-up to the last byte, may take " + Duration(limit) + "."
	case "dns":
		return "Check the host's name and its DNS records. If it moved, change the URL."
	case "connect":
		return "Nothing listens there, or a firewall drops it. A restart looks just like this; if it stays, check port and firewall."
	case "tls":
		return "Renew the certificate, serve its whole chain, and make sure that it is for this host."
	case "reset":
		return "The endpoint or a proxy before it closed the connection before it had answered. Look for crashes, size limits and short idle times there."
	case "blocked_address":
		return "The name leads to a private or reserved address now. Use a public one, or ask the operator to list it."
	case "bad_response":
		return "What came back is no HTTP, or its headers are over 64 KiB. Check that the port is the web server's."
	case "interrupted":
		return "Belfry was stopped in the middle of it. It costs no retry; nothing to do."
	}
	return "Look at the delivery for what exactly happened."
}

func statusAdvice(code int) string {
	switch {
	case code == http.StatusGone:
		return "The endpoint says it is gone for good, which deactivates the webhook. Change the URL, then activate it again."
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return "The endpoint refuses us. Check that it verifies with the current secret, and what a custom header should hold."
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		return "The path is wrong, or takes no POST. Check the URL against the endpoint's routes."
	case code == http.StatusRequestEntityTooLarge:
		return "Let the endpoint take bodies of up to 260 KiB."
	case code == http.StatusTooManyRequests:
		return "The endpoint asks for a slower pace. Its Retry-After is honoured; take events into a queue to be faster."
	case code == http.StatusServiceUnavailable:
		return "The endpoint says it is overloaded or down for maintenance. Look at its own log; Retry-After is honoured."
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		return "A proxy before the endpoint got no answer from it. Check that the application behind it runs."
	case code >= 300 && code < 400:
		return "Redirects are not followed. Set the URL to where it leads."
	case code >= 500:
		return "The endpoint fails while working on the event. Its own log says why; the delivery holds what was sent."
	}
	return "The endpoint does not accept the event. Its answer, kept with the delivery, may say why."
}

package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The kinds of failure; the list is closed.
const (
	KindDNS            = "dns"             // the host name has no address
	KindConnect        = "connect"         // no connection
	KindTLS            = "tls"             // no TLS on it: certificate, handshake
	KindTimeout        = "timeout"         // the exchange took longer than its limit
	KindReset          = "reset"           // the endpoint closed the connection too early
	KindRedirect       = "redirect"        // a 3xx
	KindStatus         = "status"          // any other status that is no 2xx
	KindBlockedAddress = "blocked_address" // the address, or plain http to it, is not allowed
	KindBadResponse    = "bad_response"    // the answer is no HTTP, or its headers are too large
	KindGone           = "gone"            // a 410
	KindInterrupted    = "interrupted"     // ended by the sender
)

// ErrBlocked is what every *BlockedError is, for errors.Is.
var ErrBlocked = errors.New("outbound: the address is not allowed")

// BlockedError says that an address, or plain http to it, is not allowed. It does not tell the address a name leads to:
// who asks may not know names inside the operator's network.
type BlockedError struct {
	Host  string // as in the URL
	What  string // "a private address"
	Plain bool   // the address may be public; plain http to it is what is refused
}

// Error returns a sentence for people.
func (e *BlockedError) Error() string {
	if e.Plain {
		return "plain http to " + e.Host + " is not allowed"
	}
	return e.Host + " leads to " + e.What + ", which is not allowed"
}

// Is reports true for ErrBlocked.
func (e *BlockedError) Is(err error) bool { return err == ErrBlocked }

// Failure is an exchange that came to no answer, or to half of one.
type Failure struct {
	Kind   string
	Detail string // a sentence for people, without anything that may be secret
	Err    error  // the cause; may hold the URL, so it is for no log either
}

// Error returns the detail.
func (f *Failure) Error() string { return f.Detail }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Classify returns the kind of failure an answer is, or "" for a success: a 2xx with the body that is kept.
func Classify(a Answer) string {
	var failure *Failure
	switch {
	case errors.As(a.Err, &failure):
		return failure.Kind
	case a.Err != nil:
		return KindConnect
	case a.StatusCode/100 == 2:
		return ""
	case a.StatusCode/100 == 3:
		return KindRedirect
	case a.StatusCode == http.StatusGone:
		return KindGone
	}
	return KindStatus
}

// Sentence says in words for people why an answer is a failure; "" for a success.
func Sentence(a Answer) string {
	status := strconv.Itoa(a.StatusCode)
	switch Classify(a) {
	case "":
		return ""
	case KindRedirect:
		return "the endpoint answered " + status + ", a redirect; redirects are not followed"
	case KindGone:
		return "the endpoint answered 410: it is gone for good"
	case KindStatus:
		return "the endpoint answered " + status
	}
	return a.Err.Error()
}

// circumstances is what tells one error from another beside the error itself.
type circumstances struct {
	target       target
	stage        stage
	outer, inner context.Context // the caller's, and the one that carries the time limit
	limit        time.Duration
}

// explain names an error of an exchange.
func explain(err error, c circumstances) *Failure {
	var blocked *BlockedError
	var network net.Error
	switch {
	case errors.As(err, &blocked):
		return &Failure{KindBlockedAddress, blocked.Error(), err}
	case c.outer.Err() != nil:
		return &Failure{KindInterrupted, "the attempt was interrupted before it came to an end", err}
	case errors.Is(c.inner.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return &Failure{KindTimeout, c.tooSlow(), err}
	case isDNS(err):
		return &Failure{KindDNS, dnsSentence(err, c.target.host), err}
	case c.stage == stageTLS:
		return &Failure{KindTLS, tlsSentence(err, c.target.host), err}
	case errors.As(err, &network) && network.Timeout():
		return &Failure{KindTimeout, c.tooSlow(), err}
	case c.stage < stageTLS:
		return &Failure{KindConnect, connectSentence(err), err}
	case isReset(err):
		return &Failure{KindReset, c.closedEarly(), err}
	}
	return &Failure{KindBadResponse, answerSentence(err), err}
}

func (c circumstances) tooSlow() string {
	what := map[stage]string{
		stageLookup: "the name look-up", stageConnect: "connecting", stageTLS: "the TLS handshake",
		stageAnswer: "the endpoint's answer", stageBody: "the body of the answer",
	}[c.stage]
	return what + " did not come to an end within " + seconds(c.limit)
}

func (c circumstances) closedEarly() string {
	if c.stage == stageBody {
		return "the endpoint closed the connection in the middle of its answer"
	}
	return "the endpoint closed the connection before it answered"
}

func seconds(d time.Duration) string {
	if d == time.Second {
		return "1 second"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " seconds"
}

func isDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

func dnsSentence(err error, host string) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return "no such host " + host
	}
	return "the name " + host + " could not be looked up"
}

func connectSentence(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the endpoint refused the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to the endpoint"
	case errors.Is(err, syscall.ECONNRESET):
		return "the endpoint closed the connection at once"
	}
	return "no connection to the endpoint"
}

// isReset: the connection ended, not its rules. HTTP/2 and the pool of connections have texts only, no types.
func isReset(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	text := err.Error()
	for _, part := range []string{"server closed idle connection", "received from peer", "GOAWAY", "client connection lost", "client conn", "cannot retry err"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func answerSentence(err error) string {
	if errors.Is(err, errLargeHeader) || strings.Contains(err.Error(), "header list larger") {
		return "the headers of the answer are larger than 64 KiB"
	}
	return "the answer is not valid HTTP"
}

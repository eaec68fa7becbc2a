package signature

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how far webhook-timestamp may be from the receiver's clock, either way (Standard Webhooks 1.0).
const Tolerance = 5 * time.Minute

// Reasons why a body does not verify.
var (
	ErrMissing   = errors.New("signature: the request is not signed")
	ErrMismatch  = errors.New("signature: no signature matches a known secret")
	ErrTimestamp = errors.New("signature: webhook-timestamp is not a time in unix seconds")
	ErrTooOld    = errors.New("signature: webhook-timestamp is more than 5 minutes ago")
	ErrTooNew    = errors.New("signature: webhook-timestamp is more than 5 minutes ahead")
)

// Verify checks the Standard Webhooks headers of a request against its raw body by the present time. Any of the secrets
// may match, so a receiver passes both while a rotation overlaps. It returns nil or one of ErrMissing, ErrMismatch,
// ErrTimestamp, ErrTooOld, ErrTooNew.
func Verify(header http.Header, body []byte, secrets ...string) error {
	return VerifyAt(time.Now(), header, body, secrets...)
}

// VerifyAt is Verify by the clock that the caller gives.
func VerifyAt(now time.Time, header http.Header, body []byte, secrets ...string) error {
	id, timestamp, sent := header.Get(HeaderID), header.Get(HeaderTimestamp), header.Get(HeaderSignature)
	if id == "" || timestamp == "" || sent == "" {
		return ErrMissing
	}
	if err := checkTime(timestamp, now); err != nil {
		return err
	}
	for _, secret := range secrets {
		if expected, err := standard(secret, id, timestamp, body); err == nil && secret != "" && holds(sent, expected) {
			return nil
		}
	}
	return ErrMismatch
}

// VerifyHex checks prefix-Signature and prefix-Signature-Next of a request against its raw body; an empty prefix means
// DefaultPrefix. These headers carry no time, so a repeated request verifies too: prefer Verify. It returns nil,
// ErrMissing or ErrMismatch.
func VerifyHex(prefix string, header http.Header, body []byte, secrets ...string) error {
	if prefix == "" {
		prefix = DefaultPrefix
	}
	sent, next := header.Get(prefix+"-Signature"), header.Get(prefix+"-Signature-Next")
	if sent == "" && next == "" {
		return ErrMissing
	}
	for _, secret := range secrets {
		if expected := Hex(secret, body); secret != "" && (equal(sent, expected) || equal(next, expected)) {
			return nil
		}
	}
	return ErrMismatch
}

// VerifyBody checks the body's own signature member: it signs the bytes up to the last `,"signature":` and a closing
// brace. It carries no time of sending: prefer Verify. It returns nil, ErrMissing or ErrMismatch.
func VerifyBody(body []byte, secrets ...string) error {
	unsigned, sent, ok := SplitSignature(body)
	if !ok {
		return ErrMissing
	}
	for _, secret := range secrets {
		if secret != "" && equal(sent, Hex(secret, unsigned)) {
			return nil
		}
	}
	return ErrMismatch
}

func checkTime(timestamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrTimestamp
	}
	switch sent := time.Unix(seconds, 0); {
	case now.Sub(sent) > Tolerance:
		return ErrTooOld
	case sent.Sub(now) > Tolerance:
		return ErrTooNew
	}
	return nil
}

// holds reports whether expected is one of the signatures in list, which spaces separate.
func holds(list, expected string) bool {
	for one := range strings.SplitSeq(list, " ") {
		if equal(one, expected) {
			return true
		}
	}
	return false
}

// equal takes the same time wherever two values of one length differ.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

const (
	hexPrefix      = "sha256="
	hexLength      = len(hexPrefix) + 2*sha256.Size
	standardPrefix = "v1,"
)

// Hex returns "sha256=" and the hex HMAC-SHA256 of message; the key is the secret's characters as shown. It is the value
// of the body member (message: the body without it) and of X-Webhook-Signature (message: the body as sent).
func Hex(secret string, message []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(message)
	var sum [sha256.Size]byte
	var out [hexLength]byte
	copy(out[:], hexPrefix)
	hex.Encode(out[len(hexPrefix):], mac.Sum(sum[:0]))
	return string(out[:])
}

// Standard returns the Standard Webhooks 1.0 signature: "v1," and the base64 HMAC-SHA256 of "id.timestamp.body".
// id is the delivery's, timestamp the unix seconds that webhook-timestamp carries. The secret must pass Check.
func Standard(secret, id string, timestamp int64, body []byte) (string, error) {
	return standard(secret, id, strconv.FormatInt(timestamp, 10), body)
}

func standard(secret, id, timestamp string, body []byte) (string, error) {
	key, err := standardKey(secret)
	if err != nil {
		return "", fmt.Errorf("signature: %w", ErrSecretEncoding)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	var sum [sha256.Size]byte
	var out [len(standardPrefix) + (sha256.Size+2)/3*4]byte
	copy(out[:], standardPrefix)
	base64.StdEncoding.Encode(out[len(standardPrefix):], mac.Sum(sum[:0]))
	return string(out[:]), nil
}

// Header is one header field. It is an alias of a plain struct, so that a list of them can be handed on as it is.
type Header = struct{ Name, Value string }

// DefaultPrefix starts the names of Belfry's own headers unless an account sets another one.
const DefaultPrefix = "X-Webhook"

// Names of the Standard Webhooks 1.0 headers.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Attempt is what the headers of one request are made from.
type Attempt struct {
	Prefix string    // of Belfry's own headers; empty: DefaultPrefix
	ID     string    // of the delivery, the same on every attempt
	Number int       // 1, 2, …
	At     time.Time // of this attempt
	Event  string    // type of the event
	Body   []byte    // exactly as sent
	Secret string    // empty: unsigned
	Next   string    // the new secret while a rotation overlaps; counts only beside Secret
}

// Headers returns the headers of one attempt in the order in which they are shown: Event, Delivery, Attempt, Signature
// and Signature-Next under the prefix, then webhook-id, webhook-timestamp and webhook-signature. Without a secret the
// signatures are absent. The error is ErrSecretEncoding, for a secret that Check refuses.
func Headers(a Attempt) ([]Header, error) {
	prefix := a.Prefix
	if prefix == "" {
		prefix = DefaultPrefix
	}
	seconds := strconv.FormatInt(a.At.Unix(), 10)
	list := make([]Header, 0, 12) // room for the caller's own
	list = append(list,
		Header{prefix + "-Event", a.Event},
		Header{prefix + "-Delivery", a.ID},
		Header{prefix + "-Attempt", strconv.Itoa(a.Number)})
	if a.Secret != "" {
		list = append(list, Header{prefix + "-Signature", Hex(a.Secret, a.Body)})
		if a.Next != "" {
			list = append(list, Header{prefix + "-Signature-Next", Hex(a.Next, a.Body)})
		}
	}
	list = append(list, Header{HeaderID, a.ID}, Header{HeaderTimestamp, seconds})
	if a.Secret == "" {
		return list, nil
	}
	value, err := a.standard(seconds)
	return append(list, Header{HeaderSignature, value}), err
}

// standard returns the value of webhook-signature: one signature, or two while a rotation overlaps.
func (a Attempt) standard(seconds string) (string, error) {
	value, err := standard(a.Secret, a.ID, seconds, a.Body)
	if err != nil || a.Next == "" {
		return value, err
	}
	next, err := standard(a.Next, a.ID, seconds, a.Body)
	return value + " " + next, err
}

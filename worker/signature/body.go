package signature

import (
	"bytes"
	"encoding/json"
)

// member is what stands between an unsigned body and its signature.
const member = `,"signature":`

// Body returns the compact JSON that is sent, and the value of its signature member:
//
//	{"event":…,"timestamp":…,"data":…,"signature":"sha256=…"}
//
// data must be one JSON value without insignificant space; its bytes go out untouched. An empty secret leaves the
// signature member out, and sig empty.
func Body(event, timestamp string, data []byte, secret string) (body []byte, sig string) {
	body = Unsigned(event, timestamp, data)
	if secret == "" {
		return body, ""
	}
	sig = Hex(secret, body)
	return appendMember(body, sig), sig
}

// Unsigned returns the body without a signature member, with room for one; data as in Body.
func Unsigned(event, timestamp string, data []byte) []byte {
	const frame = len(`{"event":"","timestamp":"","data":}`) + len("null") + len(member) + len(`""`) + hexLength
	return appendUnsigned(make([]byte, 0, frame+len(event)+len(timestamp)+len(data)), event, timestamp, data)
}

// WithSignature returns unsigned, a body as Unsigned makes it, with sig ("sha256=…", as Hex makes it) as its last
// member. An empty sig returns unsigned itself; else unsigned stays as it was.
func WithSignature(unsigned []byte, sig string) []byte {
	if sig == "" {
		return unsigned
	}
	signed := make([]byte, 0, len(unsigned)+len(member)+len(sig)+len(`""`))
	return appendMember(append(signed, unsigned...), sig)
}

// SplitSignature takes a body apart: the bytes that its last member signs, and that member's value. It reports false
// where the body does not end in a signature member.
func SplitSignature(body []byte) (unsigned []byte, sig string, ok bool) {
	at := bytes.LastIndex(body, []byte(member))
	if at < 0 {
		return nil, "", false
	}
	value := body[at+len(member):]
	if len(value) != hexLength+len(`""}`) || value[0] != '"' || !bytes.HasSuffix(value, []byte(`"}`)) {
		return nil, "", false
	}
	unsigned = append(make([]byte, 0, at+1), body[:at]...)
	return append(unsigned, '}'), string(value[1 : 1+hexLength]), true
}

func appendUnsigned(dst []byte, event, timestamp string, data []byte) []byte {
	dst = append(dst, `{"event":`...)
	dst = appendString(dst, event)
	dst = append(dst, `,"timestamp":`...)
	dst = appendString(dst, timestamp)
	dst = append(dst, `,"data":`...)
	if len(data) == 0 {
		data = []byte("null")
	}
	dst = append(dst, data...)
	return append(dst, '}')
}

// appendMember puts sig in front of the closing brace that dst ends with.
func appendMember(dst []byte, sig string) []byte {
	dst = append(dst[:len(dst)-1], member...)
	dst = append(dst, '"')
	dst = append(dst, sig...)
	return append(dst, '"', '}')
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always has a JSON form
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

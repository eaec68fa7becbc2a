package store

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// short is a line of a kept request in fewer bytes: one instead of its
// beginning, then the rest.
type short struct {
	code  byte
	name  string // of the header; empty: the signature inside the body
	begin string // of the value
	form  restForm
}

// restForm tells how what follows the beginning is kept.
type restForm int

const (
	restAsIs     restForm = iota
	restSum               // in base64 instead of hex
	restDelivery          // the delivery's id: not at all, the row has it
)

// shorts stay as they are: databases hold them. A code is a byte with which no
// header's name begins (RFC 9110, 5.6.2), and not "{", with which requests of
// older databases do.
var shorts = []short{
	{'=', "", "sha256=", restSum},
	{'(', "Content-Type", "application/json", restAsIs},
	{')', "User-Agent", "", restAsIs},
	{',', "Accept-Encoding", "identity", restAsIs},
	{'/', "X-Webhook-Event", "", restAsIs},
	{':', "X-Webhook-Delivery", "", restDelivery},
	{';', "X-Webhook-Attempt", "", restAsIs},
	{'<', "X-Webhook-Signature", "sha256=", restSum},
	{'>', "X-Webhook-Signature-Next", "sha256=", restSum},
	{'?', "webhook-id", "", restDelivery},
	{'@', "webhook-timestamp", "", restAsIs},
	{'[', "webhook-signature", "v1,", restAsIs},
}

// appendShort appends the line of a header, short where a form fits it.
func appendShort(b []byte, name, value, delivery string) []byte {
	for _, s := range shorts {
		if s.name != name {
			continue
		}
		if with, fits := s.appendRest(append(b, s.code), value, delivery); fits {
			return append(with, '\n')
		}
	}
	if name != "" {
		b = append(append(b, name...), ": "...)
	}
	return append(append(b, value...), '\n')
}

// readShort gives the header of a line, without its end, that appendShort made.
func readShort(line, delivery string) (Header, error) {
	for _, s := range shorts {
		if strings.HasPrefix(line, string(s.code)) {
			value, err := s.value(line[1:], delivery)
			return Header{s.name, value}, err
		}
	}
	name, value, _ := strings.Cut(line, ": ")
	return Header{name, value}, nil
}

// appendRest appends what of the value is kept; false where s does not fit it.
func (s short) appendRest(b []byte, value, delivery string) ([]byte, bool) {
	value, fits := strings.CutPrefix(value, s.begin)
	switch {
	case !fits:
		return nil, false
	case s.form == restDelivery:
		return b, value == delivery
	case s.form == restSum:
		raw, err := hex.DecodeString(value)
		if err != nil || hex.EncodeToString(raw) != value {
			return nil, false
		}
		return base64.RawStdEncoding.AppendEncode(b, raw), true
	default:
		return append(b, value...), true
	}
}

// value is what the rest of a line stands for.
func (s short) value(rest, delivery string) (string, error) {
	switch s.form {
	case restDelivery:
		return s.begin + delivery, nil
	case restSum:
		raw, err := base64.RawStdEncoding.DecodeString(rest)
		return s.begin + hex.EncodeToString(raw), err
	default:
		return s.begin + rest, nil
	}
}

package store

import (
	"encoding/json"
	"strings"

	"belfry/store/uuid"
)

// Headers of attempts are most of what the log of deliveries weighs, so they are
// kept as HTTP/1.1 writes them, a line each: "Name: value". Those of a request
// come after a line with the signature inside its body, from which the body is
// made again; it may be empty. What nearly every request says is short there.

// unkept stands for what neither database keeps in a text, or what would end a
// line.
const unkept = "\uFFFD"

var lineBreaks = strings.NewReplacer("\n", unkept, "\x00", unkept)

func packRequest(delivery uuid.UUID, signature string, headers []Header) string {
	own := delivery.String()
	var room [512]byte
	b := appendShort(room[:0], "", signature, own)
	for _, h := range headers {
		b = appendShort(b, h.Name, storable(h.Value), own)
	}
	return string(b)
}

// storable is a value as both databases keep it in a line.
func storable(value string) string {
	return lineBreaks.Replace(strings.ToValidUTF8(value, unkept))
}

func packHeaders(headers []Header) string {
	size := 0
	for _, h := range headers {
		size += len(h.Name) + len(h.Value) + len(": \n")
	}
	var b strings.Builder
	b.Grow(size)
	for _, h := range headers {
		b.WriteString(h.Name)
		b.WriteString(": ")
		b.WriteString(storable(h.Value))
		b.WriteByte('\n')
	}
	return b.String()
}

// unpackRequest gives what packRequest took. Databases of before have JSON, or no
// line short.
func unpackRequest(delivery uuid.UUID, text string) (signature string, headers []Header, err error) {
	if strings.HasPrefix(text, "{") {
		var kept struct {
			Headers   []Header `json:"h"`
			Signature string   `json:"s"`
		}
		err = json.Unmarshal([]byte(text), &kept)
		return kept.Signature, kept.Headers, err
	}
	own := delivery.String()
	first, lines, _ := strings.Cut(text, "\n")
	sum, err := readShort(first, own)
	if err != nil {
		return "", nil, err
	}
	for line := range strings.Lines(lines) {
		h, err := readShort(strings.TrimSuffix(line, "\n"), own)
		if err != nil {
			return "", nil, err
		}
		headers = append(headers, h)
	}
	return sum.Name + sum.Value, headers, nil
}

func unpackHeaders(text string) (headers []Header, err error) {
	if strings.HasPrefix(text, "[") {
		err = json.Unmarshal([]byte(text), &headers)
		return headers, err
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		headers = append(headers, Header{name, value})
	}
	return headers, nil
}

package store

import (
	"encoding/json"
	"strings"
)

// Headers of attempts are most of what the log of deliveries weighs, so they are
// kept as HTTP/1.1 writes them, a line each: "Name: value". Those of a request
// come after a line with the signature inside its body, from which the body is
// made again; it may be empty.

// unkept stands for what neither database keeps in a text, or what would end a
// line.
const unkept = "\uFFFD"

var lineBreaks = strings.NewReplacer("\n", unkept, "\x00", unkept)

func packRequest(signature string, headers []Header) string {
	return signature + "\n" + packHeaders(headers)
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
		b.WriteString(lineBreaks.Replace(strings.ToValidUTF8(h.Value, unkept)))
		b.WriteByte('\n')
	}
	return b.String()
}

// unpackRequest gives what packRequest took. Databases of before have JSON.
func unpackRequest(text string) (signature string, headers []Header, err error) {
	if strings.HasPrefix(text, "{") {
		var kept struct {
			Headers   []Header `json:"h"`
			Signature string   `json:"s"`
		}
		err = json.Unmarshal([]byte(text), &kept)
		return kept.Signature, kept.Headers, err
	}
	signature, lines, _ := strings.Cut(text, "\n")
	headers, err = unpackHeaders(lines)
	return signature, headers, err
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

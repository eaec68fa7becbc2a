package views

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsBinary says that a body is no text to read: more than three in ten of its
// characters are control characters or no UTF-8, or one is NUL. Text in another
// encoding with few letters beyond ASCII, such as "café", is still read.
func IsBinary(body string) bool {
	odd, all := 0, 0
	for i, c := range body {
		all++
		switch {
		case c == 0:
			return true
		case c == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(body[i:]); size == 1 {
				odd++
			}
		case unicode.IsControl(c) && !unicode.IsSpace(c):
			odd++
		}
	}
	return odd*10 > 3*all
}

// Hex is the beginning of a body, byte by byte: at most 48, 16 to a line.
func Hex(body string) string {
	const shown, line = 48, 16
	var lines []string
	for rest := body[:min(shown, len(body))]; rest != ""; rest = rest[min(line, len(rest)):] {
		lines = append(lines, fmt.Sprintf("% x", rest[:min(line, len(rest))]))
	}
	if len(body) > shown {
		lines = append(lines, "…")
	}
	return strings.Join(lines, "\n")
}

func (b bodyView) binary() bool { return IsBinary(b.text) }

// readable is the text with a sign where a byte is none.
func (b bodyView) readable() string { return strings.ToValidUTF8(b.text, "\uFFFD") }

// kind is what a page says of a body that is no text.
func (b bodyView) kind() string {
	words := "Binary, " + Plural(len(b.text), "byte", "bytes") + " kept"
	if b.media == "" {
		return words + ", without a content type."
	}
	return words + ", content type " + b.media + "."
}

// mediaOf is the content type that headers name; empty: none.
func mediaOf(headers []HeaderLine) string {
	for _, line := range headers {
		if strings.EqualFold(line.Name, "content-type") {
			return line.Value
		}
	}
	return ""
}

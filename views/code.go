package views

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// HeaderLine is one header of a request or an answer. Note stands behind the value in words; Marked makes the value stand
// out, where it changed what Belfry did.
type HeaderLine struct {
	Name, Value, Note string
	Marked            bool
}

// codePart is a stretch of code; keys and punctuation around them are dimmer.
type codePart struct {
	text string
	key  bool
}

// PrettyJSON indents a JSON text and leaves everything else in it as it was; what isn't JSON comes back unchanged.
func PrettyJSON(text string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		return text
	}
	return strings.TrimSpace(out.String())
}

// jsonParts parts indented JSON so that keys can be shown dimmer than values.
func jsonParts(text string) []codePart {
	var out []codePart
	for line := range strings.Lines(text) {
		end := keyEnd(line)
		if end > 0 {
			out = append(out, codePart{line[:end], true})
		}
		if end < len(line) {
			out = append(out, codePart{line[end:], false})
		}
	}
	return out
}

// keyEnd is the length of the key at the line's start with its colon, 0 where the line doesn't start with one.
func keyEnd(line string) int {
	start := len(line) - len(strings.TrimLeft(line, " "))
	if start >= len(line) || line[start] != '"' {
		return 0
	}
	for i := start + 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			if strings.HasPrefix(line[i+1:], ":") {
				return i + 2
			}
			return 0
		}
	}
	return 0
}

// JSONBlock shows JSON indented, keys dimmer than values; what isn't JSON is shown as it is. The id may be empty; a copy
// button finds the text by it.
func JSONBlock(id, text string) templ.Component {
	return pre("code", id, codeParts(jsonParts(PrettyJSON(text))))
}

// CodeBlock shows text as it is.
func CodeBlock(id, text string) templ.Component {
	return pre("code", id, codeParts([]codePart{{text: text}}))
}

// RawBlock shows text byte for byte, as it went over the wire: what is copied from it is what was sent.
func RawBlock(id, text string) templ.Component { return pre("code raw", id, rawText(text)) }

// pre is preformatted text. It is written whole, since what formats templates would break lines within it, for all to see.
func pre(class, id string, content templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		begin := `<pre class="` + class + `" tabindex="0"`
		if id != "" {
			begin += ` id="` + templ.EscapeString(id) + `"`
		}
		if _, err := io.WriteString(w, begin+">"); err != nil {
			return err
		}
		if err := content.Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, "</pre>")
		return err
	})
}

// codeParts writes the parts without any space of its own, which would show inside <pre>.
func codeParts(parts []codePart) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var out strings.Builder
		for _, part := range parts {
			text := templ.EscapeString(part.text)
			if part.key {
				text = `<span class="k">` + text + `</span>`
			}
			out.WriteString(text)
		}
		_, err := io.WriteString(w, out.String())
		return err
	})
}

// rawText writes text so that a browser keeps each character: it would drop a first line break inside <pre>, and make
// others of carriage returns.
func rawText(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "\n"+strings.ReplaceAll(templ.EscapeString(text), "\r", "&#13;"))
		return err
	})
}

package store

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// JSONFault says what keeps a text from being a JSON object, as the end of a
// sentence, with line and column where one character is at fault; empty:
// nothing does.
func JSONFault(text string) string {
	var object map[string]json.RawMessage
	err := json.Unmarshal([]byte(text), &object)
	var syntax *json.SyntaxError
	switch {
	case !utf8.ValidString(text):
		return "it must be UTF-8"
	case errors.As(err, &syntax):
		return jsonPlace(text, syntax)
	case err != nil || object == nil:
		return "it must be one JSON object, which begins with { and ends with }"
	}
	return ""
}

// jsonPlace says where the fault is: lines and columns begin at 1, and a column
// is a character.
func jsonPlace(text string, fault *json.SyntaxError) string {
	at := min(max(int(fault.Offset)-1, 0), len(text))
	what := jsonWords(fault.Error(), strings.TrimSpace(text[:at]), text[at:])
	if strings.HasPrefix(fault.Error(), "unexpected end") {
		at = len(strings.TrimRight(text, " \t\r\n"))
	}
	before := text[:at]
	line, column := strings.Count(before, "\n")+1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])+1
	return "line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column) + ": " + what
}

// jsonWords puts the decoder's reason into words that say what to do. Before
// and after are the text around the fault.
func jsonWords(reason, before, after string) string {
	extra := strings.HasSuffix(before, ",") && (strings.HasPrefix(after, "}") || strings.HasPrefix(after, "]"))
	for _, known := range []struct{ part, words string }{
		{"unexpected end", "the text ends too early; a quote, } or ] is missing"},
		{"after object key:value pair", "a comma or } is missing before this"},
		{"after array element", "a comma or ] is missing before this"},
		{"after object key", "a colon is missing before this"},
		{"after top-level value", "nothing may follow the object"},
		{"beginning of object key", "a name in double quotes is expected here"},
		{"in string escape", "this escape is not known; write \\\\ for a backslash"},
		{"\\u hexadecimal", "\\u is followed by four hexadecimal digits"},
		{"in string literal", "a line break inside a string is written \\n"},
		{"in numeric literal", "this is not a number"},
		{"in literal", "only true, false, null, numbers and quoted text may stand here"},
		{"beginning of value", "only true, false, null, numbers and quoted text may stand here"},
	} {
		switch {
		case extra:
			return "the comma before this is one too many"
		case strings.Contains(reason, known.part):
			return known.words
		}
	}
	return "this is not valid JSON"
}

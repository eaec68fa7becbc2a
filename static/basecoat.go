package static

import (
	"bytes"
	"regexp"
)

// basecoat is the vendored style sheet without the parts that no page uses: most
// of it. A part that a template begins to use is added to the names here.
func basecoat() []byte {
	sheet := mustRead("vendor/basecoat.css")
	before, rest, found := bytes.Cut(sheet, []byte("@layer components{"))
	if !found {
		panic("static: basecoat.css has no layer of components")
	}
	end := blockEnd(rest)
	used := regexp.MustCompile(`(^|[\s,>+~(:])(details|summary)\b|\.(btn|kbd|table|label)([^\w-]|$)`)
	var out bytes.Buffer
	out.Write(before)
	out.WriteString("@layer components{")
	for parts := rest[:end]; len(parts) > 0; {
		head := bytes.IndexByte(parts, '{')
		if head < 0 {
			break
		}
		stop := head + 1 + blockEnd(parts[head+1:]) + 1
		if used.Match(parts[:head]) {
			out.Write(parts[:stop])
		}
		parts = parts[stop:]
	}
	out.Write(rest[end:])
	return out.Bytes()
}

// blockEnd gives where the brace is that closes the block whose opening brace
// stands before the text. Braces in strings don't count.
func blockEnd(text []byte) int {
	depth, quote := 1, byte(0)
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote && text[i-1] != '\\' {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	panic("static: a block of a style sheet is not closed")
}

package static

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// newSprite makes one SVG of all icons, each a <symbol> whose id is its name. Strokes and colours come from the page that
// uses it; only the mark is filled.
func newSprite() ([]byte, map[string]bool) {
	names, err := fs.Glob(embedded, "vendor/icons/*.svg")
	if err != nil {
		panic(err) // the pattern is constant
	}
	var out bytes.Buffer
	icons := make(map[string]bool, len(names)+1)
	out.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, file := range append(names, "mark.svg") {
		name := strings.TrimSuffix(path.Base(file), ".svg")
		icons[name] = true
		fmt.Fprintf(&out, `<symbol id="%s" viewBox="0 0 24 24">%s</symbol>`, name, inside(mustRead(file)))
	}
	out.WriteString(`</svg>`)
	return out.Bytes(), icons
}

// inside gives what stands between <svg …> and </svg>.
func inside(svg []byte) []byte {
	_, rest, _ := bytes.Cut(svg, []byte("<svg"))
	_, rest, _ = bytes.Cut(rest, []byte(">"))
	body, _, _ := bytes.Cut(rest, []byte("</svg>"))
	return bytes.TrimSpace(body)
}

// Package static holds the bytes that pages need beside their HTML: style sheets, scripts and icons. They are embedded in
// the program and served under a prefix made from their content, so that browsers may keep them for ever.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed css js vendor mark.svg favicon.svg favicon-trouble.svg
var embedded embed.FS

// Prefix is where Handler expects to be mounted.
const Prefix = "/static/"

// bundle is everything that is served, by name, and the hash over all of it. It never changes after it was made.
type bundle struct {
	files map[string][]byte
	small map[string][]byte // the same, compressed
	hash  string
	icons map[string]bool
}

var load = sync.OnceValue(newBundle)

// Path gives the address of a served file, such as "app.css". The names are app.css, app.js, htmx.js, icons.svg,
// favicon.svg and favicon-trouble.svg. An unknown name panics: names are written in the program, never taken from outside.
func Path(name string) string {
	b := load()
	if _, ok := b.files[name]; !ok {
		panic("static: no file named " + name)
	}
	return Prefix + b.hash + "/" + name
}

// IconPath gives the address of one icon of the sprite, to be used as <use href>. It panics for an icon that isn't there.
func IconPath(name string) string {
	b := load()
	if !b.icons[name] {
		panic("static: no icon named " + name)
	}
	return Prefix + b.hash + "/icons.svg#" + name
}

// Icons lists the names that IconPath knows, sorted.
func Icons() []string {
	b := load()
	names := make([]string, 0, len(b.icons))
	for name := range b.icons {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Handler serves the files under Prefix, to be kept for ever: compressed to those of whom acceptsGzip says that they can
// read it (nil: nobody). A path with another hash is a 404, so that an old page never gets new files under old names.
func Handler(acceptsGzip func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, acceptsGzip != nil && acceptsGzip(r))
	})
}

func serve(w http.ResponseWriter, r *http.Request, small bool) {
	b := load()
	hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	content, ok := b.files[name]
	if !ok || hash != b.hash {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if small {
		content = b.small[name]
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(content)
	}
}

// contentType doesn't ask the machine's own tables, which differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	default:
		return "image/svg+xml"
	}
}

func newBundle() *bundle {
	sprite, icons := newSprite()
	files := map[string][]byte{
		"app.css":     slices.Concat(basecoat(), join("css/*.css")),
		"app.js":      program(),
		"htmx.js":     join("vendor/htmx.min.js", "vendor/hx-sse.min.js"),
		"favicon.svg": join("favicon.svg"),
		// The same with a dot, for tabs of an account in trouble.
		"favicon-trouble.svg": join("favicon-trouble.svg"),
		"icons.svg":           sprite,
	}
	small := make(map[string][]byte, len(files))
	for name, content := range files {
		small[name] = squeeze(content)
	}
	return &bundle{files: files, small: small, hash: hashOf(files), icons: icons}
}

// program makes one script of those under js/: the first of them is seen by all others, each of which keeps its own names to
// itself; nothing of it is left in the page's own scope.
func program() []byte {
	names, err := fs.Glob(embedded, "js/*.js")
	if err != nil {
		panic(err) // the pattern is constant
	}
	var out bytes.Buffer
	out.WriteString("(() => {\n\"use strict\";\n")
	for i, name := range names {
		if i > 0 {
			out.WriteString("{\n")
		}
		out.Write(bare(mustRead(name)))
		if i > 0 {
			out.WriteString("}\n")
		}
	}
	out.WriteString("})();\n")
	return out.Bytes()
}

// bare is a script without indents and lines of comment.
func bare(script []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(script) {
		if line = bytes.TrimSpace(line); len(line) > 0 && !bytes.HasPrefix(line, []byte("//")) {
			out.Write(line)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// squeeze compresses once, at the start, as far as it goes.
func squeeze(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	if _, err := w.Write(content); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// join puts the files that the patterns name behind one another, each pattern's in the order of their names.
func join(patterns ...string) []byte {
	var out bytes.Buffer
	for _, pattern := range patterns {
		names, err := fs.Glob(embedded, pattern)
		if err != nil || len(names) == 0 {
			panic("static: nothing matches " + pattern)
		}
		for _, name := range names {
			out.Write(mustRead(name))
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

func mustRead(name string) []byte {
	content, err := embedded.ReadFile(name)
	if err != nil {
		panic(err) // the file is embedded: a name that isn't there is a mistake in this package
	}
	return content
}

func hashOf(files map[string][]byte) string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		sum.Write([]byte(name))
		sum.Write([]byte{0})
		sum.Write(files[name])
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

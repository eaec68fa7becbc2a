package views

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"belfry/static"
)

// refused are spellings that htmx 4 ignores or that the content security policy forbids, each with what to write instead.
var refused = []struct{ pattern, instead string }{
	{`\bhx-ext=|\bsse-(connect|swap|close)=`, "hx-sse:connect"},
	{`\bhx-(disinherit|inherit|vars|params|prompt|request|history)=`, "htmx 4 has no such attribute"},
	{`\bhx-disabled-elt=`, "hx-disable"},
	{`htmx:[a-z]+[A-Z]`, "event names with colons, such as htmx:after:swap"},
	{`\bhx-on\b|"hx-on`, "a listener in app.js"},
	{`["'\s]js:|\bhx-trigger="[^"]*\[`, "plain values: the policy forbids evaluating text"},
	{`\sstyle=|<style`, "a class"},
	{`\son[a-z]+="`, "a listener in app.js"},
	{`<script(>|\s[^>]*>[^<])`, "a file in static/js"},
	{`javascript:`, "a listener in app.js"},
	{`\bhtmx\.(defineExtension|addClass|removeClass|off)\b`, "what htmx 4 has"},
}

// sources are the templates and our own scripts.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.templ", "../static/js/*.js", "*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = string(content)
		}
	}
	return out
}

func generatedOrTest(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go")
}

func TestNothingIsWrittenForAnOlderHtmxOrAgainstThePolicy(t *testing.T) {
	for name, content := range sources(t) {
		if strings.HasSuffix(name, ".go") {
			continue
		}
		for _, idiom := range refused {
			if found := regexp.MustCompile(idiom.pattern).FindString(content); found != "" {
				t.Errorf("%s has %q: write %s", name, strings.TrimSpace(found), idiom.instead)
			}
		}
	}
}

func TestTheRefusedSpellingsAreRecognized(t *testing.T) {
	examples := []string{
		`<div hx-ext="sse" sse-connect="/x">`, `<a hx-vars="x">`, `<b hx-disabled-elt="this">`, `"htmx:afterSwap"`, `<i hx-on:click="x">`,
		`hx-vals="js:{a: 1}"`, `hx-trigger="keyup[key=='a']"`, `<p style="x">`, `<button onclick="x">`, `<script>alert(1)</script>`, `href="javascript:x"`, `htmx.off(x)`,
	}
	for _, example := range examples {
		matches := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(example) }
		if !slices.ContainsFunc(patterns(), matches) {
			t.Errorf("%s is not refused", example)
		}
	}
}

func patterns() []string {
	out := make([]string, 0, len(refused))
	for _, idiom := range refused {
		out = append(out, idiom.pattern)
	}
	return out
}

// iconNames finds names of icons in templates and view structs.
var iconNames = regexp.MustCompile(`(?:@Icon\(|Icon:\s*|tonedIcon\(|MenuLink\("[^"]*", |State\{)"([a-z0-9-]+)"`)

func TestEveryIconUsedIsThere(t *testing.T) {
	there := static.Icons()
	used := 0
	for name, content := range sources(t) {
		if generatedOrTest(name) {
			continue
		}
		for _, match := range iconNames.FindAllStringSubmatch(content, -1) {
			used++
			if !slices.Contains(there, match[1]) {
				t.Errorf("%s uses the icon %s, which is not vendored", name, match[1])
			}
		}
	}
	if used < 10 {
		t.Errorf("only %d uses of icons were found: the search is wrong", used)
	}
}

func TestGalleryPagesAreWellFormed(t *testing.T) {
	for name, page := range Styleguide() {
		html, err := render(WithNow(t.Context(), StyleguideNow()), page)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.HasPrefix([]byte(html), []byte("<!doctype html>")) || strings.Count(html, "<h1") != 1 {
			t.Errorf("%s is not one document with one title", name)
		}
		if ids := duplicateIDs(html); len(ids) > 0 {
			t.Errorf("%s has ids twice: %v", name, ids)
		}
	}
}

// TestOneRegionTellsResults keeps screen readers from being told by a region that comes with what it tells, which many of
// them miss: all is told by the one that every page has.
func TestOneRegionTellsResults(t *testing.T) {
	region := regexp.MustCompile(`aria-live|role="status"`)
	for name, content := range sources(t) {
		if found := len(region.FindAllString(content, -1)); strings.HasSuffix(name, ".templ") && found > 0 && name != "layout.templ" {
			t.Errorf("%s has %d live regions: carry data-says, or call tell", name, found)
		}
	}
}

func duplicateIDs(html string) []string {
	seen, twice := map[string]bool{}, []string{}
	for _, match := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(html, -1) {
		if seen[match[1]] {
			twice = append(twice, match[1])
		}
		seen[match[1]] = true
	}
	return twice
}

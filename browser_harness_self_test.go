package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The harness itself is tested here: a check that can't fail proves nothing.

const goodPage = `<!doctype html><html lang="en"><head><title>Good</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/app.css"></head><body><main><h1>Good</h1>
<form method="post" action="/greet"><label for="n">Name</label><input id="n" name="name" value="old">
<label for="c">Colour</label><select id="c" name="colour"><option value="red">Red</option><option value="blue">Blue</option></select>
<button type="submit">Greet</button></form><p id="script">no script ran</p></main><script src="/app.js"></script></body></html>`

const badPage = `<!doctype html><html><head><title>Bad</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/bad.css"></head>
<body style="color:red" text="#eeeeee"><p>Pale</p><button class="btn">Dull</button><img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="><script src="/bad.js"></script></body></html>`

// sample serves a page with nothing wrong, one with every fault, and a form.
func sample(t *testing.T) string {
	mux := http.NewServeMux()
	serve := func(path, kind, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
			fmt.Fprint(w, body)
		})
	}
	serve("/good", "text/html", goodPage)
	serve("/bad", "text/html", badPage)
	serve("/app.css", "text/css", "@media (prefers-color-scheme: dark) { body { background: rgb(0, 0, 0); color: white } }")
	serve("/app.js", "text/javascript", `document.querySelector("#script").textContent = "a script ran"`)
	serve("/bad.css", "text/css", ".btn { border: 0; outline: none !important; background: none; color: black }")
	serve("/bad.js", "text/javascript", `setTimeout(() => document.body.prepend(document.createElement("hr")), 50); console.error("a complaint", 7); eval("1"); `)
	serve("/favicon.ico", "image/x-icon", "") // asked for where a page names none: its absence is not the test's business
	mux.HandleFunc("POST /greet", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `<link rel="icon" href="data:,"><p id="hello">Hello %s in %s</p>`, r.FormValue("name"), r.FormValue("colour"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestBrowserHarness(t *testing.T) {
	b, site := startBrowser(t), sample(t)
	t.Run("a good page has no faults", func(t *testing.T) { goodPageHasNoFaults(t, b, site) })
	t.Run("a bad page's faults are reported", func(t *testing.T) { badPageIsReported(t, b, site) })
	for _, noScript := range []bool{false, true} {
		t.Run(fmt.Sprintf("a form is filled and sent, no script %v", noScript), func(t *testing.T) {
			formIsSent(t, b.newTab(t, look{NoScript: noScript}), site)
		})
	}
	t.Run("looks are seen and shot", func(t *testing.T) { looksAreShot(t, b, site) })
}

func goodPageHasNoFaults(t *testing.T, b *browser, site string) {
	p := b.newTab(t, look{})
	if status := p.open(site + "/good"); status != http.StatusOK {
		t.Errorf("status %d, want 200", status)
	}
	p.seeText("#script", "a script ran")
	p.accessible()
	p.focusable()
	p.lookAs(look{Forced: true})
	p.none("lost", lostEdges)
	p.none("moves", shifts)
	if n := p.count("option"); n != 2 {
		t.Errorf("%d options, want 2", n)
	}
	if faults := p.takeFaults(); len(faults) != 0 {
		t.Errorf("faults of a good page: %q", faults)
	}
}

func badPageIsReported(t *testing.T, b *browser, site string) {
	p := b.newTab(t, look{})
	p.open(site + "/bad")
	all := strings.Join(p.takeFaults(), "\n")
	for _, want := range []string{"console: a complaint 7", "exception: ", "style", "unsafe-eval"} {
		if !strings.Contains(all, want) {
			t.Errorf("the faults do not tell of %q:\n%s", want, all)
		}
	}
	rules := map[string]bool{}
	for _, f := range p.axe("") {
		rules[f.Rule] = true
	}
	if !rules["image-alt"] || !rules["html-has-lang"] || !rules["color-contrast"] {
		t.Errorf("axe found %v, want image-alt, html-has-lang and color-contrast among it", rules)
	}
	if found := p.axe(colourRules); len(found) != 1 || found[0].Rule != "color-contrast" {
		t.Errorf("of colours axe found %v, want color-contrast alone", found)
	}
	p.until("the page has moved", "document.querySelector('hr') !== null")
	for what, expression := range map[string]string{"what moves": shifts, "what does not show the focus": dull, "what lost its edge": lostEdges} {
		p.lookAs(look{Forced: expression == lostEdges})
		if len(p.found(expression)) == 0 {
			t.Errorf("on a bad page nothing is found of %s", what)
		}
	}
	p.open(site + "/missing")
	p.expectFault("status of 404")
}

func formIsSent(t *testing.T, p *tab, site string) {
	p.open(site + "/good")
	p.fill("#n", "Ada")
	p.choose("#c", "blue")
	if got := p.value("#n"); got != "Ada" {
		t.Errorf("the field holds %q, want Ada", got)
	}
	if ran := p.see("#script") == "a script ran"; ran == p.look.NoScript {
		t.Errorf("script ran: %v, with NoScript %v", ran, p.look.NoScript)
	}
	if p.look.NoScript {
		p.accessible() // which needs scripts for itself
	}
	p.follow("button")
	p.waitURL("/greet")
	p.gone("form")
	p.seeText("#hello", "Hello Ada in blue")
	p.expectFault("status of 422")
}

func looksAreShot(t *testing.T, b *browser, site string) {
	dir := t.TempDir()
	t.Setenv("BELFRY_SCREENSHOTS", dir)
	p := b.newTab(t, look{Width: narrow, Dark: true})
	p.open(site + "/good")
	p.until("the page is dark", `getComputedStyle(document.body).backgroundColor === "rgb(0, 0, 0)"`)
	p.until("the page is narrow", fmt.Sprintf("innerWidth === %d", narrow))
	p.screenshot("good")
	if info, err := os.Stat(filepath.Join(dir, "good-dark-390.png")); err != nil || info.Size() == 0 {
		t.Errorf("no screenshot: %v", err)
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// faults collects what a page's console complains of: errors, exceptions that
// nothing caught, refusals by the content security policy, failed requests.
type faults struct {
	mu   sync.Mutex
	list []string
}

// hear takes the browser's events, in their order.
func (f *faults) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			f.add("console: " + consoleText(e.Args))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		f.add("exception: " + text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			f.add(fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	}
}

// consoleText is what console.error was given, as far as it can be shown.
func consoleText(args []*runtime.RemoteObject) string {
	var words []string
	for _, arg := range args {
		var text string
		switch {
		case json.Unmarshal(arg.Value, &text) == nil:
		case arg.Description != "":
			text = arg.Description
		default:
			text = string(arg.Value)
		}
		words = append(words, text)
	}
	return strings.Join(words, " ")
}

func (f *faults) add(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, text)
}

// take gives the faults so far and forgets them.
func (f *faults) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.list
	f.list = nil
	return taken
}

// takeFaults gives what the console complained of so far and forgets it. A
// round trip comes first: the browser sends its complaints before the answer.
func (p *tab) takeFaults() []string {
	p.t.Helper()
	if _, err := evaluate[bool](p, "true"); err != nil {
		p.fatalf("ask the page for its faults: %v", err)
	}
	return p.faults.take()
}

// expectFault takes a complaint that the step before had to cause, such as the
// "status of 422" that the browser notes for a refused form.
func (p *tab) expectFault(part string) {
	p.t.Helper()
	all := p.takeFaults()
	at := slices.IndexFunc(all, func(fault string) bool { return strings.Contains(fault, part) })
	if at < 0 {
		p.fatalf("the console did not complain of %q, but of %q", part, all)
	}
	for _, fault := range slices.Delete(all, at, at+1) {
		p.faults.add(fault)
	}
}

// failOnFaults fails the test where the console complained.
func (p *tab) failOnFaults() {
	if p.t.Failed() {
		return
	}
	for _, fault := range p.takeFaults() {
		p.t.Errorf("the browser complained: %s", fault)
	}
}

// acceptDialogs answers every confirm dialog with OK.
func (p *tab) acceptDialogs() {
	err := chromedp.Listen(p.ctx, func(event any) {
		if _, ok := event.(*page.EventJavascriptDialogOpening); !ok {
			return
		}
		// Not here: the listener must not wait for an answer of the browser.
		go func() {
			accept := page.HandleJavaScriptDialogParams{Accept: true}
			if _, err := chromedp.Call(p.ctx, page.HandleJavaScriptDialog, accept); err != nil {
				p.faults.add("dialog: " + err.Error())
			}
		}()
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// axeFinding is one rule of axe-core that a page breaks.
type axeFinding struct {
	Rule    string   `json:"rule"`
	Impact  string   `json:"impact"`
	Help    string   `json:"help"`
	Targets []string `json:"targets"`
}

// colourRules are the rules of axe-core that ask for colours alone.
const colourRules = `"color-contrast", "link-in-text-block"`

// axe runs axe-core over the page and gives its findings; rules, quoted and
// with commas between them, are those to run instead of all. Where the page may
// not run scripts they are allowed for that moment only.
func (p *tab) axe(rules string) []axeFinding {
	p.t.Helper()
	p.do("let axe run", scripts(true))
	defer p.do("set scripts back", scripts(!p.look.NoScript))
	options := `resultTypes: ["violations"], preload: false, iframes: false`
	if rules != "" {
		options += `, runOnly: [` + rules + `]`
	}
	run := `axe.run(document, {` + options + `}).then(result => result.violations.map(v => ({
		rule: v.id, impact: v.impact ?? "", help: v.help,
		targets: v.nodes.map(n => n.target.flat().join(" ") + ": " + (n.any[0] ?? n.all[0] ?? n.none[0])?.message),
	})))`
	ctx, cancel := context.WithTimeout(p.ctx, 3*patience)
	defer cancel()
	findings, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]axeFinding, error) {
		if there, err := chromedp.Evaluate[bool]("typeof axe === 'object'")(ctx, t); err != nil || !there {
			source, err := os.ReadFile(filepath.Join("testdata", "axe.min.js"))
			if err != nil {
				return nil, err
			}
			if _, err := chromedp.Evaluate[chromedp.Void](string(source))(ctx, t); err != nil {
				return nil, err
			}
		}
		return chromedp.Evaluate[[]axeFinding](run, chromedp.EvalAwaitPromise)(ctx, t)
	})
	if err != nil {
		p.fatalf("run axe: %v", err)
	}
	return findings
}

// accessible fails the test for every finding of axe-core on the page.
func (p *tab) accessible() {
	p.t.Helper()
	p.noFindings(p.axe(""))
}

// legible is accessible for colours alone.
func (p *tab) legible() {
	p.t.Helper()
	p.noFindings(p.axe(colourRules))
}

func (p *tab) noFindings(findings []axeFinding) {
	p.t.Helper()
	for _, f := range findings {
		p.t.Errorf("%s%s: axe %s (%s): %s\n\t%s", p.url(), p.look.suffix(), f.Rule, f.Impact, f.Help, strings.Join(f.Targets, "\n\t"))
	}
}

// screenshot writes the whole page to the folder BELFRY_SCREENSHOTS (or
// screenshots) as name-light-1440.png and the like, for a person to look at.
func (p *tab) screenshot(name string) {
	p.t.Helper()
	dir := os.Getenv("BELFRY_SCREENSHOTS")
	if dir == "" {
		dir = "screenshots"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	png, err := p.picture()
	if err != nil {
		p.fatalf("screenshot %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+p.look.suffix()+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// picture gives the whole page as PNG.
func (p *tab) picture() ([]byte, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, wholePage)
}

// wholePage shoots the page also where it is longer than the window.
func wholePage(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	yes := true
	shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, OptimizeForSpeed: &yes})
	return shot.Data, err
}

// suffix names the look in file names: -dark-390-forced-noscript.
func (l look) suffix() string {
	s := "-light"
	if l.Dark {
		s = "-dark"
	}
	s += fmt.Sprintf("-%d", l.Width)
	if l.Forced {
		s += "-forced"
	}
	if l.NoScript {
		s += "-noscript"
	}
	if l.Bars {
		s += "-bars"
	}
	return s
}

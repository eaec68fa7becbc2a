package main

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// patience is how long a browser step may take before it is a failure.
const patience = 10 * time.Second

// errNoChromium says what a person must do to get the browser tests.
var errNoChromium = errors.New("no browser: Chromium was not found: run `make deps`, or install the package chromium")

// browser is one headless Chromium for a test and its subtests.
type browser struct{ ctx context.Context }

// startBrowser starts Chromium until the test ends. Where it is not installed
// the test fails and says what to install; with -short it is skipped instead.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := findChromium()
	if err != nil {
		if testing.Short() {
			t.Skipf("no browser for this test, and -short is set: %v", err)
		}
		t.Fatal(err)
	}
	// Not t.Context(): it ends before the clean-ups, which still look at pages.
	allocator, release := chromedp.NewExecAllocator(context.Background(), slices.Concat(
		chromedp.DefaultExecAllocatorOptions[:],
		[]chromedp.ExecAllocatorOption{
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-component-update", true),
			chromedp.Flag("hide-scrollbars", false), // a look hides them
			chromedp.Flag("no-proxy-server", true),
		},
	)...)
	t.Cleanup(release)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &browser{ctx: ctx}
}

// findChromium gives the path of the browser under the names it is packaged as.
func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}

// The widths that pages are looked at.
const (
	wide   = 1440
	narrow = 390
)

// look is how a visitor sees a page. The zero value is a wide, light window
// that runs scripts.
type look struct {
	Width    int64 // 0: wide
	Dark     bool
	Forced   bool // the colours are the visitor's own, few and strong
	NoScript bool
	Bars     bool // scrollbars take room
}

// tab is one browser window of a visitor with cookies of its own. Its methods
// end the test when a step fails; whatever the page's console complains of
// fails the test when it ends, unless takeFaults or expectFault took it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	look   look
	faults *faults
}

// newTab opens a window with an empty cookie jar until the test ends.
func (b *browser) newTab(t *testing.T, l look) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	p := &tab{t: t, ctx: ctx, faults: &faults{}}
	if err := chromedp.Listen(ctx, p.faults.hear); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p.acceptDialogs()
	p.lookAs(l)
	t.Cleanup(p.failOnFaults)
	return p
}

// lookAs changes how the visitor sees pages. Scripts switched on or off hold
// from the next page on.
func (p *tab) lookAs(l look) {
	p.t.Helper()
	if l.Width == 0 {
		l.Width = wide
	}
	p.look = l
	scheme, forced := "light", "none"
	if l.Dark {
		scheme = "dark"
	}
	if l.Forced {
		forced = "active"
	}
	p.do("set the look", chromedp.EmulateViewport(l.Width, 900), command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "forced-colors", Value: forced},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	}), scripts(!l.NoScript), command(emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: !l.Bars}))
}

// scripts lets pages run scripts, or not.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// command makes an action of a protocol command whose answer does not matter.
func command[P, R any](cmd cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cmd, params)
		return err
	})
}

// do runs actions within the patience; what names them in a failure.
func (p *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fatalf("%s: %v", what, err)
	}
}

// evaluate runs an expression on the page, also where the page itself may not
// run scripts: neither that nor the content security policy binds it.
func evaluate[T any](p *tab, expression string, options ...chromedp.EvaluateOption) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
}

// quote makes a JavaScript string of s.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(b)
}

// until looks at the page again and again until condition, a JavaScript
// expression, is true. A page that is just being replaced counts as not yet.
func (p *tab) until(what, condition string) {
	p.t.Helper()
	again, limit := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer again.Stop()
	for {
		ok, err := evaluate[bool](p, condition)
		if err == nil && ok {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			p.fatalf("waited %v in vain until %s (%v)", patience, what, err)
		}
	}
}

// fatalf ends the test and tells what the page showed.
func (p *tab) fatalf(format string, args ...any) {
	p.t.Helper()
	shown, _ := evaluate[string](p, "location.href + '\\n' + (document.body?.innerText ?? '').slice(0, 1500)")
	p.t.Fatalf(format+"\nthe page: %s\nits faults: %q", append(args, shown, p.faults.take())...)
}

package views

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/static"

	"github.com/a-h/templ"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// policy is the strict one that pages are served with.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// galleryServer serves the gallery's pages by name.
func galleryServer(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler(nil))
	for name, page := range Styleguide() {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			html, err := render(WithNow(r.Context(), StyleguideNow()), page)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			_, _ = w.Write([]byte(html))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// browser starts Chromium without a window until the test ends. Where it is not
// installed the test fails and says what to install; with -short it is skipped
// instead.
func browser(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	err := chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	switch {
	case errors.Is(err, exec.ErrNotFound) && testing.Short():
		t.Skipf("no browser for this test, and -short is set: %v", err)
	case errors.Is(err, exec.ErrNotFound):
		t.Fatalf("no browser: Chromium was not found: run `make deps`, or install the package chromium (%v)", err)
	case err != nil:
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// missingFiles names what a page asked for and could not have.
const missingFiles = `[...performance.getEntriesByType("resource")].filter(e => e.responseStatus >= 400).map(e => e.name).join(" ")`

const sidewaysOverflow = `(() => {
	const width = document.documentElement.clientWidth;
	const wide = [...document.querySelectorAll(".table-box")].filter(e => e.scrollWidth > e.clientWidth);
	if (wide.length > 0) return "a table is wider than its box by " + (wide[0].scrollWidth - wide[0].clientWidth);
	if (document.documentElement.scrollWidth <= width) return "";
	return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1)
		.slice(0, 5).map(e => e.tagName + "." + (e.getAttribute("class") ?? "")).join(" ");
})()`

// axeFindings runs all rules of axe-core, legibility those that ask for colours.
const (
	axeFindings = `axe.run()` + axeLines
	legibility  = `axe.run(document, {runOnly: ["color-contrast", "link-in-text-block"]})` + axeLines
	axeLines    = `.then(found => found.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join(" | ")).join("\n"))`
)

// TestPartsKeepTheirPromisesInABrowser opens every page of the gallery wide, narrow and dark, under the strict policy:
// nothing is refused or missing, nothing scrolls sideways, axe finds nothing. With BELFRY_SCREENSHOTS set to a folder it
// leaves pictures there.
func TestPartsKeepTheirPromisesInABrowser(t *testing.T) {
	axe, err := os.ReadFile("../testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	server, ctx := galleryServer(t), browser(t)
	for _, name := range slices.Sorted(maps.Keys(Styleguide())) {
		for _, width := range []int64{1440, 390} {
			t.Run(name+"-"+px(float64(width)), func(t *testing.T) { look(t, ctx, server.URL+"/"+name, width, string(axe)+";true") })
		}
	}
}

// look opens a page and looks at it in light, and where it is wide in dark as well.
func look(t *testing.T, ctx context.Context, url string, width int64, axe string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	consoleCtx, stop := context.WithCancel(ctx)
	console := chromedp.Console(consoleCtx)
	prefer(t, ctx, "light")
	err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("#toasts")), chromedp.Evaluate[chromedp.Void](axe))
	if err != nil {
		t.Fatal(err)
	}
	screenshot(t, ctx, "light")
	expectEmpty(t, ctx, "files that could not be had", missingFiles)
	expectEmpty(t, ctx, "scrolls sideways", sidewaysOverflow)
	expectEmpty(t, ctx, "axe", axeFindings)
	if width == 1440 {
		prefer(t, ctx, "dark")
		screenshot(t, ctx, "dark")
		expectEmpty(t, ctx, "axe, in dark", legibility)
	}
	stop()
	for message, err := range console {
		if err != nil {
			break
		}
		t.Errorf("console: %s", message.Text)
	}
}

// prefer sets the colour scheme that the visitor likes; nothing moves.
func prefer(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}

func TestPaperIsLightAlsoWhereTheScreenIsDark(t *testing.T) {
	server, ctx := galleryServer(t), browser(t)
	media := emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/delivery"), chromedp.WaitReady(chromedp.CSS("#toasts"))); err != nil {
		t.Fatal(err)
	}
	expectEmpty(t, ctx, "the ground of a panel", `getComputedStyle(document.querySelector(".panel")).backgroundColor.replace("rgb(255, 255, 255)", "")`)
	expectEmpty(t, ctx, "broken names", `[...document.querySelectorAll(".attempt h3")].filter(e => e.scrollWidth > e.clientWidth || e.clientHeight > 90).map(e => e.innerText).join()`)
}

func expectEmpty(t *testing.T, ctx context.Context, what, script string) {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got != "" {
		t.Errorf("%s: %s", what, got)
	}
}

func screenshot(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	folder := os.Getenv("BELFRY_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	_, name, _ := strings.Cut(t.Name(), "/")
	if err := os.WriteFile(filepath.Join(folder, "parts-"+name+"-"+scheme+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

func render(ctx context.Context, c templ.Component) (string, error) {
	var out strings.Builder
	err := c.Render(ctx, &out)
	return out.String(), err
}
